//! A made-up history, and a journal of it.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use uuid::Uuid;

use crate::domain::decision::{
    ActionKind, Decision, DecisionId, DecisionState, DecisionTimes, Versions,
};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact, OrderStep};
use crate::domain::evidence::Evidence;
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::head::RiskType;
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
        told_by: None,
    }
}

/// The `n`th record of a made-up history.
pub(super) fn record(n: u64) -> Record {
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

/// A journal of the first records of the history.
pub(super) fn journal_of(dir: &Path, n_records: u64) -> Journal {
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
        let done = |result: Result<u64, _>| assert!(result.is_ok());
        log::submit_when_room(&journal.writer(), &record(n), done).unwrap();
    }
    while journal.durable_position() < n_records {
        thread::yield_now();
    }
    journal
}
