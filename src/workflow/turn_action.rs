//! Which smallest changes of an order would turn its first action?
//!
//! The search looks for changes that carry the leading risk across the point at
//! which the action turns, or across a given probability; each changed order is
//! then judged as a whole, and kept only when it really does. What is read from
//! history alone stays as it is.

use crate::decision::attribution::{Recalibrate, move_to};
use crate::decision::decide::{first_action, leading_risk};
use crate::decision::rule_facts::OrderView;
use crate::decision::strategy::Strategy;
use crate::domain::counterfactual::{
    CounterfactualAim, CounterfactualDirection, CounterfactualProof, CounterfactualSearch,
};
use crate::domain::decision::ActionKind;
use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadId, HeadScore};
use crate::domain::order::Order;
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::time::Timestamp;
use crate::model::bundle::{Bundle, Head};
use crate::model::counterfactual::answer::Proof;
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::counterfactual::question::{Goal, Limits, Question};
use crate::model::counterfactual::search::smallest_changes;
use crate::model::engine::Engine;
use crate::workflow::order_levers::{Editable, OrderLevers, View};
use crate::workflow::turned_order::Turning;

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
    /// When the order was placed.
    pub event_time: Timestamp,
    /// Where among the features those are that the strategy's rules name.
    pub rule_places: &'a [Option<usize>],
    /// The order and its features.
    pub order: Editable<'a>,
    /// What every head says about them.
    pub scores: &'a [HeadScore],
    /// What the risk heads say under the strategy, in bundle order.
    pub risks: &'a [RiskAssessment],
}

/// An order's heads, and what the strategy makes of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assessed<'a> {
    pub(super) order: &'a Order,
    pub(super) values: &'a [f32],
    pub(super) scores: &'a [HeadScore],
    pub(super) risks: &'a [RiskAssessment],
}

impl Judged<'_> {
    /// The smallest changes that turn the first action by way of the leading risk: toward
    /// release into any other, toward stopping into another that stops. `None` when
    /// there is no risk or no action, or when the bundle does not know what its training rows
    /// have seen.
    pub fn other_action(&self, direction: CounterfactualDirection) -> Option<CounterfactualSearch> {
        let leading = leading_risk(self.strategy, self.risks)?;
        let now = self.first_action(self.as_is())?;
        let turn = Turn::new(self, leading, direction)?;
        let is_wanted = |action: ActionKind| match direction {
            CounterfactualDirection::TowardRelease => action != now,
            CounterfactualDirection::TowardStopping => action != now && !action.is_release(),
        };
        let is_other = |it: Assessed<'_>| self.first_action(it).is_some_and(is_wanted);
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
        let is_beyond = |it: Assessed<'_>| match direction {
            CounterfactualDirection::TowardRelease => it.risks[at].probability <= target,
            CounterfactualDirection::TowardStopping => target <= it.risks[at].probability,
        };
        Some(turn.search(CounterfactualAim::GivenProbability, is_beyond))
    }

    pub(super) fn first_action(&self, it: Assessed<'_>) -> Option<ActionKind> {
        let view = OrderView {
            order: it.order,
            event_time: self.event_time,
            values: it.values,
            places: self.rule_places,
        };
        first_action(self.strategy, view, it.scores, it.risks)
    }

    pub(super) fn specs(&self) -> &[FeatureSpec] {
        &self.bundle.manifest().features
    }

    fn as_is(&self) -> Assessed<'_> {
        let Editable { order, values, .. } = self.order;
        Assessed { order, values, scores: self.scores, risks: self.risks }
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
        let plausibility = &bundle.parts().plausibility;
        let id = &judged.risks[risk_idx].head;
        let head_idx = bundle.heads().iter().position(|head| head.id() == id)?;
        let mut ranks = Vec::new();
        bundle.manifest().binning.ranks_into(judged.order.values, &mut ranks);
        let head = &bundle.heads()[head_idx];
        Some(Self { judged, plausibility, head, risk_idx, head_idx, direction, ranks })
    }

    /// Carries the score to where the aim is met, the order and all other heads as they are,
    /// and keeps what meets it once the changed order is judged.
    fn search(
        &self,
        aim: CounterfactualAim,
        is_met: impl Fn(Assessed<'_>) -> bool,
    ) -> CounterfactualSearch {
        let target = self.target(|risks| is_met(Assessed { risks, ..self.judged.as_is() }));
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
        let view = View {
            forest,
            plausibility: self.plausibility,
            binning: &self.judged.bundle.manifest().binning,
            ranks: &self.ranks,
            goal,
        };
        let levers = OrderLevers::new(&self.judged.order, &view);
        let question = Question {
            ranks: &self.ranks,
            levers: &levers.levers,
            plausibility: self.plausibility,
            goal,
            limits: Limits { answers_max: JUDGED_MAX, ..Limits::default() },
        };
        let found = smallest_changes(forest, &question);
        search.proof = self.proof(found.proof);
        let turning = Turning {
            judged: self.judged,
            question: &question,
            levers: &levers,
            forest,
            aim,
            risk_idx: self.risk_idx,
            is_reweighted: self.is_reweighted(),
        };
        for change in &found.answers {
            if search.counterfactuals.len() < LISTED_MAX {
                search.counterfactuals.extend(turning.counterfactual(change, &is_met));
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
        self.judged
            .specs()
            .iter()
            .any(|spec| weights.get(spec.group).to_bits() != 1.0_f64.to_bits())
    }
}
