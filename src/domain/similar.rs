//! Cases like a case: what was done about them, and what followed.
//!
//! Alike are orders whose risks the model explains alike: near in the space of contributions.
//! Figures describe what followed each action. They do not say that the action caused it:
//! whoever chose saw what the orders were.

use serde::Serialize;

use crate::domain::case::{Case, CaseWindow};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::OutcomeKind;
use crate::domain::order::OrderKey;
use crate::domain::query::DecisionKey;
use crate::domain::share::Share;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

/// Fewest neighbors with a complete window of which shares are told. Of 9, what never
/// happened may still happen to 30 % (95 % interval of Wilson, 1927).
pub const COMPLETE_MIN: u64 = 10;

/// Which similar cases are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimilarQuery {
    /// Similar to which case.
    pub key: DecisionKey,
    /// Most cases to name; at least 1.
    pub n_max: u32,
    /// Days of the window to count; one of [`crate::domain::case::WINDOW_DAYS`].
    pub days: u32,
}

/// Cases like a case, nearest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimilarCases {
    /// Similar to the case of this decision.
    pub decision_id: DecisionId,
    /// About this order.
    pub order: OrderKey,
    /// Bundle whose contributions are compared, `risk/2026-11-22`.
    pub model: Box<str>,
    /// Days of the window that is counted.
    pub days: u32,
    /// The nearest, those of one distance by id of their decision.
    pub neighbors: Vec<SimilarCase>,
    /// What followed by action, in contract order; actions that nobody took are left out.
    pub by_action: Vec<ActionSummary>,
    /// What was looked at.
    pub searched: Searched,
    /// What the figures say and what they do not.
    pub caveat: Text,
}

/// A case near another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimilarCase {
    /// Its decision.
    pub decision_id: DecisionId,
    /// Its order.
    pub order: OrderKey,
    /// Euclidean distance between the contributions to all risks, log-odds.
    pub distance: f64,
    /// What was done.
    pub action: ActionKind,
    /// The choice that says so; `None` when the first recommendation is taken for done.
    pub choice_id: Option<Box<str>>,
    /// When it was done.
    pub acted_at: Timestamp,
    /// What followed within the days that were asked for, and which share of them has passed.
    pub window: CaseWindow,
    /// The window in a sentence.
    pub text: Text,
}

/// What followed an action in the neighbors where it was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionSummary {
    /// The action.
    pub action: ActionKind,
    /// How many neighbors.
    pub n_cases: u64,
    /// How many of them have a complete window; only these are counted.
    pub n_complete: u64,
    /// In which share of the complete ones each kind happened at least once: all kinds that
    /// happened in any complete neighbor. Empty below [`COMPLETE_MIN`].
    pub shares: Vec<KindShare>,
    /// All that in a sentence.
    pub text: Text,
}

/// In how many cases something happened at least once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KindShare {
    /// What.
    pub kind: OutcomeKind,
    /// How many, with its 95 % interval.
    pub share: Share,
}

/// What a search for similar cases has looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// Cases whose distance was worked out.
    pub n_compared: u64,
    /// Cases of another bundle, whose contributions are another space.
    pub n_other_model: u64,
    /// True when there are older decisions that nobody looked at.
    pub is_truncated: bool,
}

impl SimilarCase {
    /// A case at a distance, with its window of so many days; `None` when it has no such one.
    pub fn new(case: &Case, distance: f64, days: u32) -> Option<Self> {
        let at = case.windows.iter().position(|window| window.days == days)?;
        Some(Self {
            decision_id: case.decision_id,
            order: case.order.clone(),
            distance,
            action: case.action,
            choice_id: case.choice_id.clone(),
            acted_at: case.acted_at,
            window: case.windows[at].clone(),
            text: case.texts.get(at).cloned().unwrap_or_default(),
        })
    }

    fn is_complete(&self) -> bool {
        1.0 <= self.window.elapsed
    }

    fn has(&self, kind: OutcomeKind) -> bool {
        self.window.consequences.iter().any(|it| it.kind == kind)
    }
}

/// What followed, by action in contract order; its sentences are still to be written.
pub fn by_action(neighbors: &[SimilarCase]) -> Vec<ActionSummary> {
    let complete = || neighbors.iter().filter(|it| it.is_complete());
    let happened = complete().flat_map(|it| &it.window.consequences).map(|it| it.kind);
    let mut kinds: Vec<OutcomeKind> = happened.collect();
    kinds.sort_unstable();
    kinds.dedup();
    let summary = |action: ActionKind| {
        let n_cases = neighbors.iter().filter(|it| it.action == action).count() as u64;
        let taken = || complete().filter(|it| it.action == action);
        let n_complete = taken().count() as u64;
        let share = |kind: &OutcomeKind| {
            let count = taken().filter(|it| it.has(*kind)).count() as u64;
            KindShare { kind: *kind, share: Share::new(count, n_complete) }
        };
        let is_enough = COMPLETE_MIN <= n_complete;
        let shares = if is_enough { kinds.iter().map(share).collect() } else { Vec::new() };
        ActionSummary { action, n_cases, n_complete, shares, text: Text::default() }
    };
    let all = ActionKind::ALL.into_iter().map(summary);
    all.filter(|summary| summary.n_cases != 0).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::case::Consequence;

    fn case(action: ActionKind, elapsed: f64, kinds: &[OutcomeKind]) -> SimilarCase {
        // Twice each: a share counts cases, not outcomes.
        let consequence = |kind: &OutcomeKind| Consequence {
            kind: *kind,
            count: 2,
            worth: Vec::new(),
            outcome_ids: Vec::new(),
        };
        SimilarCase {
            decision_id: DecisionId(Uuid::nil()),
            order: OrderKey { channel: "app".into(), order_id: "A-1".into(), revision: 0 },
            distance: 0.5,
            action,
            choice_id: None,
            acted_at: Timestamp(0),
            window: CaseWindow {
                days: 90,
                elapsed,
                consequences: kinds.iter().map(consequence).collect(),
                net: Vec::new(),
            },
            text: Text::default(),
        }
    }

    #[test]
    fn shares_are_of_cases_whose_window_is_complete() {
        use OutcomeKind::{ChargebackLost, Repurchase};
        let mut cases = vec![case(ActionKind::Approve, 1.0, &[Repurchase]); 8];
        cases.extend(vec![case(ActionKind::Approve, 1.0, &[]); 2]);
        // Neither of these is counted, though a lot has happened already.
        cases.extend(vec![case(ActionKind::Approve, 0.999, &[ChargebackLost]); 5]);
        cases.extend(vec![case(ActionKind::Decline, 1.0, &[ChargebackLost]); 9]);
        cases.extend(vec![case(ActionKind::Hold, 1.0, &[]); 11]);
        let found = by_action(&cases);
        let counts: Vec<(ActionKind, u64, u64, usize)> = found
            .iter()
            .map(|it| (it.action, it.n_cases, it.n_complete, it.shares.len()))
            .collect();
        let expected = [
            (ActionKind::Approve, 15, 10, 2),
            (ActionKind::Hold, 11, 11, 2),
            (ActionKind::Decline, 9, 9, 0),
        ];
        assert_eq!(counts, expected);
        // What happened under any action is a question about every action.
        let kinds = [ChargebackLost, Repurchase];
        let approved = [(0, 10), (8, 10)];
        let held = [(0, 11), (0, 11)];
        for (summary, counts) in found.iter().zip([approved, held]) {
            let told: Vec<(OutcomeKind, u64, u64)> =
                summary.shares.iter().map(|it| (it.kind, it.share.count, it.share.of)).collect();
            let expected = kinds.iter().zip(counts).map(|(kind, (count, of))| (*kind, count, of));
            assert_eq!(told, expected.collect::<Vec<_>>());
        }
        // R: prop.test(8, 10, correct = FALSE)
        let bought = found[0].shares[1].share;
        assert!((bought.low - 0.490_162_5).abs() < 1e-6);
        assert!((bought.high - 0.943_317_8).abs() < 1e-6);
    }

    #[test]
    fn below_the_minimum_a_share_could_be_nearly_anything() {
        assert!(0.29 < Share::new(0, COMPLETE_MIN - 1).high);
        let few = vec![case(ActionKind::Approve, 1.0, &[OutcomeKind::Refund]); 9];
        assert!(by_action(&few)[0].shares.is_empty());
        assert_eq!(by_action(&[]), []);
    }
}
