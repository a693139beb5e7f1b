//! The records against the journal they come from.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::types::Value;
use uuid::Uuid;

use super::*;
use crate::domain::decision::{
    ActionKind, Decision, DecisionId, DecisionState, DecisionTimes, Versions,
};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact, OrderStep};
use crate::domain::evidence::Evidence;
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::head::{HeadId, RiskType};
use crate::domain::impact::{Estimate, RecommendedAction};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderKey};
use crate::domain::record::{
    ModelActivated, ReceivedEvent, Record, ScoreRequest, ScoredOrder, StrategyActivated,
};
use crate::domain::risk::{ContributionRest, Probability, RiskAssessment, RiskBand};
use crate::domain::strategy_version::Signature;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::domain::unlike::UnlikeTraining;
use crate::store::journal::{Journal, JournalSettings, recovery::DamagedTail};
use crate::store::log;
use crate::store::medium::Unsynced;
use crate::store::records::access_samples::access_record;
use crate::store::records::follow::{FollowSettings, RecordsFollower, Source, catch_up};
use crate::store::records::query::{DecisionFilter, PageCursor};
use crate::store::records::tail::RecordTail;

const BANDS: [RiskBand; 3] = [RiskBand::Low, RiskBand::Elevated, RiskBand::High];

pub(super) fn decision_id(n: u64) -> DecisionId {
    DecisionId(Uuid::from_u128(n.into()))
}

pub(super) fn key(n: u64) -> OrderKey {
    OrderKey { channel: "web".into(), order_id: format!("o{}", n % 40).into(), revision: 0 }
}

fn risk(risk: RiskType, probability: f64, band: RiskBand) -> RiskAssessment {
    let probability = Probability::clamped(probability);
    RiskAssessment {
        head: risk.head(),
        probability,
        interval: (probability, probability),
        model_probability: probability,
        band,
        base: 0.0,
        raw_log_odds: 0.0,
        weighted_log_odds: 0.0,
        residual: 0.0,
        contributions: Vec::new(),
        rest: ContributionRest::default(),
        n_support: 1,
        groups: Vec::new(),
        entities: Vec::new(),
    }
}

fn best(action: ActionKind) -> RecommendedAction {
    RecommendedAction {
        rank: 1,
        action,
        value: Estimate::default(),
        p_best: Probability::ONE,
        p_confirm: Probability::ONE,
        n_confirm: 0,
        is_prior_only: true,
        plan: Box::default(),
        steps: Vec::new(),
        customer_message: Text::default(),
        gap_to_next_minor: 0.0,
        is_close_call: false,
        requires_approval: false,
        forced_by: None,
        title: Text::new("a", "b"),
    }
}

pub(super) fn decided(n: u64) -> Record {
    let (a, b) = (n as f64 / 1000.0, (n % 7) as f64 / 10.0);
    let band = BANDS[usize::try_from(n % 3).unwrap()];
    let unlike_training =
        UnlikeTraining { is_unlike: false, surprise: 0.0, surprise_max: 1.0, reasons: Vec::new() };
    let times = DecisionTimes {
        event_time: Timestamp(n.cast_signed()),
        received_time: Timestamp((n / 4).cast_signed()), // several share an instant
    };
    let mut order = Order::new(key(n));
    let account = EntityKey::Hashed((n % 9).into());
    order.entities = vec![EntityRef { kind: EntityKind::Account, key: account }];
    order.amount = (!n.is_multiple_of(5))
        .then(|| Money { currency: Currency::parse("CNY").unwrap(), minor_units: 990 });
    let action = if n.is_multiple_of(2) { ActionKind::Approve } else { ActionKind::Hold };
    let versions = Versions {
        model: "risk/1".into(),
        model_hash: "m".into(),
        strategy: "default".into(),
        strategy_hash: "s".into(),
        schema_hash: "f".into(),
        graph_position: n,
        build: "test".into(),
        background: "".into(),
        background_hash: "".into(),
        assignment: None,
        propensity: Probability::ONE,
    };
    let decision = Decision {
        decision_id: decision_id(n),
        request_id: format!("r{n}").into(),
        order: key(n),
        state: DecisionState::Final,
        times,
        versions,
        risks: vec![
            risk(RiskType::PaymentFraud, a, RiskBand::Low),
            risk(RiskType::PromoAbuse, b, band),
        ],
        evidence: Evidence::default(),
        impacts: Vec::new(),
        actions: vec![best(action)],
        rules: Vec::new(),
        tags: Vec::new(),
        notices: Vec::new(),
        priority: 0,
        reasons: Vec::new(),
        features: Vec::new(),
        missing_inputs: Vec::new(),
        exploration: None,
        is_blind: false,
        unlike_training,
        counterfactuals: Vec::new(),
        degraded_reasons: Vec::new(),
        stage_timings: Vec::new(),
    };
    let request = ScoreRequest {
        request_id: format!("r{n}").into(),
        event_time: times.event_time,
        order,
        max_actions: 3,
        max_contributions: 12,
    };
    Record::Decision(Arc::new(ScoredOrder { request, decision: Arc::new(decision) }))
}

pub(super) fn told(event_id: String, fact: Fact) -> Record {
    let time = Timestamp(7);
    let event = Event { event_id: event_id.into(), event_time: time, ingest_time: None, fact };
    Record::Event(ReceivedEvent { event, received_time: time })
}

pub(super) fn choice(n: u64) -> OperatorChoice {
    OperatorChoice {
        choice_id: format!("c{n}").into(),
        decision_id: decision_id(n),
        operator_id: "op".into(),
        action: ActionKind::Decline,
        chosen_rank: Some(1),
        override_reason: None,
        note: Some("seen before".into()),
        opened_at: None,
        decided_at: Timestamp(9),
        review: None,
    }
}

pub(super) fn outcome(n: u64) -> Outcome {
    Outcome {
        outcome_id: format!("u{n}").into(),
        decision_id: n.is_multiple_of(2).then(|| decision_id(n)),
        order: Some(key(n)),
        kind: OutcomeKind::ConfirmedFraud,
        amount: None,
        occurred_at: Timestamp(11),
        source: OutcomeSource::Analyst,
        source_ref: None,
        retracts: None,
    }
}

/// The `n`th record of a made-up history.
fn record(n: u64) -> Record {
    let at = Timestamp(n.cast_signed());
    match n % 10 {
        // Every second event is told twice.
        0 => told(format!("e{}", n / 20), Fact::OrderShipped(OrderStep { order: key(n) })),
        1 => told(format!("ec{n}"), Fact::Choice(choice(n + 5))),
        2 if n % 20 == 2 => told(format!("eo{n}"), Fact::Outcome(outcome(n + 4))),
        // Names only the order, not the decision.
        2 => told(format!("eo{n}"), Fact::Outcome(outcome(n + 5))),
        3 => {
            let (name, hash) = ("default".into(), format!("s{n}").into());
            Record::StrategyActivated(StrategyActivated {
                name,
                hash,
                toml: "x = 1".into(),
                signature: Signature { by: Box::default(), at, note: Box::default() },
                staged_percent: None,
            })
        }
        4 if n % 20 == 4 => access_record(n),
        4 => Record::ModelActivated(ModelActivated {
            name: "risk/1".into(),
            hash: "m".into(),
            signature: Signature { by: Box::default(), at, note: Box::default() },
            report_hash: Box::default(),
        }),
        _ => decided(n),
    }
}

fn journal_of(dir: &Path, n_records: u64) -> Journal {
    let settings = JournalSettings {
        segment_bytes: 64 << 10,
        record_bytes_max: 16 << 10,
        queue_bytes_max: 1 << 20,
        damaged_tail: DamagedTail::Refuse,
    };
    let (journal, opened) =
        Journal::open_on(Arc::new(Unsynced), &dir.join("journal"), settings).unwrap();
    assert_eq!(opened.last_position, 0);
    for n in 1..=n_records {
        log::submit(&journal.writer(), &record(n), |result| assert!(result.is_ok())).unwrap();
    }
    while journal.durable_position() < n_records {
        thread::yield_now();
    }
    journal
}

/// A hash of every row of every table.
fn content_hash(path: &Path) -> blake3::Hash {
    let connection = Connection::open(path).unwrap();
    let mut hasher = blake3::Hasher::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut named = connection.prepare(tables).unwrap();
    for table in named.query_map([], |row| row.get::<_, String>(0)).unwrap().flatten() {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let n_columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..n_columns {
                let value: Value = row.get(column).unwrap();
                hasher.update(format!("{table}/{value:?};").as_bytes());
            }
        }
    }
    hasher.finalize()
}

fn filled(dir: &Path, journal: &Journal) -> Records {
    let path = dir.join("records.db");
    let (mut writer, records, _) = open(&path, journal.durable_position()).unwrap();
    catch_up(&journal.reader(), &mut writer, 64).unwrap();
    records
}

#[test]
fn filling_in_parts_over_crashes_gives_the_same_rows_as_filling_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let at_once = dir.path().join("at_once.db");
    let (mut writer, ..) = open(&at_once, 500).unwrap();
    catch_up(&journal.reader(), &mut writer, 1000).unwrap();
    for batch_records_max in [13, 100] {
        let path = dir.path().join(format!("in_parts_{batch_records_max}.db"));
        let mut position = 0;
        while position < 500 {
            let (mut writer, records, rebuild) = open(&path, 500).unwrap();
            assert_eq!(rebuild.is_some(), position == 0);
            assert_eq!(writer.position(), position);
            let entries = log::read_from(&journal.reader(), position + 1);
            let batch: Vec<_> = entries.take(batch_records_max).collect::<Result<_, _>>().unwrap();
            writer.apply(&batch).unwrap();
            // Told again, as after a crash between filling and noting it elsewhere.
            writer.apply(&batch).unwrap();
            position = records.position().unwrap();
        }
        assert_eq!(content_hash(&path), content_hash(&at_once), "{batch_records_max}");
    }
}

#[test]
fn pages_are_newest_first_and_together_hold_every_match_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let records = filled(dir.path(), &journal);
    let all = DecisionFilter::default();
    let check = |filter: &DecisionFilter, keep: fn(u64) -> bool| {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = records.list_decisions(filter, after, 17).unwrap();
            let Some(last) = page.last() else { break };
            let (received_time, decision_id) = (last.received_time, last.decision_id);
            after = Some(PageCursor { received_time, decision_id });
            found.extend(page.iter().map(|row| row.position));
        }
        let mut expected: Vec<u64> = (1..=500).filter(|n| 5 <= n % 10 && keep(*n)).collect();
        expected.sort_by_key(|&n| std::cmp::Reverse((n / 4, n)));
        assert_eq!(found, expected, "{filter:?}");
    };
    check(&all, |_| true);
    check(&DecisionFilter { channel: Some("web".into()), ..all.clone() }, |_| true);
    check(&DecisionFilter { channel: Some("app".into()), ..all.clone() }, |_| false);
    check(&DecisionFilter { order_id: Some("o7".into()), ..all.clone() }, |n| n % 40 == 7);
    let first_action = Some(ActionKind::Hold);
    check(&DecisionFilter { first_action, ..all.clone() }, |n| n % 2 == 1);
    let band_at_least = Some(RiskBand::Elevated);
    check(&DecisionFilter { band_at_least, ..all.clone() }, |n| 1 <= n % 3);
    let state = Some(DecisionState::Degraded);
    check(&DecisionFilter { state, ..all.clone() }, |_| false);
    let top_head = Some(HeadId("payment_fraud".into()));
    let fraud_leads = |n: u64| n.is_multiple_of(3) && (n % 7) as f64 / 10.0 <= n as f64 / 1000.0;
    check(&DecisionFilter { top_head, ..all.clone() }, fraud_leads);
    let probability_at_least = Some(Probability::clamped(0.6));
    check(&DecisionFilter { probability_at_least, ..all.clone() }, |n| n % 7 == 6);
    let (received_from, received_until) = (Some(Timestamp(20)), Some(Timestamp(40)));
    let span = DecisionFilter { received_from, received_until, ..all };
    check(&span, |n| (20..40).contains(&(n / 4)));
}

#[test]
fn what_was_asked_about_is_found_where_the_journal_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let records = filled(dir.path(), &journal);
    assert_eq!(records.decision_position(decision_id(107)).unwrap(), Some(107));
    assert_eq!(records.decision_position(decision_id(104)).unwrap(), None);
    assert_eq!(records.decision_by_order("web", "o7").unwrap(), Some(487));
    assert_eq!(records.decision_by_order("web", "o1").unwrap(), None);
    assert_eq!(records.request_position("r8").unwrap(), Some(8));
    assert_eq!(records.request_position("r1").unwrap(), None);
    assert_eq!(records.event_position("e2").unwrap(), Some(40));
    assert_eq!(records.event_position("e99").unwrap(), None);
    assert_eq!(records.strategy_position("s33").unwrap(), Some(33));
    assert_eq!(records.strategy_position("m").unwrap(), None);
    let stored = log::read_at(&journal.reader(), 107).unwrap();
    assert_eq!(stored, Some(record(107)));
    assert_eq!(records.choices(decision_id(106)).unwrap(), [choice(106)]);
    assert_eq!(records.choices(decision_id(107)).unwrap(), []);
    assert_eq!(records.outcomes(decision_id(106)).unwrap(), [outcome(106)]);
    let of_order: Vec<_> = (17..500).step_by(40).map(outcome).collect();
    assert_eq!(records.outcomes(decision_id(57)).unwrap(), of_order);
    assert_eq!(records.outcomes(decision_id(58)).unwrap(), []);
    let counts = records.event_counts().unwrap();
    let count = |kind: &str| counts.iter().find(|(name, _)| name == kind).map(|(_, n)| *n);
    assert_eq!(count("choice"), Some(50));
    assert_eq!(count("order_shipped"), Some(26), "an event told twice counts once");
}

#[test]
fn records_that_do_not_fit_are_filled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let journal = journal_of(dir.path(), 50);
    drop(filled(dir.path(), &journal));
    let whole = content_hash(&path);
    let check = |spoil: &dyn Fn(), journal_end, expected: fn(&Rebuild) -> bool| {
        spoil();
        let (mut writer, records, rebuild) = open(&path, journal_end).unwrap();
        assert!(rebuild.as_ref().is_some_and(expected), "{rebuild:?}");
        assert_eq!(writer.position(), 0);
        catch_up(&journal.reader(), &mut writer, 64).unwrap();
        drop((writer, records));
        assert_eq!(content_hash(&path), whole);
    };
    check(&|| {}, 49, |why| *why == Rebuild::AheadOfJournal(50));
    let other = || {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    };
    check(&other, 50, |why| *why == Rebuild::OtherSchema(999));
    let garbage = || fs::write(&path, [7; 9000]).unwrap();
    check(&garbage, 50, |why| matches!(why, Rebuild::Unreadable(_)));
    check(&|| fs::remove_file(&path).unwrap(), 50, |why| *why == Rebuild::New);
    let (writer, _, rebuild) = open(&path, 50).unwrap();
    assert_eq!((writer.position(), rebuild), (50, None));
}

#[test]
fn the_follower_reaches_the_end_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 300);
    let (writer, records, _) = open(&dir.path().join("records.db"), 300).unwrap();
    let settings = FollowSettings { pause: Duration::from_millis(1), batch_records_max: 50 };
    let source =
        Source { journal: journal.reader(), tail: RecordTail::new(2), is_held: Arc::default() };
    let follower = RecordsFollower::start(source, writer, settings).unwrap();
    while follower.position() < 300 {
        assert!(follower.failure().is_none());
        thread::yield_now();
    }
    assert_eq!(records.position().unwrap(), 300);
}
