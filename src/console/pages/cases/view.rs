//! Closed cases and cases like a case, as pages show them.

use std::collections::BTreeSet;

use crate::console::format::{amount, count, minute, of_hundred, percent, short};
use crate::console::words::Words;
use crate::domain::closed_case::ClosedCase;
use crate::domain::decision::DecisionId;
use crate::domain::similar::{ActionSummary, SimilarCase, SimilarCases};

/// A closed case.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its decision.
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// Where it was placed.
    pub channel: String,
    /// When it was placed.
    pub placed: String,
    /// What the customer was to pay.
    pub amount: String,
    /// The risk that mattered most; empty without one.
    pub head: String,
    /// Class and name of its band.
    pub band: (&'static str, String),
    /// How many of a hundred such orders.
    pub frequency: String,
    /// What was recommended first.
    pub recommended: String,
    /// What somebody chose; `None` when nobody did.
    pub chosen: Option<Choice>,
    /// What followed.
    pub outcomes: Vec<String>,
    /// When the newest of all that came in.
    pub told: String,
    /// True when somebody has called it an example to learn from.
    pub is_exemplar: bool,
}

/// What somebody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub action: String,
    /// Who.
    pub who: String,
    /// Key of whether it was recommended first, and its class.
    pub agreed: (&'static str, &'static str),
}

impl Row {
    /// The line of a case; which ones are exemplars, and which must not show what was
    /// recommended.
    pub fn new(
        words: Words,
        case: &ClosedCase,
        (exemplars, hidden): (&BTreeSet<DecisionId>, &BTreeSet<DecisionId>),
    ) -> Self {
        let is_hidden = hidden.contains(&case.decision_id);
        let risk = case.top_risk.as_ref().filter(|_| !is_hidden);
        let recommended = case.first_action.filter(|_| !is_hidden);
        let chosen = case.chosen.as_ref().map(|it| Choice {
            action: words.action(it.action),
            who: it.operator_id.to_string(),
            agreed: if case.first_action == Some(it.action) {
                ("cases-agreed", "low")
            } else {
                ("cases-overrode", "elevated")
            },
        });
        let of_hundred =
            risk.map(|it| words.n("of-hundred", i64::from(of_hundred(it.probability.value()))));
        Self {
            id: case.decision_id.to_string(),
            order_id: case.order.order_id.to_string(),
            channel: case.order.channel.to_string(),
            placed: minute(case.event_time),
            amount: case.amount.map_or_else(|| "–".to_owned(), amount),
            head: risk.map(|it| words.head(&it.head)).unwrap_or_default(),
            band: risk.map(|it| (it.band.as_str(), words.band(it.band))).unwrap_or_default(),
            frequency: of_hundred.unwrap_or_default(),
            recommended: recommended.map_or_else(|| "–".to_owned(), |it| words.action(it)),
            chosen,
            outcomes: case.outcomes.iter().map(|it| words.outcome(*it)).collect(),
            told: minute(case.told_time),
            is_exemplar: exemplars.contains(&case.decision_id),
        }
    }
}

/// Cases like a case.
#[derive(Clone, Debug)]
pub struct NearView {
    /// The decision that was asked about.
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// The nearest first.
    pub neighbors: Vec<Neighbor>,
    /// What followed, by action.
    pub actions: Vec<Followed>,
    /// What the figures say and what they do not.
    pub caveat: String,
    /// Cases that were compared.
    pub n_compared: String,
    /// Cases of other models, which cannot be compared.
    pub n_other_model: String,
    /// True when older cases were not looked at.
    pub is_truncated: bool,
    /// Days that are counted.
    pub days: u32,
}

/// A case near another one.
#[derive(Clone, Debug)]
pub struct Neighbor {
    /// Its decision.
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// Where it was placed.
    pub channel: String,
    /// How far, log-odds.
    pub distance: String,
    /// What was done.
    pub action: String,
    /// When.
    pub at: String,
    /// What followed, in a sentence.
    pub text: String,
}

/// What followed an action.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The action.
    pub action: String,
    /// In how many cases.
    pub n_cases: String,
    /// How many of them have a complete window.
    pub n_complete: String,
    /// What, share and interval; empty when there are too few.
    pub shares: Vec<[String; 3]>,
    /// All that in a sentence.
    pub text: String,
}

impl NearView {
    /// The tables of a search.
    pub fn new(words: Words, found: &SimilarCases) -> Self {
        Self {
            id: found.decision_id.to_string(),
            order_id: found.order.order_id.to_string(),
            neighbors: found.neighbors.iter().map(|it| neighbor(words, it)).collect(),
            actions: found.by_action.iter().map(|it| followed(words, it)).collect(),
            caveat: words.of(&found.caveat).to_owned(),
            n_compared: count(found.searched.n_compared),
            n_other_model: count(found.searched.n_other_model),
            is_truncated: found.searched.is_truncated,
            days: found.days,
        }
    }
}

fn neighbor(words: Words, case: &SimilarCase) -> Neighbor {
    Neighbor {
        id: case.decision_id.to_string(),
        order_id: case.order.order_id.to_string(),
        channel: case.order.channel.to_string(),
        distance: short(case.distance),
        action: words.action(case.action),
        at: minute(case.acted_at),
        text: words.of(&case.text).to_owned(),
    }
}

fn followed(words: Words, summary: &ActionSummary) -> Followed {
    let shares = summary.shares.iter().map(|it| {
        let interval = format!("{}–{}", percent(it.share.low), percent(it.share.high));
        [words.outcome(it.kind), percent(it.share.share), interval]
    });
    Followed {
        action: words.action(summary.action),
        n_cases: count(summary.n_cases),
        n_complete: count(summary.n_complete),
        shares: shares.collect(),
        text: words.of(&summary.text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::closed_case::{CaseCursor, ChosenAction};
    use crate::domain::decision::ActionKind;
    use crate::domain::feedback::OutcomeKind;
    use crate::domain::order::OrderKey;
    use crate::domain::text::Language;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_line_says_whether_somebody_agreed_and_marks_exemplars() {
        let words = Words { language: Language::English };
        let id = DecisionId(Uuid::from_u128(7));
        let chosen =
            |action| ChosenAction { action, operator_id: "op".into(), decided_at: Timestamp(0) };
        let case = ClosedCase {
            decision_id: id,
            order: OrderKey { channel: "web".into(), order_id: "7".into(), revision: 0 },
            event_time: Timestamp(0),
            amount: None,
            top_risk: None,
            first_action: Some(ActionKind::Review),
            chosen: Some(chosen(ActionKind::Decline)),
            outcomes: vec![OutcomeKind::ConfirmedFraud],
            told_time: Timestamp(0),
            cursor: CaseCursor(1),
        };
        let (none, this) = (BTreeSet::new(), BTreeSet::from([id]));
        let row = Row::new(words, &case, (&this, &none));
        assert!(row.is_exemplar && row.head.is_empty());
        assert_eq!(row.chosen.unwrap().agreed.0, "cases-overrode");
        let agreed = ClosedCase { chosen: Some(chosen(ActionKind::Review)), ..case.clone() };
        let row = Row::new(words, &agreed, (&none, &none));
        assert_eq!((row.chosen.unwrap().agreed.0, row.is_exemplar), ("cases-agreed", false));
        let open = ClosedCase { chosen: None, ..case };
        let row = Row::new(words, &open, (&none, &none));
        assert_eq!((row.chosen, &*row.recommended), (None, "Review"));
        assert_eq!(Row::new(words, &open, (&none, &this)).recommended, "–");
    }
}
