//! Experiments and models of a running server, by commands as typed.

use std::path::Path;
use std::process::Output;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::event_service_client::EventServiceClient;
use serde_json::Value;
use tonic::transport::Channel;

use crate::orders;
use crate::server::{Server, orderlens};

const N_ORDERS: u64 = 80;

/// A folder of two bundles that differ in nothing but their version.
fn bundles(models: &Path) {
    for version in ["1", "2"] {
        let folder = models.join("marketplace").join(version);
        copy(Path::new("models/marketplace/1"), &folder);
        copy(Path::new("models/marketplace/1/heads"), &folder.join("heads"));
    }
    let manifest = models.join("marketplace/2/manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let renamed = text.replacen("\"version\":\"1\"", "\"version\":\"2\"", 1);
    assert_ne!(renamed, text);
    std::fs::write(&manifest, renamed).unwrap();
}

/// The files of a folder, without its folders.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn start(folder: &Path) -> Server {
    let (data, models) = (folder.join("data"), folder.join("models"));
    Server::start_with(&data, &["--models", models.to_str().unwrap()])
}

fn ask(server: &Server, words: &[&str]) -> Output {
    orderlens().args(words).args(["--server", &server.url]).output().unwrap()
}

fn told(server: &Server, words: &[&str]) -> String {
    let output = ask(server, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(server: &Server, words: &[&str]) -> Value {
    serde_json::from_str(&told(server, &[words, &["--json"]].concat())).unwrap()
}

fn refused(server: &Server, words: &[&str], reason: &str) {
    let output = ask(server, words);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains(reason), "{words:?}: {error}");
}

/// Order `n`, of an account with a device that nobody else has.
fn alone(n: u64) -> v1::ScoreOrderRequest {
    let mut request = orders::request(n);
    let entity = |kind: v1::EntityKind, id: String| v1::Entity { kind: kind.into(), id };
    if let Some(order) = &mut request.order {
        order.entities = vec![
            entity(v1::EntityKind::Account, format!("synthetic-lone-account-{}", n % N_ORDERS)),
            entity(v1::EntityKind::Device, format!("synthetic-lone-device-{}", n % N_ORDERS)),
        ];
    }
    request
}

async fn score(server: &Server, n: u64) -> (v1::Versions, v1::Assignment) {
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    let decision = client.score_order(alone(n)).await.unwrap().into_inner().decision.unwrap();
    (decision.versions.unwrap(), decision.assignment.unwrap_or_default())
}

/// Tells that the orders arrived.
async fn deliver(server: &Server) {
    let delivered = |n: u64| {
        let key = alone(n).order.and_then(|order| order.key);
        let step = v1::OrderStep { order: key };
        let paid = orders::paid(n);
        let fact = Some(v1::event::Fact::OrderDelivered(step));
        let event_id = format!("synthetic-delivered-{n}");
        v1::IngestEventsRequest { event: Some(v1::Event { event_id, fact, ..paid }) }
    };
    let channel = Channel::from_shared(server.url.clone()).unwrap().connect().await.unwrap();
    let facts: Vec<_> = (0..N_ORDERS).map(delivered).collect();
    let answers = EventServiceClient::new(channel).ingest_events(tokio_stream::iter(facts)).await;
    let mut answers = answers.unwrap().into_inner();
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.status(), v1::IngestStatus::Accepted, "{answer:?}");
    }
}

const START: [&str; 14] = [
    "experiment",
    "start",
    "ab",
    "--arm",
    "control",
    "--arm",
    "older,model=marketplace/1",
    "--percent",
    "100",
    "--by",
    "wang",
    "--note",
    "two versions",
    "--lang=en",
];
const REPORT: [&str; 3] = ["experiment", "report", "ab"];

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_is_started_reported_and_stopped_by_command_and_outlives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    bundles(&folder.path().join("models"));
    let server = start(folder.path());
    assert!(told(&server, &["experiment", "list"]).contains("no experiment"));
    refused(&server, &REPORT, "EXPERIMENT_UNKNOWN");
    for _ in 0..2 {
        let listed = told(&server, &START);
        assert!(listed.contains("ab") && listed.contains("runs"), "{listed}");
    }
    let other = ["experiment", "start", "cd", "--arm", "control", "--arm", "b", "--by", "lin"];
    refused(&server, &other, "EXPERIMENT_RUNS");
    let mut arms = Vec::new();
    for n in 0..N_ORDERS {
        let (versions, assignment) = score(&server, n).await;
        let expected = match &*assignment.experiment_arm {
            "control" => "marketplace/2",
            "older" => "marketplace/1",
            other => panic!("an arm that nobody planned: {other}"),
        };
        assert_eq!(versions.model, expected);
        arms.push(assignment.experiment_arm);
    }
    let empty = json(&server, &REPORT);
    assert_eq!((&empty["status"], &empty["advice"]), (&"REFUSED".into(), &"REFUSED".into()));
    assert_eq!(empty["comparisons"][0]["money"], Value::Null);
    assert_eq!(empty["comparisons"][0]["money_refusals"][0], "NO_SPREAD");
    deliver(&server).await;
    let report = json(&server, &REPORT);
    assert_eq!(report["status"], "OK", "{report:#}");
    let n_older = arms.iter().filter(|arm| **arm == "older").count();
    assert_eq!(report["arms"][1]["units"], n_older);
    let money = &report["comparisons"][0]["money"];
    let [low, high] = ["low", "high"].map(|end| money["at_every_look"][end].as_f64().unwrap());
    let difference = money["difference"].as_f64().unwrap();
    assert!(low < difference && difference < high && money["p_final"] == Value::Null, "{money}");
    assert!(2 < report["looks"].as_array().unwrap().len());
    let picture = folder.path().join("ab.svg");
    let page = told(&server, &[&REPORT[..], &["--svg", picture.to_str().unwrap()]].concat());
    assert!(page.contains("at every look") && page.contains("guardrail"), "{page}");
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.contains("older: money"), "{drawn}");
    let chinese = told(&server, &[&REPORT[..], &["--lang", "zh"]].concat());
    assert!(chinese.contains("随时查看有效") && chinese.contains("护栏"), "{chinese}");

    server.kill();
    let server = start(folder.path());
    let (position, as_of) = (report["position"].to_string(), report["as_of"].as_str().unwrap());
    let earlier = ["--position", &position, "--as-of", as_of];
    assert_eq!(json(&server, &[&REPORT[..], &earlier].concat()), report, "the same again");
    let (_, kept) = score(&server, N_ORDERS).await;
    assert_eq!(kept.reason(), v1::AssignmentReason::Kept);
    assert_eq!(kept.experiment_arm, arms[0], "an arm is for good");
    told(&server, &["experiment", "ramp", "ab", "--percent", "50", "--by", "lin"]);
    let stop = ["experiment", "stop", "ab", "--by", "lin"];
    for _ in 0..2 {
        assert!(told(&server, &stop).contains("finished"));
    }
    refused(&server, &[&stop[..], &["--ending", "killed"]].concat(), "EXPERIMENT_ENDED");
    let (versions, assignment) = score(&server, N_ORDERS + 1).await;
    assert_eq!((&*versions.model, &*assignment.experiment_arm), ("marketplace/2", ""));

    server.kill();
    let server = start(folder.path());
    let last = json(&server, &REPORT);
    assert_eq!(last["ended"]["reason"], "FINISHED");
    assert_eq!(last["epochs"].as_array().unwrap().len(), 2);
    assert!(last["comparisons"][0]["money"]["p_final"].as_f64().is_some(), "{last:#}");
    refused(&server, &START, "EXPERIMENT_NAME_USED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_promoted_and_rolled_back_by_command_and_a_crash_forgets_neither() {
    let folder = tempfile::tempdir().unwrap();
    bundles(&folder.path().join("models"));
    let server = start(folder.path());
    let models = |server: &Server| {
        let listed = json(server, &["model", "list"]);
        let judged = listed["deployments"].as_array().unwrap().clone();
        judged.iter().map(|it| it["model"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(models(&server), ["marketplace/2"]);
    let rollback = ["model", "rollback", "--by", "lin"];
    refused(&server, &rollback, "NOTHING_TO_ROLL_BACK");
    let nowhere = ["model", "promote", "marketplace/9", "--by", "wang"];
    refused(&server, &nowhere, "MODEL_UNKNOWN");
    let wrong = ["model", "promote", "marketplace", "--report", "abc", "--by", " "];
    for field in ["model must be", "report_hash must have", "operator is required"] {
        refused(&server, &wrong, field);
    }
    let promote = ["model", "promote", "marketplace/1", "--by", "wang", "--note", "passed"];
    let report = "ab".repeat(32);
    told(&server, &[&promote[..], &["--report", &report]].concat());
    let (versions, _) = score(&server, 0).await;
    assert_eq!(versions.model, "marketplace/1");

    server.kill();
    let server = start(folder.path());
    assert_eq!(models(&server), ["marketplace/1", "marketplace/2"]);
    let (versions, _) = score(&server, 1).await;
    assert_eq!(versions.model, "marketplace/1");
    let live = json(&server, &["model", "live-at"]);
    assert_eq!((&live["by"], &live["report_hash"]), (&"wang".into(), &report.into()));
    let promoted_at = live["at"].as_str().unwrap();
    let leaving = live["model_hash"].as_str().unwrap();
    let back = [&rollback[..], &["--from", leaving]].concat();
    told(&server, &back);
    refused(&server, &back, "MODEL_CHANGED");
    let (versions, _) = score(&server, 2).await;
    assert_eq!(versions.model, "marketplace/2");

    server.kill();
    let server = start(folder.path());
    assert_eq!(models(&server), ["marketplace/2", "marketplace/1", "marketplace/2"]);
    let then = json(&server, &["model", "live-at", promoted_at]);
    assert_eq!(then["model"], "marketplace/1");
    refused(&server, &["model", "live-at", "2020-01-01T00:00:00Z"], "NOTHING_LIVE");
}
