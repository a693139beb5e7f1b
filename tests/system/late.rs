//! An order that comes up late is answered in time: flagged and safe.

use std::path::Path;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::what_if_request::Subject;

use crate::orders;
use crate::server::Server;

/// A service that finds every order late, though calls have ten seconds.
fn hurried(data: &Path) -> Server {
    let shipped = include_str!("../../config/orderlens.toml");
    let (before, after) = ("graph_budget_ms = 5 ", "graph_budget_ms = 600000 ");
    assert!(shipped.contains(before));
    let config = data.with_extension("toml");
    std::fs::write(&config, shipped.replacen(before, after, 1)).unwrap();
    Server::start_with(data, &["--config", config.to_str().unwrap()])
}

#[tokio::test]
async fn without_time_for_the_graph_a_person_decides_and_every_replay_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = hurried(&data);
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let answer = client.score_order(orders::request(1)).await.unwrap().into_inner();
    let decision = answer.decision.unwrap();
    let reasons: Vec<_> = decision.degraded_reasons().collect();
    assert!(reasons.contains(&v1::DegradedReason::GraphLate), "{reasons:?}");
    assert_eq!(decision.state(), v1::DecisionState::Degraded);
    assert_eq!(decision.actions[0].action(), v1::ActionKind::Review);
    assert!(!decision.risks.is_empty() && !decision.impacts.is_empty());
    assert!(decision.evidence.as_ref().is_none_or(|it| it.nodes.is_empty()));

    let id = decision.decision_id.clone();
    let replay = v1::ReplayDecisionRequest { decision_id: id.clone() };
    let replayed = client.replay_decision(replay.clone()).await.unwrap().into_inner();
    assert!(replayed.identical, "{:?}", replayed.differences);
    let subject = Some(Subject::DecisionId(id));
    let question = v1::WhatIfRequest { subject, ..v1::WhatIfRequest::default() };
    let answer = client.what_if(question).await.unwrap().into_inner();
    assert_eq!(answer.baseline.as_ref(), Some(&decision));
    assert_eq!(answer.changed.unwrap().degraded_reasons, decision.degraded_reasons);
    server.stop();

    // A service with time for everything still knows what that answer went without.
    let server = Server::start(&data);
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let replayed = client.replay_decision(replay).await.unwrap().into_inner();
    assert!(replayed.identical, "{:?}", replayed.differences);
    let again = client.score_order(orders::request(1)).await.unwrap().into_inner();
    assert_eq!((again.replayed, again.decision.as_ref()), (true, Some(&decision)));
    let other = client.score_order(orders::request(2)).await.unwrap().into_inner();
    assert!(
        other.decision.unwrap().degraded_reasons().all(|it| it == v1::DegradedReason::LateEvent)
    );
}
