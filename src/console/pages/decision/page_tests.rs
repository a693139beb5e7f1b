//! The whole page of a decision, in both languages: seen, blind, on paper.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::console::pages::decision::paper::{Shown, decision_file};
use crate::console::parts::{ConsoleParts, ConsoleSettings, LeverTools, Market};
use crate::console::preferences::{Keys, Preferences, Theme};
use crate::console::session::Token;
use crate::console::words::Words;
use crate::domain::access::{Person, Role};
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::entity::IdentityKey;
use crate::domain::note::NoteKind;
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::text::Language;
use crate::domain::time::Span;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{choice, fill, open_with, score};
use crate::workflow::event_health::{EventBoard, EventObjective};
use crate::workflow::fixtures::{at, basket_bundle, basket_order, bundle, request};
use crate::workflow::service::OrderService as _;

/// A console over an engine.
pub fn console(engine: Engine) -> Arc<Console> {
    Arc::new(Console::new(ConsoleParts {
        engine: Arc::new(engine),
        clock: || at(2_000),
        random: || [7; 32],
        settings: ConsoleSettings {
            session: Span::hours(8),
            claim: Span::minutes(15),
            undo: Span::SECOND,
            review_within: Span::hours(4),
        },
        market: Market::Synthetic,
        events: Arc::new(EventBoard::new(EventObjective {
            delay_max: Span::minutes(5),
            target: 0.999,
        })),
        deliveries: Arc::default(),
        levers: LeverTools { read: |_| Ok(Vec::new()), moved: |text, _| Ok(text.to_owned()) },
        identity: IdentityKey::from_secret(b"tests"),
    }))
}

/// Somebody who may do everything.
pub fn visit(language: Language) -> Visit {
    Visit {
        person: Person {
            person_id: "ann".into(),
            name: "Ann".into(),
            roles: BTreeSet::from(Role::ALL),
            is_active: true,
            key_hash: "".into(),
        },
        session: Token::new([1; 32]),
        preferences: Preferences { words: Words { language }, theme: Theme::Light, keys: Keys::On },
        path: "/decisions/x".into(),
    }
}

async fn dossier(console: &Console, decision: &Decision) -> Dossier {
    console.engine.get_dossier(DecisionKey::Id(decision.decision_id)).await.unwrap()
}

fn note(decision: &Decision) -> Note {
    Note {
        note_id: "n-1".into(),
        decision_id: decision.decision_id,
        by: "bo".into(),
        at: at(901),
        kind: NoteKind::Exemplar,
        text: "asked <the> buyer\nno answer".into(),
    }
}

fn written(console: &Arc<Console>, language: Language, dossier: &Dossier) -> String {
    let note = note(&dossier.scored.decision);
    html(console, &visit(language), dossier, &[note]).unwrap().0
}

/// What stands between these words, at every place.
fn all_between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

fn at_path(answer: &Value, path: &str) -> f64 {
    let one = |dotted: &str| {
        let pointer = format!("/{}", dotted.replace('.', "/"));
        let value = answer.pointer(&pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("the answer has no number at {dotted}"))
    };
    if !path.starts_with(['+', '-']) {
        return one(path);
    }
    let sign = |part: &str| if part.starts_with('-') { -1.0 } else { 1.0 };
    path.split(' ').fold(0.0, |sum, part| sum + sign(part) * one(&part[1..]))
}

/// Every number is where it says, links within the page lead somewhere, and so on.
fn check(page: &str, dossier: &Dossier) {
    let scored = &dossier.scored;
    let text = json!({ "decision": &*scored.decision, "order": &scored.request.order });
    // As a browser reads it.
    let answer: Value = serde_json::from_str(&text.to_string()).unwrap();
    let numbers = all_between(page, "data-api=\"", "</span>");
    assert!(20 < numbers.len(), "{}", numbers.len());
    for number in numbers {
        let (path, rest) = number.split_once("\" data-value=\"").unwrap();
        let (value, _) = rest.split_once("\">").unwrap();
        let (value, path) = (value.parse::<f64>().unwrap(), path.replace("&#43;", "+"));
        let expected = at_path(&answer, &path);
        assert_eq!(value.to_bits(), expected.to_bits(), "{path}: {value} {expected}");
    }
    let mut ids = BTreeMap::new();
    for id in all_between(page, " id=\"", "\"") {
        *ids.entry(id).or_insert(0) += 1;
    }
    let twice: Vec<_> = ids.iter().filter(|(_, n)| **n != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    for target in all_between(page, "href=\"#", "\"") {
        assert!(ids.contains_key(target), "nothing is at #{target}");
    }
    for named in all_between(page, "aria-labelledby=\"", "\"").iter().flat_map(|it| it.split(' ')) {
        assert!(ids.contains_key(named), "nothing is called {named}");
    }
    let levels: Vec<u32> = page
        .match_indices("<h")
        .filter_map(|(place, _)| page[place + 2..].chars().next()?.to_digit(10))
        .collect();
    assert_eq!(levels[0], 1);
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "{levels:?}");
    }
    assert!(!page.contains('⟦'), "{:?}", all_between(page, "⟦", "⟧"));
    assert!(!page.contains("NaN") && page.contains("asked &#60;the&#62; buyer"));
}

#[test]
fn what_an_order_may_hold_has_a_name_in_both_languages() {
    for words in [Language::English, Language::Chinese].map(|language| Words { language }) {
        let mut names: Vec<String> = Vec::new();
        names.extend(AddressKind::ALL.map(|kind| words.address_kind(kind)));
        names.extend(PaymentKind::ALL.map(|kind| words.payment_kind(kind)));
        let units = ["plain", "days", "hour", "km", "deviations", "percent-per-day"];
        names.extend(units.map(|unit| words.t1(&format!("why-unit-{unit}"), "value", 1)));
        let explored = ["released", "not-drawn", "hour", "day", "month", "ring"];
        names.extend(explored.map(|why| words.t(&format!("why-explore-{why}"))));
        assert!(names.iter().all(|name| !name.contains('⟦')), "{names:?}");
    }
}

async fn with_baskets(dir: &std::path::Path, strategy: &str) -> (Arc<Console>, Vec<Arc<Decision>>) {
    let engine = open_with(dir, basket_bundle(), strategy);
    let mut decisions = Vec::new();
    for n in 0..40 {
        let mut asked = request(n);
        asked.order = basket_order(n);
        decisions.push(engine.score_order(asked, at(i64::from(n) + 1)).await.unwrap().decision);
    }
    (console(engine), decisions)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_a_page_is_where_it_says_in_the_answer() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let engine = open_with(dirs[0].path(), bundle(), "plain");
    let decisions = fill(&engine, 0..40).await;
    let baskets = with_baskets(dirs[1].path(), "strict").await;
    let mut n_links = 0;
    let mut n_turns = 0;
    for (console, decisions) in [(console(engine), decisions), baskets] {
        for decision in decisions.iter().skip(30) {
            n_links += decision.evidence.edges.len();
            n_turns +=
                decision.counterfactuals.iter().map(|it| it.counterfactuals.len()).sum::<usize>();
            let dossier = dossier(&console, decision).await;
            for language in [Language::English, Language::Chinese] {
                check(&written(&console, language, &dossier), &dossier);
            }
        }
    }
    assert!(0 < n_links && 0 < n_turns, "{n_links} {n_turns}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_page_tells_nothing_that_was_worked_out() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "blind");
    fill(&engine, 0..40).await;
    let decision = score(&engine, 43).await;
    assert!(decision.is_blind && !decision.evidence.edges.is_empty());
    let console = console(engine);
    let unseen = dossier(&console, &decision).await;
    for language in [Language::English, Language::Chinese] {
        let page = written(&console, language, &unseen);
        let hidden = [
            "layer-2",
            "bar-",
            "data-api=\"decision.risks",
            "decision.actions",
            "decision.impacts",
            "delta_if_removed",
            "reasons",
            " path",
            "class=\"point",
            "/similar",
            "replay",
            ".json\"",
            "class=\"pill high",
            "class=\"pill low",
        ];
        for part in hidden {
            let is_there =
                page.split(part).nth(1).map(|rest| rest.chars().take(60).collect::<String>());
            assert_eq!(is_there, None, "{part}");
        }
        for risk in &decision.risks {
            let exact = risk.probability.value().to_string();
            assert!(!page.contains(&exact) && !page.contains(&risk.base.to_string()), "{exact}");
            assert!(!page.contains(&crate::console::format::percent(risk.probability.value())));
        }
        for reason in &decision.reasons {
            assert!(!page.contains(reason.text.in_language(language)));
        }
        // Links, facts and notes are there.
        assert!(page.contains("id=\"evidence-svg\"") && page.contains("id=\"facts\""));
        assert!(page.contains("asked &#60;the&#62; buyer") && page.contains("data-node="));
    }
    let id = decision.decision_id.to_string();
    assert!(matches!(json(&console, &id).await, Err(Failure::ChooseFirst)));
    let chosen = choice("chosen", decision.decision_id, ActionKind::Decline);
    console.engine.record_choice(chosen, at(901)).await.unwrap();
    assert!(json(&console, &id).await.is_ok());
    let seen = dossier(&console, &decision).await;
    let page = written(&console, Language::English, &seen);
    assert!(page.contains("id=\"layer-2\"") && page.contains("/similar"));
    check(&page, &seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_for_an_auditor_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (console, decisions) = with_baskets(dir.path(), "strict").await;
    let dossier = dossier(&console, &decisions[39]).await;
    let specs = console.engine.feature_specs(&features_of(&decisions[39]));
    let notes = [note(&decisions[39])];
    for language in [Language::English, Language::Chinese] {
        let shown = Shown { dossier: &dossier, notes: &notes, specs: &specs, language };
        let file = decision_file(&shown).unwrap();
        check(&file, &dossier);
        for outside in
            ["<script", "href=\"/", "src=", "action=", "url(", "@import", "<form", "<link"]
        {
            assert!(!file.contains(outside), "{outside}");
        }
        let n_folds = file.matches("<details").count();
        assert!(0 < n_folds && file.matches("<details open").count() == n_folds);
        assert!(file.contains("id=\"layer-2\"") && file.contains("id=\"layer-3\""));
    }
}
