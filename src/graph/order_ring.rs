//! Whose accounts an order joins, before it is part of the graph.

use std::collections::BTreeSet;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::history::Window;
use crate::graph::knowledge::KnowledgeGraph;

/// What makes two accounts one ring at once: an address does not, since presents, offices and
/// dormitories join whole towns.
const CARRIERS: [EntityKind; 4] =
    [EntityKind::Device, EntityKind::Phone, EntityKind::Email, EntityKind::PaymentInstrument];
/// Most carriers of each kind, the newest, of the account itself that are looked at.
const OWN_CARRIERS_MAX: usize = 8;

impl KnowledgeGraph {
    /// The accounts that an order joins, by kind and key: its own, and those that share a
    /// device, a phone, an e-mail or a payment instrument with the order or with what its
    /// account used before.
    ///
    /// One step, not a walk: who keeps what it gives each account gets the whole ring, as each
    /// of its accounts shared something when it ordered. What more accounts share than the
    /// settings allow joins none. Empty for an order that names no account.
    pub fn accounts_joined_by(&self, order: &Order, as_of: Timestamp) -> BTreeSet<EntityRef> {
        let Some(own) = order.entity(EntityKind::Account) else { return BTreeSet::new() };
        let links_max = self.settings().ring_link_accounts_max.into();
        let named = order.entities.iter().filter(|entity| CARRIERS.contains(&entity.kind));
        let named = named.filter_map(|entity| self.find(entity));
        let past = self.history_of(own, as_of);
        let used =
            CARRIERS.into_iter().flat_map(|kind| past.recent(kind, Window::Ever, OWN_CARRIERS_MAX));
        let carriers: BTreeSet<_> = named.chain(used).collect();
        let sharers = carriers
            .into_iter()
            .filter_map(|carrier| self.history(carrier, as_of))
            .flat_map(|carrier| carrier.few_accounts(links_max));
        let mut accounts: BTreeSet<EntityRef> =
            sharers.filter_map(|node| self.entity(node)).cloned().collect();
        accounts.insert(own.clone());
        accounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::EntityKey;
    use crate::domain::event::{Event, Fact};
    use crate::domain::order::OrderKey;
    use crate::graph::settings::GraphSettings;

    fn entity(kind: EntityKind, n: u128) -> EntityRef {
        EntityRef { kind, key: EntityKey::Hashed(n) }
    }

    fn order(n: u128, account: u128, device: u128) -> Order {
        let key = OrderKey { channel: "app".into(), order_id: n.to_string().into(), revision: 0 };
        let mut order = Order::new(key);
        order.entities =
            vec![entity(EntityKind::Account, account), entity(EntityKind::Device, device)];
        order
    }

    fn graph(orders: &[(u128, u128, u128)]) -> KnowledgeGraph {
        let mut graph = KnowledgeGraph::new(GraphSettings::default());
        for (n, account, device) in orders {
            graph.apply(&Event {
                event_id: n.to_string().into(),
                event_time: Timestamp(i64::try_from(*n).unwrap()),
                ingest_time: None,
                fact: Fact::OrderPlaced(order(*n, *account, *device)),
            });
        }
        graph
    }

    fn joined(graph: &KnowledgeGraph, order: &Order) -> Vec<u128> {
        let accounts = graph.accounts_joined_by(order, Timestamp(100)).into_iter();
        let key = |account: EntityRef| match account.key {
            EntityKey::Hashed(key) => key,
            EntityKey::Plain(_) | EntityKey::Twice(_) => 0,
        };
        accounts.map(key).collect()
    }

    #[test]
    fn a_newcomer_joins_the_ring_of_whose_device_it_uses() {
        // Accounts 1 and 2 share device 10; 3 is alone on 11.
        let graph = graph(&[(1, 1, 10), (2, 2, 10), (3, 3, 11)]);
        assert_eq!(joined(&graph, &order(4, 9, 10)), [1, 2, 9]);
        assert_eq!(joined(&graph, &order(4, 9, 12)), [9]);
        assert_eq!(joined(&graph, &order(4, 1, 12)), [1, 2], "its own ring");
        // An order that two rings meet in joins them.
        assert_eq!(joined(&graph, &order(4, 3, 10)), [1, 2, 3]);
    }

    #[test]
    fn who_names_no_account_joins_nobody() {
        let graph = graph(&[(1, 1, 10)]);
        let mut stranger = order(4, 9, 10);
        stranger.entities.remove(0);
        assert!(joined(&graph, &stranger).is_empty());
    }
}
