//! What holds for replicas that follow one stream.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::domain::decision::Decision;
use orderlens::domain::entity::{EntityKind, EntityRef};
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::order::Order;
use orderlens::domain::query::DecisionKey;
use orderlens::domain::record::Record;
use orderlens::domain::strategy_version::Signer;
use orderlens::domain::time::Span;
use orderlens::store::journal::Journal;
use orderlens::store::log::read_from;
use orderlens::workflow::engine::Engine;
use orderlens::workflow::erasure_service::ErasureService as _;
use orderlens::workflow::error::Error;
use orderlens::workflow::replica::board::Phase;
use orderlens::workflow::service::OrderService as _;
use orderlens::workflow::start_engine::start_engine;
use orderlens::workflow::strategy_service::StrategyService as _;

use super::broker::Broker;
use super::{
    PATIENCE, START, by_both, by_next, check_equal, events, inputs, join, resealed, settings_of,
    start, tell, tell_once, until,
};

/// Calls that are on their way at a time.
const IN_FLIGHT: usize = 48;

fn records(engine: &Engine) -> Vec<Record> {
    read_from(&engine.journal_reader(), 1).map(|entry| entry.unwrap().1).collect()
}

/// How often each request was decided and each event recorded.
fn times_told(records: &[Record]) -> BTreeMap<Box<str>, u32> {
    let mut times = BTreeMap::new();
    for record in records {
        if let Record::Event(told) = record {
            *times.entry(told.event.event_id.clone()).or_default() += 1;
        }
        if let Record::Decision(scored) = record {
            *times.entry(scored.request.request_id.clone()).or_default() += 1;
        }
    }
    times
}

async fn change_strategies(engines: &[Engine; 3]) {
    let signer = |by: &str| Signer { by: by.into(), note: "why".into() };
    let text = EMBEDDED_STRATEGY.replacen("network = 1.0", "network = 0.5", 1);
    let proposed = engines[0].propose_strategy(text, signer("ann"), START).await.unwrap();
    let hash = proposed.versions().last().unwrap().hash.clone();
    let refused = engines[1].approve_strategy(hash.clone(), signer("ann"), START).await;
    assert!(matches!(refused, Err(Error::Refused { reason: "APPROVER_IS_AUTHOR", .. })));
    engines[1].approve_strategy(hash.clone(), signer("ben"), START).await.unwrap();
    engines[2].activate_strategy(hash, 40, signer("cem"), START).await.unwrap();
    // Every replica sees the file change; the first that says so counts.
    let file = EMBEDDED_STRATEGY.replacen("device = 1.0", "device = 1.6", 1);
    let mut n_new = 0;
    for engine in engines {
        n_new += u32::from(engine.take_strategy_file(&file, START).await.unwrap());
    }
    assert_eq!(n_new, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_hold_the_same_journal_also_late_restarted_and_cut_short() {
    let broker = Broker::start();
    let dirs: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let (a, b, c) = tokio::join!(
        join("a", dirs[0].path(), &broker),
        join("b", dirs[1].path(), &broker),
        join("c", dirs[2].path(), &broker),
    );
    let engines = [a, b, c];
    let plain = events(12, 50);
    let half = plain.len() / 2;
    // In the second half every other one comes to a replica with two identity secrets; before,
    // some come to one that has only the new one.
    let told = plain.iter().cloned().enumerate().map(|(n, event)| match n {
        _ if half <= n && n % 2 == 1 => resealed(event, by_both),
        _ if n % 10 == 3 => resealed(event, by_next),
        _ => event,
    });
    let told: Vec<Event> = told.collect();
    let all: Vec<&Engine> = engines.iter().collect();
    let n_decided = serve(&all, &told[..half]).await;
    until_backgrounds(&all, 1, &told[0]).await;
    change_strategies(&engines).await;
    check_equal(&all).await;

    // Any replica gives the first answer again.
    let is_order = |event: &&Event| matches!(event.fact, Fact::OrderPlaced(_));
    let at = told.iter().position(|event| is_order(&event)).unwrap();
    let rotated = resealed(plain[at].clone(), by_both);
    let again = [tell_once(all[0], told[at].clone()).await, tell_once(all[1], rotated).await];
    let [one, other] = again.map(Result::unwrap);
    let id = |decided: Option<Arc<Decision>>| decided.map(|decision| decision.decision_id);
    assert_eq!(id(one), id(other));

    // One stops while the others go on.
    let [a, b, c] = engines;
    c.save_snapshot().await.unwrap();
    let stopped_at = c.durable_position();
    tokio::task::block_in_place(|| c.stop());
    let n_decided = n_decided + serve(&[&a, &b], &told[half..]).await;
    until_backgrounds(&[&a, &b], 2, &told[0]).await;
    let journal = check_equal(&[&a, &b]).await;
    assert!(n_decided > 300, "{n_decided} decisions");

    // A crash left half of a message's records: they are not written twice.
    cut_short(dirs[2].path(), &journal, stopped_at);
    let c = join("c", dirs[2].path(), &broker).await;
    let Fact::OrderPlaced(placed) = &told[at].fact else { panic!("it is an order") };
    let account = erase_account([&c, &a], placed).await;
    let late = join("d", dirs[3].path(), &broker).await;
    check_equal(&[&a, &b, &c, &late]).await;
    check_shown([&a, &b, &c, &late], placed, &account).await;
    let records = records(&late);
    assert!(times_told(&records).values().all(|n| *n == 1), "something was recorded twice");
    assert_eq!(times_told(&records).len(), told.len());
    let n_linked = records.iter().filter(|it| matches!(it, Record::PseudonymLinked(_))).count();
    assert!(n_linked > 100, "{n_linked} pseudonyms");
    let n_backgrounds = n_backgrounds(&records);
    assert!(n_backgrounds > 1, "{n_backgrounds} backgrounds");
    let scored = records.iter().rev().find_map(|record| {
        if let Record::Decision(scored) = record { Some(scored.decision.decision_id) } else { None }
    });
    assert_eq!(late.replay_decision(scored.unwrap()).await.unwrap(), []);

    // The folder of a replica is no other service's, and the other way round.
    tokio::task::block_in_place(|| late.stop());
    let alone = start_engine(&settings_of(dirs[3].path()), &inputs()).unwrap_err();
    assert!(alone.to_string().contains("is a replica's"), "{alone}");
}

fn n_backgrounds(records: &[Record]) -> usize {
    records.iter().filter(|it| matches!(it, Record::BackgroundActivated(_))).count()
}

/// Waits for so many backgrounds. They are made beside everything else, for as long as it takes,
/// and offered at the next fact: one that is known already changes nothing but that.
async fn until_backgrounds(engines: &[&Engine], n: usize, known: &Event) {
    let waiting = tokio::time::timeout(PATIENCE, async {
        while n_backgrounds(&records(engines[0])) < n {
            tell(engines, 0, known.clone()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waiting.await.expect("backgrounds come in time");
}

/// Tells a part of a stream to replicas in turn; how many orders were decided.
async fn serve(engines: &[&Engine], part: &[Event]) -> usize {
    let calls = part.iter().cloned().enumerate();
    let calls = calls.map(|(idx, event)| tell(engines, idx, event));
    let decided = stream::iter(calls).buffered(IN_FLIGHT);
    decided.filter_map(std::future::ready).count().await
}

/// Erases the account of an order at one replica; the other gives the same answer.
async fn erase_account([first, other]: [&Engine; 2], order: &Order) -> EntityRef {
    let account = order.entities.iter().find(|it| it.kind == EntityKind::Account).unwrap();
    let erased_by = async |engine: &Engine| {
        let by = Signer { by: "ann".into(), note: "asked by letter".into() };
        engine.erase(vec![account.clone()], by, START + Span::days(13)).await.unwrap()
    };
    let erased = erased_by(first).await;
    assert_eq!(erased_by(other).await, erased, "once is enough");
    account.clone()
}

/// Every replica shows the same of an order, without what was erased.
async fn check_shown(engines: [&Engine; 4], order: &Order, erased: &EntityRef) {
    let mut all = Vec::new();
    for engine in engines {
        let shown = engine.get_decision(DecisionKey::Order(order.key.clone())).await.unwrap();
        all.push(serde_json::to_string(&*shown).unwrap());
    }
    assert!(!all[0].contains(&erased.key.to_string()), "it was erased: {}", all[0]);
    assert!(all.iter().all(|it| *it == all[0]), "{all:?}");
}

/// Adds the first records behind a position as the others have them: as if this replica had
/// died while it executed their message.
fn cut_short(data: &Path, journal: &[Vec<u8>], after: u64) {
    let (open, _) = Journal::open(&data.join("journal"), settings_of(data).journal).unwrap();
    let from = usize::try_from(after).unwrap();
    let is_mark = |payload: &Vec<u8>| payload[0] == 0xf2;
    let n = journal[from..].iter().position(is_mark).unwrap();
    assert!(n >= 1, "the next message has no record");
    for payload in &journal[from..from + n.div_ceil(2)] {
        open.writer().append(payload.clone()).unwrap();
    }
    open.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_journal_differs_stands_still_and_says_so() {
    let broker = Broker::start();
    let dirs: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let a = join("a", dirs[0].path(), &broker).await;
    let b = join("b", dirs[1].path(), &broker).await;
    let told = events(3, 20);
    for event in &told[..20] {
        tell(&[&a], 0, event.clone()).await;
    }
    check_equal(&[&a, &b]).await;
    tokio::task::block_in_place(|| b.stop());
    tell(&[&a], 0, told[20].clone()).await;
    let (open, _) =
        Journal::open(&dirs[1].path().join("journal"), settings_of(dirs[1].path()).journal)
            .unwrap();
    let strange = a.journal_reader().read_at(1).unwrap().unwrap();
    open.writer().append(strange).unwrap();
    open.close().unwrap();
    let b = start("b", dirs[1].path(), &broker);
    let status = until(&b, |status| matches!(status.phase, Phase::Halted(_))).await;
    assert!(status.obstacle().unwrap().contains("another record"), "{status:?}");
    let refused = tell_once(&b, told[21].clone()).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    b.get_graph_status().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_or_freezes_loses_and_doubles_nothing() {
    let mut broker = Broker::start();
    let dirs: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let a = join("a", dirs[0].path(), &broker).await;
    let b = join("b", dirs[1].path(), &broker).await;
    let told = events(12, 40);
    let all = [&a, &b];
    let n_served = AtomicUsize::new(0);
    let calls = told.iter().cloned().enumerate().map(|(idx, event)| {
        let served = tell(&all, idx, event);
        served.inspect(|_| {
            n_served.fetch_add(1, Ordering::Relaxed);
        })
    });
    let serving = stream::iter(calls).buffer_unordered(IN_FLIGHT);
    let serving = serving.filter_map(std::future::ready).collect::<Vec<_>>();
    let reached = async |n: usize| {
        while n_served.load(Ordering::Relaxed) < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let faults = async {
        reached(told.len() / 4).await;
        broker.kill();
        until(&a, |status| !status.is_connected).await;
        let before = told[0].clone();
        let refused = tell_once(&a, before).await.unwrap_err();
        assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
        a.get_graph_status().await.unwrap();
        broker.restart();
        until(&a, |status| status.is_connected).await;
        reached(told.len() / 2).await;
        broker.signal("-STOP");
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(n_served.load(Ordering::Relaxed) < told.len(), "all was served before");
        broker.signal("-CONT");
    };
    let (decided, ()) = tokio::join!(serving, faults);
    for engine in all {
        until(engine, |status| status.obstacle().is_none()).await;
    }
    check_equal(&all).await;
    let times = times_told(&records(&a));
    assert!(times.values().all(|n| *n == 1), "something was recorded twice");
    assert_eq!(times.len(), told.len(), "something that was answered is lost");
    for decision in decided {
        let kept = b.get_decision(DecisionKey::Id(decision.decision_id)).await.unwrap();
        assert_eq!(kept.versions, decision.versions);
        assert_eq!(kept.actions, decision.actions);
        assert_eq!(kept.risks, decision.risks);
    }
}
