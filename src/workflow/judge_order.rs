//! Makes the answer about one order: a pure function of state and request.
//!
//! Serving, dry runs, what-ifs and replays all call it, so they cannot differ.

use std::cell::RefCell;
use std::sync::Arc;

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, Decided, decide};
use crate::decision::strategy::Strategy;
use crate::decision::told::to_show;
use crate::decision::unlike::unlike_training;
use crate::domain::assignment::Assignment;
use crate::domain::confirmation::Confirmations;
use crate::domain::counterfactual::{CounterfactualDirection, CounterfactualSearch};
use crate::domain::decision::{Decision, DecisionId, DecisionTimes, Stage, StageTiming, Versions};
use crate::domain::evidence::Evidence;
use crate::domain::exploration::ExplorationRoom;
use crate::domain::head::HeadScore;
use crate::domain::record::ScoreRequest;
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::time::{Span, Timestamp};
use crate::feature::amount_line::AmountLines;
use crate::feature::catalog::Catalog;
use crate::graph::evidence::EvidenceWant;
use crate::model::background::Background;
use crate::model::bundle::Bundle;
use crate::model::engine::{Engine, Scratch};
use crate::workflow::degraded::{SightFacts, degraded_reasons, missing_inputs, state_of};
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_error::JudgeError;
use crate::workflow::order_levers::Editable;
use crate::workflow::pace::{LeftOut, Pace};
use crate::workflow::state::State;
use crate::workflow::turn_action::Judged;

/// Graph features per answer whose evidence is shown.
pub const EVIDENCE_FEATURES_MAX: usize = 6;

thread_local! {
    /// What scoring leaves behind, some 100 kB: made once per thread, not per order.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A strategy with the file it came from.
#[derive(Debug)]
pub struct ActiveStrategy {
    /// The checked strategy; it knows its own hash.
    pub strategy: Strategy,
    /// The file.
    pub toml: Box<str>,
}

/// A model and a strategy, ready to judge.
#[derive(Clone, Debug)]
pub struct Judge {
    bundle: Arc<Bundle>,
    pub(super) catalog: Arc<Catalog>,
    strategy: Arc<ActiveStrategy>,
    /// Where among the bundle's features those are that the strategy's rules name.
    rule_places: Arc<[Option<usize>]>,
    /// `None`: contributions compare with the bundle's own background.
    explainer: Option<Arc<Explainer>>,
    /// The experiment's arm that this judge is, for an order that it covers.
    assignment: Option<Assignment>,
    /// With which the judge was assigned to the order.
    propensity: Probability,
    /// How much of its answers there is time for.
    pace: Pace,
    build: Arc<str>,
}

/// What is given to a decision from outside; the same stamp gives the same decision.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Id of the decision.
    pub decision_id: DecisionId,
    /// When the request arrived.
    pub received_time: Timestamp,
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
    position: u64,
    /// Answers about orders older than this are flagged.
    lateness: Span,
    /// True when the graph had shed what the features may look back on.
    is_past_shed: bool,
    /// What there was no time for.
    pub(super) left_out: LeftOut,
    /// Features in bundle order; NaN is unknown.
    values: Vec<f32>,
    /// How some of them would follow from another amount.
    lines: AmountLines,
    /// Those that are given, not read.
    given: Vec<Given>,
    /// What every head says.
    pub scores: Vec<HeadScore>,
    evidence: Evidence,
    /// How often people took what was recommended.
    confirmations: Confirmations,
    /// What earlier releases to learn left; `None` when the strategy releases none.
    room: Option<ExplorationRoom>,
    features_nanos: u64,
    model_nanos: u64,
    evidence_nanos: u64,
}

/// A monotonic clock in nanoseconds.
pub type Stopwatch = fn() -> u64;

impl Judge {
    /// Joins a bundle and a strategy; `build` is the version of this program.
    ///
    /// # Errors
    /// [`JudgeError`] when the bundle uses a feature that this build does not have, or a rule
    /// one that the bundle does not have.
    pub fn new(
        bundle: Arc<Bundle>,
        strategy: Arc<ActiveStrategy>,
        build: &str,
    ) -> Result<Self, JudgeError> {
        let manifest = bundle.manifest();
        let ids: Vec<Box<str>> = manifest.features.iter().map(|spec| spec.id.clone()).collect();
        let catalog = Arc::new(Catalog::new(&manifest.schema).select(&ids)?);
        strategy.strategy.rules.check_features(catalog.specs())?;
        let rule_places = strategy.strategy.rules.places(catalog.specs()).into();
        Ok(Self {
            bundle,
            catalog,
            strategy,
            rule_places,
            explainer: None,
            assignment: None,
            propensity: Probability::ONE,
            pace: Pace::Unhurried,
            build: build.into(),
        })
    }

    /// The same model under another strategy. Whoever reads one checks its rules against the
    /// features of the bundle; to a rule that asks for another one it is unknown.
    #[must_use]
    pub fn with_strategy(&self, strategy: Arc<ActiveStrategy>) -> Self {
        let rule_places = strategy.strategy.rules.places(self.catalog.specs()).into();
        Self { strategy, rule_places, propensity: Probability::ONE, ..self.clone() }
    }

    /// The same strategy on another model, which compares with its own background.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn with_bundle(&self, bundle: Arc<Bundle>) -> Result<Self, JudgeError> {
        Self::new(bundle, self.strategy.clone(), &self.build)
    }

    /// The same judge, which is assigned to an order with this probability.
    #[must_use]
    pub fn assigned_with(&self, propensity: Probability) -> Self {
        Self { propensity, ..self.clone() }
    }

    /// The same judge as an arm of an experiment.
    #[must_use]
    pub fn assigned_to(&self, assignment: Assignment) -> Self {
        Self { assignment: Some(assignment), ..self.clone() }
    }

    /// The same model compared with other orders; `None` is the bundle's own background.
    #[must_use]
    pub fn with_explainer(&self, explainer: Option<Arc<Explainer>>) -> Self {
        Self { explainer, ..self.clone() }
    }

    /// The same judge, which leaves out what there is no time for.
    #[must_use]
    pub fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The strategy that this judge applies.
    pub fn strategy(&self) -> &Arc<ActiveStrategy> {
        &self.strategy
    }

    /// Version of this program.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The bundle that this judge scores with.
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// The answer to a request in a state, which is afterwards as it was.
    pub fn judge(
        &self,
        state: &mut State,
        request: &ScoreRequest,
        stamp: &Stamp,
        nanos: Stopwatch,
    ) -> Decision {
        self.decide(&self.see(state, request, &[], nanos), request, stamp, nanos)
    }

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

    /// The answer to a request that this judge has seen. One under another strategy would
    /// give its own answer, but with the evidence that this judge wanted.
    pub fn decide(
        &self,
        sight: &Sight,
        request: &ScoreRequest,
        stamp: &Stamp,
        nanos: Stopwatch,
    ) -> Decision {
        let started = nanos();
        let Sight { values, scores, evidence, .. } = sight;
        let (order, specs) = (&request.order, self.catalog.specs());
        let inputs = Inputs { specs, values };
        let decided = decide(
            &self.strategy.strategy,
            &DecideInput {
                scores,
                recalibrate: &*self.bundle,
                inputs,
                order,
                event_time: request.event_time,
                rule_places: &self.rule_places,
                evidence: Some(evidence),
                is_without_graph: sight.left_out == LeftOut::Graph,
                confirmations: &sight.confirmations,
                room: sight.room.as_ref(),
                actions_max: request.max_actions as usize,
                contributions_max: request.max_contributions as usize,
            },
        );
        let counterfactuals = self.counterfactuals(&decided, sight, request);
        let facts = SightFacts {
            lateness: sight.lateness,
            is_past_shed: sight.is_past_shed,
            left_out: sight.left_out,
            values,
        };
        let degraded_reasons = degraded_reasons(&self.bundle, request, stamp, facts);
        let decision_nanos = sight.evidence_nanos + nanos().saturating_sub(started);
        let timing = |stage, nanos| StageTiming { stage, nanos };
        Decision {
            decision_id: stamp.decision_id,
            request_id: request.request_id.clone(),
            order: order.key.clone(),
            state: state_of(decided.state, &degraded_reasons),
            times: DecisionTimes {
                event_time: request.event_time,
                received_time: stamp.received_time,
            },
            versions: self.versions(sight.position),
            risks: decided.risks,
            evidence: evidence.clone(),
            impacts: decided.impacts,
            actions: decided.actions,
            exploration: decided.exploration,
            is_blind: decided.is_blind,
            rules: decided.ruling.outcomes,
            tags: decided.ruling.tags,
            notices: decided.ruling.notices,
            priority: decided.ruling.priority,
            reasons: decided.reasons,
            unlike_training: unlike_training(&self.bundle.unlikeness(values), inputs),
            counterfactuals,
            missing_inputs: missing_inputs(specs, values),
            features: values.clone(),
            degraded_reasons,
            stage_timings: vec![
                timing(Stage::Features, sight.features_nanos),
                timing(Stage::Model, sight.model_nanos),
                timing(Stage::Decision, decision_nanos),
            ],
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

    /// What would have released an order that is stopped, or stopped it less.
    fn counterfactuals(
        &self,
        decided: &Decided,
        sight: &Sight,
        request: &ScoreRequest,
    ) -> Vec<CounterfactualSearch> {
        let is_released = decided.actions.first().is_none_or(|first| first.action.is_release());
        if is_released || sight.left_out != LeftOut::Nothing {
            return Vec::new();
        }
        let judged = self.judged(sight, request, &decided.risks);
        judged.other_action(CounterfactualDirection::TowardRelease).into_iter().collect()
    }

    /// What a search for the smallest changes needs of an order that was seen and assessed.
    pub fn judged<'a>(
        &'a self,
        sight: &'a Sight,
        request: &'a ScoreRequest,
        risks: &'a [RiskAssessment],
    ) -> Judged<'a> {
        Judged {
            bundle: &self.bundle,
            engine: self.engine(),
            strategy: &self.strategy.strategy,
            event_time: request.event_time,
            rule_places: &self.rule_places,
            order: Editable {
                order: &request.order,
                values: &sight.values,
                catalog: &self.catalog,
                lines: &sight.lines,
                given: &sight.given,
            },
            scores: &sight.scores,
            risks,
        }
    }

    /// The heads, compiled against what contributions compare with.
    pub fn engine(&self) -> &Engine {
        self.explainer.as_ref().map_or(self.bundle.engine(), |explainer| &explainer.engine)
    }

    fn background(&self) -> &Background {
        let own = &self.bundle.parts().background;
        self.explainer.as_ref().map_or(own, |explainer| &explainer.background)
    }

    fn versions(&self, graph_position: u64) -> Versions {
        let manifest = self.bundle.manifest();
        let background = self.background();
        Versions {
            model: self.bundle.full_name(),
            model_hash: self.bundle.hash().into(),
            strategy: self.strategy.strategy.name.clone(),
            strategy_hash: self.strategy.strategy.hash.clone(),
            schema_hash: manifest.schema_hash.clone(),
            graph_position,
            build: (&*self.build).into(),
            background: background.name().into(),
            background_hash: background.hash().into(),
            assignment: self.assignment.clone(),
            propensity: self.propensity,
        }
    }
}
