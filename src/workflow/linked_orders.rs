//! Orders that wait for a review and are strongly linked to an order: a ring.
//!
//! One step through the graph finds the accounts, and the records know their newest decisions,
//! so the sequencer only walks as far as any view of the graph may.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::decision::DecisionId;
use crate::domain::decision_short::{DECISIONS_SHORT_MAX, DecisionShort};
use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::neighborhood::{FAN_OUT_MAX, Neighborhood, NeighborhoodQuery, VIEW_NODES_MAX};
use crate::domain::order::{Order, OrderKey};
use crate::store::error::Error;
use crate::store::records::query::Records;
use crate::workflow::undecided::Reviews;

/// Most accounts that are looked at; those that share the most come first.
pub const LINKED_ACCOUNTS_MAX: usize = 50;
/// Newest decisions of an account that are looked at.
pub const ACCOUNT_DECISIONS_MAX: u32 = 5;

/// What hardly two strangers share, unless it is a hub.
const STRONG: [EntityKind; 6] = [
    EntityKind::Account,
    EntityKind::Device,
    EntityKind::Phone,
    EntityKind::Email,
    EntityKind::PaymentInstrument,
    EntityKind::Address,
];

/// A waiting order that is linked to another one.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkedOrder {
    /// The order, by its decision.
    pub decision: DecisionShort,
    /// What both share, in the order of kinds; never empty.
    pub shared: Vec<EntityKind>,
}

/// The accounts that are linked to an order, and what links them.
pub type LinkedAccounts = Vec<(EntityRef, BTreeSet<EntityKind>)>;

/// Asks the graph for what touches the strong things of an order; `None` when it has none.
pub fn question(order: &Order) -> Option<NeighborhoodQuery> {
    let seeds = order.entities.iter().filter(|it| STRONG.contains(&it.kind)).cloned();
    let seeds: Vec<EntityRef> = seeds.collect();
    (!seeds.is_empty()).then_some(NeighborhoodQuery {
        seeds,
        n_hops: 1,
        kinds: vec![EntityKind::Account],
        since: None,
        as_of: None,
        n_nodes_max: VIEW_NODES_MAX,
        fan_out_max: FAN_OUT_MAX,
    })
}

/// The accounts of a view: the order's own first, then those that share the most; what so many
/// share that it says little links nobody.
pub fn accounts(view: &Neighborhood) -> LinkedAccounts {
    let mut linked: BTreeMap<&EntityRef, BTreeSet<EntityKind>> = BTreeMap::new();
    let own = view.nodes.iter().find(|it| it.n_hops == 0 && it.entity.kind == EntityKind::Account);
    if let Some(own) = own {
        linked.entry(&own.entity).or_default().insert(EntityKind::Account);
    }
    for edge in &view.edges {
        let [from, to] = [edge.from, edge.to].map(|it| &view.nodes[it as usize]);
        for (seed, account) in [(from, to), (to, from)] {
            let is_link = seed.n_hops == 0 && !seed.is_hub;
            if is_link && account.entity.kind == EntityKind::Account && account.n_hops == 1 {
                linked.entry(&account.entity).or_default().insert(seed.entity.kind);
            }
        }
    }
    for identity in &view.identities {
        let carriers = identity.evidence.iter().flat_map(|it| &it.carriers);
        linked.entry(&identity.other).or_default().extend(carriers.map(|it| it.kind));
    }
    let mut linked: LinkedAccounts =
        linked.into_iter().map(|(account, shared)| (account.clone(), shared)).collect();
    // The account itself links more than any number of things.
    let weight = |shared: &BTreeSet<EntityKind>| {
        if shared.contains(&EntityKind::Account) { STRONG.len() } else { shared.len() }
    };
    linked.sort_by_key(|(_, shared)| std::cmp::Reverse(weight(shared)));
    linked.truncate(LINKED_ACCOUNTS_MAX);
    linked
}

/// The newest decisions of accounts that wait for a review, but for those about the order
/// itself; newest first, at most [`DECISIONS_SHORT_MAX`].
///
/// # Errors
/// [`Error::Database`].
pub fn waiting_of(
    records: &Records,
    accounts: &LinkedAccounts,
    order: &OrderKey,
    waiting: &Reviews,
) -> Result<Vec<LinkedOrder>, Error> {
    let mut found: BTreeMap<DecisionId, &BTreeSet<EntityKind>> = BTreeMap::new();
    for (account, shared) in accounts {
        let newest = (&*account.key.to_string(), i64::MAX.cast_unsigned());
        for row in records.account_decisions(newest, order, ACCOUNT_DECISIONS_MAX)? {
            found.insert(row.decision_id, shared);
        }
    }
    let waits = waiting.iter().map(|(id, _)| *id).filter(|id| found.contains_key(id));
    // Ids are ordered by time.
    let waits: BTreeSet<DecisionId> = waits.collect();
    let ids: Vec<DecisionId> = waits.into_iter().rev().take(DECISIONS_SHORT_MAX).collect();
    let lines = records.decisions_in_short(&ids)?;
    let linked = lines.into_iter().map(|decision| {
        let shared = found.get(&decision.decision_id);
        LinkedOrder {
            shared: shared.into_iter().flat_map(|it| it.iter().copied()).collect(),
            decision,
        }
    });
    Ok(linked.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::EntityKey;
    use crate::domain::neighborhood::{NeighborhoodEdge, NeighborhoodNode};
    use crate::domain::time::Timestamp;

    fn node(kind: EntityKind, n: u64, n_hops: u32) -> NeighborhoodNode {
        NeighborhoodNode {
            entity: EntityRef { kind, key: EntityKey::Hashed(u128::from(n)) },
            n_hops,
            n_orders: 1,
            n_bad: 0,
            is_hub: false,
            lost_steps: Vec::new(),
            first_seen: None,
            last_seen: None,
            is_truncated: false,
        }
    }

    fn edge(from: u32, to: u32) -> NeighborhoodEdge {
        let at = Timestamp(0);
        NeighborhoodEdge { from, to, n_orders: 1, first_seen: at, last_seen: at }
    }

    #[test]
    fn hubs_link_nobody_and_who_shares_most_comes_first() {
        let hub = NeighborhoodNode { is_hub: true, ..node(EntityKind::Address, 3, 0) };
        let view = Neighborhood {
            nodes: vec![
                node(EntityKind::Account, 1, 0),
                node(EntityKind::Device, 2, 0),
                hub,
                node(EntityKind::Phone, 4, 0),
                node(EntityKind::Account, 5, 1),
                node(EntityKind::Account, 6, 1),
                node(EntityKind::Account, 7, 1),
            ],
            identities: Vec::new(),
            edges: vec![edge(0, 1), edge(1, 4), edge(2, 5), edge(1, 6), edge(6, 3)],
            is_truncated: false,
            as_of: Timestamp(0),
        };
        let found = accounts(&view);
        let own = (view.nodes[0].entity.clone(), BTreeSet::from([EntityKind::Account]));
        let both = BTreeSet::from([EntityKind::Device, EntityKind::Phone]);
        let two = (view.nodes[6].entity.clone(), both);
        let one = (view.nodes[4].entity.clone(), BTreeSet::from([EntityKind::Device]));
        assert_eq!(found, [own, two, one]);
    }
}
