//! How right the identity links are, against the persons of a truth file.
//!
//! Judged are the accounts that ordered in the judged period, as the graph sees them at
//! the end of the stream. A pair counts once. It is linkable when both accounts are one
//! person's and their orders share a strong carrier, as `simulator/truth.rs` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::cli::truth_file::TruthFile;
use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::order::{AddressKind, Order};
use crate::domain::share::Share;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::KnowledgeGraph;

/// A phone, a payment instrument, or a device and a home.
type CarrierKey<'a> = (&'a EntityRef, Option<&'a EntityRef>);
type Pair<'a> = (&'a EntityRef, &'a EntityRef);

/// Who the accounts of a stream are, and what they share.
#[derive(Debug, Default)]
pub struct Persons {
    accounts: BTreeMap<EntityRef, AccountTruth>,
}

#[derive(Debug, Default)]
struct AccountTruth {
    person: u64,
    is_good: bool,
    last_order: Timestamp,
    carriers: BTreeSet<(EntityRef, Option<EntityRef>)>,
}

/// Links against persons.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityCheck {
    /// Accounts with an order in the judged period.
    pub accounts: u64,
    /// Of the linked pairs, those that are one person.
    pub precision: Share,
    /// Of the linkable pairs, those that are linked.
    pub recall: Share,
    /// The same for pairs of honest people: rings have more pairs than everybody else.
    pub recall_honest: Share,
}

impl Persons {
    /// Keeps whose account ordered with what.
    pub fn observe(&mut self, event: &Event, truth: &TruthFile) {
        let Fact::OrderPlaced(order) = &event.fact else { return };
        let Some(truth) = truth.get(&order.key.order_id) else { return };
        let (Some(person), Some(account)) = (truth.person, order.entity(EntityKind::Account))
        else {
            return;
        };
        let known = self.accounts.entry(account.clone()).or_default();
        known.person = person;
        known.is_good = truth.is_good;
        known.last_order = known.last_order.max(event.event_time);
        known.carriers.extend(carriers(order));
    }

    /// Compares the links of the accounts that ordered since `from`; `None` when the truth
    /// names no persons.
    pub fn check(
        &self,
        graph: &KnowledgeGraph,
        from: Timestamp,
        end: Timestamp,
    ) -> Option<IdentityCheck> {
        if self.accounts.is_empty() {
            return None;
        }
        let linkable = self.linkable();
        let judged = self.accounts.iter().filter(|(_, truth)| from <= truth.last_order);
        let judged: BTreeSet<&EntityRef> = judged.map(|(account, _)| account).collect();
        let mut linked = BTreeSet::new();
        for &account in &judged {
            for link in graph.identity_links(account, None, end) {
                linked.extend(graph.entity(link.account).map(|other| pair(account, other)));
            }
        }
        let is_judged = |pair: &&Pair<'_>| judged.contains(pair.0) || judged.contains(pair.1);
        let person = |account: &EntityRef| self.accounts.get(account).map(|truth| truth.person);
        let n_right = linked.iter().filter(|pair| person(pair.0) == person(pair.1)).count();
        let wanted: Vec<&Pair<'_>> = linkable.iter().filter(is_judged).collect();
        let is_honest = |pair: &&&Pair<'_>| {
            [pair.0, pair.1]
                .iter()
                .all(|account| self.accounts.get(*account).is_some_and(|it| it.is_good))
        };
        let honest: Vec<&Pair<'_>> = wanted.iter().filter(is_honest).copied().collect();
        let recall = |wanted: &[&Pair<'_>]| {
            let n_found = wanted.iter().filter(|pair| linked.contains(**pair)).count();
            Share::new(n_found as u64, wanted.len() as u64)
        };
        Some(IdentityCheck {
            accounts: judged.len() as u64,
            precision: Share::new(n_right as u64, linked.len() as u64),
            recall: recall(&wanted),
            recall_honest: recall(&honest),
        })
    }

    /// Pairs of accounts of one person that share a strong carrier.
    fn linkable(&self) -> BTreeSet<Pair<'_>> {
        let mut users: BTreeMap<(u64, CarrierKey<'_>), Vec<&EntityRef>> = BTreeMap::new();
        for (account, truth) in &self.accounts {
            for (strong, home) in &truth.carriers {
                let key = (truth.person, (strong, home.as_ref()));
                users.entry(key).or_default().push(account);
            }
        }
        let mut pairs = BTreeSet::new();
        for accounts in users.into_values() {
            for (at, one) in accounts.iter().enumerate() {
                pairs.extend(accounts[at + 1..].iter().map(|other| pair(one, other)));
            }
        }
        pairs
    }
}

/// Strong carriers of an order: phone, payment instrument, device with a home address.
fn carriers(order: &Order) -> Vec<(EntityRef, Option<EntityRef>)> {
    let of = |kind| order.entity(kind).cloned();
    let alone = [EntityKind::Phone, EntityKind::PaymentInstrument].into_iter().filter_map(of);
    let mut found: Vec<_> = alone.map(|entity| (entity, None)).collect();
    let is_home = order.address_kind == Some(AddressKind::Residential);
    let home = of(EntityKind::Address).filter(|_| is_home);
    if let (Some(device), Some(home)) = (of(EntityKind::Device), home) {
        found.push((device, Some(home)));
    }
    found
}

fn pair<'a>(one: &'a EntityRef, other: &'a EntityRef) -> Pair<'a> {
    (one.min(other), one.max(other))
}

impl fmt::Display for IdentityCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accounts, precision, recall, recall_honest: honest } = self;
        writeln!(f, "identity: pairs of accounts of one person, over {accounts} accounts")?;
        for (name, share) in [("precision", precision), ("recall", recall), ("of honest", honest)] {
            let [part, low, high] = [share.share, share.low, share.high].map(|part| 100.0 * part);
            let Share { count, of, .. } = share;
            writeln!(f, "{name:<10} {part:>8.3} % [{low:.3}, {high:.3}]  {count} of {of} pairs")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::EntityKey;
    use crate::domain::order::OrderKey;
    use crate::graph::settings::GraphSettings;

    fn entity(kind: EntityKind, n: u128) -> EntityRef {
        EntityRef { kind, key: EntityKey::Hashed(n) }
    }

    /// An order at second `id` of an account with a phone and a card.
    fn placed(id: u32, [account, phone, card]: [u128; 3]) -> Event {
        let order_id = id.to_string().into();
        let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
        order.entities = vec![
            entity(EntityKind::Account, account),
            entity(EntityKind::Phone, phone),
            entity(EntityKind::PaymentInstrument, card),
        ];
        let event_time = Timestamp(i64::from(id) * 1_000_000);
        let fact = Fact::OrderPlaced(order);
        Event { event_id: "".into(), event_time, ingest_time: None, fact }
    }

    #[test]
    fn links_are_counted_by_pair_against_persons_and_what_they_share() {
        // Two of person 7 share a phone, two of person 8 only a card; 9 lends 5 a phone.
        let events = [
            placed(1, [1, 1, 1]),
            placed(2, [2, 1, 2]),
            placed(3, [3, 3, 3]),
            placed(4, [4, 4, 3]),
            placed(5, [5, 5, 5]),
            placed(6, [6, 5, 6]),
        ];
        let truth = "order_id,archetype,ring,person,is_careful,is_good,payment_fraud,\
            reseller_hoarding,promo_abuse,fake_order,return_abuse\n\
            1,shopper,,7,0,1,0,0,0,0,0\n2,shopper,,7,0,1,0,0,0,0,0\n\
            3,coupon_gang,,8,0,0,0,0,1,0,0\n4,coupon_gang,,8,0,0,0,0,1,0,0\n\
            5,shopper,,5,0,1,0,0,0,0,0\n6,shopper,,9,0,1,0,0,0,0,0\n";
        let truth = TruthFile::read(truth.as_bytes()).unwrap();
        let mut graph = KnowledgeGraph::new(GraphSettings::default());
        let mut persons = Persons::default();
        for event in &events {
            graph.apply(event);
            persons.observe(event, &truth);
        }
        let end = Timestamp(9_000_000);
        let counts = |from: i64| {
            let check = persons.check(&graph, Timestamp(from * 1_000_000), end).unwrap();
            let IdentityCheck { accounts, precision, recall, recall_honest } = check;
            let shares = [precision, recall, recall_honest].map(|share| (share.count, share.of));
            (accounts, shares)
        };
        assert_eq!(counts(0), (6, [(1, 2), (1, 2), (1, 1)]));
        assert_eq!(counts(3), (4, [(0, 1), (0, 1), (0, 0)]));
        assert!(Persons::default().check(&graph, Timestamp(0), end).is_none());
    }
}
