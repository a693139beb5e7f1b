//! The lab's first page: levers on the left, what they change on the right.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::lab::draft::{Draft, Fault, LAST};
use crate::console::pages::lab::preview::Preview;
use crate::console::pages::lab::versions::{Reversal, VersionRow, rows, short};
use crate::console::parts::{Console, LeverTools};
use crate::console::words::Words;
use crate::domain::access::{Permission, Person};
use crate::domain::lever::{Lever, LeverGroup, LeverUnit};
use crate::domain::strategy_version::StrategyVersion;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_service::StrategyService as _;

/// Groups in the order of the page.
const GROUPS: [(LeverGroup, &str); 4] = [
    (LeverGroup::Weight, "lab-group-weight"),
    (LeverGroup::Threshold, "lab-group-threshold"),
    (LeverGroup::Money, "lab-group-money"),
    (LeverGroup::Review, "lab-group-review"),
];

/// A lever on the page.
#[derive(Debug)]
struct LeverView {
    /// Number on the page, for ids.
    idx: usize,
    key: String,
    title: String,
    unit: String,
    /// What its field says.
    value: String,
    /// What the base says.
    was: String,
    /// What the active strategy says.
    active: Option<String>,
    is_changed: bool,
    min: String,
    max: String,
    slider_max: String,
    step: String,
}

/// Levers about one thing.
#[derive(Debug)]
struct Group {
    title: String,
    levers: Vec<LeverView>,
    is_open: bool,
}

/// A version that a draft may start from.
#[derive(Debug)]
struct Base {
    hash: String,
    title: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "lab.html", config = ".config/askama.toml")]
struct LabPage {
    frame: Frame,
    bases: Vec<Base>,
    base_hash: String,
    groups: Vec<Group>,
    text: String,
    is_edited: bool,
    last: u64,
    note: String,
    preview: Preview,
    may_author: bool,
    n_waiting: i64,
    versions: Vec<VersionRow>,
    reversal: Option<Reversal>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Hash of the version to start from; empty is the active one.
    #[serde(default)]
    base: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let ledger = console.engine.list_strategies().await?;
    let base = match &*asked.base {
        "" => ledger.active().ok_or(Failure::NoPage)?,
        hash => ledger.find(hash)?,
    };
    let draft = Draft::of(base.clone(), console.levers);
    board(&console, &visit, (&ledger, draft, Preview::Nothing))
}

/// The page with a draft in its form and a preview beside it.
///
/// # Errors
/// `Page`.
pub fn board(
    console: &Arc<Console>,
    visit: &Visit,
    (ledger, draft, preview): (&StrategyLedger, Draft, Preview),
) -> Result<Html<String>, Failure> {
    let frame = Frame::new(console, visit, Place::Lab);
    written(frame, (&visit.person, console.levers), (ledger, draft, preview))
}

/// The same without the service behind it.
///
/// # Errors
/// `Page`.
pub fn written(
    frame: Frame,
    reader: (&Person, LeverTools),
    shown: (&StrategyLedger, Draft, Preview),
) -> Result<Html<String>, Failure> {
    page(&lab_page(frame, reader, shown))
}

fn lab_page(
    frame: Frame,
    (person, tools): (&Person, LeverTools),
    (ledger, draft, preview): (&StrategyLedger, Draft, Preview),
) -> LabPage {
    let words = frame.words;
    let active = ledger.active().filter(|active| active.hash != draft.base.hash);
    let active = active.map(|it| (tools.read)(&it.toml).unwrap_or_default());
    let versions = rows(words, person, ledger);
    let waiting = ledger.versions().iter().filter(|version| !version.may_judge());
    let base_of = |version: &StrategyVersion| Base {
        hash: version.hash.to_string(),
        title: format!("{} · {}", short(&version.hash), version.name),
        is_chosen: version.hash == draft.base.hash,
    };
    LabPage {
        bases: ledger.versions().iter().rev().map(base_of).collect(),
        base_hash: draft.base.hash.to_string(),
        groups: groups(words, &draft, active.as_deref()),
        text: draft.text.to_string(),
        is_edited: draft.is_edited(),
        last: draft.last,
        note: draft.note,
        preview,
        may_author: person.may(Permission::Author),
        n_waiting: i64::try_from(waiting.count()).unwrap_or(i64::MAX),
        versions,
        reversal: Reversal::of(words, ledger).filter(|_| person.may(Permission::Approve)),
        frame,
    }
}

fn groups(words: Words, draft: &Draft, active: Option<&[Lever]>) -> Vec<Group> {
    let mut by_group: BTreeMap<LeverGroup, Vec<LeverView>> = BTreeMap::new();
    for (idx, lever) in draft.levers.iter().enumerate() {
        by_group.entry(lever.group).or_default().push(lever_view(
            words,
            (idx, lever),
            draft,
            active,
        ));
    }
    let group = |(group, key): (LeverGroup, &str)| {
        let levers = by_group.remove(&group)?;
        let is_open = group == LeverGroup::Weight || levers.iter().any(|it| it.is_changed);
        Some(Group { title: words.t(key), levers, is_open })
    };
    GROUPS.into_iter().filter_map(group).collect()
}

fn lever_view(
    words: Words,
    (idx, lever): (usize, &Lever),
    draft: &Draft,
    active: Option<&[Lever]>,
) -> LeverView {
    let (value, was) = (draft.value_of(lever), lever.value.to_string());
    let of_active = active.and_then(|levers| levers.iter().find(|it| it.key == lever.key));
    LeverView {
        idx,
        key: lever.key.to_string(),
        title: words.of(&lever.title).to_owned(),
        unit: words.t(match lever.unit {
            LeverUnit::Factor => "lab-unit-factor",
            LeverUnit::Share => "lab-unit-share",
            LeverUnit::Minor => "lab-unit-minor",
            LeverUnit::Hours => "lab-unit-hours",
        }),
        is_changed: value.parse() != Ok(lever.value),
        value,
        active: of_active.map(|it| it.value.to_string()).filter(|it| *it != was),
        was,
        min: lever.min.to_string(),
        max: lever.max.to_string(),
        slider_max: lever.slider_max().to_string(),
        step: lever.step.to_string(),
    }
}
