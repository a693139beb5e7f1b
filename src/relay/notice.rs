//! What other systems are told of a record of the journal.

use serde_json::{Value, json};

use crate::domain::decision::Decision;
use crate::domain::experiment::ExperimentEnd;
use crate::domain::record::Record;
use crate::domain::time::Timestamp;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An order was judged.
    Decision,
    /// Rules of a strategy took effect on an order, or somebody else judges from here on.
    Effect,
    /// Somebody should look.
    Alert,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Decision, Self::Effect, Self::Alert];

    /// The name used in the service file and in subjects.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Effect => "effect",
            Self::Alert => "alert",
        }
    }
}

/// Something to tell; the same record gives the same one again, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Known again by it; the same on every replica.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// When what it tells happened, by our clock.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

impl Notice {
    /// A notice of these data; `name` is what happened.
    pub fn new(id: String, kind: NoticeKind, name: &str, at: Timestamp, data: &Value) -> Self {
        let body = json!({ "id": id, "type": name, "timestamp": at, "data": data }).to_string();
        Self { id, kind, at, body }
    }
}

/// What is told of a record.
pub fn notices(position: u64, record: &Record) -> Vec<Notice> {
    match record {
        Record::Decision(scored) => of_decision(position, &scored.decision),
        Record::StrategyActivated(it) => {
            let data = json!({
                "position": position,
                "strategy": it.name,
                "strategy_hash": it.hash,
                "staged_percent": it.staged_percent,
            });
            vec![switched(position, "strategy.activated", it.signature.at, &data)]
        }
        Record::ModelActivated(it) => {
            let data = json!({ "position": position, "model": it.name, "model_hash": it.hash });
            vec![switched(position, "model.activated", it.signature.at, &data)]
        }
        Record::ExperimentEnded(it) => {
            let (end, arm) = match &it.end {
                // Somebody did that, and knows.
                ExperimentEnd::Finished | ExperimentEnd::Killed => return Vec::new(),
                ExperimentEnd::Harm { harm, arm } => (json!(harm), arm),
                ExperimentEnd::Money { arm, .. } => (json!("money"), arm),
            };
            let data = json!({
                "position": position, "experiment": it.id, "guardrail": end, "arm": arm,
            });
            let id = format!("alert-experiment-{}-{position}", it.id);
            let at = it.signature.at;
            vec![Notice::new(id, NoticeKind::Alert, "experiment.stopped", at, &data)]
        }
        Record::Event(_)
        | Record::StrategyProposed(_)
        | Record::StrategyApproved(_)
        | Record::BackgroundActivated(_)
        | Record::GraphActivated(_)
        | Record::ExperimentStarted(_)
        | Record::ExperimentRamped(_)
        | Record::PersonChanged(_)
        | Record::Audited(_)
        | Record::Noted(_)
        | Record::IdentifierErased(_)
        | Record::RotationStarted(_)
        | Record::PseudonymLinked(_)
        | Record::Followed(_)
        | Record::ApiKeyChanged(_) => Vec::new(),
    }
}

fn switched(position: u64, name: &str, at: Timestamp, data: &Value) -> Notice {
    Notice::new(format!("effect-{position}"), NoticeKind::Effect, name, at, data)
}

fn of_decision(position: u64, decision: &Decision) -> Vec<Notice> {
    let (id, at) = (decision.decision_id, decision.times.received_time);
    let mut data = decided(decision);
    data["position"] = json!(position);
    let id_of = |kind: NoticeKind| format!("{}-{id}", kind.as_str());
    let kind = NoticeKind::Decision;
    let mut told = vec![Notice::new(id_of(kind), kind, "decision.made", at, &data)];
    let rules: Vec<_> = decision.rules.iter().filter(|rule| rule.is_selected()).collect();
    if !rules.is_empty() {
        let effects = rules.iter().map(|rule| {
            json!({
                "rule": rule.rule,
                "priority": rule.priority,
                "force": rule.force,
                "tags": rule.tags,
                "emit": rule.emit,
            })
        });
        let data = json!({
            "position": position,
            "decision_id": decision.decision_id,
            "order": decision.order,
            "strategy": decision.versions.strategy,
            "strategy_hash": decision.versions.strategy_hash,
            "priority": decision.priority,
            "tags": decision.tags,
            "notices": decision.notices,
            "rules": effects.collect::<Vec<_>>(),
        });
        let kind = NoticeKind::Effect;
        told.push(Notice::new(id_of(kind), kind, "rules.applied", at, &data));
    }
    told
}

/// A decision in short: what was found, what to do, why, and what made it. The whole answer is
/// asked for by its id.
pub fn decided(decision: &Decision) -> Value {
    let risks = decision.risks.iter().map(
        |risk| json!({ "head": risk.head, "probability": risk.probability, "band": risk.band }),
    );
    let reasons = decision
        .reasons
        .iter()
        .map(|reason| json!({ "code": reason.code, "head": reason.head, "text": reason.text }));
    let versions = &decision.versions;
    json!({
        "decision_id": decision.decision_id,
        "request_id": decision.request_id,
        "order": decision.order,
        "state": decision.state,
        "event_time": decision.times.event_time,
        "received_time": decision.times.received_time,
        "actions": decision.actions.iter().map(|it| it.action.as_str()).collect::<Vec<_>>(),
        "risks": risks.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(),
        "tags": decision.tags,
        "notices": decision.notices,
        "priority": decision.priority,
        "degraded_reasons": decision.degraded_reasons,
        "versions": {
            "model": versions.model,
            "model_hash": versions.model_hash,
            "strategy": versions.strategy,
            "strategy_hash": versions.strategy_hash,
            "schema_hash": versions.schema_hash,
            "build": versions.build,
            "graph_position": versions.graph_position,
        },
    })
}
