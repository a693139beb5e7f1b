//! What a server writes into its log, and what it never does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use serde_json::Value;
use tempfile::tempdir;
use tonic::Request;

use crate::orders;
use crate::server::orderlens;

/// What a person could be known by, seeded into an order wherever one may stand.
const PHONE: &str = "+8613800138000";
const EMAIL: &str = "seeded.person@example.com";
const STREET: &str = "221B Seeded Street";
const CARD: &str = "4242424242424242";
/// The secret of the identity key; see [`orderlens`].
const SECRET: &str = "a secret of the tests only";

fn order() -> v1::ScoreOrderRequest {
    let mut request = orders::request(7);
    let entity = |kind: v1::EntityKind, id: &str| v1::Entity { kind: kind.into(), id: id.into() };
    // Of most kinds an order names one.
    request.order.as_mut().unwrap().entities = vec![
        entity(v1::EntityKind::Phone, PHONE),
        entity(v1::EntityKind::Email, EMAIL),
        entity(v1::EntityKind::Address, STREET),
        entity(v1::EntityKind::PaymentInstrument, CARD),
    ];
    request
}

/// A server that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Whether it still runs does not matter any more.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything that a server with this filter writes while it judges, refuses and stops.
async fn log_of(filter: &str) -> (String, String) {
    let data = tempdir().unwrap();
    let child = orderlens()
        .args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
        .args(["--operations", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("RUST_LOG", filter)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Running(child);
    // Read beside: a full pipe would stop the server.
    let mut stderr = server.0.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut url = lines.filter_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    let mut client = DecisionServiceClient::connect(url.next().unwrap()).await.unwrap();
    let mut request = Request::new(order());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", trace.parse().unwrap());
    let answer = client.score_order(request).await.unwrap().into_inner();
    let mut wrong = order();
    wrong.order.as_mut().unwrap().entities.extend(std::iter::repeat_n(
        v1::Entity { kind: v1::EntityKind::Phone.into(), id: PHONE.into() },
        2_000,
    ));
    client.score_order(wrong).await.expect_err("too many entities");
    drop(client);
    drop(server);
    (log.join().unwrap(), answer.decision.unwrap().decision_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_objects_with_ids_and_hold_nothing_of_a_person() {
    let (log, decision_id) = log_of("debug").await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()));
    let scored = lines.iter().find(|line| line["message"] == "scored an order").unwrap();
    assert_eq!(scored["level"], "DEBUG");
    assert_eq!(scored["decision_id"], decision_id);
    assert_eq!(scored["request_id"], "synthetic-request-7");
    assert_eq!(scored["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let refused = lines.iter().find(|line| line["message"] == "refused an order").unwrap();
    assert_eq!((&refused["code"], &refused["level"]), (&"InvalidArgument".into(), &"DEBUG".into()));
    for secret in [PHONE, EMAIL, STREET, CARD, SECRET, "13800138000"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_not_told_unless_somebody_asks_for_it() {
    let (log, decision_id) = log_of("info").await;
    assert!(log.contains("serving gRPC on"), "{log}");
    assert!(!log.contains(&decision_id) && !log.contains("an order"), "{log}");
}
