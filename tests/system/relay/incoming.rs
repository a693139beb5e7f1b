//! Signed webhooks in: good ones are durable, all others change nothing.

use std::path::Path;

use serde_json::json;

use crate::operations::get;
use crate::relay::{PREVIOUS, SECRET, config, environment, json, post, signature, unix_now};
use crate::server::Server;

pub(super) const LISTEN: (&str, &str) = (
    "listen = \"\"                 # \"\" = no webhooks",
    "listen = \"127.0.0.1:0\"      # \"\" = no webhooks",
);
pub(super) const SENDER: &str = "[sources.webhook.senders.shop]\n\
    secret_variable = \"HOOK_SECRET\"\n\
    previous_secret_variable = \"HOOK_SECRET_1\"\n\
    kinds = [\"order_placed\", \"order_paid\", \"score_order\", \"outcome\"]\n";
/// Part of every string that nobody may find again.
const MARK: &str = "zx9personalmark";

struct Shop {
    server: Server,
}

impl Shop {
    fn open(dir: &Path) -> Self {
        let small =
            ("body_bytes_max = 1048576    # larger messages", "body_bytes_max = 20000    # larger");
        let file = config(dir, &[LISTEN, small], SENDER);
        let arguments = ["--config", file.to_str().unwrap()];
        Self { server: Server::start_in(&dir.join("data"), &arguments, &environment()) }
    }

    fn url(&self, sender: &str) -> String {
        format!("{}{sender}", self.server.webhooks)
    }

    /// Sends a body, signed with a secret as of a time.
    fn send_as(&self, (id, seconds): (&str, i64), secret: &str, body: &[u8]) -> (u16, String) {
        let (time, code) = (seconds.to_string(), signature(secret, id, seconds, body));
        let headers =
            [("webhook-id", id), ("webhook-timestamp", &*time), ("webhook-signature", &*code)];
        post(&self.url("shop"), &headers, body)
    }

    fn send(&self, id: &str, body: &str) -> (u16, String) {
        self.send_as((id, unix_now()), SECRET, body.as_bytes())
    }

    fn durable(&self) -> String {
        let (_, text) = get(&self.server, "/metrics");
        let name = "orderlens_journal_durable_position ";
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
    }
}

pub(super) fn order(id: &str) -> serde_json::Value {
    json!({
        "key": { "channel": "app", "order_id": id },
        "amount": { "currency": "CNY", "minor_units": 12_000 },
        "items": [{ "sku": { "kind": "sku", "key": "S-1" }, "quantity": 1 }],
        "entities": [
            { "kind": "account", "key": format!("{MARK}-account") },
            { "kind": "phone", "key": format!("{MARK}-phone") },
        ],
    })
}

fn placed(id: &str) -> serde_json::Value {
    json!({
        "event_id": format!("placed-{id}"),
        "event_time": "2026-02-16T12:00:00Z",
        "fact": { "order_placed": order(id) },
    })
}

#[test]
fn a_signed_message_is_taken_once_and_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(dir.path());
    let asked = json!({
        "events": [placed("1"), placed("2")],
        "orders": [{ "event_time": "2026-02-16T12:05:00Z", "order": order("1") }],
    });
    let (status, said) = shop.send("m1", &asked.to_string());
    assert_eq!(status, 200, "{said}");
    let said = json(&said);
    assert_eq!(said["events"][1], json!({ "event_id": "placed-2", "status": "accepted" }));
    let decision = said["decisions"][0]["decision_id"].clone();
    assert!(decision.is_string() && said["decisions"][0]["actions"][0].is_string(), "{said}");
    shop.server.kill();

    let shop = Shop::open(dir.path());
    let before = shop.durable();
    let (status, again) = shop.send("m1", &asked.to_string());
    assert_eq!(status, 200, "{again}");
    let again = json(&again);
    assert_eq!(again["events"][0]["status"], "duplicate");
    assert_eq!(again["decisions"][0]["decision_id"], decision);
    assert_eq!(shop.durable(), before, "told again, nothing is recorded again");
    let alone = json!({
        "event_time": "2026-02-16T12:10:00Z",
        "fact": { "order_paid": { "order": { "channel": "app", "order_id": "1" } } },
    });
    let told = |id: &str| json(&shop.send(id, &alone.to_string()).1)["events"][0].clone();
    assert_eq!(told("m2"), json!({ "event_id": "shop:m2:0", "status": "accepted" }));
    assert_eq!(told("m2"), json!({ "event_id": "shop:m2:0", "status": "duplicate" }));
    // While a secret is replaced, the one before it counts as well.
    let old = shop.send_as(("m3", unix_now()), PREVIOUS, alone.to_string().as_bytes());
    assert_eq!(old.0, 200, "{}", old.1);
    let (_, metrics) = get(&shop.server, "/metrics");
    let line = "orderlens_events_taken_total{source=\"app\",kind=\"order_paid\"} 2";
    assert!(metrics.contains(line), "every source is on the board");
}

#[test]
fn what_is_not_signed_or_does_not_read_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(dir.path());
    let (before, now) = (shop.durable(), unix_now());
    let good = placed("1").to_string();
    let mut said = Vec::new();
    let mut refused = |expected: u16, (status, body): (u16, String)| {
        assert_eq!(status, expected, "{body}");
        said.push(body);
    };
    refused(401, shop.send_as(("m1", now), "another secret that is long", good.as_bytes()));
    for seconds in [now - 310, now + 320] {
        refused(401, shop.send_as(("m1", seconds), SECRET, good.as_bytes()));
    }
    refused(401, post(&shop.url("shop"), &[], good.as_bytes()));
    let code = signature(SECRET, "m1", now, good.as_bytes());
    let time = now.to_string();
    let headers =
        [("webhook-id", "m1"), ("webhook-timestamp", &*time), ("webhook-signature", &*code)];
    refused(401, post(&shop.url("nobody"), &headers, good.as_bytes()));
    refused(
        401,
        post(&shop.url("shop"), &headers, good.replace("placed-1", "placed-2").as_bytes()),
    );
    let garbage: &[&[u8]] = &[b"", b"\0\xff\xfe", b"{", b"[[[[", b"null", &[b'['; 9_000]];
    for body in garbage {
        refused(400, shop.send_as(("m1", now), SECRET, body));
    }
    refused(413, shop.send("m1", &format!("{{\"events\":[\"{}\"]}}", "x".repeat(30_000))));
    let mut wrong = placed("3");
    wrong["fact"]["order_placed"]["entities"][0]["kind"] = json!(format!("{MARK}@example.com"));
    let mut long = placed("4");
    long["fact"]["order_placed"]["entities"][0]["key"] = json!(MARK.repeat(40));
    long["fact"]["order_placed"]["items"][0]["quantity"] = json!(0);
    let shapes = shop.send("m1", &json!({ "events": [placed("1"), wrong, 7] }).to_string());
    for field in ["events[1].fact.order_placed.entities[0].kind", "events[2]"] {
        assert!(shapes.1.contains(&format!("\"{field}\"")), "{field} in {}", shapes.1);
    }
    refused(400, shapes);
    let contract = shop.send("m1", &json!({ "events": [placed("1"), long] }).to_string());
    for field in ["entities[0].id", "items[0].quantity"] {
        assert!(contract.1.contains(&format!("events[1].order_placed.{field}")), "{}", contract.1);
    }
    refused(400, contract);
    let stock = json!({
        "event_time": "2026-02-16T12:10:00Z",
        "fact": { "stock_level": { "sku": { "kind": "sku", "key": "S" }, "units": 1 } },
    });
    refused(403, shop.send("m1", &stock.to_string()));
    assert_eq!(shop.durable(), before, "nothing was recorded");
    let (status, taken) = shop.send("m9", &good);
    assert_eq!(status, 200, "{taken}");
    let mut other = placed("1");
    other["event_time"] = json!("2026-02-16T12:00:01Z");
    let (status, conflict) = shop.send("m10", &other.to_string());
    assert_eq!(status, 409, "{conflict}");
    assert_eq!(json(&conflict)["events"][0]["error"]["code"], "ID_REUSED");

    said.extend([taken, conflict]);
    shop.server.stop();
    for text in said {
        assert!(!text.contains(MARK), "{text}");
    }
    assert_clean(&dir.path().join("data"));
}

fn assert_clean(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_clean(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for needle in [MARK, SECRET] {
            let is_there = bytes.windows(needle.len()).any(|it| it == needle.as_bytes());
            assert!(!is_there, "{needle} in {}", path.display());
        }
    }
}
