//! What people do with strategies: propose, approve, let judge, take back.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::guard::Visit;
use crate::console::pages::lab::board::board;
use crate::console::pages::lab::draft::{Draft, Fault, Fields, raw};
use crate::console::pages::lab::preview::Preview;
use crate::console::pages::lab::versions::{Reversal, base_of, short};
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::{Permission, check_signer};
use crate::domain::strategy_version::Signer;
use crate::workflow::error::FieldMistake;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_service::StrategyService as _;

/// Percent that are all.
const ALL: u32 = 100;

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    note: String,
    /// Percent of the accounts.
    #[serde(default)]
    percent: String,
    /// Hash of what was said to be taken back.
    #[serde(default)]
    takes: String,
}

/// Puts what the form says up for approval; with mistakes the form comes back.
pub(super) async fn propose(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Failure> {
    visit.need(Permission::Author)?;
    let ledger = console.engine.list_strategies().await?;
    let draft = Draft::sent(base_of(&ledger, &fields)?, console.levers, fields);
    let toml = match checked(&console, visit.preferences.words, &ledger, &draft) {
        Ok(toml) => toml,
        Err(faults) => {
            let html = board(&console, &visit, (&ledger, draft, Preview::Faults(faults)))?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, html).into_response());
        }
    };
    let signer = signer(&visit, &draft.note)?;
    let after = console.engine.propose_strategy(toml.clone(), signer, console.now()).await?;
    let known = after.versions().iter().rev().find(|version| *version.toml == *toml);
    let hash = known.map(|version| version.hash.to_string()).ok_or(Failure::NoPage)?;
    console.audit(&visit.person.person_id, "strategy.proposed", &hash, &draft.note).await?;
    Ok(Redirect::to(&format!("/lab/versions/{hash}")).into_response())
}

/// The text, when it is sound, new, and somebody says why.
fn checked(
    console: &Console,
    words: Words,
    ledger: &StrategyLedger,
    draft: &Draft,
) -> Result<String, Vec<Fault>> {
    let mut faults = Vec::new();
    if draft.note.is_empty() {
        faults.push(Fault::Told(words.t("lab-fault-note")));
    }
    let checked = draft.toml(words, console.levers).and_then(|toml| {
        let checked = console.engine.check_strategy(&toml).map_err(|it| raw(&it))?;
        match ledger.get(&checked.hash) {
            None => Ok(toml),
            Some(known) => {
                Err(vec![Fault::Told(words.t1("lab-fault-known", "version", short(&known.hash)))])
            }
        }
    });
    match checked {
        Ok(toml) if faults.is_empty() => Ok(toml),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

/// Approves a version; the service refuses its author.
pub(super) async fn approve(
    State(console): State<Arc<Console>>,
    Path(hash): Path<String>,
    visit: Visit,
    Form(step): Form<Step>,
) -> Result<Response, Failure> {
    visit.need(Permission::Approve)?;
    let hash = whole(&console, &hash).await?;
    let signer = signer(&visit, &step.note)?;
    console.engine.approve_strategy(hash.clone(), signer, console.now()).await?;
    done(&console, &visit, ("strategy.approved", &hash, step.note.trim())).await
}

/// Lets an approved version judge some accounts, or all.
pub(super) async fn activate(
    State(console): State<Arc<Console>>,
    Path(hash): Path<String>,
    visit: Visit,
    Form(step): Form<Step>,
) -> Result<Response, Failure> {
    visit.need(Permission::Approve)?;
    let percent = step.percent.trim().parse().ok().filter(|it| (1..=ALL).contains(it));
    let percent = percent.ok_or_else(|| Failure::field("percent", "must be 1 to 100"))?;
    let hash = whole(&console, &hash).await?;
    let signer = signer(&visit, &step.note)?;
    console.engine.activate_strategy(hash.clone(), percent, signer, console.now()).await?;
    let detail = format!("{percent} % of the accounts; {}", step.note.trim());
    done(&console, &visit, ("strategy.activated", &hash, &detail)).await
}

/// Takes back what the page said; when another step came between, nothing.
pub(super) async fn revert(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(step): Form<Step>,
) -> Result<Response, Failure> {
    visit.need(Permission::Approve)?;
    let ledger = console.engine.list_strategies().await?;
    let now = Reversal::of(visit.preferences.words, &ledger);
    if now.is_none_or(|now| now.takes != step.takes) {
        let text = "is not what would be taken back now: look at the strategies again";
        return Err(Failure::field("takes", text));
    }
    let signer = signer(&visit, &step.note)?;
    let after = console.engine.revert_strategy(signer, console.now()).await?;
    let detail = format!("{} judges; {}", after.active_hash(), step.note.trim());
    done(&console, &visit, ("strategy.reverted", &step.takes, &detail)).await
}

/// Writes what was done down and shows the version after it.
async fn done(
    console: &Console,
    visit: &Visit,
    (action, hash, detail): (&str, &str, &str),
) -> Result<Response, Failure> {
    console.audit(&visit.person.person_id, action, hash, detail).await?;
    Ok(Redirect::to(&format!("/lab/versions/{hash}")).into_response())
}

/// The hash that begins so.
async fn whole(console: &Console, digits: &str) -> Result<Box<str>, Failure> {
    Ok(console.engine.list_strategies().await?.find(digits)?.hash.clone())
}

fn signer(visit: &Visit, note: &str) -> Result<Signer, Failure> {
    let signer = Signer { by: visit.person.person_id.clone(), note: note.trim().into() };
    let mut mistakes = Vec::new();
    check_signer(&signer, &mut |field, description| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    });
    if mistakes.is_empty() { Ok(signer) } else { Err(Failure::Fields(mistakes)) }
}
