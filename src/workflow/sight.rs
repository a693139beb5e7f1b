//! What a judge sees of an order: features, scores, evidence.

use std::cell::RefCell;

use crate::decision::told::to_show;
use crate::domain::confirmation::Confirmations;
use crate::domain::evidence::Evidence;
use crate::domain::exploration::ExplorationRoom;
use crate::domain::head::HeadScore;
use crate::domain::record::ScoreRequest;
use crate::domain::time::Span;
use crate::feature::amount_line::AmountLines;
use crate::graph::evidence::EvidenceWant;
use crate::model::engine::Scratch;
use crate::workflow::degraded::SightFacts;
use crate::workflow::judge_order::{Judge, Stopwatch};
use crate::workflow::pace::LeftOut;
use crate::workflow::state::State;

/// Graph features per answer whose evidence is shown.
pub const EVIDENCE_FEATURES_MAX: usize = 6;

thread_local! {
    /// What scoring leaves behind, some 100 kB: made once per thread, not per order.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A feature whose value is given, not read.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// Position among the bundle's features.
    pub at: usize,
    /// NaN is unknown.
    pub value: f32,
}

/// An order as graph and model see it: all that an answer needs of a state.
#[derive(Debug)]
pub struct Sight {
    /// Journal position of the state.
    pub(super) position: u64,
    /// Answers about orders older than this are flagged.
    pub(super) lateness: Span,
    /// True when the graph had shed what the features may look back on.
    pub(super) is_past_shed: bool,
    /// What there was no time for.
    pub(super) left_out: LeftOut,
    /// Features in bundle order; NaN is unknown.
    pub(super) values: Vec<f32>,
    /// How some of them would follow from another amount.
    pub(super) lines: AmountLines,
    /// Those that are given, not read.
    pub(super) given: Vec<Given>,
    /// What every head says.
    pub scores: Vec<HeadScore>,
    pub(super) evidence: Evidence,
    /// How often people took what was recommended.
    pub(super) confirmations: Confirmations,
    /// What earlier releases to learn left; `None` when the strategy releases none.
    pub(super) room: Option<ExplorationRoom>,
    pub(super) features_nanos: u64,
    pub(super) model_nanos: u64,
    pub(super) evidence_nanos: u64,
}

impl Sight {
    /// What decides how complete the answer is.
    pub(super) fn facts(&self) -> SightFacts<'_> {
        SightFacts {
            lateness: self.lateness,
            is_past_shed: self.is_past_shed,
            left_out: self.left_out,
            values: &self.values,
        }
    }
}

impl Judge {
    /// Reads what an answer needs of a state, with some features given instead of read. The
    /// state is only taken for as long as its links are weighed, and is afterwards as it was.
    pub fn see(
        &self,
        state: &mut State,
        request: &ScoreRequest,
        given: &[Given],
        nanos: Stopwatch,
    ) -> Sight {
        let started = nanos();
        let (order, as_of) = (&request.order, request.event_time);
        let specs = self.catalog.specs();
        let mut values = Vec::with_capacity(specs.len());
        let is_without_graph = self.pace.leaves_out_graph(nanos);
        let lines = if is_without_graph {
            self.catalog.extract_without_graph(order, as_of, &mut values);
            AmountLines::default()
        } else {
            self.catalog.extract_with_lines(&state.graph, order, as_of, &mut values)
        };
        for given in given {
            values[given.at] = given.value;
        }
        let features_done = nanos();
        let scores = SCRATCH
            .with_borrow_mut(|scratch| self.bundle.score_with(self.engine(), scratch, &values));
        let model_done = nanos();
        let left_out = if is_without_graph {
            LeftOut::Graph
        } else if self.pace.leaves_out_explanation(nanos) {
            LeftOut::Explanation
        } else {
            LeftOut::Nothing
        };
        let mut evidence = Evidence::default();
        if left_out == LeftOut::Nothing {
            evidence = state.graph.evidence(order, as_of, &self.evidence_wants(&scores));
            self.weigh_links(&mut state.graph, (request, given), &scores, &mut evidence);
        }
        Sight {
            position: state.position,
            lateness: state.graph.settings().lateness,
            is_past_shed: state.graph.is_cut_by_shedding(),
            left_out,
            values,
            lines,
            given: given.to_vec(),
            scores,
            evidence,
            confirmations: state.confirmations,
            room: if is_without_graph { None } else { self.room(state, request) },
            features_nanos: features_done.saturating_sub(started),
            model_nanos: model_done.saturating_sub(features_done),
            evidence_nanos: nanos().saturating_sub(model_done),
        }
    }

    /// What earlier releases left for an order; nobody walks its ring for a strategy that
    /// releases none.
    fn room(&self, state: &State, request: &ScoreRequest) -> Option<ExplorationRoom> {
        self.strategy.strategy.exploration.as_ref()?;
        let accounts = state.accounts_joined_by(&request.order, request.event_time);
        Some(state.explorations.room(&request.order, &accounts))
    }

    /// The graph features that the answer speaks about or that move its leading risk most.
    fn evidence_wants(&self, scores: &[HeadScore]) -> Vec<EvidenceWant> {
        let specs = self.catalog.specs();
        let features = to_show(&self.strategy.strategy, scores, &*self.bundle, specs);
        let wants = features.into_iter().filter_map(|at| self.catalog.evidence_want(at));
        wants.take(EVIDENCE_FEATURES_MAX).collect()
    }
}
