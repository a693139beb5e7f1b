//! Which outcomes stand: told once, and not taken back.
//!
//! Works on whatever of an outcome matters here ([`Said`]), so that a case and a back-test
//! follow one rule. It does not depend on the order in which outcomes were told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::feedback::{Outcome, OutcomeKind, OutcomeSource};
use crate::domain::time::Timestamp;

/// What an outcome says about itself and others: `I` names an outcome, `K` is what its
/// source knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said<I, K> {
    /// Which outcome.
    pub id: I,
    /// The natural key; `None` when the source told no reference.
    pub key: Option<K>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The outcome that it takes back; `None` when it tells one.
    pub retracts: Option<I>,
}

/// What becomes of an outcome; others are named by their place among those told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Stands,
    /// It says again what the one at this place says, which counts.
    Repeats(usize),
    /// The one at this place takes it back.
    Retracted(usize),
    /// It takes another one back and tells nothing itself.
    Retracts,
}

/// Source, kind, and the source's own reference.
pub type NaturalKey<'a> = (OutcomeSource, OutcomeKind, &'a str);

impl<'a> From<&'a Outcome> for Said<&'a str, NaturalKey<'a>> {
    fn from(outcome: &'a Outcome) -> Self {
        let reference = outcome.source_ref.as_deref();
        Self {
            id: &outcome.outcome_id,
            key: reference.map(|it| (outcome.source, outcome.kind, it)),
            occurred_at: outcome.occurred_at,
            retracts: outcome.retracts.as_deref(),
        }
    }
}

/// What becomes of each outcome, in the order given; every id comes once.
///
/// A retraction takes back the outcome that it names, and what the source of that one knows
/// by the same key and tells of no later time than the retraction: it was sent again. What
/// happened after the retraction counts. Of several sends the latest counts, among those of
/// one time the smallest id.
pub fn standing<I: Copy + Ord, K: Copy + Ord>(said: &[Said<I, K>]) -> Vec<Standing> {
    let retractions = Retractions::new(said);
    let by: Vec<Option<usize>> = said.iter().map(|it| retractions.of(said, it)).collect();
    let left = |at: &usize| said[*at].retracts.is_none() && by[*at].is_none();
    let mut counted: BTreeMap<K, usize> = BTreeMap::new();
    for at in (0..said.len()).filter(left) {
        let Some(key) = said[at].key else { continue };
        let best = counted.entry(key).or_insert(at);
        let rank = |at: usize| (-said[at].occurred_at.0, said[at].id);
        if rank(at) < rank(*best) {
            *best = at;
        }
    }
    let becomes = |at: usize| {
        if said[at].retracts.is_some() {
            return Standing::Retracts;
        }
        if let Some(by) = by[at] {
            return Standing::Retracted(by);
        }
        let counts = said[at].key.and_then(|key| counted.get(&key));
        counts.filter(|counts| **counts != at).map_or(Standing::Stands, |it| Standing::Repeats(*it))
    };
    (0..said.len()).map(becomes).collect()
}

/// Places of retractions, earliest first, by what they take back.
struct Retractions<I, K> {
    by_id: BTreeMap<I, Vec<usize>>,
    by_key: BTreeMap<K, Vec<usize>>,
}

impl<I: Copy + Ord, K: Copy + Ord> Retractions<I, K> {
    fn new(said: &[Said<I, K>]) -> Self {
        let told = said.iter().filter(|it| it.retracts.is_none());
        let keys: BTreeMap<I, K> = told.filter_map(|it| Some((it.id, it.key?))).collect();
        let mut all: Vec<(usize, I)> =
            (0..).zip(said).filter_map(|(at, it)| Some((at, it.retracts?))).collect();
        all.sort_by_key(|(at, _)| (said[*at].occurred_at, said[*at].id));
        let mut retractions = Self { by_id: BTreeMap::new(), by_key: BTreeMap::new() };
        for (at, named) in all {
            retractions.by_id.entry(named).or_default().push(at);
            if let Some(key) = keys.get(&named) {
                retractions.by_key.entry(*key).or_default().push(at);
            }
        }
        retractions
    }

    /// The earliest retraction of an outcome.
    fn of(&self, said: &[Said<I, K>], outcome: &Said<I, K>) -> Option<usize> {
        let named = self.by_id.get(&outcome.id).and_then(|all| all.first()).copied();
        let of_key = outcome.key.and_then(|key| self.by_key.get(&key));
        let sent_again = of_key.and_then(|all| {
            let from = all.partition_point(|at| said[*at].occurred_at < outcome.occurred_at);
            all.get(from).copied()
        });
        let both = [named, sent_again].into_iter().flatten();
        both.min_by_key(|at| (said[*at].occurred_at, said[*at].id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Word = Said<u8, u8>;

    fn told(id: u8, key: Option<u8>, at: i64) -> Word {
        Said { id, key, occurred_at: Timestamp(at), retracts: None }
    }

    fn taken_back(id: u8, at: i64, retracts: u8) -> Word {
        Said { id, key: None, occurred_at: Timestamp(at), retracts: Some(retracts) }
    }

    #[test]
    fn what_is_sent_again_counts_once_and_the_latest_word_counts() {
        let (a, b) = (told(1, Some(7), 10), told(2, Some(7), 20));
        let repeats = Standing::Repeats;
        assert_eq!(standing(&[a, b]), [repeats(1), Standing::Stands]);
        assert_eq!(standing(&[told(4, Some(7), 10), a]), [repeats(1), Standing::Stands]);
        // Without a reference, and under another one, nothing is known to be the same.
        let others = [a, told(5, None, 10), told(6, None, 10), told(8, Some(9), 10)];
        assert_eq!(standing(&others), [Standing::Stands; 4]);
    }

    #[test]
    fn a_retraction_takes_back_what_it_names_and_its_other_sends_until_then() {
        let named = told(1, Some(7), 10);
        let again = told(2, Some(7), 30);
        let later = told(3, Some(7), 31);
        let other = told(4, Some(8), 10);
        let back = taken_back(9, 30, 1);
        let expected = [
            Standing::Retracts,
            Standing::Stands,
            Standing::Retracted(0),
            Standing::Retracted(0),
            Standing::Stands,
        ];
        assert_eq!(standing(&[back, later, named, again, other]), expected);
        // What it names is gone, whatever the clocks say, and a retraction is none to retract.
        let early = taken_back(9, 1, 1);
        let of_it = taken_back(10, 50, 9);
        let expected = [Standing::Retracted(1), Standing::Retracts, Standing::Retracts];
        assert_eq!(standing(&[named, early, of_it]), expected);
        assert_eq!(standing(&[taken_back(9, 1, 77)]), [Standing::Retracts]);
    }

    fn words() -> impl Strategy<Value = Vec<Word>> {
        let word = (prop::option::of(0_u8..3), 0_i64..6, prop::option::weighted(0.3, 0_u8..12));
        vec(word, 0..12).prop_map(|rows| {
            let word =
                |(id, (key, at, retracts))| Said { id, key, occurred_at: Timestamp(at), retracts };
            (0_u8..).zip(rows).map(word).collect()
        })
    }

    /// What becomes of each outcome by its id; others are named by theirs.
    fn by_id(said: &[Word]) -> Vec<(u8, &'static str, Option<u8>)> {
        let row = |(it, found): (&Word, Standing)| match found {
            Standing::Stands => (it.id, "stands", None),
            Standing::Repeats(at) => (it.id, "repeats", Some(said[at].id)),
            Standing::Retracted(at) => (it.id, "retracted", Some(said[at].id)),
            Standing::Retracts => (it.id, "retracts", None),
        };
        let mut rows: Vec<_> = said.iter().zip(standing(said)).map(row).collect();
        rows.sort_unstable();
        rows
    }

    proptest! {
        #[test]
        fn what_stands_does_not_depend_on_the_order_of_telling(
            (said, turned) in words().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle()))
        ) {
            prop_assert_eq!(by_id(&said), by_id(&turned));
        }

        #[test]
        fn of_each_key_at_most_one_stands_and_nothing_that_is_named(said in words()) {
            let found = standing(&said);
            let stands = |at: &usize| found[*at] == Standing::Stands;
            let standing: Vec<&Word> = (0..said.len()).filter(stands).map(|at| &said[at]).collect();
            for (at, it) in standing.iter().enumerate() {
                let is_same = |other: &&&Word| it.key.is_some() && other.key == it.key;
                prop_assert_eq!(standing[at + 1..].iter().filter(is_same).count(), 0);
                prop_assert!(said.iter().all(|other| other.retracts != Some(it.id)));
            }
        }
    }
}
