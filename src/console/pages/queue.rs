//! The queue: which orders to look at first, whose they are, how long they wait.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::format::{count, grouped, minute, money, span};
use crate::console::frame::{Frame, Place as Page, page};
use crate::console::guard::Visit;
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::query::DecisionKey;
use crate::domain::review_queue::{Place, QueueQuery, QueuedOrder, ReviewQueue};
use crate::domain::risk::top_risk;
use crate::domain::time::Span;
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;

/// Rows of the page.
const ROWS: usize = 25;
/// Most waiting orders that are ranked for a page.
const RANKED_MAX: usize = 1_000;
/// Orders placed earlier than this are past any review.
const PLACED_WITHIN: Span = Span::days(30);

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/queue", get(show))
        .route("/queue/start", post(start))
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Filters {
    #[serde(default)]
    sort: Sort,
    #[serde(default)]
    place: PlaceFilter,
    #[serde(default)]
    from: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Value,
    Sla,
    Amount,
    Risk,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaceFilter {
    #[default]
    All,
    Ranked,
    Drawn,
    Waits,
}

struct Row {
    id: String,
    order_id: String,
    channel: String,
    placed: String,
    age: String,
    is_late: bool,
    gain: String,
    per_minute: String,
    minutes: String,
    place: String,
    head: String,
    band: &'static str,
    band_text: String,
    frequency: String,
    reason: String,
    claimed_by: String,
    is_mine: bool,
}

#[derive(Template)]
#[template(path = "queue.html", config = ".config/askama.toml")]
struct QueuePage {
    frame: Frame,
    n_waiting: String,
    n_looked_at: String,
    hours: String,
    oldest: String,
    is_overloaded: bool,
    may_decide: bool,
    sort: Sort,
    place: PlaceFilter,
    rows: Vec<Row>,
    from: usize,
    n_shown: usize,
    next: Option<usize>,
    before: Option<usize>,
}

async fn ranked(console: &Console) -> Result<ReviewQueue, Failure> {
    let now = console.now();
    let query = QueueQuery { minutes: None, placed_from: now - PLACED_WITHIN, orders_max: RANKED_MAX };
    let mut queue = console.engine.get_review_queue(query, now).await?;
    // What somebody has just chosen about waits for nobody.
    queue.orders.retain(|order| !console.pending.is_chosen(order.decision_id));
    Ok(queue)
}

/// The order to look at next: the first that nobody else has open.
///
/// # Errors
/// As the engine's.
pub async fn next_waiting(
    console: &Console,
    visit: &Visit,
    except: Option<DecisionId>,
) -> Result<Option<DecisionId>, Failure> {
    let (queue, now) = (ranked(console).await?, console.now());
    let is_free = |order: &&QueuedOrder| {
        let claim = console.claims.of(order.decision_id, now);
        let is_others = claim.is_some_and(|claim| claim.person_id != visit.person.person_id);
        Some(order.decision_id) != except && !is_others
    };
    Ok(queue.orders.iter().find(is_free).map(|order| order.decision_id))
}

async fn start(State(console): State<Arc<Console>>, visit: Visit) -> Result<Response, Failure> {
    let next = next_waiting(&console, &visit, None).await?;
    let place = next.map_or_else(|| "/queue".to_owned(), |id| format!("/decisions/{id}"));
    Ok(Redirect::to(&place).into_response())
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(filters): Query<Filters>,
) -> Result<Html<String>, Failure> {
    let (mut queue, now) = (ranked(&console).await?, console.now());
    let times = queue.orders.iter().map(|order| order.waiting.event_time);
    let oldest = times.min().map_or_else(|| "–".to_owned(), |at| span(now - at));
    queue.orders.retain(|order| match filters.place {
        PlaceFilter::All => true,
        PlaceFilter::Ranked => order.place == Place::Ranked,
        PlaceFilter::Drawn => order.place == Place::Drawn,
        PlaceFilter::Waits => order.place == Place::Waits,
    });
    if filters.sort == Sort::Sla {
        queue.orders.sort_by_key(|order| order.waiting.event_time);
    }
    let from = filters.from.min(queue.orders.len());
    let mut rows = Vec::with_capacity(ROWS);
    for order in queue.orders.iter().skip(from).take(ROWS) {
        let decision = console.engine.get_decision(DecisionKey::Id(order.decision_id)).await?;
        rows.push(row(&console, &visit, order, &decision));
    }
    let n_shown = rows.len();
    let queue_page = QueuePage {
        frame: Frame::new(&console, &visit, Page::Queue),
        n_waiting: count(queue.n_waiting),
        n_looked_at: count(queue.n_looked_at),
        hours: grouped(queue.waiting_minutes / 60.0, 1),
        oldest,
        is_overloaded: queue.n_looked_at < queue.n_waiting,
        may_decide: visit.may(Permission::Decide),
        sort: filters.sort,
        place: filters.place,
        rows,
        from,
        n_shown,
        next: (from + n_shown < queue.orders.len()).then_some(from + ROWS),
        before: (0 < from).then(|| from.saturating_sub(ROWS)),
    };
    page(&queue_page)
}

fn row(console: &Console, visit: &Visit, order: &QueuedOrder, decision: &Decision) -> Row {
    let (words, now) = (visit.preferences.words, console.now());
    let waiting = &order.waiting;
    let age = now - waiting.event_time;
    let risk = top_risk(&decision.risks).filter(|_| !decision.is_blind);
    let claim = console.claims.of(order.decision_id, now);
    let is_mine = claim.as_ref().is_some_and(|it| it.person_id == visit.person.person_id);
    let reason = decision.reasons.first().filter(|_| !decision.is_blind);
    Row {
        id: order.decision_id.to_string(),
        order_id: waiting.order.order_id.to_string(),
        channel: waiting.order.channel.to_string(),
        placed: minute(waiting.event_time),
        age: span(age),
        is_late: console.settings.review_within.0 < age.0,
        gain: money(waiting.gain_minor, waiting.currency),
        per_minute: money(waiting.gain_minor / waiting.minutes, waiting.currency),
        minutes: grouped(waiting.minutes, 0),
        place: words.t(match order.place {
            Place::Ranked => "place-ranked",
            Place::Drawn => "place-drawn",
            Place::Waits => "place-waits",
        }),
        head: risk.map(|risk| words.head(&risk.head)).unwrap_or_default(),
        band: risk.map_or("", |risk| risk.band.as_str()),
        band_text: risk.map(|risk| words.band(risk.band)).unwrap_or_default(),
        frequency: risk.map(|risk| words.n("of-hundred", crate::console::format::of_hundred(risk.probability.value()))).unwrap_or_default(),
        reason: reason.map(|reason| words.of(&reason.text).to_owned()).unwrap_or_default(),
        claimed_by: claim.map(|claim| claim.person_id.to_string()).unwrap_or_default(),
        is_mine,
    }
}
