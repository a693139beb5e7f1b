//! The audit log on pages: its entries, whether the chain holds, a file.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::try_unfold;
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::encoded;
use crate::console::format::count;
use crate::console::frame::{Frame, page};
use crate::console::guard::Visit;
use crate::console::pages::admin::answer_frame;
use crate::console::parts::Console;
use crate::domain::access::{AuditEntry, LinkFault, Permission};
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery};
use crate::workflow::access_service::AccessService as _;
use crate::workflow::error::Error;

/// Entries of a page.
const ENTRIES: usize = 40;
/// Digits of a hash that people see.
const HASH_DIGITS: usize = 12;

/// Which entries an address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogFilters {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    before: Option<u64>,
}

/// An entry as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its number.
    pub sequence: u64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More about it.
    pub detail: String,
    /// The first digits of its hash.
    pub hash: String,
}

/// Some entries, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogView {
    /// The actor that is asked for.
    pub actor: String,
    /// The action that is asked for.
    pub action: String,
    /// The entries.
    pub rows: Vec<EntryRow>,
    /// Where older ones are; empty when there are none.
    pub older: String,
    /// Where the newest ones are; empty when they are here.
    pub newest: String,
}

impl LogView {
    /// Reads a page of the log.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn read(console: &Console, filters: &LogFilters) -> Result<Self, Failure> {
        let wanted = |text: &str| (!text.trim().is_empty()).then(|| text.trim().into());
        let query = AuditQuery {
            before: filters.before,
            actor: wanted(&filters.actor),
            action: wanted(&filters.action),
            // One more tells whether there is another page.
            n_max: u32::try_from(ENTRIES + 1).unwrap_or(AUDIT_PAGE_MAX),
        };
        Ok(Self::new(filters, &console.engine.list_audit(query).await?))
    }

    pub(super) fn new(filters: &LogFilters, entries: &[AuditEntry]) -> Self {
        let rows: Vec<EntryRow> = entries.iter().take(ENTRIES).map(row).collect();
        let (actor, action) = (filters.actor.trim(), filters.action.trim());
        let here = format!("/admin?actor={}&action={}", encoded(actor), encoded(action));
        let last = rows.last().filter(|_| rows.len() < entries.len());
        Self {
            older: last
                .map_or_else(String::new, |row| format!("{here}&before={}#log", row.sequence)),
            newest: filters.before.map_or_else(String::new, |_| format!("{here}#log")),
            actor: actor.to_owned(),
            action: action.to_owned(),
            rows,
        }
    }
}

fn row(entry: &AuditEntry) -> EntryRow {
    let at = entry.at.to_string();
    EntryRow {
        sequence: entry.sequence,
        // To the second: what one person did in a minute has an order.
        at: at.get(..19).map_or_else(|| at.clone(), |it| it.replace('T', " ")),
        actor: entry.actor.to_string(),
        action: entry.action.to_string(),
        subject: entry.subject.to_string(),
        detail: entry.detail.to_string(),
        hash: entry.hash.get(..HASH_DIGITS).unwrap_or(&entry.hash).to_owned(),
    }
}

#[derive(Template)]
#[template(path = "admin_verified.html", config = ".config/askama.toml")]
struct VerifiedPage {
    frame: Frame,
    n_entries: String,
    head_hash: String,
    /// Number of the first entry that does not hold, and why.
    broken: Option<(u64, String)>,
}

/// Reads the whole chain and says whether it holds.
///
/// # Errors
/// `Forbidden`, or as the engine's.
pub async fn verify(
    State(console): State<Arc<Console>>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let report = console.engine.verify_audit().await?;
    let detail = match &report.broken {
        Some(broken) => broken.to_string(),
        None => format!("{} entries hold, the last is {}", report.n_entries, report.head_hash),
    };
    console.audit(&visit.person.person_id, "audit.verified", "audit", &detail).await?;
    let frame = answer_frame(&console, &visit);
    let words = frame.words;
    let fault = |fault: LinkFault| match fault {
        LinkFault::OtherSequence => words.t("admin-fault-other_sequence"),
        LinkFault::OtherPast => words.t("admin-fault-other_past"),
        LinkFault::Changed => words.t("admin-fault-changed"),
        LinkFault::OtherPerson => words.t("admin-fault-other_person"),
        LinkFault::OtherApiKey => words.t("admin-fault-other_api_key"),
        LinkFault::OtherIdentifier => words.t("admin-fault-other_identifier"),
        LinkFault::OtherEnd => words.t("admin-fault-other_end"),
    };
    let verified_page = VerifiedPage {
        n_entries: count(report.n_entries),
        head_hash: report.head_hash.to_string(),
        broken: report.broken.map(|broken| (broken.sequence, fault(broken.fault))),
        frame,
    };
    page(&verified_page)
}

/// The whole log as JSON Lines, newest first; a bounded page of it is in memory at a time.
///
/// # Errors
/// `Forbidden`, or as the engine's.
pub async fn export(
    State(console): State<Arc<Console>>,
    visit: Visit,
) -> Result<Response, Failure> {
    visit.need(Permission::Administer)?;
    console.audit(&visit.person.person_id, "audit.exported", "audit", "").await?;
    let first = entries_before(&console, None).await?;
    let parts = try_unfold((console, first), async |(console, entries)| {
        let Some(last) = entries.last() else { return Ok::<_, Error>(None) };
        let next = entries_before(&console, Some(last.sequence)).await?;
        Ok(Some((lines(&entries)?, (console, next))))
    });
    let headers = [
        (CONTENT_TYPE, "application/jsonl"),
        (CONTENT_DISPOSITION, "attachment; filename=\"orderlens-audit.jsonl\""),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

async fn entries_before(console: &Console, before: Option<u64>) -> Result<Vec<AuditEntry>, Error> {
    let query = AuditQuery { before, actor: None, action: None, n_max: AUDIT_PAGE_MAX };
    console.engine.list_audit(query).await
}

fn lines(entries: &[AuditEntry]) -> Result<String, Error> {
    let mut text = String::new();
    for entry in entries {
        let line = serde_json::to_string(entry);
        text.push_str(&line.map_err(|error| Error::failed("writing an entry of the log", error))?);
        text.push('\n');
    }
    Ok(text)
}
