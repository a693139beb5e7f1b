//! The pages of experiments: a start, a report, an end.

use std::sync::Arc;

use axum::extract::{Form, Path, State};

use super::act::{self, StartedForm};
use super::{list, show};
use crate::console::failure::Failure;
use crate::console::fixtures::{LANGUAGES, check, console, visit};
use crate::console::parts::Console;
use crate::domain::access::Role;
use crate::domain::audit_query::AuditQuery;
use crate::domain::entity::EntityKind;
use crate::domain::event::{Fact, OrderAmount};
use crate::domain::experiment::Harm;
use crate::domain::record::ScoreRequest;
use crate::domain::text::Language;
use crate::domain::time::Span;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::fixtures::{at, entity, event, order, request};
use crate::workflow::service::OrderService as _;

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const FORM: [(&str, &str); 14] = [
    ("id", "ab"),
    ("control_name", "control"),
    ("control_share", "0.5"),
    ("control_model", ""),
    ("control_strategy", ""),
    ("arm_name", "bold"),
    ("arm_share", "0.5"),
    ("arm_strategy", "abcdef012345"),
    ("percent", "5"),
    ("holdout_percent", "1"),
    ("orders_min", "1000"),
    ("horizon_days", "90"),
    ("guardrails", "chargeback"),
    ("guardrails", "complaint"),
];

#[test]
fn a_form_is_an_experiment() {
    let form = pairs(&FORM);
    let mut form = StartedForm::new(&form);
    let draft = form.draft();
    assert_eq!(form.mistakes, []);
    assert_eq!(draft.guardrails, [Harm::Chargeback, Harm::Complaint]);
    assert_eq!((draft.percent, draft.orders_min, draft.horizon), (5, 1_000, Span::days(90)));
    let arm = |at: usize| (&*draft.arms[at].name, draft.arms[at].strategy.as_deref());
    assert_eq!((arm(0), arm(1)), (("control", None), ("bold", Some("abcdef012345"))));
    assert_eq!((draft.arms[0].model.as_deref(), draft.arms[1].model.as_deref()), (None, None));
}

#[test]
fn every_wrong_field_of_a_form_is_named() {
    let wrong = [
        ("id", ""),
        ("control_name", "same"),
        ("control_share", "half"),
        ("arm_name", "same"),
        ("arm_share", "0.4"),
        ("percent", "0"),
        ("holdout_percent", "6"),
        ("orders_min", "-1"),
        ("horizon_days", "9000"),
    ];
    let form = pairs(&wrong);
    let mut form = StartedForm::new(&form);
    form.draft();
    let fields: Vec<&str> = form.mistakes.iter().map(|it| &*it.field).collect();
    let named = [
        "control_share",
        "guardrails",
        "orders_min",
        "experiment_id",
        "arms",
        "arms",
        "percent",
        "holdout_percent",
        "horizon_days",
    ];
    assert_eq!(fields, named);
}

async fn told(console: &Arc<Console>) -> Vec<String> {
    let action = Some("experiment".into());
    let query = AuditQuery { before: None, actor: Some("ann".into()), action, n_max: 10 };
    let entries = console.engine.list_audit(query).await.unwrap();
    entries.iter().rev().map(|it| format!("{} {}", it.action, it.subject)).collect()
}

/// Orders of accounts that never meet; every third is charged back.
async fn trade(console: &Arc<Console>) {
    for n in 1..=120 {
        let mut order = order(n);
        let key = order.key.clone();
        order.entities = vec![entity(EntityKind::Account, 1_000 + n)];
        let request = ScoreRequest { order, ..request(n) };
        let received = request.event_time;
        console.engine.score_order(request, received).await.unwrap();
        let back = OrderAmount { order: key, amount: None };
        let back = event(format!("back {n}"), at(600), Fact::OrderChargedBack(back));
        if n.is_multiple_of(3) {
            console.engine.ingest_event(back, at(600)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_is_started_read_and_ended_on_pages() {
    let dir = tempfile::tempdir().unwrap();
    let console = console(dir.path());
    let it = || State(console.clone());
    let ann = || visit(Language::English, &[Role::Strategist]);
    let empty = list(it(), ann()).await.unwrap().0;
    check(&empty);
    assert!(empty.contains("name=\"arm_strategy\"") && empty.contains("No experiment has run"));
    let form = FORM
        .into_iter()
        .filter(|(field, _)| *field != "arm_strategy")
        .map(|pair| if pair.0 == "percent" { ("percent", "100") } else { pair });
    let form = pairs(&form.collect::<Vec<_>>());
    drop(act::start(it(), ann(), Form(form.clone())).await.unwrap());
    trade(&console).await;
    for language in LANGUAGES {
        let strategist = || visit(language, &[Role::Strategist]);
        let listed = list(it(), strategist()).await.unwrap().0;
        check(&listed);
        assert!(listed.contains("href=\"/experiments/ab\"") && !listed.contains("arm_strategy"));
        let shown = show(it(), Path("ab".into()), strategist()).await.unwrap().0;
        check(&shown);
        assert!(shown.contains("class=\"plot chart\"") && !shown.contains("<style"), "{shown}");
        assert!(shown.contains("id=\"arm-0-chargeback\""), "{shown}");
        assert!(shown.contains("action=\"/experiments/ab/ramp\"") && shown.contains("killed"));
        let viewer = visit(language, &[Role::Viewer]);
        let seen = show(it(), Path("ab".into()), viewer).await.unwrap().0;
        assert!(!seen.contains("/ramp") && !seen.contains("killed"), "who looks cannot act");
    }
    let missing = show(it(), Path("no".into()), ann()).await;
    assert!(matches!(missing, Err(Failure::NoPage)));
    let asked = |percent: &str| Form(act::Ramped { percent: percent.into(), why: String::new() });
    let wrong = act::ramp(it(), Path("ab".into()), ann(), asked("101")).await;
    assert!(matches!(wrong, Err(Failure::Fields(_))));
    drop(act::ramp(it(), Path("ab".into()), ann(), asked("50")).await.unwrap());
    let kill = |role: Role| {
        let ended = Form(act::Ended { ending: "killed".into(), why: String::new() });
        act::end(it(), Path("ab".into()), visit(Language::English, &[role]), ended)
    };
    assert!(matches!(kill(Role::Analyst).await, Err(Failure::Forbidden(_))));
    drop(kill(Role::Approver).await.unwrap());
    assert_eq!(
        told(&console).await,
        ["experiment.started ab", "experiment.ramped ab", "experiment.ended ab"]
    );
    let over = show(it(), Path("ab".into()), ann()).await.unwrap().0;
    assert!(over.contains("killed ·") && !over.contains("/ramp"), "{over}");
}
