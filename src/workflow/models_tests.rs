//! Models in a running engine: promoted, rolled back, live when.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::entity::EntityKind;
use crate::domain::experiment_draft::{ArmDraft, ExperimentDraft, ReportAt};
use crate::domain::strategy_version::Signer;
use crate::domain::time::Span;
use crate::model::bundle::Bundle;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{inputs, score, settings};
use crate::workflow::error::ErrorKind;
use crate::workflow::experiment_service::ExperimentService;
use crate::workflow::fixtures::{at, bundle, entity, other_bundle, request};
use crate::workflow::model_service::ModelService;
use crate::workflow::model_shelf::BundleFault;
use crate::workflow::service::OrderService;
use crate::workflow::start_engine::{EngineInputs, start_engine};

fn by(name: &str) -> Signer {
    Signer { by: name.into(), note: Box::default() }
}

/// An engine that offers the first bundle and finds the other one in a folder.
fn open(dir: &Path) -> Engine {
    let folder = dir.join("other");
    if !folder.exists() {
        other_bundle().save(&folder).unwrap();
    }
    let inputs = EngineInputs {
        read_bundle: Arc::new(move |name| match name {
            "risk/2" => {
                Bundle::load(&folder).map_err(|it| BundleFault::Broken(it.to_string().into()))
            }
            _ => Err(BundleFault::Missing),
        }),
        ..inputs(bundle(), "plain")
    };
    start_engine(&settings(&dir.join("data")), &inputs).unwrap()
}

async fn model_of(engine: &Engine, n: u32) -> Box<str> {
    (&*score(engine, n).await.versions.model_hash).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_judges_from_the_next_order_on_and_a_rollback_takes_no_time() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let (first, other) = (bundle().hash().into(), other_bundle().hash().into());
    assert_eq!(model_of(&engine, 1).await, first);
    let ledger = engine.promote_model("risk/2".into(), "report".into(), by("wang"), at(10)).await;
    assert_eq!(&*ledger.unwrap().active().unwrap().report_hash, "report");
    assert_eq!(model_of(&engine, 2).await, other);
    engine.stop();
    // A start that offers the old bundle again is no news.
    let engine = open(dir.path());
    let decision = score(&engine, 3).await;
    assert_eq!(*decision.versions.model_hash, *other);
    let started = Instant::now();
    let stale = engine.roll_back_model(Some(first.clone()), by("lin"), at(20)).await.unwrap_err();
    assert_eq!((stale.kind(), stale.reason()), (ErrorKind::Refused, "MODEL_CHANGED"));
    let ledger = engine.roll_back_model(Some(other.clone()), by("lin"), at(20)).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(model_of(&engine, 4).await, first);
    let live = |at| ledger.live_at(at).map(|it| it.hash.clone());
    assert_eq!(
        [live(at(9)), live(at(10)), live(at(20))],
        [Some(first.clone()), Some(other), Some(first)]
    );
    // Answers of either bundle replay, whichever judges now.
    assert_eq!(engine.replay_decision(decision.decision_id).await.unwrap(), []);
    let none = engine.roll_back_model(None, by("lin"), at(21)).await.unwrap_err();
    assert_eq!((none.kind(), none.reason()), (ErrorKind::Refused, "NOTHING_TO_ROLL_BACK"));
    let gone = engine.promote_model("risk/9".into(), "".into(), by("wang"), at(22)).await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_are_compared_on_the_same_days() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let arm = |name: &str, model: Option<&str>| ArmDraft {
        name: name.into(),
        share: 0.5,
        model: model.map(Into::into),
        strategy: None,
    };
    let draft = ExperimentDraft {
        id: "models".into(),
        arms: vec![arm("control", None), arm("challenger", Some("risk/2"))],
        percent: 100,
        holdout_percent: 0,
        guardrails: Vec::new(),
        orders_min: 10,
        horizon: Span::days(30),
    };
    engine.start_experiment(draft, by("wang"), at(0)).await.unwrap();
    let mut models = BTreeSet::new();
    for n in 1..40 {
        let mut request = request(n);
        request.order.entities.truncate(1);
        request.order.entities[0] = entity(EntityKind::Account, 500 + n);
        let decision = engine.score_order(request, at(n.into())).await.unwrap().decision;
        let arm = decision.versions.assignment.clone().unwrap().arm;
        models.insert((arm, decision.versions.model_hash.clone()));
    }
    let expected = [
        ("challenger".into(), other_bundle().hash().into()),
        ("control".into(), bundle().hash().into()),
    ];
    assert_eq!(models, expected.into_iter().collect());
    let report = engine.report_experiment("models".into(), ReportAt::Now(at(99))).await.unwrap();
    assert_eq!(&*report.arms[1].model, "risk/2");
    engine.stop();
}
