//! What followed from an action, asked of a running server by command.

use std::collections::BTreeMap;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::case_service_client::CaseServiceClient;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use prost_types::Timestamp;
use serde_json::Value;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::orders;
use crate::server::{Server, orderlens};

const DAY: i64 = 86_400;

fn case(server: &Server, decision_id: &str) -> Value {
    case_with(server, decision_id, &[])
}

fn case_with(server: &Server, decision_id: &str, arguments: &[&str]) -> Value {
    let mut command = orderlens();
    command.args(["case", decision_id, "--json", "--server", &server.url]).args(arguments);
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

/// An order that was scored, explained in full.
struct Scored {
    decision_id: String,
    order_id: String,
    /// By risk and feature, log-odds.
    contributions: BTreeMap<(String, String), f64>,
}

impl Scored {
    fn distance(&self, other: &Self) -> f64 {
        assert!(self.contributions.keys().eq(other.contributions.keys()));
        let pairs = self.contributions.values().zip(other.contributions.values());
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }
}

/// Scores an order in a revision.
async fn score(server: &Server, n: u64, revision: u32) -> Scored {
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let mut request = orders::request(n);
    request.request_id = format!("similar-{n}-{revision}");
    request.explain_level = v1::ExplainLevel::Full.into();
    let key = request.order.as_mut().unwrap().key.as_mut().unwrap();
    key.revision = revision;
    let order_id = key.order_id.clone();
    let decision = client.score_order(request).await.unwrap().into_inner().decision.unwrap();
    let mut contributions = BTreeMap::new();
    for risk in decision.risks {
        assert_eq!(risk.n_omitted, 0);
        for shift in risk.contributions {
            contributions.insert((risk.head_id.clone(), shift.feature), shift.log_odds);
        }
    }
    Scored { decision_id: decision.decision_id, order_id, contributions }
}

/// Tells of every order what was done: of every third nothing, of the others an approval, long
/// ago or now. After every second approval the customer bought again, twice.
async fn tell_what_followed(server: &Server, scored: &[Scored]) {
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let now = orderlens::wire::check::time_to_pb(orderlens::cli::clock::now());
    for (n, order) in (0_u64..).zip(scored) {
        if n.is_multiple_of(3) {
            continue;
        }
        let mut choice = orders::choice(n, &order.decision_id);
        if n.is_multiple_of(5) {
            choice.decided_at = Some(now);
        }
        let at = choice.decided_at.unwrap();
        feedback.record_choice(v1::RecordChoiceRequest { choice: Some(choice) }).await.unwrap();
        for again in 0..2 * ((n + 1) % 2) {
            let outcome = Some(v1::Outcome {
                outcome_id: format!("bought-{n}-{again}"),
                decision_id: Some(order.decision_id.clone()),
                kind: v1::OutcomeKind::Repurchase.into(),
                occurred_at: Some(Timestamp { seconds: at.seconds + 60, nanos: 0 }),
                source: v1::OutcomeSource::Crm.into(),
                ..v1::Outcome::default()
            });
            feedback.record_outcome(v1::RecordOutcomeRequest { outcome }).await.unwrap();
        }
    }
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// Distances are worked out again from the contributions that the answers told.
#[tokio::test(flavor = "multi_thread")]
async fn similar_cases_are_those_with_the_nearest_contributions() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut scored = Vec::new();
    for n in 0..40 {
        scored.push(score(&server, n, 0).await);
    }
    tell_what_followed(&server, &scored).await;
    // Another revision of an order is the same case, and the newest decision speaks for it.
    score(&server, 0, 1).await;
    scored[39] = score(&server, 39, 1).await;

    let told = case_with(&server, &scored[0].decision_id, &["--similar", "36"]);
    let similar = &told["similar"];
    assert_eq!(similar["n_compared"], 39);
    assert_eq!((&similar["n_other_model"], &similar["is_truncated"]), (&0.into(), &false.into()));
    let mut expected: Vec<(f64, &str, u64)> = (1..)
        .zip(&scored[1..])
        .map(|(n, it)| (it.distance(&scored[0]), it.decision_id.as_str(), n))
        .collect();
    expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
    expected.truncate(36);
    let cases = similar["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 36);
    for (case, (distance, id, n)) in cases.iter().zip(&expected) {
        near(&case["distance"], *distance);
        assert_eq!(case["decision_id"], *id);
        let is_chosen = !n.is_multiple_of(3);
        assert_eq!(case["choice_id"].is_string(), is_chosen, "order {n}");
        let is_complete = case["window"]["elapsed"].as_f64() == Some(1.0);
        assert_eq!(is_complete, !(is_chosen && n.is_multiple_of(5)), "order {n}");
    }
    // Nearer than nothing is known of each: some are really apart.
    assert!(0.1 < expected[35].0 - expected[0].0);

    // Nobody chose anything but an approval; what was only recommended is counted by itself.
    let first_actions = cases.iter().filter(|it| it["action"] == "approve");
    let complete: Vec<&Value> =
        first_actions.filter(|it| it["window"]["elapsed"].as_f64() == Some(1.0)).collect();
    assert!(10 <= complete.len());
    let bought = |it: &&&Value| !it["window"]["consequences"].as_array().unwrap().is_empty();
    let n_bought = complete.iter().filter(bought).count();
    let summaries = similar["by_action"].as_array().unwrap();
    let approved = summaries.iter().find(|it| it["action"] == "approve").unwrap();
    assert_eq!(approved["n_complete"], complete.len());
    let share = &approved["shares"][0];
    assert_eq!((&share["kind"], &share["count"]), (&"repurchase".into(), &n_bought.into()));
    assert_eq!(share["of"], complete.len());
    assert!(similar["caveat"]["en"].as_str().unwrap().starts_with("Descriptive, not causal"));

    // The records are made again from the journal, and the answer with them.
    server.kill();
    std::fs::remove_dir_all(folder.path().join("data").join("snapshots")).ok();
    let server = Server::start(&folder.path().join("data"));
    let again = case_with(&server, &scored[0].decision_id, &["--similar", "36"]);
    let of = |told: &Value| told["similar"]["cases"].as_array().unwrap().clone();
    let ids =
        |told: &Value| of(told).iter().map(|it| it["decision_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&told));

    asked_by_order_or_for_what_is_not_there(&server, &scored[39]).await;
}

async fn asked_by_order_or_for_what_is_not_there(server: &Server, newest: &Scored) {
    use v1::find_similar_cases_request::Key as Similar;
    use v1::get_case_request::Key;
    let mut client = CaseServiceClient::connect(server.url.clone()).await.unwrap();
    let order = |order_id: &str, revision| v1::OrderKey {
        channel: "synthetic_app".to_owned(),
        order_id: order_id.to_owned(),
        revision,
    };
    let request = v1::GetCaseRequest { key: Some(Key::Order(order(&newest.order_id, 1))) };
    let case = client.get_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!(case.decision_id, newest.decision_id);
    let similar = |key, max_cases, days| v1::FindSimilarCasesRequest { key, max_cases, days };
    let key = Some(Similar::Order(order(&newest.order_id, 1)));
    let found = client.find_similar_cases(similar(key, 1, 7)).await.unwrap().into_inner();
    assert_eq!((found.decision_id, found.cases.len()), (newest.decision_id.clone(), 1));

    let unknown = "00000000-0000-7000-8000-000000000000".to_owned();
    for key in [Key::DecisionId(unknown.clone()), Key::Order(order("nobody's", 0))] {
        let refused = client.get_case(v1::GetCaseRequest { key: Some(key) }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    for key in [Similar::DecisionId(unknown), Similar::Order(order("nobody's", 0))] {
        let refused = client.find_similar_cases(similar(Some(key), 0, 0)).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    let key = Some(Similar::DecisionId("none".to_owned()));
    let refused = client.find_similar_cases(similar(key, 101, 8)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["decision_id", "max_cases", "days"]);
}

/// An outcome about an order, known to its source as `CB-1`, so many days after the action.
fn disputed(outcome_id: &str, kind: v1::OutcomeKind, decision_id: &str, at: i64) -> v1::Outcome {
    v1::Outcome {
        outcome_id: outcome_id.to_owned(),
        decision_id: Some(decision_id.to_owned()),
        kind: kind.into(),
        occurred_at: Some(Timestamp { seconds: at, nanos: 0 }),
        source: v1::OutcomeSource::Network.into(),
        source_ref: Some("CB-1".to_owned()),
        ..v1::Outcome::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_counts_once_and_what_is_taken_back_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let scored = score(&server, 0, 0).await;
    let other = score(&server, 1, 0).await;
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let choice = orders::choice(0, &scored.decision_id);
    let acted = choice.decided_at.unwrap().seconds;
    feedback.record_choice(v1::RecordChoiceRequest { choice: Some(choice) }).await.unwrap();
    let told =
        |id: &str, kind, days: i64| disputed(id, kind, &scored.decision_id, acted + days * DAY);
    // The loss is taken back before it is told, by a word that names another order.
    let back = v1::Outcome {
        decision_id: Some(other.decision_id.clone()),
        source_ref: None,
        status: v1::OutcomeStatus::Retract.into(),
        retracts: Some("lost".to_owned()),
        ..told("back", v1::OutcomeKind::ChargebackLost, 5)
    };
    let outcomes = [
        back,
        told("opened", v1::OutcomeKind::ChargebackOpened, 1),
        told("opened again", v1::OutcomeKind::ChargebackOpened, 1),
        told("lost", v1::OutcomeKind::ChargebackLost, 3),
        told("won", v1::OutcomeKind::ChargebackWon, 6),
    ];
    for outcome in outcomes {
        let outcome = Some(outcome);
        feedback.record_outcome(v1::RecordOutcomeRequest { outcome }).await.unwrap();
    }
    let told = case(&server, &scored.decision_id);
    assert_eq!(count(&told, 7, "chargeback_opened"), 1);
    assert_eq!(count(&told, 7, "chargeback_lost"), 0);
    assert_eq!(count(&told, 7, "chargeback_won"), 1);
    assert_eq!(told["overruled"].as_array().unwrap().len(), 0);
    assert_eq!(told["retracted"][0]["outcome_id"], "lost");
    assert_eq!(told["retracted"][0]["retracted_by"], "back");
    assert_eq!(told["n_repeated"], 1);
    server.kill();
    let server = Server::start(&folder.path().join("data"));
    assert_eq!(case(&server, &scored.decision_id)["retracted"], told["retracted"]);

    let wrong = v1::Outcome {
        source_ref: Some(String::new()),
        status: v1::OutcomeStatus::Retract.into(),
        ..disputed("wrong", v1::OutcomeKind::Refund, &scored.decision_id, acted)
    };
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let request = v1::RecordOutcomeRequest { outcome: Some(wrong) };
    let refused = feedback.record_outcome(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["outcome.source_ref", "outcome.retracts"]);
}
