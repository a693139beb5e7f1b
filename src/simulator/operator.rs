//! Operators as they are: lenient, strict, tired, and biased.

use crate::domain::decision::ActionKind;
use crate::domain::feedback::OverrideReason;
use crate::domain::time::Span;
use crate::simulator::dice::{Dice, whole};
use crate::simulator::truth::OrderTruth;

/// How an operator works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperatorManner {
    /// Looks closely; sees the truth nine times in ten.
    Thorough,
    /// Lets doubtful orders pass.
    Lenient,
    /// Stops doubtful orders.
    Strict,
    /// Takes the first recommendation within seconds.
    RubberStamper,
}

/// Where the goods or the network are, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the country.
    Domestic,
    /// Something about the order is foreign.
    Foreign,
}

/// A simulated operator.
#[derive(Clone, Debug)]
pub struct SimulatedOperator {
    manner: OperatorManner,
    foreign_bias: f64,
    dice: Dice,
}

/// What a simulated operator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedChoice {
    /// The action taken.
    pub action: ActionKind,
    /// Its rank among the recommended ones, from 1.
    pub chosen_rank: Option<u32>,
    /// Why not the first one.
    pub override_reason: Option<OverrideReason>,
    /// Time from opening the case to the choice.
    pub delay: Span,
}

impl SimulatedOperator {
    /// An operator; `foreign_bias` is the probability of stopping a foreign order unseen.
    pub fn new(seed: u64, manner: OperatorManner, foreign_bias: f64) -> Self {
        Self { manner, foreign_bias, dice: Dice::new(seed, 100 + manner as u64) }
    }

    /// Chooses an action for an order whose recommendations are best first.
    pub fn choose(
        &mut self,
        recommended: &[ActionKind],
        truth: &OrderTruth,
        origin: Origin,
    ) -> SimulatedChoice {
        let first = recommended.first().copied().unwrap_or(ActionKind::Review);
        let action = self.decide(first, truth, origin);
        let position = recommended.iter().position(|shown| *shown == action);
        let chosen_rank = position.and_then(|position| u32::try_from(position + 1).ok());
        let override_reason = (action != first).then(|| {
            self.dice.pick(&[
                OverrideReason::EvidenceWrong,
                OverrideReason::KnownCustomer,
                OverrideReason::OutsideInformation,
                OverrideReason::CustomerConfirmed,
                OverrideReason::Other,
            ])
        });
        let median_seconds = match self.manner {
            OperatorManner::Thorough => 240.0,
            OperatorManner::Lenient | OperatorManner::Strict => 90.0,
            OperatorManner::RubberStamper => 6.0,
        };
        let seconds = self.dice.log_normal(median_seconds, 0.6);
        let delay = Span(whole(seconds * Span::SECOND.0 as f64));
        SimulatedChoice { action, chosen_rank, override_reason, delay }
    }

    fn decide(&mut self, first: ActionKind, truth: &OrderTruth, origin: Origin) -> ActionKind {
        if origin == Origin::Foreign && self.dice.chance(self.foreign_bias) {
            return ActionKind::Decline;
        }
        let (sees_truth, follows, otherwise) = match self.manner {
            OperatorManner::Thorough => (0.9, 0.08, ActionKind::Review),
            OperatorManner::Lenient => (0.5, 0.2, ActionKind::Approve),
            OperatorManner::Strict => (0.5, 0.2, ActionKind::Decline),
            OperatorManner::RubberStamper => (0.03, 0.97, ActionKind::Approve),
        };
        match self.dice.weighted(&[sees_truth, follows, 1.0 - sees_truth - follows]) {
            0 => truth.best_action,
            1 => first,
            _ => otherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::head::RiskType;
    use crate::domain::order::OrderKey;
    use crate::domain::time::Timestamp;
    use crate::simulator::truth::{Archetype, Care};

    /// Share of good orders that an operator declines although approval is shown first.
    fn false_stops(manner: OperatorManner, bias: f64, origin: Origin) -> f64 {
        let truth = OrderTruth {
            order: OrderKey { channel: "c".into(), order_id: "1".into(), revision: 0 },
            event_time: Timestamp(0),
            archetype: Archetype::Family,
            labels: RiskType::ALL.map(|risk| (risk.head(), false)),
            ring: None,
            person: 1,
            care: Care::Open,
            is_good: true,
            best_action: ActionKind::Approve,
        };
        let mut operator = SimulatedOperator::new(1, manner, bias);
        let shown = [ActionKind::Approve, ActionKind::Review];
        let mut choices = (0..2_000).map(|_| operator.choose(&shown, &truth, origin));
        let n = choices.by_ref().filter(|choice| choice.action == ActionKind::Decline).count();
        n as f64 / 2_000.0
    }

    #[test]
    fn bias_stops_foreign_orders_and_manner_decides_the_rest() {
        use OperatorManner::{Lenient, RubberStamper, Strict, Thorough};
        assert!(false_stops(Thorough, 0.0, Origin::Foreign) < 0.001);
        assert!(0.25 < false_stops(Thorough, 0.3, Origin::Foreign));
        assert!(false_stops(Thorough, 0.3, Origin::Domestic) < 0.001);
        assert!(0.2 < false_stops(Strict, 0.0, Origin::Domestic));
        assert!(false_stops(Lenient, 0.0, Origin::Domestic) < 0.001);
        assert!(false_stops(RubberStamper, 0.0, Origin::Domestic) < 0.001);
    }
}
