//! Which of some accounts are joined by things that their orders name.
//!
//! One step only, and only between accounts that are at hand already: a few rows of
//! orders answer it. A ring ([`History::ring`]) also goes on through accounts that
//! are elsewhere, which is too long a walk for every one of a cohort or of a SKU's buyers.

use crate::domain::time::Timestamp;
use crate::graph::arena::OrderRow;
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx, RING_KINDS};
use crate::graph::settings::LINKING_ORDERS_MAX;
use crate::graph::sharing::Sharing;

/// A thing that the orders of two accounts name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joined {
    /// The thing.
    pub thing: NodeIdx,
    /// The accounts.
    pub accounts: [NodeIdx; 2],
}

/// What was named by whose orders.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedThings {
    /// A thing that can join accounts, and an account that named it.
    named: Vec<(u32, NodeIdx)>,
}

impl SharedThings {
    /// Adds the things of an account's newest orders, at most [`LINKING_ORDERS_MAX`].
    pub(super) fn add_past(&mut self, account: NodeIdx, past: &History<'_>) {
        if past.node.sharing != Sharing::Several {
            return;
        }
        for (no, _) in past.orders(Window::Ever).take(LINKING_ORDERS_MAX) {
            self.add(account, past.graph.arena.row(no));
        }
    }

    /// Adds the things of one order of an account.
    pub(super) fn add(&mut self, account: NodeIdx, row: &OrderRow) {
        let things = RING_KINDS.into_iter().filter_map(|kind| row.node_of(kind));
        self.named.extend(things.map(|thing| (thing, account)));
    }

    /// Pairs of different accounts that named the same thing; chained, they join all that did.
    /// A thing that more accounts share as of the instant than
    /// [`ring_link_accounts_max`](crate::graph::settings::GraphSettings) joins nobody.
    pub(super) fn joined(mut self, graph: &KnowledgeGraph, as_of: Timestamp) -> Vec<Joined> {
        self.named.sort_unstable();
        self.named.dedup();
        let mut joined = Vec::new();
        for of_thing in self.named.chunk_by(|(one, _), (other, _)| one == other) {
            let (thing, is_shared) = (NodeIdx(of_thing[0].0), 2 <= of_thing.len());
            if is_shared && !is_of_a_crowd(graph, thing, as_of) {
                let pairs = of_thing.windows(2).map(|pair| [pair[0].1, pair[1].1]);
                joined.extend(pairs.map(|accounts| Joined { thing, accounts }));
            }
        }
        joined
    }
}

fn is_of_a_crowd(graph: &KnowledgeGraph, thing: NodeIdx, as_of: Timestamp) -> bool {
    let past = graph.history(thing, as_of);
    let n_max = graph.settings.ring_link_accounts_max.into();
    past.is_none_or(|past| past.few_accounts(n_max).is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::entity::EntityKind;
    use crate::graph::laws::{ACCOUNT, DEVICE, at, entity, order, placed};
    use crate::graph::settings::GraphSettings;

    const ADDRESS: EntityKind = EntityKind::Address;
    const N_ACCOUNTS: u32 = 8;
    const LINK_ACCOUNTS_MAX: u32 = 3;

    fn folded(told: &[(i64, u32, [u32; 2])]) -> KnowledgeGraph {
        let settings =
            GraphSettings { ring_link_accounts_max: LINK_ACCOUNTS_MAX, ..GraphSettings::default() };
        let mut graph = KnowledgeGraph::new(settings);
        for (id, &(hour, account, [device, address])) in told.iter().enumerate() {
            let named = [(ACCOUNT, account), (DEVICE, device), (ADDRESS, address)];
            graph.apply(&placed(hour, order(id, &named)));
        }
        graph
    }

    /// Every account that another one is joined with.
    fn joined(graph: &KnowledgeGraph, hour: i64) -> BTreeSet<NodeIdx> {
        let mut things = SharedThings::default();
        for account in (0..N_ACCOUNTS).filter_map(|who| graph.find(&entity(ACCOUNT, who))) {
            things.add_past(account, &graph.history(account, at(hour)).unwrap());
        }
        let joined = things.joined(graph, at(hour));
        joined.into_iter().flat_map(|it| it.accounts).collect()
    }

    proptest! {
        #[test]
        fn accounts_are_joined_by_what_a_few_of_them_named_until_the_instant(
            told in prop::collection::vec((0_i64..40, 0..N_ACCOUNTS, [0_u32..9, 0_u32..9]), 0..30),
            hour in 0_i64..45,
        ) {
            let graph = folded(&told);
            let mut holders: BTreeMap<(usize, u32), BTreeSet<NodeIdx>> = BTreeMap::new();
            for (_, who, things) in told.iter().filter(|(told, ..)| *told <= hour) {
                let account = graph.find(&entity(ACCOUNT, *who)).unwrap();
                for thing in things.iter().copied().enumerate() {
                    holders.entry(thing).or_default().insert(account);
                }
            }
            let is_few = |n: usize| 2 <= n && n <= LINK_ACCOUNTS_MAX as usize;
            let expected = holders.into_values().filter(|holders| is_few(holders.len())).flatten();
            // What lies behind them is another test's.
            let n_orders = |who| told.iter().filter(|(_, account, _)| *account == who).count();
            prop_assume!((0..N_ACCOUNTS).all(|who| n_orders(who) <= LINKING_ORDERS_MAX));
            prop_assert_eq!(joined(&graph, hour), expected.collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn what_lies_behind_the_newest_orders_of_an_account_joins_it_with_nobody() {
        let n_orders = i64::try_from(LINKING_ORDERS_MAX).unwrap();
        let shared = [(0, 0, [0, 0]), (1, 1, [0, 1])];
        let own = |n: i64| (2 + n, 0, [5, 5]);
        let told: Vec<_> = shared.into_iter().chain((0..n_orders - 1).map(own)).collect();
        assert_eq!(joined(&folded(&told), 40).len(), 2);
        let told = [&told[..], &[own(n_orders)]].concat();
        assert_eq!(joined(&folded(&told), 40).len(), 0);
    }
}
