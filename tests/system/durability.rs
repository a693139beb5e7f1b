//! Durable before answered: what a caller was told survives `kill -9`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::event_service_client::EventServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use tonic::transport::Channel;

use crate::orders;
use crate::server::{Server, orderlens};

const KILLS: u64 = 10;
const CLIENTS: u64 = 8;
/// Replayed at the end, byte by byte.
const REPLAYED_MIN: u64 = 1_000;
/// Decisions before each kill, however slow the machine is.
const ROUND_MIN: u64 = REPLAYED_MIN / KILLS;
/// How long they may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What callers were told, and hence may rely on.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) decisions: Vec<(u64, v1::Decision)>,
    events: Vec<u64>,
    choices: Vec<(u64, String)>,
}

#[test]
fn nothing_acknowledged_is_lost_over_ten_kills_under_load() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let next = Arc::new(AtomicU64::new(0));
    let told = Arc::new(Mutex::new(Acknowledged::default()));
    for round in 0..KILLS {
        let server = Server::start(data.path());
        let url = server.url.clone();
        runtime.block_on(async {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| tokio::spawn(load(url.clone(), next.clone(), told.clone())))
                .collect();
            // Different moments, the same on every run.
            tokio::time::sleep(Duration::from_millis(250 + round * 137 % 400)).await;
            tokio::time::timeout(PATIENCE, enough(&told)).await.expect("the server answers");
            tokio::task::block_in_place(|| server.kill());
            for client in clients {
                client.await.expect("a load client ends with its server");
            }
        });
        let server = Server::start(data.path());
        let told = std::mem::take(&mut *told.lock().expect("no client panicked"));
        assert!(!told.decisions.is_empty(), "round {round} acknowledged nothing");
        runtime.block_on(verify(&server.url, &told));
    }
    let output = orderlens()
        .args(["replay", "--json", "--data"])
        .arg(data.path())
        .output()
        .expect("the built binary starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_str(&said).expect("replay --json is JSON");
    assert_eq!(report["differing"], 0, "{report}");
    assert!(report["identical"].as_u64() >= Some(REPLAYED_MIN), "{report}");
}

/// Waits until a round has its decisions.
async fn enough(told: &Mutex<Acknowledged>) {
    let n_told = || told.lock().expect("no panic").decisions.len() as u64;
    while n_told() < ROUND_MIN {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sends until the server is gone; keeps what was acknowledged.
pub(crate) async fn load(url: String, next: Arc<AtomicU64>, told: Arc<Mutex<Acknowledged>>) {
    let Ok(channel) = connect(&url).await else { return };
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel.clone());
    let mut feedback = FeedbackServiceClient::new(channel);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let Ok(answer) = decisions.score_order(orders::request(n)).await else { return };
        let decision = answer.into_inner().decision.expect("an answer has a decision");
        let id = decision.decision_id.clone();
        told.lock().expect("no panic").decisions.push((n, decision));
        if n.is_multiple_of(3) {
            let Ok(true) = ingest(&mut events, n, v1::IngestStatus::Accepted).await else { return };
            told.lock().expect("no panic").events.push(n);
        }
        if n.is_multiple_of(5) {
            let request = v1::RecordChoiceRequest { choice: Some(orders::choice(n, &id)) };
            let Ok(_) = feedback.record_choice(request).await else { return };
            told.lock().expect("no panic").choices.push((n, id));
        }
    }
}

/// Everything acknowledged is still there, and telling it again changes nothing.
async fn verify(url: &str, told: &Acknowledged) {
    let channel = connect(url).await.expect("the restarted server answers");
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel.clone());
    let mut feedback = FeedbackServiceClient::new(channel);
    for (n, decision) in &told.decisions {
        let key = v1::get_decision_request::Key::DecisionId(decision.decision_id.clone());
        let request = v1::GetDecisionRequest { key: Some(key), ..Default::default() };
        let answer = decisions.get_decision(request).await.expect("an answered decision exists");
        assert_eq!(answer.into_inner().decision.as_ref(), Some(decision), "order {n}");
        let again = decisions.score_order(orders::request(*n)).await.expect("asked again");
        let again = again.into_inner();
        assert!(again.replayed, "order {n} was decided twice");
        assert_eq!(again.decision.as_ref(), Some(decision), "order {n}");
    }
    for n in &told.events {
        let is_known = ingest(&mut events, *n, v1::IngestStatus::Duplicate).await;
        assert_eq!(is_known.ok(), Some(true), "event {n} was lost");
    }
    for (n, id) in &told.choices {
        let request = v1::RecordChoiceRequest { choice: Some(orders::choice(*n, id)) };
        let answer = feedback.record_choice(request).await.expect("told again");
        assert_eq!(answer.into_inner().status(), v1::IngestStatus::Duplicate, "choice {n} lost");
    }
}

async fn ingest(
    events: &mut EventServiceClient<Channel>,
    n: u64,
    expected: v1::IngestStatus,
) -> Result<bool, tonic::Status> {
    let request = v1::IngestEventsRequest { event: Some(orders::paid(n)) };
    let mut answers = events.ingest_events(tokio_stream::once(request)).await?.into_inner();
    let answer = answers.message().await?;
    answer.map(|answer| answer.status() == expected).ok_or_else(|| tonic::Status::unavailable(""))
}

pub(crate) async fn connect(url: &str) -> Result<Channel, tonic::transport::Error> {
    Channel::from_shared(url.to_owned()).expect("a valid address").connect().await
}
