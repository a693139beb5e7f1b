//! Who comes under another identity secret is the same person.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::domain::assignment::AssignmentReason;
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef, Twice};
use crate::domain::erasure::Erased;
use crate::domain::event::{Fact, Label};
use crate::domain::experiment_draft::{ArmDraft, ExperimentDraft};
use crate::domain::neighborhood::NeighborhoodQuery;
use crate::domain::pseudonym::Rotation;
use crate::domain::query::DecisionKey;
use crate::domain::record::ScoreRequest;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Span;
use crate::store::journal::Journal;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::command::Command;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{inputs, open, past, settings};
use crate::workflow::erasure_service::ErasureService as _;
use crate::workflow::experiment_service::ExperimentService as _;
use crate::workflow::fixtures::{at, bundle, entity, event, head, order, request};
use crate::workflow::learn_from_journal::received_until;
use crate::workflow::past::Past;
use crate::workflow::replay_decision::differences;
use crate::workflow::service::{Ack, OrderService as _, ScoreAnswer};
use crate::workflow::start_engine::{EngineInputs, EngineSettings, start_engine};

/// Of the hash by the new secret, when that by the old one is `n`.
const NEW: u128 = 1 << 100;

/// Which secrets a door has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Old,
    Both,
    New,
}

fn seal(door: Door, entity: &EntityRef) -> EntityRef {
    let EntityKey::Hashed(n) = entity.key else { return entity.clone() };
    // The kind is part of a hash.
    let previous = n + 1_000 * entity.kind as u128;
    let key = match door {
        Door::Old => EntityKey::Hashed(previous),
        Door::New => EntityKey::Hashed(previous + NEW),
        Door::Both => EntityKey::Twice(Box::new(Twice { current: previous + NEW, previous })),
    };
    EntityRef { kind: entity.kind, key }
}

fn sealed(door: Door, mut request: ScoreRequest) -> ScoreRequest {
    request.order.entities.iter_mut().for_each(|it| *it = seal(door, it));
    request
}

async fn ask(engine: &Engine, door: Door, n: u32) -> ScoreAnswer {
    engine.score_order(sealed(door, request(n)), at(i64::from(n) + 1)).await.unwrap()
}

fn open_rotated(dir: &Path, n: u32) -> Engine {
    let inputs = EngineInputs { now: at(n.into()), ..inputs(bundle(), "plain") };
    let rotation = Some(Rotation { current: "new".into(), previous: "old".into() });
    start_engine(&EngineSettings { rotation, ..settings(dir) }, &inputs).unwrap()
}

/// Equal but for ids and the journal position, which counts the links as well.
fn check_same(one: &Decision, other: &Decision) {
    let mut other = other.clone();
    other.decision_id = one.decision_id;
    other.versions.graph_position = one.versions.graph_position;
    assert_eq!(differences(one, &other), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_known_by_the_previous_secret_is_known_by_both_and_later_by_the_new_one() {
    let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (engine, other) = (open(dir.path()), open(other_dir.path()));
    let mut firsts: Vec<Arc<Decision>> = Vec::new();
    for n in 1..20 {
        firsts.push(ask(&engine, Door::Old, n).await.decision);
        ask(&other, Door::Old, n).await;
    }
    engine.stop();

    let engine = open_rotated(dir.path(), 20);
    // A dry run finds them and links nobody.
    let end = engine.durable_position();
    let asked = |door| sealed(door, request(900));
    let dry = engine.dry_run(asked(Door::Both), at(901)).await.unwrap();
    check_same(&dry, &other.dry_run(asked(Door::Old), at(901)).await.unwrap());
    assert_eq!(engine.durable_position(), end);
    for n in 20..60 {
        check_same(
            &ask(&engine, Door::Both, n).await.decision,
            &ask(&other, Door::Old, n).await.decision,
        );
    }
    for (n, first) in (1..20).zip(&firsts) {
        let again = ask(&engine, Door::Both, n).await;
        assert!(again.is_replayed && again.decision.decision_id == first.decision_id, "{n}");
    }
    let links = 7 + 5 + 3;
    let rotation = engine.ask(|reply| Command::Watch { reply });
    let rotation = rotation.await.unwrap().rotation.unwrap();
    assert_eq!((rotation.n_known, rotation.n_linked), (links, links));
    engine.save_snapshot().await.unwrap();
    engine.stop();

    // Without the previous secret, those who came meanwhile are known.
    let engine = open(dir.path());
    for n in 60..80 {
        check_same(
            &ask(&engine, Door::New, n).await.decision,
            &ask(&other, Door::Old, n).await.decision,
        );
    }
    for n in [1, 30, 70] {
        assert!(ask(&engine, Door::New, n).await.is_replayed, "{n}");
    }
    let id = ask(&engine, Door::New, 77).await.decision.decision_id;
    assert_eq!(engine.replay_decision(id).await.unwrap(), []);
    let dossier = engine.get_dossier(DecisionKey::Id(id)).await.unwrap();
    assert!(10 < dossier.timeline.len(), "orders of the account, under any name: {dossier:?}");
    let end = engine.durable_position();
    let n_entities = engine.get_graph_status().await.unwrap().status.n_entities;
    assert_eq!(n_entities, other.get_graph_status().await.unwrap().status.n_entities);
    engine.stop();
    other.stop();

    // Folded from the snapshot and from the first record, it is the same to the byte.
    let (with, journal) = past(dir.path(), "snapshots", bundle());
    let state = postcard::to_stdvec(&with.state_at(end).unwrap()).unwrap();
    let without = Past { snapshot_dir: dir.path().join("none"), ..with };
    assert!(postcard::to_stdvec(&without.state_at(end).unwrap()).unwrap() == state);
    drop(journal);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_came_meanwhile_is_a_stranger_and_a_request_of_before_is_another_one() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    ask(&engine, Door::Old, 1).await;
    engine.stop();
    let engine = open_rotated(dir.path(), 2);
    engine.stop();
    let engine = open(dir.path());
    let known = engine.get_graph_status().await.unwrap().status.n_entities;
    let refused = engine.score_order(sealed(Door::New, request(1)), at(2)).await.unwrap_err();
    assert!(refused.to_string().contains("order.entities"), "{refused}");
    ask(&engine, Door::New, 8).await;
    let strangers = engine.get_graph_status().await.unwrap().status.n_entities;
    assert_eq!(strangers, known + 3);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_a_fact_are_known_again_even_if_nobody_in_them_was() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    ask(&engine, Door::Old, 1).await;
    // Too old for the graph, and a verdict about an order that was never told.
    let mut old = request(2);
    old.event_time = at(0) - Span::days(900);
    let placed = |door| engine.score_order(sealed(door, old.clone()), at(3));
    let first = placed(Door::Old).await.unwrap();
    let verdict = |door| {
        let concerns = vec![seal(door, &entity(EntityKind::Account, 5))];
        let (order, head) = (order(5).key, head());
        let label = Label { order, head, value: 1.0, matures_at: None, concerns };
        event("verdict".to_owned(), at(4), Fact::Label(label))
    };
    assert_eq!(engine.ingest_event(verdict(Door::Old), at(4)).await.unwrap(), Ack::Accepted);
    let again = placed(Door::Both).await.unwrap();
    assert!(again.is_replayed && again.decision.decision_id == first.decision.decision_id);
    let again = engine.ingest_event(verdict(Door::Both), at(5)).await;
    assert_eq!(again.unwrap(), Ack::Duplicate);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_twice_becomes_one_and_requests_under_either_name_have_their_answers() {
    let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (engine, other) = (open(dir.path()), open(other_dir.path()));
    // One replica forgot the previous secret: half of the orders come under the new one alone.
    for n in 1..40 {
        ask(&engine, if n % 2 == 0 { Door::Old } else { Door::New }, n).await;
        ask(&other, Door::Old, n).await;
    }
    for n in 40..60 {
        ask(&engine, Door::Both, n).await;
        ask(&other, Door::Old, n).await;
    }
    let looked = async |engine: &Engine, door| {
        let seeds = vec![seal(door, &entity(EntityKind::Account, 3))];
        let query = NeighborhoodQuery {
            seeds,
            n_hops: 2,
            kinds: Vec::new(),
            since: None,
            as_of: None,
            n_nodes_max: 400,
            fan_out_max: 50,
        };
        engine.get_neighborhood(query, at(70)).await.unwrap().view
    };
    let told = looked(&other, Door::Old).await;
    for door in [Door::Old, Door::Both, Door::New] {
        let mut view = looked(&engine, door).await;
        for node in &mut view.nodes {
            if let EntityKey::Hashed(hash) = &mut node.entity.key {
                *hash %= NEW;
            }
        }
        assert_eq!((view.nodes.len(), view.edges.len()), (told.nodes.len(), told.edges.len()));
        for node in &told.nodes {
            assert!(view.nodes.contains(node), "{door:?}: {node:?}\n{:?}", view.nodes);
        }
    }
    // Answered under names that nobody has any more.
    for n in 1..60 {
        assert!(ask(&engine, Door::New, n).await.is_replayed, "{n}");
        assert!(ask(&engine, Door::Both, n).await.is_replayed, "{n}");
    }
    let id = ask(&engine, Door::Both, 38).await.decision.decision_id;
    let orders = engine.get_dossier(DecisionKey::Id(id)).await.unwrap().timeline.len();
    let of_other = ask(&other, Door::Old, 38).await.decision.decision_id;
    let expected = other.get_dossier(DecisionKey::Id(of_other)).await.unwrap().timeline.len();
    assert_eq!((orders, expected), (6, 6));
    engine.stop();
    other.stop();
    // What is learned is of one person as well.
    let journal = Journal::open(&dir.path().join("journal"), settings(dir.path()).journal).unwrap();
    let mut names: BTreeMap<u128, usize> = BTreeMap::new();
    for event in received_until(&journal.0.reader(), at(100)) {
        for person in event.unwrap().persons_mut() {
            if let (EntityKind::Account, EntityKey::Hashed(hash)) = (person.kind, &person.key) {
                *names.entry(*hash).or_default() += 1;
            }
        }
    }
    assert_eq!(names.len(), 7, "{names:?}");
}

async fn erase(engine: &Engine, entity: EntityRef, minute: i64) -> Erased {
    let by = Signer { by: "lin".into(), note: Box::default() };
    engine.erase(vec![entity], by, at(minute)).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_forgets_every_pseudonym_and_none_of_them_comes_back_late() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_rotated(dir.path(), 0);
    let account = |door| seal(door, &entity(EntityKind::Account, 3));
    let mut firsts: Vec<DecisionId> = Vec::new();
    // Of nobody but the account.
    let ask = async |door, n: u32| {
        let mut asked = request(n);
        asked.order.entities.truncate(1);
        engine.score_order(sealed(door, asked), at(i64::from(n) + 1)).await.unwrap()
    };
    for n in [3, 10, 17] {
        let door = [Door::Old, Door::New, Door::Both][firsts.len()];
        firsts.push(ask(door, n).await.decision.decision_id);
    }
    let erased = erase(&engine, account(Door::New), 50).await;
    assert_eq!(erase(&engine, account(Door::Both), 51).await, erased, "once is enough");
    let is_known = async |door| {
        let query = NeighborhoodQuery {
            seeds: vec![account(door)],
            n_hops: 1,
            kinds: Vec::new(),
            since: None,
            as_of: None,
            n_nodes_max: 9,
            fan_out_max: 9,
        };
        engine.get_neighborhood(query, at(70)).await.unwrap().view.nodes[0].n_orders
    };
    for door in [Door::Old, Door::New, Door::Both] {
        assert_eq!(is_known(door).await, 0, "{door:?}");
        // Requests of before have their answers.
        for (n, first) in [3, 10, 17].into_iter().zip(&firsts) {
            let again = ask(door, n).await;
            assert!(again.is_replayed && again.decision.decision_id == *first, "{door:?} {n}");
            let shown = format!("{:?}", again.decision);
            assert!(!shown.contains(&account(Door::Old).label()), "{shown}");
        }
    }
    // Told late, nobody comes back under any name.
    for (n, door) in [(24, Door::Old), (31, Door::New), (38, Door::Both)] {
        ask(door, n).await;
        assert_eq!(is_known(door).await, 0, "{door:?}");
    }
    // Who orders again begins anew.
    ask(Door::Both, 59).await;
    assert_eq!((is_known(Door::Both).await, is_known(Door::New).await), (1, 1));
    assert_eq!(engine.verify_audit().await.unwrap().broken, None);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_known_twice_keeps_the_arm_that_it_had_first() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let arm = |name: &str| ArmDraft { name: name.into(), share: 0.5, model: None, strategy: None };
    let draft = ExperimentDraft {
        id: "arms".into(),
        arms: vec![arm("control"), arm("same")],
        percent: 100,
        holdout_percent: 0,
        guardrails: Vec::new(),
        orders_min: 10,
        horizon: Span::days(30),
    };
    let by = Signer { by: "lin".into(), note: Box::default() };
    engine.start_experiment(draft, by, at(0)).await.unwrap();
    let mut n_kept = 0;
    for account in 1..9 {
        let placed = |n: u32, door| {
            let mut request = request(account * 10 + n);
            request.order.entities = vec![entity(EntityKind::Account, account)];
            let received = request.event_time;
            engine.score_order(sealed(door, request), received)
        };
        let arm_of = |answer: ScoreAnswer| answer.decision.versions.assignment.clone().unwrap();
        let first = arm_of(placed(1, Door::Old).await.unwrap());
        let twin = arm_of(placed(2, Door::New).await.unwrap());
        n_kept += usize::from(first.arm != twin.arm);
        for (n, door) in [(3, Door::Both), (4, Door::New)] {
            let later = arm_of(placed(n, door).await.unwrap());
            assert_eq!((&later.arm, &later.unit), (&first.arm, &first.unit));
            assert_eq!(later.reason, AssignmentReason::Kept);
        }
    }
    assert!(0 < n_kept, "no two arms met");
    engine.stop();
}
