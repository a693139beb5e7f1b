//! Callers go on at the other server when one dies or freezes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use super::broker::Broker;
use crate::orders;
use crate::server::Server;

const CLIENTS: u64 = 6;
/// A caller tries elsewhere after this.
const TRY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_mins(1);
/// An order that nobody has asked about before.
const LATE: u64 = 1_000_000;
const DECISIONS: &str = "orderlens.v1.DecisionService";

fn replica(data: &std::path::Path, broker: &Broker, name: &str) -> Server {
    let environment = [("ORDERLENS_JOURNAL_URL", broker.url()), ("HOSTNAME", name.to_owned())];
    Server::start_in(data, &[], &environment)
}

fn client(url: &str) -> DecisionServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().connect_timeout(TRY);
    DecisionServiceClient::new(endpoint.connect_lazy())
}

async fn health(url: &str, service: &str) -> ServingStatus {
    let channel = Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy();
    let asked = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel).check(asked).await;
    answer.map_or(ServingStatus::Unknown, |answer| answer.into_inner().status())
}

async fn until_health(url: &str, service: &str, expected: ServingStatus) {
    let since = Instant::now();
    while health(url, service).await != expected {
        assert!(since.elapsed() < PATIENCE, "{service} does not become {expected:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks one server, then the other, with the same request id, until one answers.
async fn decide(clients: &mut [DecisionServiceClient<Channel>; 2], n: u64) -> v1::Decision {
    let since = Instant::now();
    let mut at = n;
    loop {
        at += 1;
        assert!(since.elapsed() < PATIENCE, "nobody answers request {n}");
        let mut request = Request::new(orders::request(n));
        request.set_timeout(TRY);
        let asked = clients[usize::try_from(at % 2).unwrap()].score_order(request);
        match tokio::time::timeout(TRY, asked).await {
            Ok(Ok(answer)) => return answer.into_inner().decision.unwrap(),
            Ok(Err(status)) => {
                let is_known = matches!(
                    status.code(),
                    Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown
                );
                assert!(is_known, "{status}");
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_go_on_at_the_other_replica_and_find_the_first_answer() {
    let mut broker = Broker::start();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let a = replica(dirs[0].path(), &broker, "a");
    let b = replica(dirs[1].path(), &broker, "b");
    let mut urls = [a.url.clone(), b.url.clone()];
    for url in &urls {
        until_health(url, DECISIONS, ServingStatus::Serving).await;
    }
    let (next, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let load = |urls: &[String; 2]| {
        let mut clients = [client(&urls[0]), client(&urls[1])];
        let (next, is_over) = (next.clone(), is_over.clone());
        tokio::spawn(async move {
            let mut told = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let n = next.fetch_add(1, Ordering::Relaxed);
                told.push((n, decide(&mut clients, n).await));
            }
            told
        })
    };
    let callers: Vec<_> = (0..CLIENTS).map(|_| load(&urls)).collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    tokio::task::block_in_place(|| a.kill());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let a = replica(dirs[0].path(), &broker, "a");
    urls[0].clone_from(&a.url);
    until_health(&a.url, DECISIONS, ServingStatus::Serving).await;
    is_over.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for caller in callers {
        told.extend(caller.await.unwrap());
    }

    // One freezes; callers go to the other, and it comes back with what it missed.
    is_over.store(false, Ordering::Relaxed);
    let callers: Vec<_> = (0..CLIENTS).map(|_| load(&urls)).collect();
    b.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    b.signal("-CONT");
    tokio::time::sleep(Duration::from_secs(1)).await;
    is_over.store(true, Ordering::Relaxed);
    for caller in callers {
        told.extend(caller.await.unwrap());
    }
    assert!(told.len() > 100, "{} decisions", told.len());
    for url in &urls {
        until_health(url, DECISIONS, ServingStatus::Serving).await;
        verify(url, &told).await;
    }
    degrades(&urls[0], &mut broker, &told[0]).await;
}

/// Everything that a caller was told is there, and asked again it is the same.
async fn verify(url: &str, told: &[(u64, v1::Decision)]) {
    let mut client = client(url);
    for (n, decision) in told {
        let key = v1::get_decision_request::Key::DecisionId(decision.decision_id.clone());
        let asked = v1::GetDecisionRequest { key: Some(key), ..Default::default() };
        let kept = client.get_decision(asked).await.unwrap().into_inner().decision;
        assert_eq!(kept.as_ref(), Some(decision), "order {n}");
        let again = client.score_order(orders::request(*n)).await.unwrap().into_inner();
        assert!(again.replayed, "order {n} was decided twice");
        assert_eq!(again.decision.as_ref(), Some(decision), "order {n}");
    }
}

/// Without its broker a replica says so, and answers what only reads.
async fn degrades(url: &str, broker: &mut Broker, told: &(u64, v1::Decision)) {
    broker.kill();
    until_health(url, DECISIONS, ServingStatus::NotServing).await;
    assert_eq!(health(url, "").await, ServingStatus::Serving);
    let refused = client(url).score_order(orders::request(LATE)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.get_details_retry_info().is_some(), "{refused:?}");
    let key = v1::get_decision_request::Key::DecisionId(told.1.decision_id.clone());
    let asked = v1::GetDecisionRequest { key: Some(key), ..Default::default() };
    let kept = client(url).get_decision(asked).await.unwrap().into_inner().decision;
    assert_eq!(kept.as_ref(), Some(&told.1));
    broker.restart();
    until_health(url, DECISIONS, ServingStatus::Serving).await;
    client(url).score_order(orders::request(LATE)).await.unwrap();
}
