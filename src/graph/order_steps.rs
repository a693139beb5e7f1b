//! The steps of one order: each kind once, however often it is told.

use serde::{Deserialize, Serialize};

use crate::domain::order_step::{CONTRADICTION_SPAN, LostStep, OrderStepKind, PRECEDENCE};
use crate::domain::time::Timestamp;
use crate::graph::node::Facts;

/// The earliest time at which each step is told to have happened, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderSteps(Vec<(OrderStepKind, Timestamp)>);

/// What a told step changes in the histories of an order's entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepChange {
    step: OrderStepKind,
    /// When it was said to have happened until now.
    before: Option<Timestamp>,
    time: Timestamp,
    /// Steps of the order that had lost until now, and those that do from now on.
    lost_before: Vec<LostStep>,
    lost: Vec<LostStep>,
}

impl OrderSteps {
    /// Takes a step in; `None` when it was told before, not later than this.
    pub(super) fn tell(&mut self, step: OrderStepKind, time: Timestamp) -> Option<StepChange> {
        let (before, lost_before) = (self.time_of(step), self.lost());
        if before.is_some_and(|known| known <= time) {
            return None;
        }
        self.0.retain(|&(known, _)| known != step);
        let at = self.0.partition_point(|&(known, _)| known < step);
        self.0.insert(at, (step, time));
        Some(StepChange { step, before, time, lost_before, lost: self.lost() })
    }

    /// True when nothing was told.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds every step to the history of one of the order's entities.
    pub(super) fn add_to(&self, facts: &mut Facts) {
        self.0.iter().for_each(|&(step, time)| facts.move_step(step, None, time));
        self.lost().into_iter().for_each(|lost| facts.lose(lost));
    }

    /// Takes every step out of the history of one of the order's entities.
    pub(super) fn take_from(&self, facts: &mut Facts) {
        self.0.iter().for_each(|&(step, time)| facts.remove_step(step, time));
        self.lost().iter().for_each(|lost| facts.find_again(lost));
    }

    fn time_of(&self, step: OrderStepKind) -> Option<Timestamp> {
        self.0.iter().find(|&&(known, _)| known == step).map(|&(_, time)| time)
    }

    /// Steps that another one stands against, each with the one that is known first.
    fn lost(&self) -> Vec<LostStep> {
        let mut lost: Vec<LostStep> = Vec::new();
        for (stands, step) in PRECEDENCE {
            let (Some(stands_time), Some(lost_time)) = (self.time_of(stands), self.time_of(step))
            else {
                continue;
            };
            if CONTRADICTION_SPAN.0 <= (stands_time - lost_time).0.abs() {
                continue;
            }
            let found = LostStep { lost_time, lost: step, stands_time, stands };
            match lost.iter_mut().find(|known| known.lost == step) {
                Some(known) if found.known_at() < known.known_at() => *known = found,
                Some(_) => {}
                None => lost.push(found),
            }
        }
        lost
    }
}

impl StepChange {
    /// Changes the history of one of the order's entities.
    pub(super) fn apply(&self, facts: &mut Facts) {
        if self.lost_before != self.lost {
            self.lost_before.iter().for_each(|lost| facts.find_again(lost));
            self.lost.iter().for_each(|lost| facts.lose(*lost));
        }
        facts.move_step(self.step, self.before, self.time);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STEPS: [OrderStepKind; OrderStepKind::COUNT] = [
        OrderStepKind::Paid,
        OrderStepKind::Cancelled,
        OrderStepKind::Delivered,
        OrderStepKind::Returned,
        OrderStepKind::Refunded,
        OrderStepKind::ChargedBack,
    ];

    fn count(told: &[(usize, i64)], step: OrderStepKind, (after, as_of): (i64, i64)) -> u64 {
        let (mut steps, mut facts) = (OrderSteps::default(), Facts::default());
        for &(which, time) in told {
            if let Some(change) = steps.tell(STEPS[which], at(time)) {
                change.apply(&mut facts);
            }
        }
        facts.n_steps(step, Some(at(after)), at(as_of))
    }

    /// Tenths of a second.
    fn at(time: i64) -> Timestamp {
        Timestamp(time * 100_000)
    }

    #[test]
    fn a_cancellation_and_a_payment_within_a_second_resolve_as_declared_either_way_round() {
        let (paid, cancelled) = ((0, 3), (1, 9));
        for told in [[paid, cancelled], [cancelled, paid]] {
            let n = |step, as_of| count(&told, step, (0, as_of));
            assert_eq!((n(OrderStepKind::Paid, 8), n(OrderStepKind::Paid, 9)), (1, 0));
            assert_eq!(n(OrderStepKind::Cancelled, 9), 1);
        }
        // A second later, the order was paid and then called off.
        let n = |step| count(&[paid, (1, 13)], step, (0, 20));
        assert_eq!((n(OrderStepKind::Paid), n(OrderStepKind::Cancelled)), (1, 1));
    }

    proptest! {
        #[test]
        fn steps_count_once_alike_in_any_order_and_as_if_later_ones_had_not_been_told(
            told in prop::collection::vec((0..STEPS.len(), 0_i64..30), 0..12),
            from in any::<prop::sample::Index>(), which in 0..STEPS.len(),
            after in 0_i64..30, as_of in 0_i64..30,
        ) {
            let mut other = told.clone();
            other.rotate_left(from.index(told.len().max(1)));
            other.reverse();
            let known: Vec<_> = told.iter().copied().filter(|step| step.1 <= as_of).collect();
            let expected = count(&known, STEPS[which], (after, as_of));
            prop_assert!(expected <= 1);
            prop_assert_eq!(count(&told, STEPS[which], (after, as_of)), expected);
            prop_assert_eq!(count(&other, STEPS[which], (after, as_of)), expected);
        }
    }
}
