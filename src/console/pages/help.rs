//! Help: keys, how to read a page, who may do what.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::{Permission, Role};

/// Keys by page: the key of its name, then keys with what they do.
const KEYS: [(&str, &[(&str, &str)]); 8] = [
    (
        "help-everywhere",
        &[("?", "help-key-help"), ("u", "help-key-undo"), ("↑ ↓", "help-key-rows")],
    ),
    ("nav-queue", &[("n", "help-key-next"), ("p", "help-key-before")]),
    (
        "help-decision",
        &[
            ("1", "help-key-first"),
            ("2", "help-key-second"),
            ("3", "help-key-third"),
            ("o", "help-key-other"),
            ("c", "help-key-note"),
            ("z", "help-key-let-go"),
            ("w", "help-key-why"),
            ("g", "help-key-graph"),
            ("s", "help-key-similar"),
            ("b", "help-key-back"),
            ("l", "help-key-ring"),
        ],
    ),
    (
        "nav-graph",
        &[
            ("/", "help-key-find"),
            ("← → ↑ ↓", "help-key-walk"),
            ("i", "help-key-isolate"),
            ("+", "help-key-zoom-in"),
            ("-", "help-key-zoom-out"),
            ("Esc", "help-key-reset"),
            ("b", "help-key-back"),
        ],
    ),
    ("nav-cases", &[("/", "help-key-find"), ("n", "help-key-page-next"), ("p", "help-key-newest")]),
    ("nav-lab", &[("b", "help-key-run")]),
    ("help-other-pages", &[("b", "help-key-back")]),
    ("help-typing", &[("Esc", "help-key-leave")]),
];

/// What is to be understood, as keys of a name and of what it means.
const TERMS: [(&str, &str); 8] = [
    ("help-frequency", "help-frequency-text"),
    ("help-interval", "help-interval-text"),
    ("p-best", "help-best-text"),
    ("p-confirm", "help-taken-text"),
    ("help-money", "help-money-text"),
    ("help-log-odds", "help-log-odds-text"),
    ("blind", "help-blind-text"),
    ("help-synthetic", "help-synthetic-text"),
];

/// What may be done, in the order of the columns.
const PERMISSIONS: [(Permission, &str); 5] = [
    (Permission::Read, "help-may-read"),
    (Permission::Decide, "help-may-decide"),
    (Permission::Author, "help-may-author"),
    (Permission::Approve, "help-may-approve"),
    (Permission::Administer, "help-may-administer"),
];

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/help", get(show))
}

struct KeyTable {
    place: String,
    keys: Vec<(&'static str, String)>,
}

struct RoleRow {
    title: String,
    is_own: bool,
    /// For every column, whether the role may do it.
    may: Vec<bool>,
}

#[derive(Template)]
#[template(path = "help.html", config = ".config/askama.toml")]
struct HelpPage {
    frame: Frame,
    tables: Vec<KeyTable>,
    terms: Vec<(String, String)>,
    permissions: Vec<String>,
    roles: Vec<RoleRow>,
    /// Colors: their name in the form, and what they are called.
    themes: Vec<(&'static str, String)>,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    page(&help(Frame::new(&console, &visit, Place::Elsewhere), &visit))
}

fn help(frame: Frame, visit: &Visit) -> HelpPage {
    let words = visit.preferences.words;
    let role = |role: Role| RoleRow {
        title: words.t(&format!("role-{}", role.as_str())),
        is_own: visit.person.roles.contains(&role),
        may: PERMISSIONS.iter().map(|(permission, _)| role.allows(*permission)).collect(),
    };
    HelpPage {
        frame,
        tables: KEYS.iter().map(|table| key_table(words, *table)).collect(),
        terms: TERMS.iter().map(|(name, text)| (words.t(name), words.t(text))).collect(),
        permissions: PERMISSIONS.iter().map(|(_, key)| words.t(key)).collect(),
        roles: Role::ALL.into_iter().map(role).collect(),
        themes: ["system", "light", "dark"]
            .map(|theme| (theme, words.t(&format!("help-theme-{theme}"))))
            .into(),
    }
}

fn key_table(words: Words, (place, keys): (&str, &[(&'static str, &str)])) -> KeyTable {
    KeyTable {
        place: words.t(place),
        keys: keys.iter().map(|(key, text)| (*key, words.t(text))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::console::catalog::has;
    use crate::console::fixtures::{LANGUAGES, check, console, visit};

    /// The place in the table of a template's keys.
    fn place(template: &str) -> &'static str {
        let places = [
            ("base", "help-everywhere"),
            ("queue", "nav-queue"),
            ("decision", "help-decision"),
            ("graph", "nav-graph"),
            ("cases", "nav-cases"),
            ("lab", "nav-lab"),
        ];
        let found = places.iter().find(|(start, _)| template.starts_with(start));
        found.map_or("help-other-pages", |(_, place)| place)
    }

    #[test]
    fn no_key_of_a_page_goes_unexplained() {
        let mut pressed = BTreeSet::new();
        for entry in fs::read_dir("src/console/templates").unwrap() {
            let entry = entry.unwrap();
            let place = place(entry.file_name().to_str().unwrap());
            let text = fs::read_to_string(entry.path()).unwrap();
            for rest in text.split("data-key=\"").skip(1) {
                let key = rest.split('"').next().unwrap();
                // The actions of a decision are numbered by its page.
                let keys = if key.starts_with("{{") { vec!["1", "2", "3"] } else { vec![key] };
                pressed.extend(keys.into_iter().map(|key| (place, key.to_owned())));
            }
        }
        assert!(pressed.contains(&("help-everywhere", "?".to_owned())), "{pressed:?}");
        let is_explained = |(place, key): &&(&str, String)| {
            let mut keys = KEYS.iter().filter(|(it, _)| it == place).flat_map(|(_, keys)| *keys);
            keys.any(|(it, _)| it == key)
        };
        let missing: Vec<_> = pressed.iter().filter(|it| !is_explained(it)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_explanation_is_there_in_both_languages() {
        let keys = KEYS.iter().flat_map(|(place, keys)| {
            std::iter::once(*place).chain(keys.iter().map(|(_, text)| *text))
        });
        let terms = TERMS.iter().flat_map(|(name, text)| [*name, *text]);
        let permissions = PERMISSIONS.iter().map(|(_, key)| *key);
        let missing: Vec<_> =
            keys.chain(terms).chain(permissions).filter(|key| !has(key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_page_is_whole_in_both_languages_whoever_looks() {
        let dir = tempfile::tempdir().unwrap();
        let console = console(dir.path());
        for language in LANGUAGES {
            let visit = visit(language, &[Role::Viewer]);
            let html = show(State(console.clone()), visit).await.unwrap().0;
            check(&html);
            // Everybody sees; four permissions take a role each, and no role has two.
            assert_eq!(html.matches('✓').count(), Role::ALL.len() + 4, "{html}");
        }
    }
}
