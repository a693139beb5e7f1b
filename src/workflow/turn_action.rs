//! Which smallest changes of an order would turn its first action?
//!
//! The search looks for changes that carry the leading risk across the point at
//! which the action turns, or across a given probability; each is then judged
//! again as a whole, with every head, and kept only when it really does. Features
//! that are read from history stay as they are.

use crate::decision::attribution::{Inputs, Recalibrate, assess, move_to};
use crate::decision::decide::{first_action, leading_risk};
use crate::decision::messages::message;
use crate::decision::reasons::{fact, risk_name};
use crate::decision::strategy::Strategy;
use crate::domain::counterfactual::{
    Counterfactual, CounterfactualAim, CounterfactualDirection, CounterfactualProof,
    CounterfactualSearch, FeatureChange, LeverChange,
};
use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::order::Order;
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::text::Text;
use crate::model::bundle::{Bundle, Head};
use crate::model::counterfactual::answer::{Change, Proof};
use crate::model::counterfactual::feature_levers::{Present, Way, feature_levers};
use crate::model::counterfactual::lever::{COST_UNIT, Levers};
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::counterfactual::question::{Goal, Limits, Question};
use crate::model::counterfactual::search::smallest_changes;
use crate::model::engine::{Engine, Scratch};

/// How far from the score a target is looked for, in steps of [`STRIDE`].
const STRIDES_MAX: u32 = 32;
/// First step of that look, log-odds.
const STRIDE: f64 = 0.25;
/// How often a step is then halved: to a thousandth.
const HALVINGS: u32 = 8;
/// Most changes that are judged again per search; those that miss the aim drop out.
const JUDGED_MAX: usize = 6;
/// Most changes listed per search.
const LISTED_MAX: usize = 3;

/// An order as it was judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The model.
    pub bundle: &'a Bundle,
    /// Its heads, compiled against the background that explained the order.
    pub engine: &'a Engine,
    /// The strategy.
    pub strategy: &'a Strategy,
    /// The order.
    pub order: &'a Order,
    /// Its features in bundle order; NaN is unknown.
    pub values: &'a [f32],
    /// What every head says about them.
    pub scores: &'a [HeadScore],
    /// What the risk heads say under the strategy, in bundle order.
    pub risks: &'a [RiskAssessment],
}

impl Judged<'_> {
    /// The smallest changes that turn the first action by way of the leading risk. `None` when
    /// there is no risk or no action, or when the bundle does not know what its training rows
    /// have seen.
    pub fn other_action(&self, direction: CounterfactualDirection) -> Option<CounterfactualSearch> {
        let leading = leading_risk(self.strategy, self.risks)?;
        let now = first_action(self.strategy, self.order, self.scores, self.risks)?;
        let turn = Turn::new(self, leading, direction)?;
        let is_other = |risks: &[RiskAssessment], scores: &[HeadScore]| {
            first_action(self.strategy, self.order, scores, risks).is_some_and(|it| it != now)
        };
        Some(turn.search(CounterfactualAim::OtherAction, is_other))
    }

    /// The smallest changes that bring a risk to a probability or beyond it. `None` when there
    /// is no such risk, or when the bundle does not know what its training rows have seen.
    pub fn given_probability(
        &self,
        head: &HeadId,
        target: Probability,
    ) -> Option<CounterfactualSearch> {
        let at = self.risks.iter().position(|risk| risk.head == *head)?;
        let direction = if target < self.risks[at].probability {
            CounterfactualDirection::TowardRelease
        } else {
            CounterfactualDirection::TowardStopping
        };
        let turn = Turn::new(self, at, direction)?;
        let is_beyond = |risks: &[RiskAssessment], _: &[HeadScore]| match direction {
            CounterfactualDirection::TowardRelease => risks[at].probability <= target,
            CounterfactualDirection::TowardStopping => target <= risks[at].probability,
        };
        Some(turn.search(CounterfactualAim::GivenProbability, is_beyond))
    }
}

/// One search.
struct Turn<'a> {
    judged: &'a Judged<'a>,
    plausibility: &'a Plausibility,
    head: &'a Head,
    /// Of the risk among the risks.
    risk_idx: usize,
    /// Of its head among the bundle's.
    head_idx: usize,
    direction: CounterfactualDirection,
    ranks: Vec<u8>,
}

impl<'a> Turn<'a> {
    fn new(
        judged: &'a Judged<'a>,
        risk_idx: usize,
        direction: CounterfactualDirection,
    ) -> Option<Self> {
        let bundle = judged.bundle;
        let plausibility = bundle.parts().plausibility.as_ref()?;
        let id = &judged.risks[risk_idx].head;
        let head_idx = bundle.heads().iter().position(|head| head.id() == id)?;
        let mut ranks = Vec::new();
        bundle.manifest().binning.ranks_into(judged.values, &mut ranks);
        let head = &bundle.heads()[head_idx];
        Some(Self { judged, plausibility, head, risk_idx, head_idx, direction, ranks })
    }

    /// Carries the score to where the aim is met, all other heads as they are, and keeps what
    /// meets it once all heads are asked.
    fn search(
        &self,
        aim: CounterfactualAim,
        is_met: impl Fn(&[RiskAssessment], &[HeadScore]) -> bool,
    ) -> CounterfactualSearch {
        let target = self.target(|risks| is_met(risks, self.judged.scores));
        let mut search = CounterfactualSearch {
            head: self.head.id().clone(),
            direction: self.direction,
            aim,
            target: target.map(|log_odds| Probability::clamped(self.head.calibrate(log_odds))),
            counterfactuals: Vec::new(),
            proof: self.proof(Proof::Complete),
        };
        let Some(log_odds) = target else { return search };
        let forest = self.head.search_forest();
        let steps =
            forest.steps(log_odds - self.risk().weighted_log_odds + self.risk().raw_log_odds);
        let goal = match self.direction {
            CounterfactualDirection::TowardRelease => Goal::AtMost(steps),
            CounterfactualDirection::TowardStopping => Goal::AtLeast(steps),
        };
        let levers = self.levers(goal);
        let question = Question {
            ranks: &self.ranks,
            levers: &levers,
            plausibility: self.plausibility,
            goal,
            limits: Limits { answers_max: JUDGED_MAX, ..Limits::default() },
        };
        let found = smallest_changes(forest, &question);
        search.proof = self.proof(found.proof);
        for change in &found.answers {
            let again = Again::new(self, &levers, change);
            if search.counterfactuals.len() < LISTED_MAX && is_met(&again.risks, &again.scores) {
                search.counterfactuals.extend(again.describe(self, aim, change));
            }
        }
        search
    }

    /// The log-odds (under the strategy) nearest to the present ones at which the aim is met.
    fn target(&self, is_met: impl Fn(&[RiskAssessment]) -> bool) -> Option<f64> {
        let stride = match self.direction {
            CounterfactualDirection::TowardRelease => -STRIDE,
            CounterfactualDirection::TowardStopping => STRIDE,
        };
        let without_lists = |risk: &RiskAssessment| RiskAssessment {
            contributions: Vec::new(),
            groups: Vec::new(),
            entities: Vec::new(),
            ..risk.clone()
        };
        let mut risks: Vec<RiskAssessment> = self.judged.risks.iter().map(without_lists).collect();
        let mut is_met_at = |log_odds: f64| {
            let calibrated = self.judged.bundle.calibrate(self.head_idx, log_odds);
            move_to(self.judged.strategy, &mut risks[self.risk_idx], log_odds, calibrated);
            is_met(&risks)
        };
        let at = |n: u32| self.risk().weighted_log_odds + f64::from(n) * stride;
        let n = (1..=STRIDES_MAX).find(|n| is_met_at(at(*n)))?;
        let (mut not_yet, mut met) = (at(n - 1), at(n));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(not_yet, met);
            if is_met_at(middle) { met = middle } else { not_yet = middle }
        }
        Some(met)
    }

    fn risk(&self) -> &RiskAssessment {
        &self.judged.risks[self.risk_idx]
    }

    fn levers(&self, goal: Goal) -> Levers {
        let present = Present { values: self.judged.values, ranks: &self.ranks };
        let changeable = (0_u16..).zip(self.specs()).filter(|(_, spec)| spec.is_changeable);
        let features =
            changeable.map(|(feature, spec)| (feature, Way::toward(goal, spec.monotone)));
        feature_levers(self.head.search_forest(), self.plausibility, present, features)
    }

    fn proof(&self, of_model: Proof) -> CounterfactualProof {
        match of_model {
            _ if self.is_reweighted() => CounterfactualProof::Reweighted,
            Proof::Complete => CounterfactualProof::Complete,
            Proof::Budget => CounterfactualProof::Budget,
        }
    }

    /// True when the strategy's weights make the score another than the model's: then a
    /// search over the model's trees proves nothing about it.
    fn is_reweighted(&self) -> bool {
        let weights = &self.judged.strategy.weights;
        self.specs().iter().any(|spec| weights.get(spec.group).to_bits() != 1.0_f64.to_bits())
    }

    fn specs(&self) -> &'a [FeatureSpec] {
        &self.judged.bundle.manifest().features
    }
}

/// A changed order, judged again.
struct Again {
    levers: Vec<LeverChange>,
    scores: Vec<HeadScore>,
    risks: Vec<RiskAssessment>,
}

impl Again {
    fn new(turn: &Turn<'_>, levers: &Levers, change: &Change) -> Self {
        let judged = turn.judged;
        let known = |value: f32| (!value.is_nan()).then(|| f64::from(value));
        let mut values = judged.values.to_vec();
        let mut changed = Vec::with_capacity(change.choices.len());
        for choice in &change.choices {
            let mut features = Vec::new();
            for step in levers.moves(&levers.settings(choice.lever)[choice.setting]) {
                let value = &mut values[usize::from(step.feature)];
                let feature = turn.specs()[usize::from(step.feature)].id.clone();
                features.push(FeatureChange {
                    feature,
                    from: known(*value),
                    to: known(step.value),
                });
                *value = step.value;
            }
            let lever = features.first().map(|first| first.feature.clone()).unwrap_or_default();
            changed.push(LeverChange { lever, features });
        }
        let scores = judged.bundle.score_with(judged.engine, &mut Scratch::default(), &values);
        let inputs = Inputs { specs: turn.specs(), values: &values };
        let heads = scores.iter().enumerate().filter(|(_, score)| score.kind == HeadKind::Risk);
        let risks = heads.map(|(idx, score)| {
            let calibrate = |log_odds| judged.bundle.calibrate(idx, log_odds);
            assess(judged.strategy, score, inputs, calibrate, 0)
        });
        Self { levers: changed, risks: risks.collect(), scores }
    }

    fn describe(
        self,
        turn: &Turn<'_>,
        aim: CounterfactualAim,
        change: &Change,
    ) -> Option<Counterfactual> {
        let judged = turn.judged;
        let first_action = first_action(judged.strategy, judged.order, &self.scores, &self.risks)?;
        let probability = self.risks[turn.risk_idx].probability;
        let changes = in_words(&self.levers, turn.specs());
        let text = match aim {
            CounterfactualAim::OtherAction => {
                let action = message("action", first_action.as_str(), &[]);
                message("turn", "with", &[("action", &action), ("changes", &changes)])
            }
            CounterfactualAim::GivenProbability => {
                let percent = format!("{:.1}", 100.0 * probability.value());
                let percent = Text::new(percent.clone(), percent);
                let risk = risk_name(turn.head.id());
                let parts = [("risk", &risk), ("probability", &percent), ("changes", &changes)];
                message("turn", "reach", &parts)
            }
        };
        Some(Counterfactual {
            levers: self.levers,
            cost: f64::from(change.cost) / COST_UNIT,
            probability,
            first_action,
            is_proven_minimal: change.is_proven_minimal && !turn.is_reweighted(),
            text,
        })
    }
}

/// The new values as facts.
fn in_words(levers: &[LeverChange], specs: &[FeatureSpec]) -> Text {
    let changes = levers.iter().flat_map(|lever| &lever.features);
    let facts = changes.filter_map(|change| {
        let spec = specs.iter().find(|spec| spec.id == change.feature)?;
        Some(fact(spec, change.to))
    });
    let (en, zh): (Vec<String>, Vec<String>) = facts.map(|fact| (fact.en, fact.zh)).unzip();
    Text::new(en.join("; "), zh.join("；"))
}
