//! Closed cases: what was chosen and what followed.

pub mod near;
pub mod view;

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::get;
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::encoded;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::cases::view::Row;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::closed_case::{CaseCursor, ClosedCase, ClosedCaseQuery};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::OutcomeKind;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::note::NoteKind;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::dossier_service::DossierService as _;

/// Rows of the page; each is asked for its notes.
const ROWS: u32 = 25;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/cases", get(show)).route("/cases/near", get(near::show))
}

/// What an address asks for; empty is any.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    risk: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    outcome: String,
    /// Where the page before ended.
    #[serde(default)]
    before: String,
}

impl Filters {
    /// The question to the records.
    ///
    /// # Errors
    /// `Fields` with what cannot be read.
    fn query(&self) -> Result<ClosedCaseQuery, Failure> {
        let action = |name: &str| ActionKind::parse(name).ok_or("action");
        let outcome = |name: &str| OutcomeKind::parse(name).ok_or("outcome");
        let before = |name: &str| name.parse().map(CaseCursor).map_err(|_| "before");
        Ok(ClosedCaseQuery {
            action: asked(&self.action, action)?,
            outcome: asked(&self.outcome, outcome)?,
            head: asked(&self.risk, |name| Ok(HeadId(name.into())))?,
            before: asked(&self.before, before)?,
            n_max: ROWS,
        })
    }

    /// The address of the newest rows, with the filters as they are.
    fn newest(&self) -> String {
        let [risk, action, outcome] =
            [&self.risk, &self.action, &self.outcome].map(|it| encoded(it));
        format!("/cases?risk={risk}&action={action}&outcome={outcome}")
    }

    /// The address of the rows after a place, with the filters as they are.
    fn after(&self, place: CaseCursor) -> String {
        format!("{}&before={}", self.newest(), place.0)
    }
}

/// The value of a filter; empty is any.
fn asked<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    read(text).map(Some).map_err(|field| Failure::field(field, format!("`{text}` is not known")))
}

#[derive(Template)]
#[template(path = "cases.html", config = ".config/askama.toml")]
struct CasesPage {
    frame: Frame,
    filters: Filters,
    risks: Vec<(&'static str, String)>,
    actions: Vec<(&'static str, String)>,
    outcomes: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// Closed cases that fit.
///
/// # Errors
/// As the engine's; `Fields` for a filter that cannot be read.
pub async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(filters): Query<Filters>,
) -> Result<Html<String>, Failure> {
    let words = visit.preferences.words;
    let listed = console.engine.list_closed_cases(filters.query()?).await?;
    let exemplars = exemplars(&console, &listed.cases).await?;
    let hidden = hidden(&console, &listed.cases).await?;
    // A filter on what is hidden would tell it.
    let asks_for_hidden = !filters.risk.is_empty() || !filters.action.is_empty();
    let is_told = |it: &&ClosedCase| !asks_for_hidden || !hidden.contains(&it.decision_id);
    let told = listed.cases.iter().filter(is_told);
    let rows = told.map(|it| Row::new(words, it, (&exemplars, &hidden)));
    page(&CasesPage {
        frame: Frame::new(&console, &visit, Place::Cases),
        risks: risks(words),
        actions: ActionKind::ALL.map(|it| (it.as_str(), words.action(it))).into(),
        outcomes: OutcomeKind::ALL.map(|it| (it.as_str(), words.outcome(it))).into(),
        rows: rows.collect(),
        next: listed.next.map(|cursor| filters.after(cursor)),
        filters,
    })
}

fn risks(words: Words) -> Vec<(&'static str, String)> {
    RiskType::ALL.iter().map(|it| (it.as_str(), words.head(&it.head()))).collect()
}

/// Those of some cases that people are to judge before they see what was recommended.
async fn hidden(console: &Console, cases: &[ClosedCase]) -> Result<BTreeSet<DecisionId>, Failure> {
    let open = cases.iter().filter(|case| case.chosen.is_none()).map(|case| case.decision_id);
    let open: Vec<DecisionId> = open.collect();
    let decisions = console.engine.decisions_in_short(&open).await?;
    Ok(decisions.iter().filter(|it| it.is_blind).map(|it| it.decision_id).collect())
}

/// Those of some cases that somebody has called an example to learn from.
async fn exemplars(
    console: &Console,
    cases: &[ClosedCase],
) -> Result<BTreeSet<DecisionId>, Failure> {
    let mut found = BTreeSet::new();
    for case in cases {
        let notes = console.engine.list_notes(case.decision_id).await?;
        if notes.iter().any(|note| note.kind == NoteKind::Exemplar) {
            found.insert(case.decision_id);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_stay_in_the_address_and_what_is_not_known_is_refused() {
        let filters = Filters {
            action: "decline".into(),
            outcome: "confirmed_fraud".into(),
            ..Filters::default()
        };
        let query = filters.query().unwrap();
        let kinds = (query.action, query.outcome, query.head, query.before);
        let expected = (Some(ActionKind::Decline), Some(OutcomeKind::ConfirmedFraud), None, None);
        assert_eq!(kinds, expected);
        let address = "/cases?risk=&action=decline&outcome=confirmed_fraud&before=7";
        assert_eq!(filters.after(CaseCursor(7)), address);
        let next = Filters { before: "7".into(), ..Filters::default() };
        assert_eq!(next.query().unwrap().before, Some(CaseCursor(7)));
        for wrong in [
            Filters { action: "shrug".into(), ..Filters::default() },
            Filters { outcome: "shrug".into(), ..Filters::default() },
            Filters { before: "-1".into(), ..Filters::default() },
        ] {
            assert!(matches!(wrong.query(), Err(Failure::Fields(_))), "{wrong:?}");
        }
    }
}
