//! Laws that hold for every feature of the catalog, on random streams.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::domain::event::{
    AccountCreated, CancelLevel, CancelReason, CancelSource, CancelType, Event, Fact, Label,
    MarketPrice, OrderAmount, OrderCancelled, OrderReturned, OrderStep, StockLevel,
};
use crate::domain::feature::{CatalogSchema, OrderFields};
use crate::domain::head::HeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::{AddressKind, AttributeValue, Order, OrderItem, OrderKey, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::edits::OrderEdit;
use crate::feature::schema::SchemaBuilder;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;

fn entity(kind: EntityKind, n: u8) -> EntityRef {
    IdentityKey::from_secret(b"law").entity(kind, &n.to_string())
}

fn yuan(minor_units: i64) -> Money {
    Money { currency: Currency::CNY, minor_units }
}

fn key(n: u8) -> OrderKey {
    OrderKey { channel: "web".into(), order_id: n.to_string().into(), revision: 0 }
}

/// An order whose entities follow from a few random bytes; 0 leaves an entity out.
pub(super) fn order(n: u8, picks: [u8; 6], minor_units: i64) -> Order {
    let mut order = Order::new(key(n));
    let kinds = [
        EntityKind::Account,
        EntityKind::Device,
        EntityKind::Ip,
        EntityKind::PaymentInstrument,
        EntityKind::Region,
    ];
    for (kind, pick) in kinds.into_iter().zip(picks) {
        if pick != 0 {
            order.entities.push(entity(kind, pick));
        }
    }
    if picks[1] != picks[2] {
        order.entities.push(entity(EntityKind::Address, (picks[1] + picks[2]) % 5));
    }
    for sku in 0..picks[5] % 4 {
        order.items.push(OrderItem {
            sku: entity(EntityKind::Sku, sku + picks[5] % 3),
            quantity: 1 + u32::from(sku),
            unit_price: (picks[5] != 5).then(|| yuan(minor_units + 1)),
        });
    }
    if picks[4] != 0 {
        let word = AttributeValue::Category(picks[4].to_string().into());
        order.attributes.insert("referrer".into(), word);
    }
    let country = |pick: u8| (pick != 0).then(|| pick.to_string().into());
    order.countries.payment = country(picks[3]);
    order.countries.shipping = country(picks[2]);
    order.amount = (minor_units % 7 != 0).then(|| yuan(minor_units));
    order.account_created_at =
        picks[0].is_multiple_of(2).then(|| Timestamp(Span::hours(i64::from(picks[0])).0));
    order
}

fn fact() -> impl Strategy<Value = Fact> {
    let placed = (any::<u8>(), prop::array::uniform6(0_u8..7), 0_i64..50_000)
        .prop_map(|(n, picks, minor)| Fact::OrderPlaced(order(n, picks, minor)));
    let label = (any::<u8>(), any::<bool>(), any::<bool>(), 0_u8..7).prop_map(
        |(n, is_bad, is_first, concern)| {
            Fact::Label(Label {
                order: key(n),
                head: HeadId(if is_first { "payment_fraud" } else { "late" }.into()),
                value: if is_bad { 1.0 } else { 0.0 },
                matures_at: None,
                concerns: match concern {
                    0 => Vec::new(),
                    n => vec![entity(EntityKind::Account, n)],
                },
            })
        },
    );
    let step = (any::<u8>(), 0_u8..5).prop_map(|(n, which)| match which {
        0 => Fact::OrderReturned(OrderReturned { order: key(n), sku: None, amount: None }),
        1 => Fact::OrderRefunded(OrderAmount { order: key(n), amount: None }),
        2 => Fact::OrderDelivered(OrderStep { order: key(n) }),
        _ => Fact::OrderCancelled(OrderCancelled {
            order: key(n),
            reason: CancelReason {
                source: CancelSource::Customer,
                r#type: CancelType::Other,
                level: CancelLevel::BeforePayment,
            },
        }),
    });
    let market = (0_u8..6, 1_i64..900, 0_u8..3).prop_map(|(sku, minor, region)| {
        let region = (region != 0).then(|| entity(EntityKind::Region, region));
        let sku = entity(EntityKind::Sku, sku);
        match minor % 2 {
            0 => Fact::StockLevel(StockLevel { sku, region, units: minor.unsigned_abs() }),
            _ => Fact::MarketPrice(MarketPrice { sku, region, price: yuan(minor) }),
        }
    });
    let opened = (1_u8..7, 1_u8..7).prop_map(|(account, device)| {
        Fact::AccountCreated(AccountCreated {
            account: entity(EntityKind::Account, account),
            entities: vec![entity(EntityKind::Device, device)],
        })
    });
    prop_oneof![8 => placed, 4 => label, 2 => step, 1 => market, 1 => opened]
}

/// Facts over forty days, in random order, with an order id each at most once.
pub(super) fn stream() -> impl Strategy<Value = Vec<Event>> {
    let event = (0_i64..960, 0_i64..48, fact()).prop_map(|(hour, delay, fact)| Event {
        event_id: "e".into(),
        event_time: Timestamp(Span::hours(hour).0),
        ingest_time: matches!(fact, Fact::Label(_)).then(|| Timestamp(Span::hours(hour + delay).0)),
        fact,
    });
    prop::collection::vec(event, 1..220).prop_map(|mut events| {
        let mut placed = BTreeSet::new();
        events.retain(|event| {
            let Fact::OrderPlaced(order) = &event.fact else { return true };
            placed.insert(order.key.clone())
        });
        events
    })
}

/// A graph of few accounts, of which three make a hub.
pub(super) fn graph_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> KnowledgeGraph {
    let settings = GraphSettings { hub_accounts_min: 3, ..GraphSettings::default() };
    let mut graph = KnowledgeGraph::new(settings);
    for event in events {
        graph.apply(event);
    }
    graph
}

pub(super) fn schema(events: &[Event]) -> CatalogSchema {
    let mut builder = SchemaBuilder::default();
    for event in events {
        builder.observe(event);
    }
    builder.finish()
}

/// Names and values of the features that differ.
pub(super) fn differences(
    catalog: &Catalog,
    (one, other): (&KnowledgeGraph, &KnowledgeGraph),
    order: &Order,
    as_of: Timestamp,
) -> Vec<(Arc<str>, f32, f32)> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    catalog.extract(one, order, as_of, &mut a);
    catalog.extract(other, order, as_of, &mut b);
    let ids = catalog.specs().iter().map(|spec| spec.id.clone());
    ids.zip(a.into_iter().zip(b))
        .filter(|(_, (a, b))| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()))
        .map(|(id, (a, b))| (id, a, b))
        .collect()
}

/// Features that say of a field which value it has.
const EDITED: [&str; 6] = [
    "order_amount",
    "order_amount_ln",
    "order_discount_share",
    "order_quantity_max",
    "order_address_is_hotel",
    "order_payment_is_wallet",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_feature_does_not_see_what_happened_or_became_known_later(
        events in stream(), hour in 0_i64..1_010,
        probe in (prop::array::uniform6(0_u8..7), 0_i64..50_000),
    ) {
        let as_of = Timestamp(Span::hours(hour).0);
        let all = graph_of(&events);
        let past = graph_of(events.iter().filter(|event| event.known_at() <= as_of));
        let catalog = Catalog::new(&schema(&events));
        let order = order(255, probe.0, probe.1);
        prop_assert_eq!(differences(&catalog, (&all, &past), &order, as_of), vec![]);
    }

    #[test]
    fn facts_told_in_any_order_give_the_same_features(
        events in stream(), shuffle in any::<prop::sample::Index>(),
        probe in (prop::array::uniform6(0_u8..7), 0_i64..50_000),
    ) {
        let mut other = events.clone();
        other.rotate_left(shuffle.index(events.len()));
        other.reverse();
        let as_of = Timestamp(Span::hours(980).0);
        let graphs = (graph_of(&events), graph_of(&other));
        let catalog = Catalog::new(&schema(&events));
        let order = order(255, probe.0, probe.1);
        prop_assert_eq!(differences(&catalog, (&graphs.0, &graphs.1), &order, as_of), vec![]);
    }

    #[test]
    fn a_node_that_moved_into_another_one_reads_as_if_all_had_been_told_of_that(
        events in stream(), kind in 0_usize..4, n in 1_u8..7, from in any::<prop::sample::Index>(),
        probe in (prop::array::uniform6(0_u8..7), 0_i64..50_000),
    ) {
        let kinds = [EntityKind::Account, EntityKind::Device, EntityKind::Ip, EntityKind::Address];
        let kind = kinds[kind];
        let (known_as, pseudonym) = (entity(kind, n), entity(kind, n + 100));
        let mut two = events.clone();
        for event in &mut two[from.index(events.len())..] {
            let named = event.persons_mut().into_iter().filter(|it| **it == known_as);
            named.for_each(|it| *it = pseudonym.clone());
        }
        let mut united = graph_of(&two);
        united.unite(&pseudonym, &known_as);
        let graphs = (graph_of(&events), united);
        let catalog = Catalog::new(&schema(&events));
        for hour in [500, 980] {
            let (order, as_of) = (order(255, probe.0, probe.1), Timestamp(Span::hours(hour).0));
            prop_assert_eq!(differences(&catalog, (&graphs.0, &graphs.1), &order, as_of), vec![]);
        }
    }

    #[test]
    fn the_same_stream_gives_the_same_state_and_a_saved_one_reads_the_same(events in stream()) {
        let graph = graph_of(&events);
        let bytes = postcard::to_stdvec(&graph).unwrap();
        prop_assert_eq!(&bytes, &postcard::to_stdvec(&graph_of(&events)).unwrap());
        let restored: KnowledgeGraph = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(graph.state_hash(), restored.state_hash());
        let catalog = Catalog::new(&schema(&events));
        let (order, as_of) = (order(255, [1, 1, 1, 1, 1, 1], 90), Timestamp(Span::days(40).0));
        prop_assert_eq!(differences(&catalog, (&graph, &restored), &order, as_of), vec![]);
    }

    #[test]
    fn without_the_graph_what_an_order_tells_itself_is_the_same_and_the_rest_unknown(
        events in stream(), picks in any::<[u8; 6]>(),
    ) {
        let catalog = Catalog::new(&schema(&events));
        let graph = graph_of(&events);
        let picks = picks.map(|pick| pick % 5);
        let (order, as_of) = (order(255, picks, 90), Timestamp(Span::days(30).0));
        let (mut all, mut alone) = (Vec::new(), Vec::new());
        catalog.extract(&graph, &order, as_of, &mut all);
        catalog.extract_without_graph(&order, as_of, &mut alone);
        for (spec, (all, alone)) in catalog.specs().iter().zip(all.iter().zip(&alone)) {
            let expected = if spec.is_graph { f32::NAN } else { *all };
            prop_assert_eq!(alone.to_bits(), expected.to_bits(), "{}", spec.id);
        }
        prop_assert!(alone.iter().any(|value| !value.is_nan()));
    }

    #[test]
    fn a_selection_reads_the_same_values_in_the_order_named(
        events in stream(), from in any::<prop::sample::Index>(),
    ) {
        let catalog = Catalog::new(&schema(&events));
        let mut ids: Vec<Arc<str>> =
            catalog.specs().iter().map(|spec| spec.id.clone()).collect();
        let from = from.index(ids.len());
        ids.rotate_left(from);
        let few: Vec<usize> = (0..ids.len()).step_by(3).collect();
        let named: Vec<Arc<str>> = few.iter().map(|&at| ids[at].clone()).collect();
        let graph = graph_of(&events);
        let (order, as_of) = (order(255, [1, 2, 3, 1, 2, 3], 90), Timestamp(Span::days(30).0));
        let (mut all, mut selected) = (Vec::new(), Vec::new());
        catalog.extract(&graph, &order, as_of, &mut all);
        all.rotate_left(from);
        catalog.select(&named).unwrap().extract(&graph, &order, as_of, &mut selected);
        let expected: Vec<u32> = few.iter().map(|&at| all[at].to_bits()).collect();
        prop_assert_eq!(selected.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_edited_order_rereads_to_what_is_extracted_for_it(
        events in stream(), probe in (prop::array::uniform6(0_u8..7), 1_i64..50_000),
        asked in prop::collection::vec((any::<prop::sample::Index>(), 0.0..40.0_f64), 1..6),
    ) {
        let fields = OrderFields {
            amount: true, discount: true, items: true, account_created_at: true,
            address_kind: true, payment_kind: true, ..OrderFields::default()
        };
        let catalog = Catalog::new(&CatalogSchema { fields, ..schema(&events) });
        let (graph, as_of) = (graph_of(&events), Timestamp(Span::days(30).0));
        let mut order = order(255, probe.0, probe.1);
        order.amount = Some(yuan(probe.1));
        order.discount = Some(yuan(probe.1 / 3));
        order.address_kind = Some(AddressKind::Office);
        order.payment_kind = Some(PaymentKind::Card);
        let mut values = Vec::new();
        let lines = catalog.extract_with_lines(&graph, &order, as_of, &mut values);
        let mut edits: Vec<OrderEdit> = asked
            .into_iter()
            .filter_map(|(at, value)| {
                let at = at.index(EDITED.len());
                let at = catalog.specs().iter().position(|spec| *spec.id == *EDITED[at])?;
                catalog.edit(at, value, &order)
            })
            .collect();
        edits.sort_by_key(|edit| edit.field());
        edits.dedup_by_key(|edit| edit.field());
        for edit in &edits {
            edit.apply(&mut order);
        }
        catalog.reread(&order, &lines, &mut values);
        let mut expected = Vec::new();
        catalog.extract(&graph, &order, as_of, &mut expected);
        for (spec, (found, expected)) in catalog.specs().iter().zip(values.iter().zip(&expected)) {
            let is_same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            prop_assert!(is_same, "{}: {found} is not {expected} after {edits:?}", spec.id);
        }
    }
}
