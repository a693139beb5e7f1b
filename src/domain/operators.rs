//! How operators choose, and whether they look before they do.
//!
//! Somebody who takes nearly always the first recommendation, or nearly always one action, and
//! needs a few seconds for it, tells nothing about the orders. What they chose is kept, but
//! nothing is learned from it while it goes on.

use std::collections::VecDeque;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::decision::ActionKind;
use crate::domain::feedback::OperatorChoice;
use crate::domain::share::Share;

/// Newest choices of an operator that are looked at.
const RECENT_MAX: usize = 200;
/// Fewest of them to say anything.
const RECENT_MIN: usize = 30;
/// A share above this is nearly always.
const NEARLY_ALWAYS: f64 = 0.95;
/// A median below this is a few seconds: an order with its evidence is not read in less.
const FEW_SECONDS: f64 = 5.0;
/// Most operators that are remembered; of those beyond nothing is said.
const OPERATORS_MAX: usize = 100_000;

/// The choices of every operator, by pseudonym.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Operators(IndexMap<Box<str>, Choices, FxBuildHasher>);

/// One operator's choices.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Choices {
    n: u64,
    recent: VecDeque<Choice>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Choice {
    took_first: bool,
    /// True when it was made before the recommendation was seen.
    is_blind: bool,
    action: ActionKind,
    /// From opening to deciding; `None` when the caller did not say.
    seconds: Option<f64>,
}

/// What was recommended for a choice.
#[derive(Clone, Copy, Debug)]
pub struct Recommended {
    /// First.
    pub first: ActionKind,
    /// True when it was to be seen only once somebody had chosen.
    pub is_blind: bool,
}

/// What an operator's newest choices look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Too few choices, or without times.
    NotEnoughData,
    /// Nothing stands out.
    Attentive,
    /// Nearly always the same, in a few seconds.
    RubberStamp,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorReport {
    /// Pseudonym.
    pub operator_id: Box<str>,
    /// Choices in all: first ones about orders that somebody had to look at.
    pub n_choices: u64,
    /// Of the newest that saw the recommendation: took what was first in it.
    pub took_first: Share,
    /// Of the newest that did not: chose the same all the same. Agreement beyond this is the
    /// recommendation's doing.
    pub blind_same: Share,
    /// Of the newest: took the action that they took most often.
    pub same_action: Share,
    /// That action.
    pub usual_action: ActionKind,
    /// Median seconds of the newest that say; `None` without any.
    pub median_seconds: Option<f64>,
    /// What it looks like.
    pub habit: Habit,
}

impl Operators {
    /// Takes in the first choice about a decision.
    pub fn chose(&mut self, choice: &OperatorChoice, recommended: Recommended) {
        if OPERATORS_MAX <= self.0.len() && !self.0.contains_key(&choice.operator_id) {
            return;
        }
        let of_operator = self.0.entry(choice.operator_id.clone()).or_default();
        let seconds = choice.opened_at.map(|opened| (choice.decided_at - opened).as_seconds());
        of_operator.n += 1;
        of_operator.recent.push_back(Choice {
            took_first: choice.action == recommended.first,
            is_blind: recommended.is_blind,
            action: choice.action,
            // One who decided before they opened tells no time.
            seconds: seconds.filter(|seconds| 0.0 <= *seconds),
        });
        if RECENT_MAX < of_operator.recent.len() {
            of_operator.recent.pop_front();
        }
    }

    /// True while nothing is learned from what this operator chooses.
    pub fn is_rubber_stamp(&self, operator_id: &str) -> bool {
        let known = self.0.get_key_value(operator_id);
        known.is_some_and(|(id, choices)| choices.report(id).habit == Habit::RubberStamp)
    }

    /// Every operator; rubber stamps first, then by number of choices.
    pub fn reports(&self) -> Vec<OperatorReport> {
        let mut reports: Vec<_> = self.0.iter().map(|(id, choices)| choices.report(id)).collect();
        reports.sort_by(|a, b| {
            let is_stamp = |it: &OperatorReport| it.habit == Habit::RubberStamp;
            let by_habit = is_stamp(b).cmp(&is_stamp(a));
            by_habit.then(b.n_choices.cmp(&a.n_choices)).then(a.operator_id.cmp(&b.operator_id))
        });
        reports
    }
}

impl Choices {
    fn report(&self, id: &str) -> OperatorReport {
        let n = self.recent.len() as u64;
        let count = |is_it: &dyn Fn(&Choice) -> bool| {
            self.recent.iter().filter(|choice| is_it(choice)).count() as u64
        };
        let n_blind = count(&|choice| choice.is_blind);
        let took_first =
            Share::new(count(&|choice| choice.took_first && !choice.is_blind), n - n_blind);
        let blind_same = Share::new(count(&|choice| choice.took_first && choice.is_blind), n_blind);
        let by_action = ActionKind::ALL.map(|action| (count(&|it| it.action == action), action));
        // The first of equals, so that a report does not depend on luck.
        let (same, usual_action) = by_action
            .into_iter()
            .fold((0, ActionKind::Approve), |best, it| if best.0 < it.0 { it } else { best });
        let same_action = Share::new(same, n);
        let mut seconds: Vec<f64> = self.recent.iter().filter_map(|it| it.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let median_seconds = (!seconds.is_empty()).then(|| seconds[seconds.len() / 2]);
        let nearly_always = took_first.share.max(same_action.share);
        let habit = if seconds.len() < RECENT_MIN {
            Habit::NotEnoughData
        } else if NEARLY_ALWAYS < nearly_always && median_seconds.is_some_and(|it| it < FEW_SECONDS)
        {
            Habit::RubberStamp
        } else {
            Habit::Attentive
        };
        OperatorReport {
            operator_id: id.into(),
            n_choices: self.n,
            took_first,
            blind_same,
            same_action,
            usual_action,
            median_seconds,
            habit,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::decision::DecisionId;
    use crate::domain::time::{Span, Timestamp};

    fn choice(operator: &str, n: i64, action: ActionKind, seconds: Option<i64>) -> OperatorChoice {
        let decided_at = Timestamp(n * 60_000_000);
        OperatorChoice {
            choice_id: n.to_string().into(),
            decision_id: DecisionId(Uuid::from_u128(1)),
            operator_id: operator.into(),
            action,
            chosen_rank: None,
            override_reason: None,
            note: None,
            opened_at: seconds.map(|seconds| decided_at - Span(seconds * 1_000_000)),
            decided_at,
            review: None,
        }
    }

    fn seen(first: ActionKind) -> Recommended {
        Recommended { first, is_blind: false }
    }

    /// Sixty choices of one operator; the recommendation alternates.
    fn after(action: impl Fn(ActionKind) -> ActionKind, seconds: Option<i64>) -> OperatorReport {
        let mut operators = Operators::default();
        for n in 0..60 {
            let first = if n % 2 == 0 { ActionKind::Decline } else { ActionKind::Review };
            operators.chose(&choice("op", n, action(first), seconds), seen(first));
        }
        operators.reports().remove(0)
    }

    #[test]
    fn one_who_approves_everything_in_two_seconds_is_a_rubber_stamp() {
        let report = after(|_| ActionKind::Approve, Some(2));
        assert_eq!((report.habit, report.usual_action), (Habit::RubberStamp, ActionKind::Approve));
        assert_eq!((report.took_first.count, report.same_action.count), (0, 60));
    }

    #[test]
    fn one_who_takes_every_recommendation_at_once_is_one_too_and_one_who_reads_is_not() {
        assert_eq!(after(|first| first, Some(2)).habit, Habit::RubberStamp);
        assert_eq!(after(|first| first, Some(40)).habit, Habit::Attentive);
        // Fast, but neither always the first nor always the same.
        let half = |first| if first == ActionKind::Review { ActionKind::Approve } else { first };
        assert_eq!(after(half, Some(2)).habit, Habit::Attentive);
    }

    #[test]
    fn without_times_or_with_few_choices_nothing_is_said() {
        assert_eq!(after(|first| first, None).habit, Habit::NotEnoughData);
        let mut operators = Operators::default();
        for n in 0..29 {
            operators
                .chose(&choice("op", n, ActionKind::Approve, Some(1)), seen(ActionKind::Review));
        }
        assert!(!operators.is_rubber_stamp("op") && !operators.is_rubber_stamp("nobody"));
        operators.chose(&choice("op", 29, ActionKind::Approve, Some(1)), seen(ActionKind::Review));
        assert!(operators.is_rubber_stamp("op"));
    }

    #[test]
    fn who_looks_again_is_believed_again() {
        let mut operators = Operators::default();
        for n in 0..400 {
            let seconds = if n < 200 { 2 } else { 60 };
            operators.chose(
                &choice("op", n, ActionKind::Approve, Some(seconds)),
                seen(ActionKind::Hold),
            );
        }
        assert!(!operators.is_rubber_stamp("op"));
        assert_eq!(operators.reports()[0].n_choices, 400);
    }

    #[test]
    fn who_agrees_only_with_what_is_seen_is_told_apart() {
        let mut operators = Operators::default();
        for n in 0..60 {
            // Sees two of three, and takes what is seen; without it reviews every other order.
            let is_blind = n % 3 == 0;
            let first = ActionKind::Decline;
            let own = if n % 2 == 0 { ActionKind::Review } else { first };
            let action = if is_blind { own } else { first };
            let recommended = Recommended { first, is_blind };
            operators.chose(&choice("op", n, action, Some(40)), recommended);
        }
        let report = operators.reports().remove(0);
        assert_eq!((report.took_first.count, report.took_first.of), (40, 40));
        assert_eq!((report.blind_same.count, report.blind_same.of), (10, 20));
        assert_eq!(report.same_action.of, 60);
    }
}
