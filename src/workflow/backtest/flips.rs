//! The flipped orders with the most money at stake, explained by both sides.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, decide};
use crate::domain::backtest::{ExplainedSide, FlippedOrder, SideRisk};
use crate::domain::confirmation::Confirmations;
use crate::domain::decision::Reason;
use crate::domain::impact::RecommendedAction;
use crate::domain::record::{Record, ScoredOrder};
use crate::domain::risk::RiskAssessment;
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_at;
use crate::workflow::backtest::compare::ComparedOrder;
use crate::workflow::backtest::past_judges::{FittedStrategy, PastJudges};
use crate::workflow::error::Error;
use crate::workflow::pace::LeftOut;

/// Most flipped orders that are explained.
pub const FLIPPED_MAX: usize = 200;
/// Most actions of a side.
const ACTIONS_MAX: usize = 3;

/// The flipped orders with the most money at stake so far, by bits of the stake (which is
/// not negative, so they sort as it does), earlier ones first among equals.
#[derive(Debug, Default)]
pub struct TopFlips(BTreeSet<(u64, Reverse<u64>)>);

impl TopFlips {
    /// Adds a flipped order, if it is among them.
    pub fn add(&mut self, order: &ComparedOrder) {
        let size = |difference: Option<f64>| difference.map_or(0.0, f64::abs);
        let stake = size(order.recorded_difference).max(size(order.draft_difference));
        self.0.insert((stake.to_bits(), Reverse(order.position)));
        if FLIPPED_MAX < self.0.len() {
            self.0.pop_first();
        }
    }

    /// The orders with both explanations, most money at stake first.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    pub fn explain(
        self,
        reader: &JournalReader,
        bundle: &Bundle,
        draft: &FittedStrategy,
        judges: &PastJudges<'_>,
    ) -> Result<Vec<FlippedOrder>, Error> {
        // By position first: neighbors share a background, which takes time to compile.
        let mut top: Vec<(u64, u64)> = self.0.into_iter().map(|(bits, at)| (at.0, bits)).collect();
        top.sort_unstable();
        let mut flipped = Vec::with_capacity(top.len());
        for (position, bits) in top {
            let record = read_at(reader, position)
                .map_err(|error| Error::failed("reading the journal", error))?;
            if let Some(Record::Decision(scored)) = record {
                let side = draft_side(&scored, position, (bundle, draft, judges))?;
                flipped.push(of_both(&scored, f64::from_bits(bits), side));
            }
        }
        flipped.sort_by(|a, b| b.stake_minor.total_cmp(&a.stake_minor));
        Ok(flipped)
    }
}

fn of_both(scored: &ScoredOrder, stake_minor: f64, draft: ExplainedSide) -> FlippedOrder {
    let decision = &scored.decision;
    FlippedOrder {
        decision_id: decision.decision_id,
        order: decision.order.clone(),
        event_time: scored.request.event_time,
        amount: scored.request.order.amount,
        stake_minor,
        recorded: side(&decision.actions, &decision.risks, &decision.reasons),
        draft,
    }
}

/// The draft's side, with the evidence that was recorded: there is no graph here.
fn draft_side(
    told: &ScoredOrder,
    position: u64,
    (bundle, draft, judges): (&Bundle, &FittedStrategy, &PastJudges<'_>),
) -> Result<ExplainedSide, Error> {
    let decision = &told.decision;
    let (values, scratch) = (&decision.features, &mut Scratch::default());
    let hash = &decision.versions.background_hash;
    let scores = if **hash == *bundle.parts().background.hash() {
        bundle.score(values)
    } else {
        // Without its background only decisions are compared that weight no contribution.
        match judges.background(hash, position)? {
            Some(explainer) => bundle.score_with(&explainer.engine, scratch, values),
            None => bundle.score(values),
        }
    };
    let decided = decide(
        &draft.active.strategy,
        &DecideInput {
            scores: &scores,
            recalibrate: bundle,
            inputs: Inputs { specs: &bundle.manifest().features, values },
            order: &told.request.order,
            event_time: told.request.event_time,
            rule_places: &draft.rule_places,
            evidence: Some(&decision.evidence),
            is_without_graph: LeftOut::of(&decision.degraded_reasons) == LeftOut::Graph,
            // Nobody has seen what a draft recommends.
            confirmations: &Confirmations::default(),
            // A draft releases nothing: nobody would learn from it.
            room: None,
            actions_max: ACTIONS_MAX,
            contributions_max: 0,
        },
    );
    Ok(side(&decided.actions, &decided.risks, &decided.reasons))
}

fn side(
    actions: &[RecommendedAction],
    risks: &[RiskAssessment],
    reasons: &[Reason],
) -> ExplainedSide {
    let risk = |risk: &RiskAssessment| SideRisk {
        head: risk.head.clone(),
        probability: risk.probability,
        band: risk.band,
    };
    ExplainedSide {
        actions: actions.iter().take(ACTIONS_MAX).cloned().collect(),
        risks: risks.iter().map(risk).collect(),
        reasons: reasons.iter().map(|reason| reason.text.clone()).collect(),
    }
}
