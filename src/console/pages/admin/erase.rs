//! What an administrator does when a person wants to be forgotten.
//!
//! What is typed in is hashed before anything else is done with it: the page that asks once
//! more, and every page after it, holds the pseudonym.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, State};
use axum::response::Html;

use crate::console::failure::Failure;
use crate::console::format::count;
use crate::console::frame::{Frame, page};
use crate::console::guard::Visit;
use crate::console::pages::admin::answer_frame;
use crate::console::pages::admin::people::{Pairs, value};
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::{Permission, check_signer};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::neighborhood::NeighborhoodQuery;
use crate::domain::order::TEXT_BYTES_MAX;
use crate::domain::strategy_version::Signer;
use crate::workflow::erasure_service::ErasureService as _;
use crate::workflow::error::FieldMistake;
use crate::workflow::service::OrderService as _;

/// Shortest identifier that a reason is searched for: a shorter one is part of many words.
const SEARCHED_CHARS_MIN: usize = 4;
/// Nodes that are looked at: an identifier has at most two pseudonyms.
const NODES_MAX: u32 = 2;

/// What kind of identifier it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindChoice {
    /// Its stable name.
    pub name: &'static str,
    /// Its name.
    pub title: String,
}

impl KindChoice {
    /// All kinds of identifiers of people.
    pub fn all(words: Words) -> Vec<Self> {
        let kinds = EntityKind::ALL.into_iter().filter(|kind| kind.is_personal());
        kinds.map(|kind| Self { name: kind.as_str(), title: words.kind(kind) }).collect()
    }
}

#[derive(Template)]
#[template(path = "admin_erase_confirm.html", config = ".config/askama.toml")]
struct ConfirmPage {
    frame: Frame,
    kind: KindChoice,
    /// One, or two while the identity secret is rotated.
    pseudonyms: Vec<String>,
    note: String,
    /// Orders that name it; `None` when none does.
    n_orders: Option<String>,
}

#[derive(Template)]
#[template(path = "admin_erased.html", config = ".config/askama.toml")]
struct ErasedPage {
    frame: Frame,
    kind: String,
    shown_as: BTreeSet<String>,
}

/// Asks once more, with what is known of the identifier.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's.
pub async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let (raw, signer) = (value(&pairs, "identifier"), signer(&visit, &pairs));
    let mut mistakes = Vec::new();
    let mut note = |field: &str, description: String| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    };
    let kind = kind(&pairs);
    if kind.is_none() {
        note("kind", "is no kind of identifiers of people".to_owned());
    }
    if raw.is_empty() || TEXT_BYTES_MAX < raw.len() {
        note("identifier", format!("must have 1 to {TEXT_BYTES_MAX} bytes"));
    }
    let names = |text: &str| text.to_lowercase().contains(&raw.to_lowercase());
    if SEARCHED_CHARS_MIN <= raw.chars().count() && names(&signer.note) {
        note("note", "names what is to be erased, and would stay in the audit log".to_owned());
    }
    check_signer(&signer, &mut note);
    let Some(kind) = kind.filter(|_| mistakes.is_empty()) else {
        return Err(Failure::Fields(mistakes));
    };
    let hashes = console.seal(kind, raw).key.hashes().into_iter();
    let seeds: Vec<_> =
        hashes.map(|hash| EntityRef { kind, key: EntityKey::Hashed(hash) }).collect();
    let known = console.engine.get_neighborhood(around(&seeds), console.now()).await?.view;
    let own = known.nodes.iter().filter(|node| seeds.contains(&node.entity));
    let n_orders: u64 = own.map(|node| node.n_orders).sum();
    let frame = answer_frame(&console, &visit);
    page(&ConfirmPage {
        kind: KindChoice { name: kind.as_str(), title: frame.words.kind(kind) },
        pseudonyms: seeds.iter().map(|it| it.key.to_string()).collect(),
        note: signer.note.into(),
        n_orders: (0 < n_orders).then(|| count(n_orders)),
        frame,
    })
}

/// Erases it, and shows under which number.
///
/// # Errors
/// `Forbidden`, `Fields` when nobody said that they are sure, or as the engine's.
pub async fn erase(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    if value(&pairs, "sure") != "yes" {
        return Err(Failure::field("sure", "is not ticked: nothing was erased"));
    }
    let kind = kind(&pairs).ok_or_else(|| Failure::field("kind", "is not a kind"))?;
    let mut entities = Vec::new();
    for (_, text) in pairs.iter().filter(|(name, _)| name == "pseudonym") {
        // Only what the page before asked about: a raw identifier does not come this far. Each
        // hash goes alone, so that nobody's browser says that two of them are one person's.
        let key @ EntityKey::Hashed(_) = EntityKey::parse(text) else {
            return Err(Failure::field("pseudonym", "is no pseudonym"));
        };
        entities.push(EntityRef { kind, key });
    }
    let signer = signer(&visit, &pairs);
    let erased = console.engine.erase(entities, signer, console.now()).await?;
    let frame = answer_frame(&console, &visit);
    let shown_as = erased.iter().map(|it| it.shown.key.to_string()).collect();
    page(&ErasedPage { kind: frame.words.kind(kind), shown_as, frame })
}

/// What is known of an identifier by each of its pseudonyms.
fn around(seeds: &[EntityRef]) -> NeighborhoodQuery {
    NeighborhoodQuery {
        seeds: seeds.to_vec(),
        n_hops: 1,
        kinds: Vec::new(),
        since: None,
        as_of: None,
        n_nodes_max: NODES_MAX,
        fan_out_max: 1,
    }
}

fn kind(pairs: &Pairs) -> Option<EntityKind> {
    EntityKind::parse(value(pairs, "kind")).filter(|kind| kind.is_personal())
}

fn signer(visit: &Visit, pairs: &Pairs) -> Signer {
    Signer { by: visit.person.person_id.clone(), note: value(pairs, "note").into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixtures::{LANGUAGES, check, console, console_of, visit};
    use crate::domain::access::Role;
    use crate::domain::audit_query::AuditQuery;
    use crate::domain::entity::IdentityKey;
    use crate::workflow::access_service::AccessService as _;
    use crate::workflow::fixtures::{at, request};

    const RAW: &str = "zx9-erase-me@example.com";

    fn pairs(of: &[(&str, &str)]) -> Form<Pairs> {
        Form(of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn typed() -> Form<Pairs> {
        pairs(&[("kind", "email"), ("identifier", RAW), ("note", "asked by letter")])
    }

    fn everything() -> AuditQuery {
        AuditQuery { before: None, actor: None, action: None, n_max: 10 }
    }

    /// Whatever is shown, the identifier is not.
    fn clean(text: &str) {
        assert!(!text.to_lowercase().contains("zx9-erase-me"), "{text}");
    }

    fn failed(result: Result<Html<String>, Failure>) -> String {
        let text = format!("{:?}", result.unwrap_err());
        clean(&text);
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_administrator_erases_what_is_typed_in_and_no_page_shows_it() {
        let dir = tempfile::tempdir().unwrap();
        let console = console(dir.path());
        let it = || State(console.clone());
        let sealed = console.seal(EntityKind::Email, RAW);
        let mut asked = request(1);
        asked.order.entities.push(sealed.clone());
        console.engine.score_order(asked, console.now()).await.unwrap();
        let pseudonym = sealed.key.to_string();
        let sure = |sure: &str, key: &str| {
            let note = ("note", "asked by letter");
            pairs(&[("kind", "email"), ("pseudonym", key), ("sure", sure), note])
        };
        let roles = [Role::Viewer, Role::Analyst, Role::Strategist, Role::Approver];
        for language in LANGUAGES {
            let other = || visit(language, &roles);
            assert!(failed(ask(it(), other(), typed()).await).contains("Forbidden"));
            assert!(failed(erase(it(), other(), sure("yes", &pseudonym)).await).contains("Forb"));
        }

        let ann = |language| visit(language, &[Role::Admin]);
        for language in LANGUAGES {
            let shown = ask(it(), ann(language), typed()).await.unwrap().0;
            check(&shown);
            clean(&shown);
            assert!(shown.contains(&pseudonym) && shown.contains("data-orders>1<"), "{shown}");
        }
        let unknown = pairs(&[("kind", "email"), ("identifier", "nobody@example.com")]);
        let shown = ask(it(), ann(LANGUAGES[0]), unknown).await.unwrap().0;
        assert!(shown.contains("No order names it") && !shown.contains("nobody@"), "{shown}");
        failed(erase(it(), ann(LANGUAGES[0]), sure("", &pseudonym)).await);
        failed(erase(it(), ann(LANGUAGES[0]), sure("yes", RAW)).await);
        assert!(console.engine.list_audit(everything()).await.unwrap().is_empty());

        let done = erase(it(), ann(LANGUAGES[1]), sure("yes", &pseudonym)).await.unwrap().0;
        check(&done);
        assert!(done.contains("data-shown-as>erased-1<"), "{done}");
        let shown = ask(it(), ann(LANGUAGES[0]), typed()).await.unwrap().0;
        assert!(shown.contains("No order names it"), "{shown}");
        let log = console.engine.list_audit(everything()).await.unwrap();
        let told = (&*log[0].actor, &*log[0].action, &*log[0].subject);
        assert_eq!(told, ("ann", "identifier.erased", "email:erased-1"));
        assert!(log[0].detail.ends_with("; asked by letter"), "{log:?}");
        clean(&format!("{log:?}"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn while_the_secret_is_rotated_both_pseudonyms_are_erased() {
        let dir = tempfile::tempdir().unwrap();
        let before = IdentityKey::from_secret(b"before");
        let key = IdentityKey::from_secret(b"tests").rotated_from(&before);
        let console = console_of(dir.path(), key);
        let it = || State(console.clone());
        let score = async |n: u32, email: EntityRef| {
            let mut asked = request(n);
            asked.order.entities = vec![email];
            let received = asked.event_time;
            console.engine.score_order(asked, received).await.unwrap();
        };
        score(1, before.entity(EntityKind::Email, RAW)).await;
        let ann = || visit(LANGUAGES[0], &[Role::Admin]);
        let shown = ask(it(), ann(), typed()).await.unwrap().0;
        check(&shown);
        clean(&shown);
        assert!(shown.contains("data-orders>1<"), "{shown}");
        // What a browser sends then.
        let hashes = console.seal(EntityKind::Email, RAW).key.hashes().into_iter();
        let named = |hash| EntityRef { kind: EntityKind::Email, key: EntityKey::Hashed(hash) };
        let seeds: Vec<_> = hashes.map(named).collect();
        let keys: Vec<_> = seeds.iter().map(|it| it.key.to_string()).collect();
        assert_eq!(keys.len(), 2);
        let mut form = pairs(&[("kind", "email"), ("sure", "yes"), ("note", "by letter")]);
        for key in &keys {
            let hidden = format!("name=\"pseudonym\" value=\"{key}\"");
            assert!(shown.contains(&hidden), "{hidden}: {shown}");
            form.0.push(("pseudonym".to_owned(), key.clone()));
        }
        let done = erase(it(), ann(), form).await.unwrap().0;
        check(&done);
        assert!(keys.iter().all(|key| !done.contains(key)), "{done}");

        let shown = ask(it(), ann(), typed()).await.unwrap().0;
        assert!(shown.contains("No order names it"), "{shown}");
        // Who orders again, by our clock later, begins anew, under either secret.
        score(3_000, console.seal(EntityKind::Email, RAW)).await;
        score(3_001, before.entity(EntityKind::Email, RAW)).await;
        let known = console.engine.get_neighborhood(around(&seeds), at(3_002)).await.unwrap();
        assert_eq!(known.view.nodes.iter().map(|it| it.n_orders).collect::<Vec<_>>(), [1, 1]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_wrong_field_is_named_and_none_is_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let console = console(dir.path());
        let ann = || visit(LANGUAGES[0], &[Role::Admin]);
        let long = RAW.repeat(20);
        let wrong = [
            ("sku", RAW, "why", "kind"),
            ("email", "", "why", "identifier"),
            ("email", &*long, "why", "identifier"),
            ("email", RAW, "of ZX9-Erase-Me@example.com", "note"),
        ];
        for (kind, raw, note, field) in wrong {
            let form = pairs(&[("kind", kind), ("identifier", raw), ("note", note)]);
            let said = failed(ask(State(console.clone()), ann(), form).await);
            assert!(said.contains(&format!("\"{field}\"")), "{field}: {said}");
        }
    }
}
