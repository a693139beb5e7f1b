//! Experiments at the door: what is refused, by which code, what answered.

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::experiment_service_client::ExperimentServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Server, reason, start};

async fn client(server: &Server) -> ExperimentServiceClient<Channel> {
    let url = format!("http://{}", server.address);
    ExperimentServiceClient::connect(url).await.expect("the server accepts")
}

fn arm(name: &str, share: f64, model: &str) -> pb::ExperimentArmDraft {
    pb::ExperimentArmDraft {
        name: name.to_owned(),
        share,
        model: model.to_owned(),
        strategy_hash: String::new(),
    }
}

fn draft(id: &str) -> pb::StartExperimentRequest {
    pb::StartExperimentRequest {
        experiment_id: id.to_owned(),
        arms: vec![arm("control", 0.5, ""), arm("challenger", 0.5, "risk/2")],
        percent: 10,
        holdout_percent: 1,
        horizon_days: 30,
        operator: "wang".to_owned(),
        ..Default::default()
    }
}

fn stop_request(id: &str, ending: pb::ExperimentEnding) -> pb::StopExperimentRequest {
    pb::StopExperimentRequest {
        experiment_id: id.to_owned(),
        ending: ending.into(),
        operator: "wang".to_owned(),
        note: String::new(),
    }
}

fn ramp_request(id: &str, percent: u32) -> pb::RampExperimentRequest {
    let (experiment_id, operator) = (id.to_owned(), "wang".to_owned());
    pb::RampExperimentRequest { experiment_id, percent, operator, note: String::new() }
}

fn report_request(id: &str) -> pb::GetExperimentReportRequest {
    let experiment_id = id.to_owned();
    pb::GetExperimentReportRequest { experiment_id, position: None, as_of: None }
}

fn told(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations);
    let mut fields: Vec<String> = bad.unwrap_or_default().into_iter().map(|it| it.field).collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn a_start_names_every_wrong_field() {
    let server = start(8).await;
    let mut client = client(&server).await;
    let wrong = pb::StartExperimentRequest {
        arms: vec![arm("same", 0.7, "risk"), arm("same", f64::NAN, "risk/2/3")],
        percent: 0,
        holdout_percent: 6,
        guardrails: vec![99, pb::Harm::Penalty.into(), pb::Harm::Penalty.into()],
        horizon_days: u32::MAX,
        note: "x".repeat(2_001),
        ..Default::default()
    };
    let status = client.start_experiment(wrong).await.expect_err("wrong");
    assert_eq!(told(&status), (Code::InvalidArgument, "FIELDS_INVALID".to_owned()));
    let expected = [
        "arms",
        "arms",
        "arms[0].model",
        "arms[1].model",
        "arms[1].share",
        "experiment_id",
        "guardrails",
        "guardrails[0]",
        "holdout_percent",
        "horizon_days",
        "note",
        "operator",
        "percent",
    ];
    assert_eq!(fields(&status), expected);
    let listed = client.list_experiments(pb::ListExperimentsRequest {}).await.expect("a list");
    assert_eq!(listed.into_inner().experiments, []);
}

#[tokio::test]
async fn a_start_that_is_sent_again_is_one_and_another_plan_is_none() {
    let server = start(8).await;
    let mut client = client(&server).await;
    let first = client.start_experiment(draft("ab")).await.expect("a start").into_inner();
    let plan = first.plan.clone().unwrap_or_default();
    assert_eq!((first.replayed, plan.orders_min, plan.guardrails.len()), (false, 1_000, 4));
    let models: Vec<&str> = plan.arms.iter().map(|arm| &*arm.model).collect();
    assert_eq!(models, ["risk/1", "risk/2"]);
    let again = client.start_experiment(draft("ab")).await.expect("a replay").into_inner();
    assert_eq!((again.replayed, again.plan), (true, first.plan));
    let other = pb::StartExperimentRequest { percent: 20, ..draft("ab") };
    let status = client.start_experiment(other).await.expect_err("another plan");
    assert_eq!(told(&status), (Code::AlreadyExists, "ID_REUSED".to_owned()));
    let info = status.get_details_error_info().map(|info| info.metadata).unwrap_or_default();
    assert_eq!(info.get("fields").map(String::as_str), Some("percent"));
    let second = client.start_experiment(draft("cd")).await.expect_err("one at a time");
    assert_eq!(told(&second), (Code::FailedPrecondition, "EXPERIMENT_RUNS".to_owned()));
}

#[tokio::test]
async fn steps_of_what_is_not_there_or_has_ended_say_so() {
    let server = start(8).await;
    let mut client = client(&server).await;
    let mut unknown = draft("ab");
    unknown.arms[1].model = "risk/9".to_owned();
    let status = client.start_experiment(unknown).await.expect_err("no such model");
    assert_eq!(told(&status), (Code::NotFound, "MODEL_UNKNOWN".to_owned()));
    let nowhere = (Code::NotFound, "EXPERIMENT_UNKNOWN".to_owned());
    let status = client.ramp_experiment(ramp_request("ab", 50)).await.expect_err("unknown");
    assert_eq!(told(&status), nowhere);
    let killed = stop_request("ab", pb::ExperimentEnding::Killed);
    let status = client.stop_experiment(killed.clone()).await.expect_err("unknown");
    assert_eq!(told(&status), nowhere);
    let status = client.get_experiment_report(report_request("ab")).await.expect_err("unknown");
    assert_eq!(told(&status), nowhere);

    client.start_experiment(draft("ab")).await.expect("a start");
    let ramped = client.ramp_experiment(ramp_request("ab", 50)).await.expect("a ramp");
    let ramped = ramped.into_inner().experiment.unwrap_or_default();
    let percents: Vec<u32> = ramped.epochs.iter().map(|epoch| epoch.percent).collect();
    assert_eq!((percents, ramped.ended), (vec![10, 50], None));
    for _ in 0..2 {
        let ended = client.stop_experiment(killed.clone()).await.expect("an end, twice");
        let ended = ended.into_inner().experiment.unwrap_or_default();
        let reason = ended.ended.map(|end| end.reason());
        assert_eq!(reason, Some(pb::ExperimentEndReason::Killed));
        assert_eq!(ended.ended_by, "wang");
    }
    let over = (Code::FailedPrecondition, "EXPERIMENT_ENDED".to_owned());
    let finished = stop_request("ab", pb::ExperimentEnding::Finished);
    let status = client.stop_experiment(finished).await.expect_err("it was killed");
    assert_eq!(told(&status), over);
    let status = client.ramp_experiment(ramp_request("ab", 60)).await.expect_err("ended");
    assert_eq!(told(&status), over);
    let status = client.start_experiment(draft("ab")).await.expect_err("used");
    assert_eq!(told(&status), (Code::FailedPrecondition, "EXPERIMENT_NAME_USED".to_owned()));
}

#[tokio::test]
async fn a_report_without_orders_is_refused_and_carries_no_number() {
    let server = start(8).await;
    let mut client = client(&server).await;
    client.start_experiment(draft("ab")).await.expect("a start");
    let now = client.get_experiment_report(report_request("ab")).await.expect("a report");
    let report = now.into_inner().report.unwrap_or_default();
    assert_eq!(report.status(), pb::ReportStatus::Refused);
    assert_eq!(report.advice(), pb::ExperimentAdvice::Refused);
    let comparison = report.comparisons[0].clone();
    assert_eq!((&*comparison.arm, comparison.money), ("challenger", None));
    let few = i32::from(pb::EstimateRefusal::TooFewClusters);
    assert_eq!(comparison.money_refusals, [few]);
    assert!(comparison.harms.iter().all(|harm| harm.times_at_every_look.is_none()));
    assert!(report.looks.iter().flat_map(|look| &look.arms).all(|arm| arm.difference.is_none()));
    assert_eq!(report.report_hash.len(), 64);
    let (position, as_of) = (Some(report.position), report.as_of);
    let again = pb::GetExperimentReportRequest { position, as_of, ..report_request("ab") };
    let again = client.get_experiment_report(again).await.expect("the same").into_inner();
    assert_eq!(again.report, Some(report));
    let half = pb::GetExperimentReportRequest { position, ..report_request("") };
    let status = client.get_experiment_report(half).await.expect_err("two mistakes");
    assert_eq!(fields(&status), ["as_of", "experiment_id"]);
    let half = pb::GetExperimentReportRequest { as_of, ..report_request("ab") };
    let status = client.get_experiment_report(half).await.expect_err("one mistake");
    assert_eq!(fields(&status), ["as_of"]);
    let unsaid = stop_request("", pb::ExperimentEnding::Unspecified);
    let status = client.stop_experiment(unsaid).await.expect_err("two mistakes");
    assert_eq!(fields(&status), ["ending", "experiment_id"]);
}
