//! What surrounds every page: navigation, person, language, what was just done.

use std::sync::Arc;

use askama::Template;
use axum::response::Html;

use crate::console::assets::version;
use crate::console::failure::Failure;
use crate::console::guard::Visit;
use crate::console::parts::{Console, Market};
use crate::console::preferences::Keys;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::time::Span;

/// A place in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Orders that wait.
    Queue,
    /// The graph.
    Graph,
    /// Closed cases.
    Cases,
    /// Strategies.
    Lab,
    /// Experiments.
    Experiments,
    /// Models.
    Models,
    /// How people choose.
    Reviews,
    /// How the service does.
    Health,
    /// People and the audit log.
    Admin,
    /// None of them.
    Elsewhere,
}

/// A link of the navigation.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it leads.
    pub href: &'static str,
    /// What it says.
    pub title: String,
    /// True when it is the page itself.
    pub is_here: bool,
}

/// What surrounds a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Words of the language.
    pub words: Words,
    /// Name of the person.
    pub person: String,
    /// Links to the pages that they may see.
    pub links: Vec<Link>,
    /// Colors: `system`, `light` or `dark`.
    pub theme: &'static str,
    /// `on` when single keys act.
    pub keys: &'static str,
    /// Path and query of the page, to come back to.
    pub path: String,
    /// True when every order is simulated.
    pub is_synthetic: bool,
    /// A choice that was just made and can be undone.
    pub done: Option<Done>,
}

/// A choice that waits to be recorded.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its id.
    pub choice_id: String,
    /// What was done.
    pub text: String,
    /// Seconds that are left to undo it.
    pub seconds: i64,
}

/// The pages in the order of the navigation.
const PAGES: [(Place, &str, &str, Permission); 9] = [
    (Place::Queue, "/queue", "nav-queue", Permission::Read),
    (Place::Graph, "/graph", "nav-graph", Permission::Read),
    (Place::Cases, "/cases", "nav-cases", Permission::Read),
    (Place::Lab, "/lab", "nav-lab", Permission::Read),
    (Place::Experiments, "/experiments", "nav-experiments", Permission::Read),
    (Place::Models, "/models", "nav-models", Permission::Read),
    (Place::Reviews, "/reviews", "nav-reviews", Permission::Read),
    (Place::Health, "/health", "nav-health", Permission::Read),
    (Place::Admin, "/admin", "nav-admin", Permission::Administer),
];

impl Frame {
    /// The frame of a page for a visit.
    pub fn new(console: &Arc<Console>, visit: &Visit, here: Place) -> Self {
        let words = visit.preferences.words;
        let links = PAGES.iter().filter(|(_, _, _, permission)| visit.may(*permission));
        Self {
            words,
            person: visit.person.name.to_string(),
            links: links
                .map(|(place, href, key, _)| Link {
                    href,
                    title: words.t(key),
                    is_here: *place == here,
                })
                .collect(),
            theme: visit.preferences.theme.as_str(),
            keys: match visit.preferences.keys {
                Keys::On => "on",
                Keys::Off => "off",
            },
            path: visit.path.clone(),
            is_synthetic: console.market == Market::Synthetic,
            done: done(console, visit),
        }
    }

    /// The address of a compiled-in file.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub fn asset(&self, name: &str) -> String {
        format!("/assets/{name}?v={}", version(name))
    }
}

/// What the person has just done and can still undo.
fn done(console: &Console, visit: &Visit) -> Option<Done> {
    let choice = console.pending.newest_of(&visit.person.person_id)?;
    let words = visit.preferences.words;
    let left = choice.decided_at + console.settings.undo - console.now();
    Some(Done {
        choice_id: choice.choice_id.to_string(),
        text: words.t1("done", "action", words.action(choice.action)),
        seconds: (left.0 / Span::SECOND.0).max(0),
    })
}

/// Writes a page.
///
/// # Errors
/// `Page` when the template fails, which is a fault of this program.
pub fn page(template: &impl Template) -> Result<Html<String>, Failure> {
    Ok(Html(template.render()?))
}
