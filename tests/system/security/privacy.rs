//! Strings that tell who somebody is are found nowhere afterwards.

use std::path::Path;

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::event_service_client::EventServiceClient;
use orderlens::wire::pb::v1::graph_service_client::GraphServiceClient;

use crate::orders;
use crate::security::{Line, WITH_KEYS, config, first_key, line};
use crate::server::Server;

/// Part of every string that nobody may find again.
const MARK: &str = "Zx9PersonalMark";

/// Kinds of entities whose ids tell who somebody is.
const PERSONAL: [pb::EntityKind; 7] = [
    pb::EntityKind::Account,
    pb::EntityKind::Device,
    pb::EntityKind::Ip,
    pb::EntityKind::Address,
    pb::EntityKind::Phone,
    pb::EntityKind::Email,
    pb::EntityKind::PaymentInstrument,
];

fn people(n: u64) -> Vec<pb::Entity> {
    let one = |kind: &pb::EntityKind| pb::Entity {
        kind: (*kind).into(),
        id: format!("{MARK}-{}-{n}@example.com", kind.as_str_name()),
    };
    PERSONAL.iter().map(one).collect()
}

fn request(n: u64) -> pb::ScoreOrderRequest {
    let mut request = orders::request(n);
    request.explain_level = pb::ExplainLevel::Full.into();
    request.order.as_mut().unwrap().entities = people(n % 3);
    request
}

/// Requests that are refused, each with personal strings where they belong or do not.
fn broken() -> Vec<pb::ScoreOrderRequest> {
    let with = |change: &dyn Fn(&mut pb::Order)| {
        let mut broken = request(900);
        change(broken.order.as_mut().unwrap());
        broken
    };
    vec![
        with(&|order| order.key = None),
        with(&|order| order.entities[0].kind = 99),
        with(&|order| order.entities[0].kind = 0),
        with(&|order| order.entities[1].id = format!("{MARK}{}", "x".repeat(300))),
        with(&|order| order.entities.extend(people(901))),
        with(&|order| MARK.clone_into(&mut order.amount.as_mut().unwrap().currency_code)),
    ]
}

/// Whether a text, or the bytes of a file, hold what nobody may find.
fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|it| it.eq_ignore_ascii_case(needle.as_bytes()))
}

fn search(folder: &Path, needles: &[&str], found: &mut Vec<String>) -> usize {
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            n_files += search(&path, needles, found);
            continue;
        }
        n_files += 1;
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            if holds(&bytes, needle) {
                found.push(format!("{needle} in {}", path.display()));
            }
        }
    }
    n_files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tells_who_somebody_is_and_secrets_are_found_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (config, data) = (config(folder.path(), &[WITH_KEYS]), folder.path().join("data"));
    let secret = first_key("all", "score,review,feedback", &config, &data);
    let log = folder.path().join("log");
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start_logging(&data, &arguments, &log);
    let line = line(&server.url, &secret).await;
    let said = talk(&line).await;
    assert!(said.iter().any(|text| text.contains("evidence")), "full answers hold evidence");
    server.stop();

    let needles = [MARK, &secret, secret.strip_prefix("ol_").unwrap()];
    let mut found = Vec::new();
    for text in &said {
        for needle in needles {
            if holds(text.as_bytes(), needle) {
                found.push(format!("{needle} in an answer: {text}"));
            }
        }
    }
    let n_files = search(folder.path(), &needles, &mut found);
    assert_eq!(found, [""; 0]);
    assert!(4 <= n_files, "journal, records, snapshot and log were looked at");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("saved a snapshot") && log.contains("DEBUG"), "{log}");
}

/// Sends personal strings by every way in; every answer as text.
async fn talk(line: &Line) -> Vec<String> {
    let mut said = Vec::new();
    let mut decisions = DecisionServiceClient::new(line.clone());
    for n in 0..12 {
        let answer = decisions.score_order(request(n)).await.unwrap();
        said.push(format!("{answer:?}"));
    }
    for request in broken() {
        let refused = decisions.score_order(request.clone()).await.expect_err("broken");
        said.push(format!("{refused:?} {}", String::from_utf8_lossy(refused.details())));
        let dry = pb::ScoreOrderRequest { dry_run: true, ..request };
        let refused = decisions.score_order(dry).await.expect_err("broken");
        said.push(format!("{refused:?}"));
    }
    let account = &people(1)[0];
    let created = pb::AccountCreated { account_id: account.id.clone(), entities: people(1) };
    let event = |event_id: &str, account_id: &str| pb::Event {
        event_id: event_id.to_owned(),
        event_time: orders::paid(1).event_time,
        fact: Some(pb::event::Fact::AccountCreated(pb::AccountCreated {
            account_id: account_id.to_owned(),
            ..created.clone()
        })),
        ..Default::default()
    };
    let long = format!("{MARK}{}", "x".repeat(300));
    let events = [event("e1", &account.id), event("e2", &long), event("", &account.id)];
    let events = events.map(|event| pb::IngestEventsRequest { event: Some(event) });
    let mut client = EventServiceClient::new(line.clone());
    let mut acks = client.ingest_events(tokio_stream::iter(events)).await.unwrap().into_inner();
    while let Some(ack) = acks.message().await.unwrap() {
        said.push(format!("{ack:?}"));
    }
    let mut graph = GraphServiceClient::new(line.clone());
    for seed in people(1) {
        let request = pb::GetNeighborhoodRequest { seeds: vec![seed], ..Default::default() };
        let shown = graph.get_neighborhood(request).await;
        said.push(format!("{shown:?}"));
    }
    assert!(said.iter().any(|text| text.contains("NeighborhoodNode")), "a graph is shown");
    said
}
