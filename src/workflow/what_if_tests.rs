//! A what-if answers as if things had been so, and leaves no trace of it.

use crate::domain::counterfactual::{CounterfactualAim, CounterfactualDirection};
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::entity::EntityKind;
use crate::domain::head::HeadId;
use crate::domain::query::{
    DecisionKey, FeatureValue, OrderChange, ProbabilityTarget, StrategyChoice, WhatIf,
    WhatIfSubject,
};
use crate::domain::record::ScoreRequest;
use crate::domain::risk::Probability;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{fill, kept, open, open_with, past, score};
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::fixtures::{
    at, basket_bundle, basket_order, bundle, entity, head, other_bundle, request,
};
use crate::workflow::replay_decision::differences;
use crate::workflow::service::{OrderService, WhatIfAnswer};

fn bits(decision: &Decision) -> Vec<u32> {
    decision.features.iter().map(|value| value.to_bits()).collect()
}

fn about(subject: WhatIfSubject) -> WhatIf {
    WhatIf { subject, changes: Vec::new(), strategy: None, features: Vec::new(), target: None }
}

fn text(toml: &str) -> StrategyChoice {
    StrategyChoice::Text(toml.into())
}

fn known(name: &str) -> StrategyChoice {
    StrategyChoice::Known(name.into())
}

fn stranger() -> Vec<OrderChange> {
    vec![OrderChange::Entity(EntityKind::Account, Some(entity(EntityKind::Account, 99)))]
}

async fn ask(engine: &Engine, question: WhatIf) -> WhatIfAnswer {
    engine.what_if(question, at(502)).await.unwrap()
}

async fn refused(engine: &Engine, question: WhatIf) -> Error {
    engine.what_if(question, at(502)).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_shows_the_difference_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decisions = fill(&engine, 1..20).await;
    let end = engine.durable_position();
    let probe = engine.dry_run(request(500), at(501)).await.unwrap();
    let state_before = saved(&engine, dir.path()).await;

    let decision = &decisions[10];
    let by_id = || about(WhatIfSubject::Decision(decision.decision_id));
    let same = ask(&engine, by_id()).await;
    assert_eq!(differences(&same.baseline, &kept(decision, 11)), []);
    assert_eq!(differences(&same.baseline, &same.changed), []);
    assert!(same.difference.risks.iter().all(|risk| risk.contributions.is_empty()));
    let changed = ask(&engine, WhatIf { changes: stranger(), ..by_id() }).await;
    assert_ne!(bits(&changed.baseline), bits(&changed.changed));
    let strict = ask(&engine, WhatIf { strategy: Some(text("strict")), ..by_id() }).await;
    assert_eq!(&*strict.changed.versions.strategy, "strict");
    assert_eq!(bits(&strict.changed), bits(decision));
    assert_ne!(strict.changed.impacts, decision.impacts);
    let of_order = about(WhatIfSubject::Request(request(600)));
    let question = WhatIf { changes: stranger(), strategy: Some(text("strict")), ..of_order };
    let fresh = ask(&engine, question).await;
    assert_eq!(&*fresh.baseline.versions.strategy, "plain");
    assert_eq!(&*fresh.changed.versions.strategy, "strict");
    assert_eq!(fresh.baseline.versions.graph_position, fresh.changed.versions.graph_position);
    let wrong = refused(&engine, WhatIf { strategy: Some(text("nonsense")), ..by_id() }).await;
    assert_eq!(
        wrong.to_string(),
        "the strategy has 1 mistakes; `nonsense` is not a strategy (line 1)"
    );

    assert_eq!(engine.durable_position(), end);
    let state_after = saved(&engine, dir.path()).await;
    assert!(state_before == state_after, "the state is another one");
    let after = engine.dry_run(request(500), at(501)).await.unwrap();
    let after = Decision { decision_id: probe.decision_id, ..(*after).clone() };
    assert_eq!(differences(&probe, &after), []);
    let error = engine.get_decision(DecisionKey::Id(probe.decision_id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    engine.stop();
}

/// The state as a snapshot holds it: graph, indexes, counters, all of it.
async fn saved(engine: &Engine, dir: &std::path::Path) -> Vec<u8> {
    engine.save_snapshot().await.unwrap();
    let folder = dir.join("snapshots");
    let newest = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).max();
    std::fs::read(newest.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_adds_up_by_feature_and_by_theme() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decisions = fill(&engine, 1..20).await;
    let mut n_moved = 0;
    for decision in &decisions {
        let question = about(WhatIfSubject::Decision(decision.decision_id));
        let answer = ask(&engine, WhatIf { changes: stranger(), ..question }).await;
        let first = |it: &Decision| it.actions.first().map(|first| first.action);
        let WhatIfAnswer { baseline, changed, difference, .. } = answer;
        assert_eq!(difference.first_action.before, first(&baseline));
        assert_eq!(difference.first_action.after, first(&changed));
        for (at, risk) in difference.risks.iter().enumerate() {
            assert_eq!(risk.probability.before, baseline.risks[at].probability);
            assert_eq!(risk.probability.after, changed.risks[at].probability);
            assert_eq!(risk.raw_log_odds.after.to_bits(), changed.risks[at].raw_log_odds.to_bits());
            let listed: f64 = risk.contributions.iter().map(|it| it.log_odds.shift()).sum();
            let by_group: f64 = risk.groups.iter().map(|it| it.log_odds.shift()).sum();
            let whole = risk.raw_log_odds.shift();
            assert!((listed + risk.omitted_log_odds - whole).abs() < 1e-9, "{risk:?}");
            assert!((by_group - whole).abs() < 1e-9, "{risk:?}");
            n_moved += risk.contributions.len();
        }
    }
    assert!(decisions.len() < n_moved, "only {n_moved} contributions moved");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn features_take_the_values_that_are_given() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decisions = fill(&engine, 1..20).await;
    let specs = bundle().manifest().features.clone();
    let id = |at: usize| specs[at].id.clone();
    let at_read = specs.iter().rposition(|spec| spec.is_graph).unwrap();
    let features = || {
        vec![
            FeatureValue { feature: (&*id(0)).into(), value: Some(12.5) },
            FeatureValue { feature: (&*id(at_read)).into(), value: None },
        ]
    };
    for subject in
        [WhatIfSubject::Decision(decisions[10].decision_id), WhatIfSubject::Request(request(600))]
    {
        let answer = ask(&engine, WhatIf { features: features(), ..about(subject) }).await;
        let (before, after) = (&answer.baseline.features, &answer.changed.features);
        assert_eq!(after[0].to_bits(), 12.5_f32.to_bits());
        assert!(after[at_read].is_nan() && !before[at_read].is_nan());
        assert!(answer.changed.missing_inputs.contains(&id(at_read)));
        for other in (0..specs.len()).filter(|at| ![0, at_read].contains(at)) {
            assert_eq!(before[other].to_bits(), after[other].to_bits(), "{}", id(other));
        }
    }
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_to_another_action_both_ways_and_to_the_target() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), basket_bundle(), "plain");
    let mut decisions = Vec::new();
    for n in 1..20 {
        let request = ScoreRequest { order: basket_order(n), ..request(n) };
        decisions.push(engine.score_order(request, at(i64::from(n) + 1)).await.unwrap().decision);
    }
    let target =
        |value| Some(ProbabilityTarget { head: head(), probability: Probability::clamped(value) });
    let mut n_found = 0;
    for decision in &decisions {
        let before = engine.durable_position();
        let question = about(WhatIfSubject::Decision(decision.decision_id));
        let answer = ask(&engine, WhatIf { target: target(1.0), ..question }).await;
        let asked: Vec<_> =
            answer.counterfactuals.iter().map(|it| (it.aim, it.direction)).collect();
        let mut expected = Vec::new();
        let first = decision.actions[0].action;
        if !first.is_release() {
            let release = CounterfactualDirection::TowardRelease;
            expected.push((CounterfactualAim::OtherAction, release));
        }
        if first != ActionKind::Decline {
            let stopping = CounterfactualDirection::TowardStopping;
            expected.push((CounterfactualAim::OtherAction, stopping));
        }
        let stopping = CounterfactualDirection::TowardStopping;
        expected.push((CounterfactualAim::GivenProbability, stopping));
        assert_eq!(asked, expected);
        n_found += answer.counterfactuals.iter().map(|it| it.counterfactuals.len()).sum::<usize>();
        assert_eq!(engine.durable_position(), before);
    }
    assert!(0 < n_found);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_that_is_not_there_is_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decision = score(&engine, 1).await;
    let feature = |id: &str| FeatureValue { feature: id.into(), value: Some(1.0) };
    let id = bundle().manifest().features[0].id.clone();
    let target = ProbabilityTarget { head: HeadId("arson".into()), probability: Probability::ONE };
    let question = WhatIf {
        strategy: Some(known("bold")),
        features: vec![feature("shoe_size"), feature(&id), feature("hat_size")],
        target: Some(target),
        ..about(WhatIfSubject::Decision(decision.decision_id))
    };
    let error = refused(&engine, question).await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "FIELDS_INVALID"));
    let Error::InvalidFields(mistakes) = error else { panic!("{error}") };
    let found: Vec<String> =
        mistakes.iter().map(|it| format!("{}: {}", it.field, it.description)).collect();
    assert_eq!(
        found,
        [
            "feature_overrides[0].feature: `shoe_size` is no feature of the model bundle",
            "feature_overrides[2].feature: `hat_size` is no feature of the model bundle",
            "target.head_id: `arson` is no risk head of the model bundle",
            "strategy_ref: `bold` is not known here; known are `plain` (hash of plai)",
        ]
    );
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_that_judged_before_is_known_by_name_and_by_hash() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "strict");
    let decision = score(&engine, 1).await;
    engine.stop();
    let engine = open(dir.path());
    for name in ["strict", "hash of strict"] {
        let question = about(WhatIfSubject::Request(request(2)));
        let answer = ask(&engine, WhatIf { strategy: Some(known(name)), ..question }).await;
        assert_eq!(&*answer.baseline.versions.strategy, "plain");
        assert_eq!(&*answer.changed.versions.strategy, "strict");
    }
    let question = about(WhatIfSubject::Decision(decision.decision_id));
    let answer = ask(&engine, WhatIf { strategy: Some(known("plain")), ..question }).await;
    assert_eq!(&*answer.baseline.versions.strategy, "strict");
    assert_eq!(&*answer.changed.versions.strategy, "plain");
    engine.stop();
    let (past, journal) = past(dir.path(), "snapshots", bundle());
    let state = past.state_at(journal.durable_position()).unwrap();
    let hashes: Vec<&str> = state.strategies.versions().iter().map(|known| &*known.hash).collect();
    assert_eq!(hashes, ["hash of strict", "hash of plain"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_about_a_decision_of_another_bundle_is_not_answered_by_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decision = score(&engine, 1).await;
    engine.stop();
    let engine = open_with(dir.path(), other_bundle(), "plain");
    for strategy in [None, Some(text("strict"))] {
        let question = about(WhatIfSubject::Decision(decision.decision_id));
        let error = refused(&engine, WhatIf { strategy, ..question }).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    engine.stop();
}
