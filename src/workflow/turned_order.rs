//! A changed order, judged as a whole, and what is told of the change.

use crate::decision::attribution::{Inputs, Recalibrate, assess, known};
use crate::decision::messages::message;
use crate::decision::reasons::{amount_fact, fact, number, risk_name};
use crate::domain::counterfactual::{
    Counterfactual, CounterfactualAim, FeatureChange, LeverChange, LeverRange,
};
use crate::domain::feature::FeatureUnit;
use crate::domain::head::{HeadKind, HeadScore};
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::risk::RiskAssessment;
use crate::domain::text::Text;
use crate::feature::edits::OrderEdit;
use crate::model::counterfactual::answer::{Change, Choice};
use crate::model::counterfactual::lever::COST_UNIT;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::region::settings_around;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::engine::Scratch;
use crate::workflow::order_levers::OrderLevers;
use crate::workflow::turn_action::{Assessed, Judged};

/// A question that found changes, for telling them.
pub(super) struct Turning<'a> {
    pub(super) judged: &'a Judged<'a>,
    pub(super) question: &'a Question<'a>,
    pub(super) levers: &'a OrderLevers,
    pub(super) forest: &'a SearchForest,
    pub(super) aim: CounterfactualAim,
    /// Of the searched risk among the risks.
    pub(super) risk_idx: usize,
    /// True when the search could prove nothing.
    pub(super) is_reweighted: bool,
}

/// The order after a change.
struct Turned {
    order: Order,
    values: Vec<f32>,
    scores: Vec<HeadScore>,
    risks: Vec<RiskAssessment>,
}

impl Turned {
    fn assessed(&self) -> Assessed<'_> {
        let Self { order, values, scores, risks } = self;
        Assessed { order, values, scores, risks }
    }
}

impl Turning<'_> {
    /// What is told of a change; `None` when the changed order does not meet the aim.
    pub(super) fn counterfactual(
        &self,
        change: &Change,
        is_met: impl Fn(Assessed<'_>) -> bool,
    ) -> Option<Counterfactual> {
        let turned = self.turn(change)?;
        if !is_met(turned.assessed()) {
            return None;
        }
        let mut levers = Vec::with_capacity(change.choices.len());
        let mut told = Vec::with_capacity(change.choices.len());
        let mut features = self.differences(&turned);
        for (at, choice) in change.choices.iter().enumerate() {
            let set = self.levers.set(*choice)?;
            let lever = self.judged.specs()[usize::from(set.feature)].id.clone();
            let range = self.range(change, at, &is_met);
            let own = self.own_features(change, at, &mut features);
            told.push(self.in_words(*choice, &turned, range)?);
            levers.push(LeverChange { lever, range: range.map(|(range, _)| range), features: own });
        }
        let first_action = self.judged.first_action(turned.assessed())?;
        let risk = &turned.risks[self.risk_idx];
        let (en, zh): (Vec<String>, Vec<String>) =
            told.into_iter().map(|text| (text.en, text.zh)).unzip();
        let changes = Text::new(en.join("; "), zh.join("；"));
        let text = match self.aim {
            CounterfactualAim::OtherAction => {
                let action = message("action", first_action.as_str(), &[]);
                message("turn", "with", &[("action", &action), ("changes", &changes)])
            }
            CounterfactualAim::GivenProbability => {
                let percent = format!("{:.1}", 100.0 * risk.probability.value());
                let percent = Text::new(percent.clone(), percent);
                let risk = risk_name(&risk.head);
                let parts = [("risk", &risk), ("probability", &percent), ("changes", &changes)];
                message("turn", "reach", &parts)
            }
        };
        Some(Counterfactual {
            levers,
            cost: f64::from(change.cost) / COST_UNIT,
            probability: risk.probability,
            first_action,
            is_proven_minimal: change.is_proven_minimal && !self.is_reweighted,
            text,
        })
    }

    /// Edits the order, reads its features again and judges them with every head.
    fn turn(&self, change: &Change) -> Option<Turned> {
        let edits: Option<Vec<OrderEdit>> =
            change.choices.iter().map(|choice| self.levers.edit(*choice)).collect();
        let judged = self.judged;
        let (order, values) = judged.order.edited(&edits?);
        let scores = judged.bundle.score_with(judged.engine, &mut Scratch::default(), &values);
        let inputs = Inputs { specs: judged.specs(), values: &values };
        let heads = scores.iter().enumerate().filter(|(_, score)| score.kind == HeadKind::Risk);
        let risks = heads.map(|(idx, score)| {
            let calibrate = |log_odds| judged.bundle.calibrate(idx, log_odds);
            assess(judged.strategy, score, inputs, calibrate, 0)
        });
        let risks = risks.collect();
        Some(Turned { order, values, scores, risks })
    }

    /// Positions of the features that took another value, with the change.
    fn differences(&self, turned: &Turned) -> Vec<(usize, FeatureChange)> {
        let before = self.judged.order.values;
        let specs = self.judged.specs();
        let changed = (0..specs.len()).filter(|at| {
            let (from, to) = (before[*at], turned.values[*at]);
            from.to_bits() != to.to_bits() && !(from.is_nan() && to.is_nan())
        });
        let change = |at: usize| FeatureChange {
            feature: specs[at].id.clone(),
            from: known(before, at),
            to: known(&turned.values, at),
        };
        changed.map(|at| (at, change(at))).collect()
    }

    /// Takes the changes of the features that one choice moves, the one that it sets first.
    /// What no choice moves, the rest of a rounding, goes to the first.
    fn own_features(
        &self,
        change: &Change,
        at: usize,
        features: &mut Vec<(usize, FeatureChange)>,
    ) -> Vec<FeatureChange> {
        let moved_by = |choice: usize| -> Vec<usize> {
            let choice = change.choices[choice];
            let setting = &self.levers.levers.settings(choice.lever)[choice.setting];
            let moves = self.levers.levers.moves(setting).iter();
            moves.map(|step| usize::from(step.feature)).collect()
        };
        let (own, others) = (moved_by(at), (at + 1..change.choices.len()).flat_map(moved_by));
        let others: Vec<usize> = others.collect();
        let is_own =
            |it: &(usize, FeatureChange)| own.contains(&it.0) || at == 0 && !others.contains(&it.0);
        let (mut taken, left): (Vec<_>, Vec<_>) = features.drain(..).partition(is_own);
        *features = left;
        taken.sort_by_key(|(feature, _)| (own.first() != Some(feature), *feature));
        taken.into_iter().map(|(_, change)| change).collect()
    }

    /// How far one lever may go, the others as they are, and the choice that goes there.
    /// `None` when its settings have no order, or when an end does not meet the aim.
    fn range(
        &self,
        change: &Change,
        at: usize,
        is_met: &impl Fn(Assessed<'_>) -> bool,
    ) -> Option<(LeverRange, Choice)> {
        let own = change.choices[at];
        let side = self.levers.side(own, self.judged.order.values)?;
        let around = settings_around(self.forest, self.question, change, at, side.clone());
        let ends = [around.start, around.end - 1].map(|setting| Choice { setting, ..own });
        for end in ends.into_iter().filter(|end| *end != own) {
            let mut other = change.clone();
            other.choices[at] = end;
            if !is_met(self.turn(&other)?.assessed()) {
                return None;
            }
        }
        let value = |choice| self.levers.set(choice).map(|set| f64::from(set.value));
        let (farthest, is_open) = if self.is_below(own) {
            (ends[0], around.start == side.start)
        } else {
            (ends[1], around.end == side.end)
        };
        let range = LeverRange { lowest: value(ends[0])?, highest: value(ends[1])?, is_open };
        Some((range, farthest))
    }

    /// True when a choice goes below the present value.
    fn is_below(&self, choice: Choice) -> bool {
        self.levers
            .set(choice)
            .is_some_and(|set| set.value < self.judged.order.values[usize::from(set.feature)])
    }

    /// The new value of one lever, and how far it may go.
    fn in_words(
        &self,
        choice: Choice,
        turned: &Turned,
        range: Option<(LeverRange, Choice)>,
    ) -> Option<Text> {
        let set = self.levers.set(choice)?;
        let spec = &self.judged.specs()[usize::from(set.feature)];
        // The amount itself, also when the feature is its logarithm.
        let amount = |choice| match self.levers.edit(choice) {
            Some(OrderEdit::Amount(minor_units)) => {
                turned.order.amount.map(|amount| Money { minor_units, ..amount })
            }
            Some(_) | None => None,
        };
        let fact = match amount(choice) {
            Some(amount) => amount_fact(amount),
            None => fact(spec, known(&turned.values, set.feature.into())),
        };
        let Some((range, farthest)) = range.filter(|(_, farthest)| *farthest != choice) else {
            return Some(fact);
        };
        let key = match (self.is_below(choice), range.is_open) {
            (true, true) => "or_less",
            (false, true) => "or_more",
            (true, false) => "down_to",
            (false, false) => "up_to",
        };
        let other = match amount(farthest) {
            Some(amount) => number(FeatureUnit::Money, amount.as_major()),
            None => number(spec.unit, self.levers.set(farthest)?.value.into()),
        };
        Some(message("range", key, &[("fact", &fact), ("other", &other)]))
    }
}
