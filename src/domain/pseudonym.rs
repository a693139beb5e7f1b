//! Several pseudonyms of one person, after the identity secret was rotated.
//!
//! A person keeps the pseudonym that they were first known by. Those of later secrets lead to it,
//! so that nothing that was folded before has to change.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::time::Timestamp;

/// Which secret follows on which, by their fingerprints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Of the secret of now.
    pub current: Box<str>,
    /// Of the one before it.
    pub previous: Box<str>,
}

/// A rotation began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationStarted {
    /// Between which secrets.
    pub rotation: Rotation,
    /// When.
    pub at: Timestamp,
}

/// A pseudonym turned out to be of somebody who is known by another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PseudonymLinked {
    /// By which nobody is known from here on.
    pub pseudonym: EntityRef,
    /// Of the same kind; leads to no other.
    pub known_as: EntityRef,
    /// When that was found out.
    pub at: Timestamp,
}

/// How far a rotation has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationProgress {
    /// Between which secrets.
    pub rotation: Rotation,
    /// When it began.
    pub at: Timestamp,
    /// Personal identifiers that were known by then.
    pub n_known: u64,
    /// Those of them that were seen since, and are found under the new secret alone.
    pub n_linked: u64,
    /// Places in the graph that were taken by then.
    n_places: u64,
}

/// Every pseudonym that leads to another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pseudonyms {
    /// By pseudonym, in the order in which they were linked: one that others lead to comes
    /// behind them when it is linked itself. The kind is part of a hash already.
    links: IndexMap<u128, u128, FxBuildHasher>,
    rotation: Option<RotationProgress>,
}

impl Pseudonyms {
    /// The pseudonym by which the owner of one is known.
    pub fn known_as(&self, pseudonym: u128) -> u128 {
        let mut name = pseudonym;
        // Most services never rotate.
        if !self.links.is_empty() {
            while let Some(next) = self.links.get(&name) {
                name = *next;
            }
        }
        name
    }

    /// Names an entity by the pseudonym that it is known by.
    pub fn rename(&self, entity: &mut EntityRef) {
        if let EntityKey::Hashed(hash) = &mut entity.key {
            *hash = self.known_as(*hash);
        }
    }

    /// The other pseudonyms of who is known by one; looks through all links.
    pub fn others(&self, known_as: u128) -> Vec<u128> {
        let mut all = vec![known_as];
        for (pseudonym, next) in self.links.iter().rev() {
            if all.contains(next) {
                all.push(*pseudonym);
            }
        }
        all.split_off(1)
    }

    /// The last rotation; `None` before the first.
    pub fn rotation(&self) -> Option<&RotationProgress> {
        self.rotation.as_ref()
    }

    /// Folds the begin of a rotation, with how many personal identifiers and how many entities
    /// the graph knows.
    pub fn started(&mut self, started: &RotationStarted, (n_known, n_places): (u64, u64)) {
        let RotationStarted { rotation, at } = started.clone();
        self.rotation = Some(RotationProgress { rotation, at, n_known, n_linked: 0, n_places });
    }

    /// Folds a link to who has this place in the graph.
    pub fn link(&mut self, linked: &PseudonymLinked, place: Option<u64>) {
        let (EntityKey::Hashed(pseudonym), EntityKey::Hashed(name)) =
            (&linked.pseudonym.key, &linked.known_as.key)
        else {
            return;
        };
        // Never written so; if it were, looking for the end would not end.
        if self.known_as(*name) == *pseudonym {
            return;
        }
        self.links.insert(*pseudonym, *name);
        if let (Some(rotation), Some(place)) = (&mut self.rotation, place)
            && place < rotation.n_places
        {
            rotation.n_linked += 1;
        }
    }

    /// Forgets that these lead to anybody.
    pub fn forget<'e>(&mut self, pseudonyms: impl Iterator<Item = &'e EntityRef>) {
        for pseudonym in pseudonyms {
            if let EntityKey::Hashed(hash) = &pseudonym.key {
                self.links.shift_remove(hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::entity::EntityKind;

    fn account(n: u128) -> EntityRef {
        EntityRef { kind: EntityKind::Account, key: EntityKey::Hashed(n) }
    }

    fn linked(pseudonym: u128, known_as: u128) -> PseudonymLinked {
        let [pseudonym, known_as] = [pseudonym, known_as].map(account);
        PseudonymLinked { pseudonym, known_as, at: Timestamp(0) }
    }

    #[test]
    fn a_second_rotation_leads_to_the_first_pseudonym_and_one_that_moved_takes_all_along() {
        let mut known = Pseudonyms::default();
        known.link(&linked(2, 1), None);
        known.link(&linked(3, 1), None);
        assert_eq!([3, 2, 1, 4].map(|it| known.known_as(it)), [1, 1, 1, 4]);
        // Whoever was known as 1 turns out to be 9.
        known.link(&linked(1, 9), None);
        assert_eq!(known.known_as(3), 9);
        assert_eq!(known.others(9), [1, 3, 2]);
        known.link(&linked(9, 3), None);
        assert_eq!(known.known_as(3), 9, "no circle");
        known.forget([account(1), account(3), account(2)].iter());
        assert_eq!(known, Pseudonyms::default());
    }

    #[test]
    fn a_rotation_counts_those_who_were_known_before_it() {
        let mut known = Pseudonyms::default();
        known.link(&linked(20, 10), Some(0));
        let rotation = Rotation { current: "b".into(), previous: "a".into() };
        known.started(&RotationStarted { rotation, at: Timestamp(7) }, (2, 3));
        known.link(&linked(21, 11), Some(2));
        known.link(&linked(22, 12), Some(3));
        known.link(&linked(23, 13), None);
        let progress = known.rotation().unwrap();
        assert_eq!((progress.n_known, progress.n_linked), (2, 1));
    }

    proptest! {
        #[test]
        fn pseudonyms_lead_where_sets_that_grow_together_say(
            pairs in prop::collection::vec((0_u128..24, 0_u128..24), 0..40),
        ) {
            let mut known = Pseudonyms::default();
            // Whose each is, by a plain relabeling.
            let mut owner: BTreeMap<u128, u128> = (0..24).map(|n| (n, n)).collect();
            for (one, other) in pairs {
                let (from, to) = (known.known_as(one), known.known_as(other));
                if from == to {
                    continue;
                }
                known.link(&linked(from, to), None);
                owner.values_mut().filter(|it| **it == from).for_each(|it| *it = to);
            }
            for (n, name) in &owner {
                prop_assert_eq!(known.known_as(*n), *name);
            }
            for name in 0..24 {
                let mut others = known.others(name);
                others.sort_unstable();
                let is_other = |(n, of): (&u128, &u128)| (*of == name && *n != name).then_some(*n);
                let expected: Vec<u128> = owner.iter().filter_map(is_other).collect();
                if owner[&name] == name {
                    prop_assert_eq!(others, expected);
                }
            }
        }
    }
}
