//! Pages of a running engine, in both languages: every word is there.

use std::collections::BTreeSet;

use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;

use crate::console::failure::Failure;
use crate::console::pages::decision::page_tests::{console, visit};
use crate::console::pages::decision::ring;
use crate::console::pages::{cases, health, reviews};
use crate::domain::access::{Permission, Role};
use crate::domain::decision::ActionKind;
use crate::domain::strategy_version::StrategyMistake;
use crate::domain::text::Language;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::engine_tests::{choice, open_with, score};
use crate::workflow::event_health::{EventKind, Fate};
use crate::workflow::fixtures::{at, bundle};
use crate::workflow::service::OrderService as _;
use crate::workflow::strategy_file::{ReloadEnd, StrategyReload};

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

fn check(html: &str) {
    let missing: Vec<&str> = html.split('⟦').skip(1).collect();
    assert!(missing.is_empty(), "{:?}", missing.iter().map(|it| it.split('⟧').next()));
    assert_eq!(html.matches("<h1").count(), 1);
    assert!(!html.contains("NaN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_about_the_service_are_written_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "plain");
    for n in 1..40 {
        let decision = score(&engine, n).await;
        let chosen = choice(&n.to_string(), decision.decision_id, ActionKind::Decline);
        engine.record_choice(chosen, at(901)).await.unwrap();
    }
    let console = console(engine);
    let mistake = StrategyMistake {
        message: "review_above <b> is no number".into(),
        line: 3,
        start: 1,
        end: 2,
        suggestion: None,
    };
    let end = ReloadEnd::Mistakes(vec![mistake]);
    console.last_reload.set(StrategyReload { at: at(1), file: "strategy.toml".into(), end });
    let taken = Fate::Taken(console.now());
    console.events.hear("app", EventKind::OrderPaid, taken, console.now());
    for language in LANGUAGES {
        let state = || State(console.clone());
        check(&reviews::show(state(), visit(language)).await.unwrap().0);
        let html = health::show(state(), visit(language)).await.unwrap().0;
        check(&html);
        assert!(html.contains("review_above &#60;b&#62; is no number"));
        assert!(html.contains("<th scope=\"rowgroup\" rowspan=\"3\">app</th>"), "{html}");
        let all = Query(cases::Filters::default());
        let html = cases::show(state(), visit(language), all).await.unwrap().0;
        check(&html);
        assert_eq!(html.matches("data-row").count(), 25);
    }
    let status = health::ready(State(console.clone())).await;
    assert_eq!((status.0.as_u16(), status.1), (200, "ready\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_shown_and_acted_on_by_who_may_decide() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "plain");
    let mut ids = Vec::new();
    for n in 0..35 {
        ids.push(score(&engine, n).await.decision_id);
    }
    let console = console(engine);
    let (mut id, mut linked) = (ids[0], Vec::new());
    for it in ids {
        let found = console.engine.linked_waiting(it, console.now()).await.unwrap();
        if linked.len() < found.len() {
            (id, linked) = (it, found);
        }
    }
    for language in LANGUAGES {
        let asked = Path(id.to_string());
        let page = ring::show(State(console.clone()), asked, visit(language), HeaderMap::new());
        let html = page.await.unwrap().0;
        check(&html);
        assert_eq!(html.matches("name=\"order\"").count(), linked.len());
    }
    let form = |pairs: &[(&str, String)]| {
        Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let hold = [("action", "hold".to_owned())];
    let (state, path) = (|| State(console.clone()), || Path(id.to_string()));
    let none = ring::act(state(), path(), visit(Language::English), form(&hold)).await;
    assert!(matches!(none, Err(Failure::Fields(_))));
    let mut viewer = visit(Language::English);
    viewer.person.roles = BTreeSet::from([Role::Viewer]);
    let refused = ring::act(state(), path(), viewer, form(&hold)).await;
    assert!(matches!(refused, Err(Failure::Forbidden(Permission::Decide))));
    let Some(first) = linked.first() else { panic!("nothing waits beside it") };
    let other = first.decision.decision_id;
    let pairs = [hold[0].clone(), ("order", other.to_string())];
    ring::act(state(), path(), visit(Language::English), form(&pairs)).await.unwrap();
    assert!(console.pending.is_chosen(other));
}
