//! A console over a small engine, and people who visit it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::console::guard::Visit;
use crate::console::parts::{Console, ConsoleParts, ConsoleSettings, LeverTools, Market};
use crate::console::preferences::{Keys, Preferences, Theme};
use crate::console::session::Token;
use crate::console::words::Words;
use crate::domain::access::{Person, PersonDraft, Role};
use crate::domain::entity::IdentityKey;
use crate::domain::strategy_version::Signer;
use crate::domain::text::Language;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::access_service::AccessService as _;
use crate::workflow::engine_tests::open_with;
use crate::workflow::event_health::{EventBoard, EventObjective};
use crate::workflow::fixtures::{at, bundle};

/// Both languages of the pages.
pub(super) const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

/// What is wanted of the sources of events.
pub(super) const OBJECTIVE: EventObjective =
    EventObjective { delay_max: Span::minutes(5), target: 0.999 };

/// What the clock of these consoles shows.
pub(super) fn now() -> Timestamp {
    at(2_000)
}

pub(super) fn console(dir: &Path) -> Arc<Console> {
    console_of(dir, IdentityKey::from_secret(b"tests"))
}

/// A console that hashes what is typed in with this key.
pub(super) fn console_of(dir: &Path, identity: IdentityKey) -> Arc<Console> {
    Arc::new(Console::new(ConsoleParts {
        engine: Arc::new(open_with(dir, bundle(), "plain")),
        clock: now,
        random: || [7; 32],
        settings: ConsoleSettings {
            session: Span::hours(8),
            claim: Span::minutes(15),
            undo: Span::SECOND,
            review_within: Span::hours(4),
        },
        market: Market::Real,
        events: Arc::new(EventBoard::new(OBJECTIVE)),
        deliveries: Arc::default(),
        levers: LeverTools { read: |_| Ok(Vec::new()), moved: |text, _| Ok(text.to_owned()) },
        identity,
    }))
}

/// Makes a person known; their name is markup, which no page may show as such.
pub(super) async fn known(console: &Console, id: &str, roles: &[Role]) -> Person {
    let draft = PersonDraft {
        person_id: id.into(),
        name: format!("<b>{id}").into(),
        roles: roles.iter().copied().collect(),
        is_active: true,
        key_hash: None,
    };
    let signer = Signer { by: "tests".into(), note: Box::default() };
    console.engine.change_person(draft, signer, now()).await.unwrap()
}

/// Somebody in these roles, who is signed in.
pub(super) fn visit(language: Language, roles: &[Role]) -> Visit {
    Visit {
        person: Person {
            person_id: "ann".into(),
            name: "Ann".into(),
            roles: roles.iter().copied().collect::<BTreeSet<_>>(),
            is_active: true,
            key_hash: Box::default(),
        },
        session: Token::new([1; 32]),
        preferences: Preferences { words: Words { language }, theme: Theme::Light, keys: Keys::On },
        path: "/".into(),
    }
}

/// A page that names only messages that exist, and runs nobody's markup.
pub(super) fn check(html: &str) {
    assert!(!html.contains('⟦'), "{html}");
    assert!(!html.contains("<b>") && !html.contains(" style="), "{html}");
}
