//! Bodies of webhooks: the signature is right, the body is damaged.

use orderlens::domain::entity::IdentityKey;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::relay::incoming::read;
use orderlens::relay::sender::{Sender, Shown};
use orderlens::relay::signature::{Claim, Secret};
use orderlens::wire::check::Door;
use orderlens::wire::error::FieldViolation;
use orderlens::workflow::event_health::EventKind;
use serde_json::{Value, json};

use super::{Said, Target, json_tree};

/// An hour after what the bodies tell.
const NOW: Timestamp = Timestamp(1_771_246_800_000_000);
const TIME: &str = "2026-02-16T12:00:00Z";
/// Part of every identifier: no refusal may repeat it.
const MARK: &str = "zx9fuzzmark";

pub(crate) fn targets() -> Vec<Target> {
    vec![body()]
}

/// A message that its sender has signed, read and checked as the door does.
fn body() -> Target {
    let secret = Secret::read("a secret of the fuzz readers").unwrap();
    let kinds = EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::StockLevel);
    let sender =
        Sender { name: "shop".into(), secrets: vec![secret.clone()], kinds: kinds.collect() };
    let identity = IdentityKey::from_secret(b"fuzz");
    Target {
        name: "webhook",
        seeds: seeds().iter().map(|it| it.to_string().into_bytes()).collect(),
        damage: Box::new(json_tree::damaged),
        read: Box::new(move |raw| {
            let claim = Claim { id: "m1", seconds: NOW.0 / 1_000_000 };
            let (time, signature) = (claim.seconds.to_string(), secret.sign(claim, raw));
            let shown = Shown { id: claim.id, time: &time, signature: &signature };
            assert!(sender.has_sent(shown, raw, NOW, Span::minutes(5)), "it was signed");
            let told = match read(&sender.name, claim.id, raw) {
                Ok(told) => told,
                Err(wrong) => return refused(&wrong),
            };
            if let Some(kind) = told.beyond(&sender.kinds) {
                return Said::refused(kind.as_str());
            }
            let wrong = told.violations(Door { identity: &identity, now: NOW });
            if wrong.is_empty() { Said::accepted("read") } else { refused(&wrong) }
        }),
        cost: 4,
    }
}

fn refused(wrong: &[FieldViolation]) -> Said {
    assert!(!wrong.is_empty(), "refused without a reason");
    let said = wrong.iter().map(|it| format!("{} {}", it.field, it.description));
    let said = said.collect::<Vec<_>>().join("; ");
    assert!(!said.contains(MARK), "a value is repeated: {said}");
    Said::refused(&said)
}

fn seeds() -> [Value; 3] {
    let order = json!({
        "key": { "channel": "app", "order_id": "1" },
        "amount": { "currency": "CNY", "minor_units": 12_000 },
        "items": [{ "sku": { "kind": "sku", "key": "S-1" }, "quantity": 1 }],
        "entities": [
            { "kind": "account", "key": format!("{MARK}-account") },
            { "kind": "phone", "key": format!("{MARK}-phone") },
        ],
        "address_kind": "hotel",
        "countries": { "ip": "CN", "payment": "SG", "shipping": "CN" },
        "device_distance_km": 12.5,
    });
    let paid = json!({ "order_paid": { "order": { "channel": "app", "order_id": "1" } } });
    let stock = json!({ "stock_level": { "sku": { "kind": "sku", "key": "S" }, "units": 1 } });
    let event = |fact: Value| json!({ "event_time": TIME, "fact": fact });
    let named = |id: &str, fact: Value| json!({ "event_id": id, "event_time": TIME, "fact": fact });
    let placed = named("e1", json!({ "order_placed": order }));
    let asked = json!({ "request_id": "r1", "event_time": TIME, "order": order, "max_actions": 2 });
    [
        event(paid.clone()),
        json!({ "events": [placed, event(paid)], "orders": [asked] }),
        event(stock),
    ]
}
