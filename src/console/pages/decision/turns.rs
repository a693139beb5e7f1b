//! What would have led to another first action, and what of it is proven.

use crate::console::pages::decision::number::Number;
use crate::console::words::Words;
use crate::domain::counterfactual::{CounterfactualProof, CounterfactualSearch};
use crate::domain::decision::Decision;

/// Most sentences that are shown.
const SHOWN: usize = 3;

/// What would have led to another first action.
#[derive(Clone, Debug)]
pub struct Turns {
    /// Changes that would have, the smallest first.
    pub found: Vec<Turn>,
    /// What was searched without a find, or why nothing was.
    pub remarks: Vec<String>,
}

/// A change that would have led to another first action.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The sentence.
    pub text: String,
    /// The risk after it.
    pub probability: Number,
    /// The first action after it.
    pub action: String,
    /// What is proven.
    pub proof: String,
}

/// The turns of a decision.
pub fn turns(words: Words, decision: &Decision) -> Turns {
    let mut turns = Turns { found: Vec::new(), remarks: Vec::new() };
    if decision.counterfactuals.is_empty() {
        let is_released = decision.actions.first().is_some_and(|it| it.action.is_release());
        let key = if is_released { "why-turn-released" } else { "why-turn-not-searched" };
        turns.remarks.push(words.t(key));
    }
    for (at, search) in decision.counterfactuals.iter().enumerate() {
        for (idx, found) in search.counterfactuals.iter().enumerate() {
            let path = format!("decision.counterfactuals.{at}.counterfactuals.{idx}.probability");
            let key =
                if found.is_proven_minimal { "why-turn-proven" } else { "why-turn-not-proven" };
            turns.found.push(Turn {
                text: words.of(&found.text).to_owned(),
                probability: Number::percent(path, found.probability.value()),
                action: words.action(found.first_action),
                proof: words.t(key),
            });
        }
        turns.remarks.extend(remark(words, search));
    }
    turns.found.truncate(SHOWN);
    turns
}

fn remark(words: Words, search: &CounterfactualSearch) -> Option<String> {
    let is_found = !search.counterfactuals.is_empty();
    let key = match (search.target, search.proof) {
        (None, _) => "why-turn-out-of-reach",
        (Some(_), CounterfactualProof::Complete) if is_found => return None,
        (Some(_), CounterfactualProof::Complete) => "why-turn-none",
        (Some(_), CounterfactualProof::Budget) if is_found => "why-turn-budget-more",
        (Some(_), CounterfactualProof::Budget) => "why-turn-budget",
        (Some(_), CounterfactualProof::Reweighted) if is_found => "why-turn-weighted-more",
        (Some(_), CounterfactualProof::Reweighted) => "why-turn-weighted",
    };
    Some(words.t1(key, "head", words.head(&search.head)))
}
