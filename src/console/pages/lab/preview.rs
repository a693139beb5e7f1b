//! The live back-test: recorded orders judged again under a draft.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};
use tokio::time::sleep;

use crate::console::failure::Failure;
use crate::console::frame::page;
use crate::console::guard::Visit;
use crate::console::pages::lab::board::board;
use crate::console::pages::lab::draft::{Draft, Fault, Fields, raw};
use crate::console::pages::lab::findings::Findings;
use crate::console::pages::lab::orders::FLIPPED_SHOWN;
use crate::console::pages::lab::versions::{Diff, base_of};
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::backtest::BacktestReport;
use crate::domain::decision::DecisionId;
use crate::domain::query::StrategyChoice;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::error::Error;
use crate::workflow::preview::PreviewItem;
use crate::workflow::strategy_service::StrategyService as _;

/// Header of requests for a part of a page.
const PART: &str = "x-part";
/// How often it is tried again while another back-test runs.
const TRIES: u32 = 40;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown beside the levers.
#[derive(Debug)]
pub enum Preview {
    /// Nothing was asked yet.
    Nothing,
    /// No order has come that it could judge.
    NoOrders,
    /// The draft has mistakes.
    Faults(Vec<Fault>),
    /// Another back-test runs.
    Busy,
    /// What was found, and how the text changes.
    Found(Box<Findings>, Diff),
}

/// A preview by itself.
#[derive(Template)]
#[template(path = "lab_preview.html", config = ".config/askama.toml")]
struct PreviewPart {
    words: Words,
    preview: Preview,
}

/// True when a script asks for a part of a page.
pub fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key(PART)
}

/// Writes a preview by itself.
///
/// # Errors
/// `Page`.
pub fn part(words: Words, preview: Preview) -> Result<Response, Failure> {
    Ok(page(&PreviewPart { words, preview })?.into_response())
}

/// Judges recorded orders again under what the form says.
///
/// # Errors
/// `NoPage` for a base that is not known, or as the engine's.
pub async fn preview(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Failure> {
    let ledger = console.engine.list_strategies().await?;
    let draft = Draft::sent(base_of(&ledger, &fields)?, console.levers, fields);
    let words = visit.preferences.words;
    let shown = of_draft(&console, words, &draft).await?;
    if is_part(&headers) {
        return part(words, shown);
    }
    let html: Html<String> = board(&console, &visit, (&ledger, draft, shown))?;
    Ok(html.into_response())
}

/// The preview of a draft; its mistakes are a preview, too.
async fn of_draft(console: &Console, words: Words, draft: &Draft) -> Result<Preview, Failure> {
    let toml = match draft.toml(words, console.levers) {
        Ok(toml) => toml,
        Err(faults) => return Ok(Preview::Faults(faults)),
    };
    let diff = Diff::of(&draft.base.toml, &toml);
    of_choice(console, words, (StrategyChoice::Text(toml.into()), draft.last, diff)).await
}

/// The preview of a text or a known version.
///
/// # Errors
/// As the engine's, but for mistakes of the text and a back-test that runs already.
pub async fn of_choice(
    console: &Console,
    words: Words,
    (choice, last, diff): (StrategyChoice, u64, Diff),
) -> Result<Preview, Failure> {
    match report(console, &choice, last).await {
        Ok(report) => {
            let hidden = hidden(console, &report).await?;
            Ok(Preview::Found(Box::new(Findings::of(words, &report, &hidden)), diff))
        }
        Err(Error::InvalidStrategy(mistakes)) => Ok(Preview::Faults(raw(&mistakes))),
        Err(Error::Exhausted { .. }) => Ok(Preview::Busy),
        Err(error) => Err(error.into()),
    }
}

/// Waits for its turn and for the report.
///
/// Whoever asked and has left takes both along.
async fn report(
    console: &Console,
    choice: &StrategyChoice,
    last: u64,
) -> Result<BacktestReport, Error> {
    let mut tries = 0;
    let mut items = loop {
        match console.engine.preview_strategy(choice.clone(), last).await {
            Err(Error::Exhausted { .. }) if tries < TRIES => tries += 1,
            answer => break answer?,
        }
        sleep(PAUSE).await;
    };
    while let Some(item) = items.recv().await {
        match item? {
            PreviewItem::Progress(_) => {}
            PreviewItem::Report(report) => return Ok(*report),
        }
    }
    Err(Error::Unavailable("the back-test ended without a report".into()))
}

/// The flipped orders whose recommendation reviewers are not to see.
async fn hidden(
    console: &Console,
    report: &BacktestReport,
) -> Result<BTreeSet<DecisionId>, Failure> {
    let shown = report.flipped.iter().take(FLIPPED_SHOWN);
    let ids: Vec<DecisionId> = shown.map(|it| it.decision_id).collect();
    let known = console.engine.decisions_in_short(&ids).await?;
    Ok(known.iter().filter(|it| it.is_blind).map(|it| it.decision_id).collect())
}
