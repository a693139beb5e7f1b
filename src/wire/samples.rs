//! A record of every kind with every field set, for the tests of this folder.

use uuid::Uuid;

use crate::domain::access::{AuditDraft, AuditEntry, AuditHead, Person, Role};
use crate::domain::assignment::{Assignment, AssignmentReason};
use crate::domain::decision::{
    ActionKind, Decision, DecisionId, DecisionState, DecisionTimes, DegradedReason, Reason,
    ReasonArgument, ReasonValue, Stage, StageTiming, Versions,
};
use crate::domain::entity::{EntityKind, IdentityKey};
use crate::domain::event::Event;
use crate::domain::experiment::{Arm, ExperimentEnd, ExperimentPlan, Harm, Worth};
use crate::domain::feature::FeatureGroup;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::impact::{Estimate, PlanStep, RecommendedAction, StepKind};
use crate::domain::money::Currency;
use crate::domain::note::{Note, NoteKind};
use crate::domain::order::{Order, OrderKey};
use crate::domain::record::{
    BackgroundActivated, ExperimentEnded, ExperimentRamped, ExperimentStarted, Followed,
    GraphActivated, ModelActivated, PersonChanged, ReceivedEvent, Record, ScoreRequest,
    ScoredOrder, StrategyActivated, StrategyApproved, StrategyProposed,
};
use crate::domain::risk::{
    Contribution, ContributionRest, Probability, RiskAssessment, RiskBand, Share,
};
use crate::domain::rule::{RuleObstacle, RuleOutcome};
use crate::domain::strategy_version::Signature;
use crate::domain::text::Text;
use crate::domain::time::{Span, Timestamp};
use crate::domain::unlike::{UnlikeKind, UnlikeReason, UnlikeTraining};
use crate::wire::sample_parts::{
    api_key_changed, evidence, exploration, identifier_erased, impact, pseudonyms, search,
};

/// One event of every kind, as JSON Lines; the first one fills every field of an order.
pub(super) const EVENTS: &str = r#"{"event_id":"e1","event_time":"2026-02-16T20:00:00.000001Z","ingest_time":"2026-02-16T20:01:00Z","fact":{"order_placed":{"key":{"channel":"web","order_id":"o1","revision":2},"amount":{"currency":"CNY","minor_units":129950},"discount":{"currency":"CNY","minor_units":5000},"items":[{"sku":{"kind":"sku","key":"LIM-001"},"quantity":2,"unit_price":{"currency":"CNY","minor_units":64975}},{"sku":{"kind":"sku","key":"B"},"quantity":1,"unit_price":null}],"entities":[{"kind":"account","key":"u1"},{"kind":"ip","key":"10.0.0.1"},{"kind":"region","key":"CN-ZJ"}],"account_created_at":"2020-01-01T00:00:00Z","address_kind":"hotel","payment_kind":"card","countries":{"ip":"US","payment":null,"shipping":"CN"},"device_distance_km":12.25,"attributes":{"coupon_share":0.1,"note":"gift"}}}}
{"event_id":"e2","event_time":"1969-12-31T23:59:59.999999Z","fact":{"order_paid":{"order":{"channel":"web","order_id":"o1"},"amount":{"currency":"JPY","minor_units":-5}}}}
{"event_id":"e3","event_time":"2026-02-16T20:00:00Z","fact":{"order_cancelled":{"order":{"channel":"web","order_id":"o1"},"reason":{"source":"platform","type":"risk","level":"before_shipping"}}}}
{"event_id":"e4","event_time":"2026-02-16T20:00:00Z","fact":{"stock_reserved":{"order":{"channel":"web","order_id":"o1"}}}}
{"event_id":"e5","event_time":"2026-02-16T20:00:00Z","fact":{"order_shipped":{"order":{"channel":"web","order_id":"o1"}}}}
{"event_id":"e6","event_time":"2026-02-16T20:00:00Z","fact":{"order_delivered":{"order":{"channel":"web","order_id":"o1"}}}}
{"event_id":"e7","event_time":"2026-02-16T20:00:00Z","fact":{"order_returned":{"order":{"channel":"web","order_id":"o1"},"sku":{"kind":"sku","key":"B"},"amount":{"currency":"CNY","minor_units":1}}}}
{"event_id":"e8","event_time":"2026-02-16T20:00:00Z","fact":{"order_refunded":{"order":{"channel":"web","order_id":"o1"}}}}
{"event_id":"e9","event_time":"2026-02-16T20:00:00Z","fact":{"order_charged_back":{"order":{"channel":"web","order_id":"o1"}}}}
{"event_id":"e10","event_time":"2026-02-16T20:00:00Z","fact":{"account_created":{"account":{"kind":"account","key":"u9"},"entities":[{"kind":"phone","key":"138"}]}}}
{"event_id":"e11","event_time":"2026-02-16T20:00:00Z","fact":{"stock_level":{"sku":{"kind":"sku","key":"B"},"region":{"kind":"region","key":"CN-ZJ"},"units":7}}}
{"event_id":"e12","event_time":"2026-02-16T20:00:00Z","fact":{"market_price":{"sku":{"kind":"sku","key":"B"},"price":{"currency":"CNY","minor_units":9}}}}
{"event_id":"e13","event_time":"2026-02-16T20:00:00Z","fact":{"label":{"order":{"channel":"web","order_id":"o1"},"head":"late_delivery","value":0.5,"matures_at":"2027-01-01T00:00:00Z","concerns":[{"kind":"account","key":"u1"}]}}}
{"event_id":"e14","event_time":"2026-02-16T20:00:00Z","fact":{"choice":{"choice_id":"c1","decision_id":"019c6a3e-0000-7000-8000-000000000001","operator_id":"op7","action":"hold","chosen_rank":2,"override_reason":"known_customer","note":"regular","opened_at":"2026-02-16T20:00:00Z","decided_at":"2026-02-16T20:05:00Z"}}}
{"event_id":"e15","event_time":"2026-02-16T20:00:00Z","fact":{"outcome":{"outcome_id":"x1","decision_id":"019c6a3e-0000-7000-8000-000000000001","order":{"channel":"web","order_id":"o1"},"kind":"chargeback_lost","amount":{"currency":"CNY","minor_units":3},"occurred_at":"2026-03-16T20:00:00Z","source":"network"}}}
{"event_id":"e16","event_time":"2026-02-16T20:00:00Z","fact":{"outcome":{"outcome_id":"x2","order":{"channel":"web","order_id":"o1"},"kind":"confirmed_fraud","occurred_at":"2026-03-16T20:00:00Z","source":"network","source_ref":"CB-7"}}}
{"event_id":"e17","event_time":"2026-02-16T20:00:00Z","fact":{"outcome":{"outcome_id":"x3","order":{"channel":"web","order_id":"o1"},"kind":"confirmed_fraud","occurred_at":"2026-03-17T20:00:00Z","source":"network","source_ref":"CB-7","retracts":"x2"}}}
{"event_id":"e18","event_time":"2026-02-16T20:00:00Z","fact":{"choice":{"choice_id":"c2","decision_id":"019c6a3e-0000-7000-8000-000000000001","operator_id":"op7","action":"decline","opened_at":"2026-02-16T20:00:00Z","decided_at":"2026-02-16T20:05:00Z","review":{"first_input_at":"2026-02-16T20:00:07Z","active_ms":61500,"explanation":"evidence_only","alert_worth":"confirmed","reason_codes":["stolen_card","other"]}}}}"#;

/// The events of [`EVENTS`], sealed.
pub(super) fn events() -> Vec<Event> {
    let key = IdentityKey::from_secret(b"test");
    EVENTS.lines().map(|line| serde_json::from_str::<Event>(line).unwrap().sealed(&key)).collect()
}

fn signature(by: &str, at: Timestamp) -> Signature {
    Signature { by: by.into(), at, note: "周末".into() }
}

/// One record of every kind; events in all their kinds.
pub(super) fn records() -> Vec<Record> {
    let at = Timestamp(1_771_272_000_123_456);
    let received = |event| Record::Event(ReceivedEvent { event, received_time: at });
    let mut records: Vec<Record> = events().into_iter().map(received).collect();
    records.push(Record::Decision(std::sync::Arc::new(scored_order())));
    records.push(Record::StrategyActivated(StrategyActivated {
        name: "default".into(),
        hash: "ab".repeat(32).into(),
        toml: "[weights]\nnetwork = 1.5\n# 权重\n".into(),
        signature: signature("", at),
        staged_percent: None,
    }));
    records.push(Record::StrategyActivated(StrategyActivated {
        name: "bold".into(),
        hash: "ac".repeat(32).into(),
        toml: "x".into(),
        signature: signature("lin", at),
        staged_percent: Some(5),
    }));
    records.push(Record::StrategyProposed(StrategyProposed {
        name: "bold".into(),
        hash: "ac".repeat(32).into(),
        toml: "x".into(),
        signature: signature("wang", at),
    }));
    records.push(Record::StrategyApproved(StrategyApproved {
        hash: "ac".repeat(32).into(),
        signature: signature("lin", at),
    }));
    records.push(Record::ModelActivated(ModelActivated {
        name: "risk/1".into(),
        hash: "cd".repeat(32).into(),
        signature: signature("", Timestamp(-1)),
        report_hash: "ce".repeat(32).into(),
    }));
    records.push(Record::BackgroundActivated(BackgroundActivated {
        name: "approved orders up to record 7".into(),
        hash: "ef".repeat(32).into(),
        model_hash: "cd".repeat(32).into(),
        n_features: 3,
        ranks: vec![0, 1, 255, 7, 8, 9],
        at,
    }));
    let settings = r#"{"retention":34560000000000}"#.into();
    records.push(Record::GraphActivated(GraphActivated { settings, at }));
    records.extend(experiment_records(at));
    records.extend(access_records(at));
    records.extend(pseudonyms(at));
    records
}

fn access_records(at: Timestamp) -> [Record; 6] {
    let draft = |action: &str, detail: &str| AuditDraft {
        actor: "lin".into(),
        action: action.into(),
        subject: "wang".into(),
        detail: detail.into(),
    };
    let person = Person {
        person_id: "wang".into(),
        name: "王丽".into(),
        roles: [Role::Admin, Role::Analyst].into(),
        is_active: true,
        key_hash: "0e".repeat(32).into(),
    };
    let draft_of_change = draft("person.changed", &person.description());
    let audited = AuditEntry::next(&AuditHead::default(), draft_of_change, at);
    let second = AuditEntry::next(&audited.head(), draft("session.started", "网页"), at);
    let key_changed = api_key_changed(&second.head(), at);
    let erased = identifier_erased(&key_changed.audited.head(), at);
    let note = Note {
        note_id: "n1".into(),
        decision_id: DecisionId(Uuid::from_u128(7)),
        by: "wang".into(),
        at,
        kind: NoteKind::Exemplar,
        text: "一家人\nordering from one flat".into(),
    };
    [
        Record::PersonChanged(PersonChanged { person, audited }),
        Record::Audited(second),
        Record::Noted(note),
        Record::Followed(Followed {
            stream: "ORDERLENS of 2026-01-01T00:00:00Z".into(),
            sequence: 7,
            checksum: 0xdead_beef,
        }),
        Record::ApiKeyChanged(key_changed),
        Record::IdentifierErased(erased),
    ]
}

fn experiment_records(at: Timestamp) -> [Record; 3] {
    let arm = |name: &str, share| Arm {
        name: name.into(),
        share,
        model: "risk/1".into(),
        model_hash: "cd".repeat(32).into(),
        strategy_hash: "ab".repeat(32).into(),
        strategy_toml: "[weights]\n# 权重\n".into(),
    };
    let worth = Worth {
        minor_per_major: 100.0,
        currency: Currency::CNY,
        unknown_amount: 20_000.0,
        margin_share: 0.1 + 0.2,
        return_share: 0.08,
        return_fixed: 1_500.0,
        chargeback_fixed: 12_000.0,
        abuse_share: 0.35,
        penalty_fixed: 30_000.0,
        complaint: 3_000.0,
        review_minute: 150.0,
    };
    let plan = ExperimentPlan {
        id: "festival".into(),
        salt: "festival:v1".into(),
        arms: vec![arm("control", 1.0 / 3.0), arm("bold", 2.0 / 3.0)],
        holdout_percent: 2,
        guardrails: Harm::ALL.to_vec(),
        orders_min: 1_000,
        horizon: Span::days(60),
        worth,
    };
    let id: Box<str> = plan.id.clone();
    let end = ExperimentEnd::Harm { harm: Harm::Chargeback, arm: "bold".into() };
    [
        Record::ExperimentStarted(ExperimentStarted {
            plan,
            percent: 10,
            signature: signature("wang", at),
        }),
        Record::ExperimentRamped(ExperimentRamped {
            id: id.clone(),
            percent: 50,
            signature: signature("lin", at),
        }),
        Record::ExperimentEnded(ExperimentEnded { id, end, signature: signature("", at) }),
    ]
}

/// A judged order with every field of its decision set.
pub(super) fn scored_order() -> ScoredOrder {
    let key = OrderKey { channel: "web".into(), order_id: "o1".into(), revision: 0 };
    ScoredOrder {
        request: ScoreRequest {
            request_id: "r1".into(),
            event_time: Timestamp(1_771_272_000_000_001),
            order: Order::new(key.clone()),
            max_actions: 3,
            max_contributions: 12,
        },
        decision: std::sync::Arc::new(decision(key)),
    }
}

fn decision(order: OrderKey) -> Decision {
    Decision {
        decision_id: DecisionId(Uuid::from_u128(0x019c_6a3e_0000_7000_8000_0000_0000_0001)),
        request_id: "r1".into(),
        order,
        state: DecisionState::Degraded,
        times: DecisionTimes {
            event_time: Timestamp(1_771_272_000_000_001),
            received_time: Timestamp(1_771_272_000_500_000),
        },
        versions: versions(),
        risks: vec![
            risk(RiskType::ResellerHoarding.head(), 1.0 / 3.0),
            risk(HeadId("late_delivery".into()), 5e-324),
        ],
        evidence: evidence(),
        impacts: vec![impact()],
        actions: vec![recommended()],
        rules: vec![
            RuleOutcome { obstacle: None, missing_inputs: Vec::new(), ..rule_outcome() },
            rule_outcome(),
        ],
        exploration: Some(exploration()),
        is_blind: true,
        tags: vec!["low_stock".into(), "live".into()],
        notices: vec!["emergency_replenishment".into()],
        priority: -7,
        reasons: vec![Reason {
            code: "ip_accounts_count_1h".into(),
            head: RiskType::ResellerHoarding.head(),
            arguments: vec![
                ReasonArgument { name: "count".into(), value: ReasonValue::Number(12.0) },
                ReasonArgument { name: "ip".into(), value: ReasonValue::Node("ip#3f9a12".into()) },
            ],
            text: Text::new("12 accounts", "12 个账号"),
        }],
        counterfactuals: vec![search()],
        features: vec![1.5, f32::MIN_POSITIVE, -0.0],
        missing_inputs: vec!["device_orders_count_1d".into()],
        unlike_training: UnlikeTraining {
            is_unlike: true,
            surprise: 41.5,
            surprise_max: 0.1 + 0.2,
            reasons: vec![UnlikeReason {
                kind: UnlikeKind::RareTogether,
                feature: "order_amount".into(),
                beside: "order_hour_of_day".into(),
                surprise: 9.25,
                text: Text::new("rare", "少见"),
            }],
        },
        degraded_reasons: vec![DegradedReason::PastShed, DegradedReason::LateEvent],
        stage_timings: vec![StageTiming { stage: Stage::Model, nanos: 1_400 }],
    }
}

fn versions() -> Versions {
    Versions {
        model: "risk/1".into(),
        model_hash: "0a".repeat(32).into(),
        strategy: "default".into(),
        strategy_hash: "0b".repeat(32).into(),
        schema_hash: "0c".repeat(32).into(),
        graph_position: u64::MAX,
        build: "0.1.0".into(),
        background: "latest good training orders".into(),
        background_hash: "0d".repeat(32).into(),
        assignment: Some(Assignment {
            experiment: "festival".into(),
            arm: "treatment".into(),
            unit: "account:h1_00000000000000000000000000000001".into(),
            reason: AssignmentReason::Inherited,
        }),
        propensity: Probability::clamped(0.1),
    }
}

fn recommended() -> RecommendedAction {
    RecommendedAction {
        rank: 1,
        action: ActionKind::LimitQuantity,
        value: Estimate { mean: 12.5, p10: -3.0, p90: 1e300 },
        p_best: Probability::clamped(0.62),
        p_confirm: Probability::clamped(0.8),
        n_confirm: 31,
        is_prior_only: false,
        plan: "protect".into(),
        steps: vec![
            PlanStep {
                kind: StepKind::Action(ActionKind::Hold), title: Text::new("Hold", "暂扣")
            },
            PlanStep {
                kind: StepKind::Notice("alert".into()), title: Text::new("Alert", "预警")
            },
        ],
        customer_message: Text::new("We check it", "核对中"),
        gap_to_next_minor: 0.1 + 0.2,
        is_close_call: true,
        requires_approval: true,
        forced_by: Some("night_shift".into()),
        title: Text::new("Limit the quantity", "限制数量"),
    }
}

fn rule_outcome() -> RuleOutcome {
    RuleOutcome {
        rule: "night_shift".into(),
        obstacle: Some(RuleObstacle::MissingInput),
        missing_inputs: vec!["sku.stock_units_max".into(), "order.items.unit_price".into()],
        priority: i64::MIN,
        force: Some(ActionKind::Hold),
        tags: vec!["low_stock".into()],
        emit: vec!["emergency_replenishment".into(), "stock_count".into()],
        title: Text::new("Little stock", "库存不足"),
    }
}

fn risk(head: HeadId, probability: f64) -> RiskAssessment {
    let shift = |feature: &str, value, log_odds, weight| Contribution {
        feature: feature.into(),
        group: FeatureGroup::Network,
        value,
        log_odds,
        weight,
    };
    RiskAssessment {
        head,
        probability: Probability::clamped(probability),
        interval: (Probability::clamped(0.05), Probability::clamped(0.95)),
        model_probability: Probability::clamped(0.3),
        band: RiskBand::High,
        base: -3.1,
        raw_log_odds: probability * 7.0,
        weighted_log_odds: 2.0,
        residual: 1e-16,
        contributions: vec![
            shift("ring_size", Some(12.0), 1.0 / 7.0, 1.5),
            shift("hour", None, -probability, 1.0),
        ],
        rest: ContributionRest { n_features: 40, log_odds: 0.25, weighted_log_odds: 0.5 },
        n_support: 1_234,
        groups: vec![share(FeatureGroup::Network)],
        entities: vec![share(None), share(Some(EntityKind::Ip))],
    }
}

fn share<K>(of: K) -> Share<K> {
    Share { of, n_features: 42, log_odds: 1.0 / 3.0, weighted_log_odds: 2.5 }
}
