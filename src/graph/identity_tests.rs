//! Laws of identity: what links accounts, what does not, and how a link ends.

use proptest::prelude::*;

use crate::domain::entity::EntityKind;
use crate::domain::event::Event;
use crate::graph::identity::{Carrier, IDENTITY_CONFIDENCE_MIN, IdentityLink};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::laws::{ACCOUNT, DEVICE, IP, at, entity, graph, order, placed};

const PHONE: EntityKind = EntityKind::Phone;
const PAYMENT: EntityKind = EntityKind::PaymentInstrument;
const ADDRESS: EntityKind = EntityKind::Address;
const EMAIL: EntityKind = EntityKind::Email;

/// One order an hour, each with these nodes.
fn told(orders: &[&[(EntityKind, u32)]]) -> KnowledgeGraph {
    let placed_at = |(n, nodes): (usize, &&[(EntityKind, u32)])| {
        placed(i64::try_from(n).unwrap(), order(n, nodes))
    };
    graph(&orders.iter().enumerate().map(placed_at).collect::<Vec<Event>>())
}

fn links(graph: &KnowledgeGraph, account: u32, hour: i64) -> Vec<IdentityLink> {
    graph.identity_links(&entity(ACCOUNT, account), None, at(hour))
}

/// Whether accounts 1 and 2 are linked in the end.
fn are_one(orders: &[&[(EntityKind, u32)]]) -> bool {
    let graph = told(orders);
    let other = graph.find(&entity(ACCOUNT, 2)).unwrap();
    links(&graph, 1, 1_000).iter().any(|link| link.account == other)
}

#[test]
fn a_phone_links_and_tells_since_when_and_nothing_before() {
    let graph = told(&[
        &[(ACCOUNT, 1), (PHONE, 7), (PAYMENT, 1)],
        &[(ACCOUNT, 2), (PHONE, 7), (PAYMENT, 2)],
        &[(ACCOUNT, 2), (PHONE, 7), (PAYMENT, 2)],
    ]);
    assert!(links(&graph, 1, 0).is_empty());
    let found = links(&graph, 1, 9);
    let [link] = &found[..] else { panic!("{found:?}") };
    assert_eq!(graph.entity(link.account), Some(&entity(ACCOUNT, 2)));
    let [shared] = &link.shared[..] else { panic!("{link:?}") };
    assert_eq!((shared.carrier, shared.n_orders), (Carrier::Phone, 2));
    assert_eq!(graph.entity(shared.entities[0]), Some(&entity(PHONE, 7)));
    assert_eq!((shared.first_seen, shared.last_seen), (at(1), at(2)));
    assert!((link.confidence - 0.98).abs() < 1e-12);
}

#[test]
fn the_judged_order_names_what_the_account_never_used_before() {
    let graph = told(&[&[(ACCOUNT, 1), (PHONE, 7)]]);
    let new = order(9, &[(ACCOUNT, 5), (PHONE, 7)]);
    let found = graph.identity_links(&entity(ACCOUNT, 5), Some(&new), at(9));
    assert_eq!(found.len(), 1);
    assert!(links(&graph, 5, 9).is_empty());
}

#[test]
fn people_who_pay_for_each_other_are_not_one() {
    assert!(are_one(&[&[(ACCOUNT, 1), (PAYMENT, 7)], &[(ACCOUNT, 2), (PAYMENT, 7)]]));
    assert!(!are_one(&[
        &[(ACCOUNT, 1), (PAYMENT, 7), (PHONE, 1)],
        &[(ACCOUNT, 2), (PAYMENT, 7), (PHONE, 2)],
    ]));
}

#[test]
fn a_device_links_at_a_home_when_both_use_it_again() {
    let [one, other] = [1, 2].map(|n| [(ACCOUNT, n), (DEVICE, 7), (ADDRESS, 3), (PHONE, n)]);
    assert!(are_one(&[&one, &other, &one, &other]));
    // A thief who took over an account orders once from the own device.
    assert!(!are_one(&[&one, &one, &other]));
    let away = [(ACCOUNT, 2), (DEVICE, 7), (ADDRESS, 4), (PHONE, 2)];
    assert!(!are_one(&[&one, &away, &one, &away]));
    // The address of an office is nobody's home.
    let colleagues: Vec<_> = (10..20).map(|n| [(ACCOUNT, n), (ADDRESS, 3)]).collect();
    let mut orders: Vec<&[(EntityKind, u32)]> = vec![&one, &other, &one, &other];
    orders.extend(colleagues.iter().map(|order| &order[..]));
    assert!(!are_one(&orders));
}

#[test]
fn a_card_and_a_device_at_home_are_enough_together_and_two_cards_are_not() {
    let of = |n: u32, own: &[(EntityKind, u32)]| [&[(ACCOUNT, n), (PHONE, n)], own].concat();
    let home = [(PAYMENT, 7), (DEVICE, 7), (ADDRESS, 3)];
    assert!(are_one(&[&of(1, &home), &of(2, &home)]));
    assert!(!are_one(&[&of(1, &home[1..]), &of(2, &home[1..])]));
    let [one, other] = [[(PAYMENT, 7)], [(PAYMENT, 8)]];
    assert!(!are_one(&[&of(1, &one), &of(2, &one), &of(1, &other), &of(2, &other)]));
}

#[test]
fn what_many_accounts_share_links_none_of_them_any_more() {
    for (kind, n_max) in [(PHONE, 64), (PAYMENT, 4)] {
        for n in [n_max, n_max + 1] {
            let orders: Vec<_> = (1..=n).map(|account| [(ACCOUNT, account), (kind, 7)]).collect();
            let orders: Vec<&[(EntityKind, u32)]> = orders.iter().map(|it| &it[..]).collect();
            assert_eq!(are_one(&orders), n <= n_max, "{kind:?} with {n} accounts");
        }
    }
}

proptest! {
    #[test]
    fn weak_things_alone_never_link(
        orders in prop::collection::vec((0_u32..6, 0_u32..3, 0_u32..3, 0_u32..3, 0_u32..3), 1..40),
        has_own_phone in any::<bool>(),
    ) {
        let nodes: Vec<_> = orders.iter().map(|&(account, ip, address, email, shop)| {
            let weak = [(ACCOUNT, account), (IP, ip), (ADDRESS, address), (EMAIL, email),
                (EntityKind::Merchant, shop)];
            let own = [(PHONE, account), (PAYMENT, account), (DEVICE, account)];
            [&weak[..], if has_own_phone { &own[..] } else { &[] }].concat()
        }).collect();
        let graph = told(&nodes.iter().map(|it| &it[..]).collect::<Vec<_>>());
        for account in 0..6 {
            prop_assert_eq!(links(&graph, account, 1_000), Vec::new());
        }
    }

    #[test]
    fn links_are_mutual_confident_and_have_evidence_at_any_instant(
        orders in prop::collection::vec((0_u32..6, 0_u32..6, 0_u32..6, 0_u32..4, 0_u32..4), 1..40),
        hour in 0_i64..40,
    ) {
        let nodes: Vec<_> = orders.iter().map(|&(account, phone, payment, device, address)| {
            [(ACCOUNT, account), (PHONE, phone), (PAYMENT, payment), (DEVICE, device),
                (ADDRESS, address)]
        }).collect();
        let until = usize::try_from(hour).unwrap().saturating_add(1).min(nodes.len());
        let [all, past] = [&nodes[..], &nodes[..until]]
            .map(|nodes| told(&nodes.iter().map(|it| &it[..]).collect::<Vec<_>>()));
        for one in 0..6 {
            let found = links(&all, one, hour);
            // Nothing that comes later is seen.
            let sure = |links: &[IdentityLink]| {
                links.iter().map(|link| (link.confidence, link.shared.len())).collect::<Vec<_>>()
            };
            prop_assert_eq!(sure(&found), sure(&links(&past, one, hour)));
            for link in found {
                let range = IDENTITY_CONFIDENCE_MIN..=1.0;
                prop_assert!(range.contains(&link.confidence) && !link.shared.is_empty());
                let other = all.entity(link.account).unwrap();
                let back = all.identity_links(other, None, at(hour));
                let this = all.find(&entity(ACCOUNT, one)).unwrap();
                let back = back.iter().find(|back| back.account == this);
                let is_mutual = back.is_some_and(|it| (it.confidence - link.confidence).abs() < 1e-9);
                prop_assert!(is_mutual, "{link:?} {back:?}");
            }
        }
    }
}
