//! What followed from an action, asked of a running server by command.

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use prost_types::Timestamp;
use serde_json::Value;

use crate::orders;
use crate::server::{Server, orderlens};

const DAY: i64 = 86_400;

fn case(server: &Server, decision_id: &str) -> Value {
    let mut command = orderlens();
    command.args(["case", decision_id, "--json", "--server", &server.url]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn count(case: &Value, days: u64, kind: &str) -> u64 {
    let windows = case["windows"].as_array().unwrap();
    let window = windows.iter().find(|window| window["days"] == days).unwrap();
    let kinds = window["consequences"].as_array().unwrap();
    kinds.iter().find(|it| it["kind"] == kind).map_or(0, |it| it["count"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_has_all_that_was_acknowledged_and_a_crash_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let scored = client.score_order(orders::request(0)).await.unwrap().into_inner();
    let decision_id = scored.decision.unwrap().decision_id;
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let choice = orders::choice(0, &decision_id);
    let acted = choice.decided_at.unwrap().seconds;
    feedback.record_choice(v1::RecordChoiceRequest { choice: Some(choice) }).await.unwrap();
    let outcomes = [
        (v1::OutcomeKind::Repurchase, v1::OutcomeSource::Crm, 3, 20_000),
        (v1::OutcomeKind::Repurchase, v1::OutcomeSource::Crm, 29, 21_200),
        (v1::OutcomeKind::ConfirmedFraud, v1::OutcomeSource::Analyst, 2, 0),
        (v1::OutcomeKind::ConfirmedLegit, v1::OutcomeSource::Platform, 1, 0),
        (v1::OutcomeKind::PlatformPenalty, v1::OutcomeSource::Platform, 60, 60_000),
    ];
    for (n, (kind, source, days, minor_units)) in outcomes.into_iter().enumerate() {
        let currency_code = "CNY".to_owned();
        let outcome = v1::Outcome {
            outcome_id: format!("outcome-{n}"),
            decision_id: Some(decision_id.clone()),
            kind: kind.into(),
            amount: (0 < minor_units).then_some(v1::Money { currency_code, minor_units }),
            occurred_at: Some(Timestamp { seconds: acted + days * DAY, nanos: 0 }),
            source: source.into(),
            ..v1::Outcome::default()
        };
        // Told twice, it still happened once.
        for _ in 0..2 {
            let outcome = Some(outcome.clone());
            feedback.record_outcome(v1::RecordOutcomeRequest { outcome }).await.unwrap();
        }
    }

    let told = case(&server, &decision_id);
    assert_eq!(told["action"], "approve");
    assert_eq!(told["choice_id"], "synthetic-choice-0");
    assert_eq!(count(&told, 7, "repurchase"), 1);
    assert_eq!(count(&told, 30, "repurchase"), 2);
    assert_eq!(count(&told, 30, "platform_penalty"), 0);
    assert_eq!(count(&told, 90, "platform_penalty"), 1);
    // The platform's word against an analyst's, though the analyst spoke later.
    assert_eq!(told["overruled"][0]["outcome_id"], "outcome-2");
    assert_eq!(told["overruled"][0]["overruled_by"], "outcome-3");
    let net = &told["windows"][2]["net"][0]["minor_units"];
    assert_eq!(net.as_i64(), Some(20_000 + 21_200 - 60_000));
    let text = told["windows"][2]["text"]["en"].as_str().unwrap();
    assert!(text.contains("2 × bought again (+CNY 412.00)"), "{text}");

    server.kill();
    let server = Server::start(&data);
    assert_eq!(case(&server, &decision_id)["windows"], told["windows"]);
    let unknown = "00000000-0000-7000-8000-000000000000";
    let output = orderlens().args(["case", unknown, "--server", &server.url]).output().unwrap();
    assert!(!output.status.success());
}
