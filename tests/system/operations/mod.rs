//! A running server, as machines that watch it see it.

mod logs;
mod rules;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::event_service_client::EventServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use tempfile::tempdir;
use tonic::Request;

use crate::orders;
use crate::server::Server;

/// What a server says at a path of its address for machines.
pub(crate) fn get(server: &Server, path: &str) -> (u16, String) {
    let host = server.metrics.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if is_chunked { unchunked(body) } else { body.to_owned() })
}

fn unchunked(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
    whole
}

/// Lines with a value, by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let sample = line.split(" # ").next().unwrap();
        let (name, value) = sample.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(read).collect()
}

/// Every name that a scrape may show: of families, with the endings of their samples.
pub(crate) fn names(text: &str) -> BTreeMap<String, Vec<String>> {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let of = |line: &str| {
        let (name, kind) = line.split_once(' ').unwrap();
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        (name.to_owned(), endings.iter().map(|end| format!("{name}{end}")).collect())
    };
    kinds.map(of).collect()
}

/// Orders, events, choices and outcomes, good and bad ones.
pub(crate) async fn work(server: &Server) -> String {
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let mut request = Request::new(orders::request(1));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", trace.parse().unwrap());
    let answer = client.score_order(request).await.unwrap().into_inner();
    let decision = answer.decision.unwrap();
    client.score_order(orders::request(1)).await.unwrap();
    client.score_order(v1::ScoreOrderRequest::default()).await.expect_err("no order");
    let items = (2..=4).map(|n| v1::ScoreOrdersRequest {
        item_id: n.to_string(),
        request: Some(orders::request(n)),
    });
    let nothing = v1::ScoreOrdersRequest { item_id: "nothing".to_owned(), request: None };
    let items = tokio_stream::iter(items.chain([nothing]).collect::<Vec<_>>());
    let mut answers = client.score_orders(items).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let mut events = EventServiceClient::connect(server.url.clone()).await.unwrap();
    let unreadable = v1::Event { event_id: "alice@example.com".to_owned(), ..v1::Event::default() };
    let told = [orders::paid(1), orders::paid(1), orders::paid(2), unreadable];
    let told = told.map(|event| v1::IngestEventsRequest { event: Some(event) });
    let acks = events.ingest_events(tokio_stream::iter(told)).await.unwrap();
    let mut acks = acks.into_inner();
    while acks.message().await.unwrap().is_some() {}
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let choice = Some(orders::choice(1, &decision.decision_id));
    feedback.record_choice(v1::RecordChoiceRequest { choice }).await.unwrap();
    let unknown = Some(orders::choice(2, "00000000-0000-7000-8000-000000000000"));
    feedback.record_choice(v1::RecordChoiceRequest { choice: unknown }).await.unwrap_err();
    decision.decision_id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_counted_under_the_names_that_people_know() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let decision_id = work(&server).await;
    let (status, text) = get(&server, "/metrics");
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
    let samples = samples(&text);
    let scores = "grpc_type=\"unary\",grpc_service=\"orderlens.v1.DecisionService\",\
                  grpc_method=\"ScoreOrder\"";
    let stream = "grpc_type=\"bidi_stream\",grpc_service=\"orderlens.v1.DecisionService\",\
                  grpc_method=\"ScoreOrders\"";
    let paid = "source=\"synthetic_app\",kind=\"order_paid\"";
    let expected = [
        (format!("grpc_server_started_total{{{scores}}}"), 3.0),
        (format!("grpc_server_handled_total{{{scores},grpc_code=\"OK\"}}"), 2.0),
        (format!("grpc_server_handled_total{{{scores},grpc_code=\"InvalidArgument\"}}"), 1.0),
        (format!("grpc_server_handling_seconds_count{{{scores}}}"), 3.0),
        (format!("grpc_server_handled_total{{{stream},grpc_code=\"OK\"}}"), 1.0),
        (format!("grpc_server_msg_received_total{{{stream}}}"), 4.0),
        (format!("grpc_server_msg_sent_total{{{stream}}}"), 4.0),
        (stream_item("ScoreOrders", "OK"), 3.0),
        (stream_item("ScoreOrders", "InvalidArgument"), 1.0),
        (stream_item("IngestEvents", "OK"), 3.0),
        (stream_item("IngestEvents", "InvalidArgument"), 1.0),
        (format!("orderlens_events_taken_total{{{paid}}}"), 2.0),
        (format!("orderlens_events_repeated_total{{{paid}}}"), 1.0),
        (format!("orderlens_events_late_total{{{paid}}}"), 2.0),
        ("orderlens_choices_total{action=\"approve\",agreement=\"overrode\"}".to_owned(), 1.0),
        ("orderlens_stage_seconds_count{stage=\"model\"}".to_owned(), 4.0),
        ("orderlens_stage_seconds_count{stage=\"wait\"}".to_owned(), 4.0),
        ("orderlens_graph_orders".to_owned(), 4.0),
        ("orderlens_journal_failed".to_owned(), 0.0),
        ("orderlens_engine_answers".to_owned(), 1.0),
        ("orderlens_config_last_reload_ok".to_owned(), 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(samples.get(&name).copied(), Some(value), "{name}\n{text}");
    }
    let decisions = samples.iter().filter(|(name, _)| name.starts_with("orderlens_decisions_"));
    assert!((decisions.map(|(_, n)| n).sum::<f64>() - 4.0).abs() < 1e-9);
    let example = format!(
        "# {{trace_id=\"0af7651916cd43dd8448eb211c80319c\",decision_id=\"{decision_id}\"}}"
    );
    assert!(text.contains(&example), "{example}\n{text}");
    assert!(!text.contains("alice"), "what a source says of people is in no label");
}

fn stream_item(method: &str, code: &str) -> String {
    format!("orderlens_stream_items_total{{grpc_method=\"{method}\",grpc_code=\"{code}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_that_it_lives_and_is_ready() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    assert_eq!(get(&server, "/livez"), (200, "alive\n".to_owned()));
    assert_eq!(get(&server, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(get(&server, "/").0, 404);
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_there() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (_, text) = get(&server, "/metrics");
    let page = std::fs::read_to_string(Path::new("docs/operations.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: Vec<&str> = rows
        .filter_map(|row| row.split('`').next())
        .filter(|name| {
            ["grpc_server_", "orderlens_", "process_"].iter().any(|p| name.starts_with(p))
        })
        .collect();
    documented.sort_unstable();
    let mut shown: Vec<String> = names(&text).into_values().map(|mut all| all.remove(0)).collect();
    // A histogram is called by its family.
    for name in &mut shown {
        if let Some(family) = name.strip_suffix("_bucket") {
            *name = family.to_owned();
        }
    }
    shown.sort_unstable();
    assert_eq!(shown, documented);
}
