//! What-ifs over the wire: what would have been, and every wrong field at once.

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::what_if_request::Subject;
use prost_types::FieldMask;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::orders;
use crate::server::{Server, orderlens};

const N_ORDERS: u64 = 40;

struct Service {
    client: DecisionServiceClient<Channel>,
    decisions: Vec<v1::Decision>,
    _server: Server,
    _data: tempfile::TempDir,
}

/// A server that has scored some orders.
async fn service() -> Service {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let mut decisions = Vec::new();
    for n in 0..N_ORDERS {
        let answer = client.score_order(orders::request(n)).await.unwrap().into_inner();
        decisions.push(answer.decision.unwrap());
    }
    Service { client, decisions, _server: server, _data: data }
}

fn about(decision: &v1::Decision) -> v1::WhatIfRequest {
    let subject = Some(Subject::DecisionId(decision.decision_id.clone()));
    v1::WhatIfRequest { subject, ..v1::WhatIfRequest::default() }
}

fn with_amount(question: v1::WhatIfRequest, minor_units: i64) -> v1::WhatIfRequest {
    let amount = v1::Money { currency_code: "CNY".to_owned(), minor_units };
    v1::WhatIfRequest {
        overrides: Some(v1::Order { amount: Some(amount), ..v1::Order::default() }),
        override_mask: Some(FieldMask { paths: vec!["amount".to_owned()] }),
        ..question
    }
}

fn target(probability: f64) -> v1::ProbabilityTarget {
    let risk_type = v1::RiskType::PaymentFraud.into();
    v1::ProbabilityTarget { risk_type, head_id: String::new(), probability }
}

fn value_of(feature: &str, value: f64) -> v1::FeatureOverride {
    v1::FeatureOverride { feature: feature.to_owned(), value: Some(value) }
}

fn first_action(decision: &v1::Decision) -> i32 {
    decision.actions[0].action
}

/// The fields that a refusal names, with the code of its reason.
fn violations(status: &Status) -> (String, Vec<String>) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let reason = status.get_details_error_info().unwrap().reason;
    let bad = status.get_details_bad_request().unwrap();
    (reason, bad.field_violations.into_iter().map(|violation| violation.field).collect())
}

#[tokio::test]
async fn a_changed_order_is_compared_searched_and_forgotten() {
    let Service { mut client, decisions, _server, _data } = service().await;
    let given = &decisions[30];
    let question = v1::WhatIfRequest { target: Some(target(0.000_1)), ..about(given) };
    let answer = client.what_if(with_amount(question, 9_900_000)).await.unwrap().into_inner();
    let (baseline, changed) = (answer.baseline.unwrap(), answer.changed.unwrap());
    assert_eq!(baseline, *given);
    assert!(changed.is_hypothetical && !baseline.is_hypothetical);

    let difference = answer.difference.unwrap();
    assert_eq!(difference.first_action_before, first_action(&baseline));
    assert_eq!(difference.first_action_after, first_action(&changed));
    assert_eq!(difference.risks.len(), given.risks.len());
    for (risk, after) in difference.risks.iter().zip(&changed.risks) {
        assert_eq!(risk.probability_after.to_bits(), after.probability.to_bits());
        let listed = risk.contributions.iter().map(|it| it.log_odds_after - it.log_odds_before);
        let moved = listed.sum::<f64>() + risk.omitted_log_odds;
        let whole = risk.raw_log_odds_after - risk.raw_log_odds_before;
        assert!((moved - whole).abs() < 1e-9, "{moved} is not {whole}");
    }
    let moved = difference.risks.iter().map(|risk| risk.contributions.len()).sum::<usize>();
    assert!(0 < moved, "an amount of 99,000 moves nothing");

    let last = answer.counterfactuals.last().unwrap();
    assert_eq!(last.aim(), v1::CounterfactualAim::GivenProbability);
    assert_eq!(last.direction(), v1::CounterfactualDirection::TowardRelease);
    let key = v1::get_decision_request::Key::DecisionId(given.decision_id.clone());
    let read = v1::GetDecisionRequest { key: Some(key), ..Default::default() };
    let read = client.get_decision(read).await.unwrap().into_inner();
    assert_eq!(read.decision.as_ref(), Some(given));
    let replayed = v1::ReplayDecisionRequest { decision_id: given.decision_id.clone() };
    assert!(client.replay_decision(replayed).await.unwrap().into_inner().identical);
}

#[tokio::test]
async fn an_order_that_nobody_knows_is_judged_twice_and_stays_unknown() {
    let Service { mut client, decisions, _server, _data } = service().await;
    let strategy = decisions[0].versions.as_ref().unwrap();
    let subject = Some(Subject::Request(orders::request(1_000)));
    let question = v1::WhatIfRequest {
        subject,
        feature_overrides: vec![value_of("order_amount", 90_000.0)],
        strategy_ref: strategy.strategy_hash.clone(),
        ..v1::WhatIfRequest::default()
    };
    let answer = client.what_if(question).await.unwrap().into_inner();
    let (baseline, changed) = (answer.baseline.unwrap(), answer.changed.unwrap());
    assert!(changed.is_hypothetical && baseline.is_hypothetical);
    assert_eq!(changed.versions, baseline.versions);
    let difference = answer.difference.unwrap();
    let contributions = difference.risks.iter().flat_map(|risk| &risk.contributions);
    let amount = contributions.clone().find(|it| it.feature == "order_amount").unwrap();
    assert_eq!(amount.value_after, Some(90_000.0));
    let key = v1::get_decision_request::Key::DecisionId(changed.decision_id);
    let read = v1::GetDecisionRequest { key: Some(key), ..Default::default() };
    assert_eq!(client.get_decision(read).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let Service { mut client, decisions, _server, _data } = service().await;
    let broken = v1::WhatIfRequest {
        override_mask: Some(FieldMask { paths: vec!["key.order_id".to_owned()] }),
        strategy_toml: "x".repeat(300 * 1024),
        strategy_ref: "default".to_owned(),
        explain_level: 77,
        feature_overrides: vec![
            value_of("order_amount", f64::INFINITY),
            value_of("order_amount", 1.0),
            value_of("", 1.0),
        ],
        target: Some(v1::ProbabilityTarget { probability: 1.5, ..target(0.5) }),
        ..about(&decisions[0])
    };
    let (reason, mut fields) = violations(&client.what_if(broken).await.unwrap_err());
    fields.sort();
    assert_eq!(reason, "FIELDS_INVALID");
    assert_eq!(
        fields,
        [
            "explain_level",
            "feature_overrides[0].value",
            "feature_overrides[1].feature",
            "feature_overrides[2].feature",
            "override_mask.paths[0]",
            "strategy_ref",
            "strategy_toml",
            "target.probability",
        ]
    );
    let strategy_ref = "default".to_owned();
    let named = v1::ScoreOrderRequest { strategy_ref, event_time: None, ..orders::request(1) };
    let subject = Some(Subject::Request(named));
    let named = v1::WhatIfRequest { subject, ..v1::WhatIfRequest::default() };
    let (_, fields) = violations(&client.what_if(named).await.unwrap_err());
    assert_eq!(fields, ["request.strategy_ref", "request.event_time"]);
    let unknown = v1::WhatIfRequest {
        strategy_ref: "bold".to_owned(),
        feature_overrides: vec![value_of("shoe_size", 44.0)],
        target: Some(v1::ProbabilityTarget {
            risk_type: v1::RiskType::Custom.into(),
            head_id: "arson".to_owned(),
            probability: 0.5,
        }),
        ..about(&decisions[0])
    };
    let status = client.what_if(unknown).await.unwrap_err();
    let (reason, fields) = violations(&status);
    assert_eq!(reason, "FIELDS_INVALID");
    assert_eq!(fields, ["feature_overrides[0].feature", "target.head_id", "strategy_ref"]);
    assert!(status.message().contains("known are `"), "{}", status.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_what_moved_and_every_refusal() {
    let Service { decisions, _server: server, _data, .. } = service().await;
    let ask = |arguments: &[&str]| {
        let mut command = orderlens();
        command.args(["what-if", "--server", &server.url]).args(arguments);
        command.output().unwrap()
    };
    let id = &*decisions[30].decision_id;
    let shown = ask(&[id, "--set", "amount=99000.00 CNY", "--target", "payment_fraud=0.0001"]);
    let page = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{page}{}", String::from_utf8_lossy(&shown.stderr));
    for part in ["hypothetical", "first action: ", "order_amount", "→", "to 0.0 %"] {
        assert!(page.contains(part), "`{part}` is not in\n{page}");
    }
    let refused = ask(&[id, "--set", "shoes=44", "--set", "hat=57"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(said.contains("override_mask.paths[0]") && said.contains("override_mask.paths[1]"));
    let refused = ask(&[id, "--feature", "shoe_size=44", "--strategy-ref", "bold"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    for part in ["FIELDS_INVALID", "feature_overrides[0].feature", "strategy_ref"] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
}

#[tokio::test]
async fn a_decision_that_was_never_given_is_not_found() {
    let Service { mut client, decisions, _server, _data } = service().await;
    let decision_id = "019c6a3e-0000-7000-8000-000000000000".to_owned();
    let nobody = v1::Decision { decision_id, ..decisions[0].clone() };
    let status = client.what_if(about(&nobody)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_details_error_info().unwrap().reason, "DECISION_UNKNOWN");
}
