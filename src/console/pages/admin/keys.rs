//! What an administrator does with API keys: make, rotate, revoke.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{Html, Redirect};

use crate::console::failure::Failure;
use crate::console::format::minute;
use crate::console::frame::{Frame, page};
use crate::console::guard::Visit;
use crate::console::pages::admin::answer_frame;
use crate::console::pages::admin::people::{Pairs, signer, value};
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::api_key::{ApiKey, ApiKeyDraft, KeyChange, KeySecret, Scope};
use crate::domain::time::Timestamp;
use crate::workflow::error::FieldMistake;
use crate::workflow::key_service::KeyService as _;

/// A key in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Stable names of its scopes.
    pub scopes: Vec<&'static str>,
    /// Most calls per second, or that there is no limit.
    pub pace: String,
    /// When it ends, or that it never does.
    pub end: String,
    /// What it is good for now.
    pub state: KeyState,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// For its scopes.
    Active,
    /// For nothing: its time is over.
    Expired,
    /// For nothing, for good.
    Revoked,
}

impl KeyRow {
    /// The row of a key.
    pub fn new(words: Words, key: &ApiKey, now: Timestamp) -> Self {
        let state = match (key.is_active, key.is_valid(now)) {
            (true, true) => KeyState::Active,
            (true, false) => KeyState::Expired,
            (false, _) => KeyState::Revoked,
        };
        let pace = key.calls_per_second.map(|limit| limit.to_string());
        Self {
            name: key.name.to_string(),
            owner: key.owner.to_string(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            pace: pace.unwrap_or_else(|| words.t("apikey-unlimited")),
            end: key.expires.map_or_else(|| words.t("apikey-endless"), minute),
            state,
        }
    }
}

/// A scope as a box to tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeChoice {
    /// Its stable name.
    pub name: &'static str,
    /// What it lets a program do.
    pub hint: String,
}

impl ScopeChoice {
    /// All scopes.
    pub fn all(words: Words) -> Vec<Self> {
        let choice = |scope: Scope| Self {
            name: scope.as_str(),
            hint: words.t(&format!("apikey-scope-{}", scope.as_str().replace('.', "-"))),
        };
        Scope::ALL.into_iter().map(choice).collect()
    }
}

#[derive(Template)]
#[template(path = "admin_key_given.html", config = ".config/askama.toml")]
struct GivenPage {
    frame: Frame,
    key: KeyRow,
    /// It is shown here and never again.
    secret: String,
}

/// Makes a key and shows its secret.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's: `Refused` for a name that is used.
pub async fn create(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let draft = draft(&pairs, console.now())?;
    let secret = console.key_secret();
    let change = KeyChange::Create { draft, key_hash: secret.hash() };
    let key = console.engine.change_key(change, signer(&visit), console.now()).await?;
    given(&console, &visit, &key, &secret)
}

/// Gives a key another secret and shows it.
///
/// # Errors
/// `Forbidden`, or as the engine's: `NotFound`, or `Refused` for a key that is revoked.
pub async fn rotate(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let secret = console.key_secret();
    let change = KeyChange::Rotate { name: name.into(), key_hash: secret.hash() };
    let key = console.engine.change_key(change, signer(&visit), console.now()).await?;
    given(&console, &visit, &key, &secret)
}

/// Ends a key for good.
///
/// # Errors
/// `Forbidden`, or as the engine's: `NotFound`.
pub async fn revoke(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    visit: Visit,
) -> Result<Redirect, Failure> {
    visit.need(Permission::Administer)?;
    let change = KeyChange::Revoke { name: name.into() };
    console.engine.change_key(change, signer(&visit), console.now()).await?;
    Ok(Redirect::to("/admin#keys"))
}

fn given(
    console: &Arc<Console>,
    visit: &Visit,
    key: &ApiKey,
    secret: &KeySecret,
) -> Result<Html<String>, Failure> {
    let frame = answer_frame(console, visit);
    let key = KeyRow::new(frame.words, key, console.now());
    page(&GivenPage { frame, key, secret: secret.expose().to_owned() })
}

/// The key that a form describes.
fn draft(pairs: &Pairs, now: Timestamp) -> Result<ApiKeyDraft, Failure> {
    let mut mistakes = Vec::new();
    let mut note = |field: &str, description: String| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    };
    let mut scopes = BTreeSet::new();
    for (_, name) in pairs.iter().filter(|(field, _)| field == "scopes") {
        match Scope::parse(name) {
            Some(scope) => {
                scopes.insert(scope);
            }
            None => note("scopes", format!("has no `{name}`")),
        }
    }
    let name = value(pairs, "name");
    let owner = Some(value(pairs, "owner")).filter(|owner| !owner.is_empty()).unwrap_or(name);
    let calls_per_second = match value(pairs, "calls_per_second") {
        "" => None,
        // What is no number is refused by the check as a limit of nothing.
        text => Some(text.parse().unwrap_or(0)),
    };
    let expires = match value(pairs, "expires") {
        "" => None,
        day => {
            let end = Timestamp::parse(&format!("{day}T00:00:00Z"));
            end.map_err(|_| note("expires", "is no day".into())).ok()
        }
    };
    let draft =
        ApiKeyDraft { name: name.into(), owner: owner.into(), scopes, calls_per_second, expires };
    draft.check(now, &mut note);
    if mistakes.is_empty() { Ok(draft) } else { Err(Failure::Fields(mistakes)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixtures::{LANGUAGES, check, console, known, now, visit};
    use crate::domain::access::Role;
    use crate::workflow::key_ring::KeyRing;

    fn pairs(of: &[(&str, &str)]) -> Pairs {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_wrong_field_of_a_key_is_named() {
        let form = pairs(&[
            ("name", "Check out"),
            ("scopes", "all"),
            ("calls_per_second", "many"),
            ("expires", "tomorrow"),
        ]);
        let Err(Failure::Fields(mistakes)) = draft(&form, now()) else { panic!("it was taken") };
        let fields: Vec<&str> = mistakes.iter().map(|it| &*it.field).collect();
        let expected = ["scopes", "expires", "name", "owner", "scopes", "calls_per_second"];
        assert_eq!(fields, expected);
        let past = pairs(&[("name", "a"), ("scopes", "score"), ("expires", "1999-12-31")]);
        assert!(matches!(draft(&past, now()), Err(Failure::Fields(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_administrator_makes_rotates_and_revokes_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let console = console(dir.path());
        known(&console, "ann", &[Role::Admin]).await;
        let it = || State(console.clone());
        let form = || pairs(&[("name", "shop"), ("owner", "ann"), ("scopes", "score")]);
        let secret = KeySecret::new([7; 32]);
        let is_known = |ring: Arc<KeyRing>| ring.find(secret.expose().as_bytes()).is_some();
        for language in LANGUAGES {
            let other = visit(language, &[Role::Approver, Role::Strategist]);
            let refused = create(it(), other, Form(form())).await;
            assert!(matches!(refused, Err(Failure::Forbidden(_))));
        }
        let ann = || visit(LANGUAGES[1], &[Role::Admin]);
        let made = create(it(), ann(), Form(form())).await.unwrap().0;
        check(&made);
        assert!(made.contains(&format!("data-secret>{}<", secret.expose())), "{made}");
        assert!(is_known(console.engine.key_ring()));
        assert!(create(it(), ann(), Form(form())).await.is_err(), "the name is used");
        // The fixture's bytes are always the same, so the second secret is somebody's.
        assert!(rotate(it(), Path("shop".into()), ann()).await.is_err());
        drop(revoke(it(), Path("shop".into()), ann()).await.unwrap());
        assert!(!is_known(console.engine.key_ring()));
        assert!(rotate(it(), Path("nobody".into()), ann()).await.is_err());
        let keys = console.engine.list_keys().await.unwrap();
        let rows: Vec<_> =
            keys.iter().map(|key| KeyRow::new(ann().preferences.words, key, now())).collect();
        assert_eq!((&*rows[0].name, rows[0].state), ("shop", KeyState::Revoked));
    }
}
