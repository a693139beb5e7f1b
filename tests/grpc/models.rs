//! Models at the door: promoted, rolled back, live when.

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::model_service_client::ModelServiceClient;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{NOW, Server, reason, start};

async fn client(server: &Server) -> ModelServiceClient<tonic::transport::Channel> {
    let url = format!("http://{}", server.address);
    ModelServiceClient::connect(url).await.expect("the server accepts")
}

fn promotion(model: &str) -> pb::PromoteModelRequest {
    pb::PromoteModelRequest {
        model: model.to_owned(),
        report_hash: "ab".repeat(32),
        operator: "wang".to_owned(),
        note: "passed the gate".to_owned(),
    }
}

fn rollback(expected_hash: &str) -> pb::RollbackModelRequest {
    let (expected_hash, operator) = (expected_hash.to_owned(), "lin".to_owned());
    pb::RollbackModelRequest { expected_hash, operator, note: String::new() }
}

fn live_at(seconds: i64) -> pb::GetModelLiveAtRequest {
    pb::GetModelLiveAtRequest { at: Some(prost_types::Timestamp { seconds, nanos: 0 }) }
}

#[tokio::test]
async fn a_rollback_that_is_sent_again_does_not_go_back_twice() {
    let server = start(8).await;
    let mut client = client(&server).await;
    let nothing = client.rollback_model(rollback("")).await.expect_err("nothing judged");
    assert_eq!(nothing.code(), Code::FailedPrecondition);
    assert_eq!(reason(&nothing), "NOTHING_TO_ROLL_BACK");
    for model in ["risk/1", "risk/2", "risk/2"] {
        let answer = client.promote_model(promotion(model)).await.expect("a promotion");
        let active = answer.into_inner().active.unwrap_or_default();
        assert_eq!((&*active.model, &*active.by), (model, "wang"));
        assert_eq!(active.report_hash, "ab".repeat(32));
    }
    let listed = client.list_models(pb::ListModelsRequest {}).await.expect("a list").into_inner();
    let models: Vec<&str> = listed.deployments.iter().map(|it| &*it.model).collect();
    assert_eq!(models, ["risk/2", "risk/1"], "the same again is no step");
    assert_eq!(listed.rollback.map(|it| it.model).as_deref(), Some("risk/1"));
    let leaving = rollback(&"2".repeat(64));
    let answer = client.rollback_model(leaving.clone()).await.expect("a rollback");
    assert_eq!(answer.into_inner().active.map(|it| it.model).as_deref(), Some("risk/1"));
    let again = client.rollback_model(leaving).await.expect_err("it was left");
    assert_eq!((again.code(), &*reason(&again)), (Code::FailedPrecondition, "MODEL_CHANGED"));
}

#[tokio::test]
async fn what_was_live_is_told_or_not_found() {
    let server = start(8).await;
    let mut client = client(&server).await;
    client.promote_model(promotion("risk/1")).await.expect("a promotion");
    let now = NOW.0 / 1_000_000;
    let live = client.get_model_live_at(live_at(now)).await.expect("it judges").into_inner();
    assert_eq!(live.live.map(|it| it.model).as_deref(), Some("risk/1"));
    let always = client.get_model_live_at(pb::GetModelLiveAtRequest { at: None }).await;
    assert!(always.expect("now").into_inner().live.is_some());
    let before = client.get_model_live_at(live_at(now - 1)).await.expect_err("nothing judged");
    assert_eq!((before.code(), &*reason(&before)), (Code::NotFound, "NOTHING_LIVE"));
    let later = client.get_model_live_at(live_at(now + 200_000)).await.expect_err("not yet");
    assert_eq!(later.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_promotion_names_every_wrong_field_and_a_model_that_is_not_there() {
    let server = start(8).await;
    let mut client = client(&server).await;
    let wrong = pb::PromoteModelRequest {
        model: "../secrets".repeat(2),
        report_hash: "abc".to_owned(),
        operator: " ".to_owned(),
        note: String::new(),
    };
    let status = client.promote_model(wrong).await.expect_err("wrong");
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    let fields: Vec<&str> = bad.iter().map(|it| &*it.field).collect();
    assert_eq!(
        (status.code(), &*fields),
        (Code::InvalidArgument, &["model", "report_hash", "operator"][..])
    );
    let gone = client.promote_model(promotion("risk/9")).await.expect_err("no such model");
    assert_eq!((gone.code(), &*reason(&gone)), (Code::NotFound, "MODEL_UNKNOWN"));
}
