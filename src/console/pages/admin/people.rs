//! What an administrator does with people: add, change, let in, lock out.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, Redirect};

use crate::console::failure::Failure;
use crate::console::form::origin;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::admin::answer_frame;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::{Permission, Person, PersonDraft, Role, hash_of_key};
use crate::domain::strategy_version::Signer;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::error::FieldMistake;

/// Names and values of a form whose boxes have one name.
pub type Pairs = Vec<(String, String)>;

/// A person in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// What they sign in as.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Names of their roles.
    pub roles: Vec<String>,
    /// False once they have left.
    pub is_active: bool,
    /// True when they can sign in by a key of their own.
    pub has_key: bool,
}

impl PersonRow {
    /// The row of a person.
    pub fn new(words: Words, person: &Person) -> Self {
        Self {
            id: person.person_id.to_string(),
            name: person.name.to_string(),
            roles: person.roles.iter().map(|role| role_title(words, *role)).collect(),
            is_active: person.is_active,
            has_key: !person.key_hash.is_empty(),
        }
    }
}

/// A role as a box to tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChoice {
    /// Its stable name.
    pub name: &'static str,
    /// Its name.
    pub title: String,
    /// What it may do.
    pub hint: String,
    /// True when the person has it.
    pub is_on: bool,
}

impl RoleChoice {
    /// All roles; those of a person are ticked.
    pub fn all(words: Words, person: Option<&Person>) -> Vec<Self> {
        let choice = |role: Role| Self {
            name: role.as_str(),
            title: role_title(words, role),
            hint: words.t(&format!("role-{}-hint", role.as_str())),
            is_on: person.is_some_and(|person| person.roles.contains(&role)),
        };
        Role::ALL.into_iter().map(choice).collect()
    }
}

fn role_title(words: Words, role: Role) -> String {
    words.t(&format!("role-{}", role.as_str()))
}

#[derive(Template)]
#[template(path = "admin_person.html", config = ".config/askama.toml")]
struct PersonPage {
    frame: Frame,
    person: PersonRow,
    roles: Vec<RoleChoice>,
}

#[derive(Template)]
#[template(path = "admin_given.html", config = ".config/askama.toml")]
struct GivenPage {
    frame: Frame,
    person: PersonRow,
    /// What was given; it is shown here and never again.
    given: Given,
}

enum Given {
    Link(String),
    Key(String),
}

/// Shows one person, to be changed.
///
/// # Errors
/// `Forbidden`, or `NoPage` when there is nobody with this name.
pub async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let person = find(&console, &id).await?;
    let words = visit.preferences.words;
    let person_page = PersonPage {
        frame: Frame::new(&console, &visit, Place::Admin),
        person: PersonRow::new(words, &person),
        roles: RoleChoice::all(words, Some(&person)),
    };
    page(&person_page)
}

/// Adds a person, who has nothing to sign in with yet, and shows their one-time link.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's.
pub async fn add(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let (origin, id) = (origin(&headers)?, value(&pairs, "person_id"));
    let draft = draft(id, &pairs, Life::Active)?;
    // A form to add somebody must not change somebody else by accident.
    if console.engine.find_person(id).await?.is_some() {
        return Err(Failure::field("person_id", "is somebody's already; change them instead"));
    }
    let person = console.engine.change_person(draft, signer(&visit), console.now()).await?;
    let link = invite(&console, &visit, &person, &origin).await?;
    given(&console, &visit, &person, Given::Link(link))
}

/// Changes what somebody is called and does; who has left is signed out everywhere.
///
/// # Errors
/// `Forbidden`, `NoPage`, `Fields`, or as the engine's: `Refused` for the last administrator.
pub async fn change(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Redirect, Failure> {
    visit.need(Permission::Administer)?;
    let before = find(&console, &id).await?;
    let life = if value(&pairs, "is_active") == "yes" { Life::Active } else { Life::Left };
    let draft = draft(&before.person_id, &pairs, life)?;
    let person = console.engine.change_person(draft, signer(&visit), console.now()).await?;
    if !person.is_active {
        console.sessions.end_all(&person.person_id);
    }
    Ok(Redirect::to("/admin"))
}

/// Gives a link that signs somebody in once, and shows it once.
///
/// # Errors
/// `Forbidden`, `NoPage`, or `Fields` for somebody who has left.
pub async fn give_link(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let person = find(&console, &id).await?;
    must_be_active(&person)?;
    let link = invite(&console, &visit, &person, &origin(&headers)?).await?;
    given(&console, &visit, &person, Given::Link(link))
}

/// Gives a new sign-in key in place of the one before, and shows it once.
///
/// # Errors
/// `Forbidden`, `NoPage`, `Fields` for somebody who has left, or as the engine's.
pub async fn give_key(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let person = find(&console, &id).await?;
    must_be_active(&person)?;
    let key = console.token();
    let Person { person_id, name, roles, is_active, .. } = person;
    let key_hash = Some(hash_of_key(key.expose()));
    let draft = PersonDraft { person_id, name, roles, is_active, key_hash };
    let person = console.engine.change_person(draft, signer(&visit), console.now()).await?;
    console.audit(&visit.person.person_id, "key.given", &person.person_id, "").await?;
    given(&console, &visit, &person, Given::Key(key.expose().to_owned()))
}

/// Signs somebody out everywhere, and makes their links useless.
///
/// # Errors
/// `Forbidden`, `NoPage`, or as the engine's.
pub async fn end_sessions(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Redirect, Failure> {
    visit.need(Permission::Administer)?;
    let person = find(&console, &id).await?;
    // What is to be safe happens even when the log cannot be written.
    console.sessions.end_all(&person.person_id);
    console.audit(&visit.person.person_id, "sessions.ended", &person.person_id, "").await?;
    Ok(Redirect::to("/admin"))
}

/// Makes a link; it is in the log before anybody can use it.
async fn invite(
    console: &Console,
    visit: &Visit,
    person: &Person,
    origin: &str,
) -> Result<String, Failure> {
    let token = console.token();
    console.audit(&visit.person.person_id, "session.invited", &person.person_id, "").await?;
    console.sessions.invite(&token, &person.person_id, console.now());
    Ok(format!("{origin}/sign-in?link={}", token.expose()))
}

fn given(
    console: &Arc<Console>,
    visit: &Visit,
    person: &Person,
    given: Given,
) -> Result<Html<String>, Failure> {
    let frame = answer_frame(console, visit);
    let person = PersonRow::new(frame.words, person);
    page(&GivenPage { frame, person, given })
}

async fn find(console: &Console, id: &str) -> Result<Person, Failure> {
    console.engine.find_person(id).await?.ok_or(Failure::NoPage)
}

fn must_be_active(person: &Person) -> Result<(), Failure> {
    if person.is_active {
        return Ok(());
    }
    Err(Failure::field("is_active", "is not set: who has left cannot sign in"))
}

pub(super) fn signer(visit: &Visit) -> Signer {
    Signer { by: visit.person.person_id.clone(), note: Box::default() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Active,
    Left,
}

/// The person that a form describes; their key stays.
pub(super) fn draft(id: &str, pairs: &Pairs, life: Life) -> Result<PersonDraft, Failure> {
    let mut mistakes = Vec::new();
    let mut note = |field: &str, description: String| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    };
    let mut roles = BTreeSet::new();
    for (_, name) in pairs.iter().filter(|(field, _)| field == "roles") {
        match Role::parse(name) {
            Some(role) => {
                roles.insert(role);
            }
            None => note("roles", format!("has no `{name}`")),
        }
    }
    let draft = PersonDraft {
        person_id: id.into(),
        name: value(pairs, "name").into(),
        roles,
        is_active: life == Life::Active,
        key_hash: None,
    };
    draft.check(&mut note);
    if mistakes.is_empty() { Ok(draft) } else { Err(Failure::Fields(mistakes)) }
}

/// What a form says in a field, without spaces around it; empty when it has none.
pub(super) fn value<'p>(pairs: &'p Pairs, field: &str) -> &'p str {
    pairs.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.trim())
}
