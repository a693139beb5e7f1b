//! Makes the answer about one order: a pure function of state and request.
//!
//! Serving, dry runs, what-ifs and replays all call it, so they cannot differ.

use std::sync::Arc;

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, Decided, decide};
use crate::decision::strategy::Strategy;
use crate::decision::unlike::unlike_training;
use crate::domain::assignment::Assignment;
use crate::domain::counterfactual::{CounterfactualDirection, CounterfactualSearch};
use crate::domain::decision::{Decision, DecisionId, DecisionTimes, Stage, StageTiming, Versions};
use crate::domain::evidence::Evidence;
use crate::domain::record::ScoreRequest;
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::time::Timestamp;
use crate::feature::catalog::Catalog;
use crate::model::bundle::Bundle;
use crate::model::engine::Engine;
use crate::workflow::degraded::{degraded_reasons, missing_inputs, state_of};
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_error::JudgeError;
use crate::workflow::order_levers::Editable;
use crate::workflow::pace::{LeftOut, Pace};
use crate::workflow::sight::Sight;
use crate::workflow::state::State;
use crate::workflow::turn_action::Judged;

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
    pub(super) bundle: Arc<Bundle>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) strategy: Arc<ActiveStrategy>,
    /// Where among the bundle's features those are that the strategy's rules name.
    rule_places: Arc<[Option<usize>]>,
    /// `None`: contributions compare with the bundle's own background.
    explainer: Option<Arc<Explainer>>,
    /// The experiment's arm that this judge is, for an order that it covers.
    assignment: Option<Assignment>,
    /// With which the judge was assigned to the order.
    propensity: Probability,
    /// How much of its answers there is time for.
    pub(super) pace: Pace,
    build: Arc<str>,
    /// The versions that every answer names, as of position 0 and outside of experiments.
    named: Arc<Versions>,
}

/// What is given to a decision from outside; the same stamp gives the same decision.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Id of the decision.
    pub decision_id: DecisionId,
    /// When the request arrived.
    pub received_time: Timestamp,
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
        let ids: Vec<Arc<str>> = manifest.features.iter().map(|spec| spec.id.clone()).collect();
        let catalog = Arc::new(Catalog::new(&manifest.schema).select(&ids)?);
        strategy.strategy.rules.check_features(catalog.specs())?;
        let rule_places = strategy.strategy.rules.places(catalog.specs()).into();
        let build: Arc<str> = build.into();
        let named = named(&bundle, &strategy.strategy, None, &build);
        Ok(Self {
            bundle,
            catalog,
            strategy,
            rule_places,
            explainer: None,
            assignment: None,
            propensity: Probability::ONE,
            pace: Pace::Unhurried,
            build,
            named,
        })
    }

    /// The same model under another strategy. Whoever reads one checks its rules against the
    /// features of the bundle; to a rule that asks for another one it is unknown.
    #[must_use]
    pub fn with_strategy(&self, strategy: Arc<ActiveStrategy>) -> Self {
        let rule_places = strategy.strategy.rules.places(self.catalog.specs()).into();
        let explainer = self.explainer.as_deref();
        let named = named(&self.bundle, &strategy.strategy, explainer, &self.build);
        Self { strategy, rule_places, propensity: Probability::ONE, named, ..self.clone() }
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
        let strategy = &self.strategy.strategy;
        let named = named(&self.bundle, strategy, explainer.as_deref(), &self.build);
        Self { explainer, named, ..self.clone() }
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
        let sight = self.see(state, request, &[], nanos);
        let decided = self.decide_without_copies(&sight, request, stamp, nanos);
        Decision { evidence: sight.evidence, features: sight.values, ..decided }
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
        let decided = self.decide_without_copies(sight, request, stamp, nanos);
        let (evidence, features) = (sight.evidence.clone(), sight.values.clone());
        Decision { evidence, features, ..decided }
    }

    /// The answer but for what it takes from the sight as it is: evidence and features.
    fn decide_without_copies(
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
        let degraded_reasons = degraded_reasons(&self.bundle, request, stamp, sight.facts());
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
            evidence: Evidence::default(),
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
            features: Vec::new(),
            degraded_reasons,
            stage_timings: vec![
                timing(Stage::Features, sight.features_nanos),
                timing(Stage::Model, sight.model_nanos),
                timing(Stage::Decision, decision_nanos),
            ],
        }
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

    fn versions(&self, graph_position: u64) -> Versions {
        Versions {
            graph_position,
            assignment: self.assignment.clone(),
            propensity: self.propensity,
            ..Versions::clone(&self.named)
        }
    }
}

/// The versions that answers name, as of position 0 and outside of experiments.
fn named(
    bundle: &Bundle,
    strategy: &Strategy,
    explainer: Option<&Explainer>,
    build: &Arc<str>,
) -> Arc<Versions> {
    let manifest = bundle.manifest();
    let background =
        explainer.map_or(&bundle.parts().background, |explainer| &explainer.background);
    Arc::new(Versions {
        model: bundle.full_name().into(),
        model_hash: bundle.hash().into(),
        strategy: (&*strategy.name).into(),
        strategy_hash: (&*strategy.hash).into(),
        schema_hash: (&*manifest.schema_hash).into(),
        graph_position: 0,
        build: build.clone(),
        background: background.name().into(),
        background_hash: background.hash().into(),
        assignment: None,
        propensity: Probability::ONE,
    })
}
