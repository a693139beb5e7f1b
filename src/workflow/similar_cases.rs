//! Finds cases like a case: nearest in the space of contributions.
//!
//! A recorded decision holds its features, so its contributions are made again, all of them
//! against the background of the case that is asked about. That makes one space of them,
//! whatever each order was compared with when it was answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::decision::similar_text::{caveat, summary_text};
use crate::domain::case::Case;
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::head::HeadKind;
use crate::domain::record::{Record, ScoredOrder};
use crate::domain::recorded_order::{RecordedFact, RecordedOrder};
use crate::domain::similar::{Searched, SimilarCase, SimilarCases, SimilarQuery, by_action};
use crate::domain::time::{Span, Timestamp};
use crate::model::bundle::Bundle;
use crate::model::engine::{Engine, Scratch};
use crate::model::neighbors::Points;
use crate::store::log::{read_at, read_short};
use crate::store::records::query::{DecisionFilter, DecisionRow, Records};
use crate::workflow::backtest::past_judges::PastJudges;
use crate::workflow::case_service::case;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::past::Past;

/// Most decisions that a search looks at, newest first; about 50 MB while it runs.
pub const CANDIDATES_MAX: u32 = 10_000;
/// Most searches that run at a time; orders are judged meanwhile.
pub const SEARCHES_MAX: usize = 1;
/// How long a caller should wait before it tries again when one runs.
pub const SEARCH_RETRY_AFTER: Span = Span::SECOND;

/// What a search reads.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Bundle, backgrounds and journal.
    pub past: &'a Past,
    /// Which decisions there are, and what followed them.
    pub records: &'a Records,
}

/// A decision and where the journal has it; in the order of their ids.
type Found = (DecisionId, u64);

/// The contributions of one bundle against one background.
struct Space<'a> {
    engine: &'a Engine,
    /// Positions of the risk heads.
    risks: Vec<usize>,
    scratch: Scratch,
}

impl Sources<'_> {
    /// The cases like that of a decision, and what followed them until `now`.
    ///
    /// # Errors
    /// `Unavailable` when the bundle or the background of the decision is not to be had,
    /// `Internal` when journal or records cannot be read.
    pub fn find(
        &self,
        scored: &ScoredOrder,
        query: &SimilarQuery,
        now: Timestamp,
    ) -> Result<SimilarCases, Error> {
        let decision = &scored.decision;
        let versions = &decision.versions;
        let bundle = &*self.past.shelves.models.get(&versions.model, &versions.model_hash)?;
        let explainer = self.explainer(bundle, decision)?;
        let engine = explainer.as_ref().map_or(bundle.engine(), |explainer| &explainer.engine);
        let mut space = Space::new(bundle, engine);
        let asked = space.point(&decision.features);
        let mut points = Points::new(asked.len());
        let searched = self.gather(decision, &mut space, &mut points)?;
        let mut neighbors = Vec::new();
        for ((id, position), distance) in points.nearest(&asked, query.n_max as usize) {
            let case = self.case(id, position, now)?;
            neighbors.extend(SimilarCase::new(&case, distance, query.days));
        }
        let mut by_action = by_action(&neighbors);
        for summary in &mut by_action {
            summary.text = summary_text(summary, query.days);
        }
        Ok(SimilarCases {
            decision_id: decision.decision_id,
            order: decision.order.clone(),
            model: (&*decision.versions.model).into(),
            days: query.days,
            neighbors,
            by_action,
            searched,
            caveat: caveat(),
        })
    }

    /// The heads against the background of a decision; `None` is the bundle's own one.
    fn explainer(
        &self,
        bundle: &Bundle,
        decision: &Decision,
    ) -> Result<Option<Arc<Explainer>>, Error> {
        let versions = &decision.versions;
        let lacking = |what: &str, hash: &str| {
            Error::Unavailable(format!("{what} {hash} is not loaded").into())
        };
        let hash = &*versions.background_hash;
        if hash == bundle.parts().background.hash() {
            return Ok(None);
        }
        if let Some(kept) = self.past.explainers.find(hash) {
            return Ok(Some(kept));
        }
        let (reader, strategies) = (&self.past.reader, self.past.shelves.strategies.reader());
        let judges = PastJudges::new(reader, bundle, strategies, &[]);
        let found = judges.background(hash, versions.graph_position + 1)?;
        found.map(Some).ok_or_else(|| lacking("background", hash))
    }

    /// Places the newest decision about every other order.
    fn gather(
        &self,
        decision: &Decision,
        space: &mut Space<'_>,
        points: &mut Points<Found>,
    ) -> Result<Searched, Error> {
        let limit = CANDIDATES_MAX.saturating_add(1);
        let rows = self.records.list_decisions(&DecisionFilter::default(), None, limit);
        let mut rows = rows.map_err(|error| Error::unread("listing decisions", error))?;
        let is_truncated = (CANDIDATES_MAX as usize) < rows.len();
        rows.truncate(CANDIDATES_MAX as usize);
        // Revisions of an order share what followed; it must not count for each of them.
        let mut orders = BTreeSet::from([(&*decision.order.channel, &*decision.order.order_id)]);
        let mut n_other_model = 0;
        for row in &rows {
            if !orders.insert((&*row.order.channel, &*row.order.order_id)) {
                continue;
            }
            let recorded = self.recorded(row)?;
            if *recorded.model_hash == *decision.versions.model_hash {
                let point = space.point(&recorded.features);
                points.push((row.decision_id, row.position), &point);
            } else {
                n_other_model += 1;
            }
        }
        Ok(Searched { n_compared: points.len() as u64, n_other_model, is_truncated })
    }

    fn recorded(&self, row: &DecisionRow) -> Result<Box<RecordedOrder>, Error> {
        let unread = |error| Error::failed("reading the journal", error);
        let payload = self.past.reader.read_at(row.position).map_err(unread)?.unwrap_or_default();
        match read_short(row.position, &payload).map_err(unread)? {
            RecordedFact::Order(order) => Ok(order),
            RecordedFact::Truth(_) | RecordedFact::Other => Err(misplaced(row.position)),
        }
    }

    fn case(&self, id: DecisionId, position: u64, now: Timestamp) -> Result<Case, Error> {
        let unread = |error| Error::unread("reading what followed", error);
        let record = read_at(&self.past.reader, position).map_err(unread)?;
        let Some(Record::Decision(scored)) = record else { return Err(misplaced(position)) };
        let choices = self.records.choices(id).map_err(unread)?;
        let outcomes = self.records.outcomes(id).map_err(unread)?;
        Ok(case(&scored.decision, &choices, &outcomes, now))
    }
}

/// The records name a place of the journal where no decision is: they belong to another one.
fn misplaced(position: u64) -> Error {
    Error::Unavailable(format!("no decision at {position}").into())
}

impl<'a> Space<'a> {
    fn new(bundle: &Bundle, engine: &'a Engine) -> Self {
        let heads = bundle.heads().iter().enumerate();
        let risks = heads.filter(|(_, head)| head.kind() == HeadKind::Risk).map(|(at, _)| at);
        Self { engine, risks: risks.collect(), scratch: Scratch::default() }
    }

    /// The contributions of all features to each risk, risk by risk, log-odds.
    fn point(&mut self, features: &[f32]) -> Vec<f64> {
        self.engine.explain(features, &mut self.scratch);
        let mut point = Vec::new();
        for &head in &self.risks {
            let scale = self.engine.scale(head);
            let shifts = self.scratch.contributions(head).iter();
            point.extend(shifts.map(|&shift| scale.to_value(shift.into())));
        }
        point
    }
}
