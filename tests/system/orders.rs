//! Synthetic orders, events and choices for the load of the system tests.

use orderlens::wire::pb::v1;
use prost_types::Timestamp;

/// 2026-02-16T12:00:00Z, the eve of a Spring Festival.
const START_SECONDS: i64 = 1_771_243_200;

/// The request for synthetic order `n`.
pub(crate) fn request(n: u64) -> v1::ScoreOrderRequest {
    let entity = |kind: v1::EntityKind, id: String| v1::Entity { kind: kind.into(), id };
    let money = |minor_units| v1::Money { currency_code: "CNY".to_owned(), minor_units };
    let amount = i64::try_from(1_000 + n * 7_919 % 90_000).expect("small");
    v1::ScoreOrderRequest {
        request_id: format!("synthetic-request-{n}"),
        event_time: Some(at(n)),
        order: Some(v1::Order {
            key: Some(key(n)),
            amount: Some(money(amount)),
            items: vec![v1::OrderItem {
                sku_id: format!("SKU-{}", n % 50),
                quantity: 1 + u32::try_from(n % 3).expect("small"),
                unit_price: Some(money(amount)),
            }],
            entities: vec![
                entity(v1::EntityKind::Account, format!("synthetic-account-{}", n % 97)),
                entity(v1::EntityKind::Device, format!("synthetic-device-{}", n % 71)),
                entity(v1::EntityKind::Ip, format!("192.0.2.{}", n % 31)),
                entity(v1::EntityKind::Address, format!("synthetic-address-{}", n % 61)),
                entity(v1::EntityKind::PaymentInstrument, format!("synthetic-card-{}", n % 83)),
            ],
            ..v1::Order::default()
        }),
        ..v1::ScoreOrderRequest::default()
    }
}

/// The fact that synthetic order `n` was paid.
pub(crate) fn paid(n: u64) -> v1::Event {
    v1::Event {
        event_id: format!("synthetic-paid-{n}"),
        event_time: Some(at(n + 60)),
        fact: Some(v1::event::Fact::OrderPaid(v1::OrderAmount {
            order: Some(key(n)),
            amount: None,
        })),
        ..v1::Event::default()
    }
}

/// A choice about a decision.
pub(crate) fn choice(n: u64, decision_id: &str) -> v1::OperatorChoice {
    v1::OperatorChoice {
        choice_id: format!("synthetic-choice-{n}"),
        decision_id: decision_id.to_owned(),
        operator_id: "synthetic-operator".to_owned(),
        action: v1::ActionKind::Approve.into(),
        decided_at: Some(at(n + 120)),
        ..v1::OperatorChoice::default()
    }
}

fn key(n: u64) -> v1::OrderKey {
    v1::OrderKey {
        channel: "synthetic_app".to_owned(),
        order_id: format!("synthetic-order-{n}"),
        revision: 0,
    }
}

fn at(n: u64) -> Timestamp {
    Timestamp { seconds: START_SECONDS + i64::try_from(n).expect("small"), nanos: 0 }
}
