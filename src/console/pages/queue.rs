//! The queue: which orders to look at first, and how long they wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::encoded;
use crate::console::format::{amount, bare_money, count, minute, of_hundred};
use crate::console::frame::{Frame, Place as Page, page};
use crate::console::guard::Visit;
use crate::console::pages::decision::glance::fact;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::decision::DecisionId;
use crate::domain::money::{Money, grouped};
use crate::domain::review_queue::{Place, QueueQuery, QueuedOrder, ReviewQueue};
use crate::domain::risk::TopRisk;
use crate::domain::text::Text;
use crate::domain::time::Span;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::review_service::ReviewService as _;

/// Minutes in an hour.
const MINUTES: f64 = 60.0;
/// Rows of the page.
const ROWS: usize = 25;
/// Most waiting orders that are ranked for a page.
const RANKED_MAX: usize = 1_000;
/// Orders placed earlier than this are past any review.
const PLACED_WITHIN: Span = Span::days(30);

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/queue", get(show)).route("/queue/start", post(start))
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Filters {
    #[serde(default)]
    sort: Sort,
    #[serde(default)]
    place: PlaceFilter,
    /// Name of a risk; empty is every one.
    #[serde(default)]
    head: String,
    /// Name of a band; empty is every one.
    #[serde(default)]
    band: String,
    /// Amount from here on, major units; empty is any.
    #[serde(default)]
    amount: String,
    #[serde(default)]
    from: usize,
}

impl Filters {
    fn fits(&self, order: &QueuedOrder) -> bool {
        let fits_place = match self.place {
            PlaceFilter::All => true,
            PlaceFilter::Ranked => order.place == Place::Ranked,
            PlaceFilter::Drawn => order.place == Place::Drawn,
            PlaceFilter::Waits => order.place == Place::Waits,
        };
        // What is hidden is not to be found by a filter either.
        let risk = order.waiting.top_risk.as_ref().filter(|_| !order.waiting.is_blind);
        let is_named = |name: &str, asked: &str| asked.is_empty() || name == asked;
        let fits_risk = match risk {
            Some(risk) => {
                is_named(&risk.head.0, &self.head) && is_named(risk.band.as_str(), &self.band)
            }
            None => self.head.is_empty() && self.band.is_empty(),
        };
        let fits_amount = match self.amount.parse::<f64>() {
            Ok(from) => order.waiting.amount.is_some_and(|it| from <= it.as_major()),
            Err(_) => true,
        };
        fits_place && fits_risk && fits_amount
    }

    /// Puts the orders into the order that is asked for; ties keep that of the queue.
    fn sort(&self, orders: &mut [QueuedOrder]) {
        match self.sort {
            Sort::Value => {}
            Sort::Sla => orders.sort_by_key(|order| order.waiting.event_time),
            Sort::Amount => orders.sort_by(|a, b| {
                let major = |it: &QueuedOrder| it.waiting.amount.map_or(f64::MIN, Money::as_major);
                major(b).total_cmp(&major(a))
            }),
            Sort::Risk => orders.sort_by(|a, b| {
                let chance = |it: &QueuedOrder| {
                    let risk = it.waiting.top_risk.as_ref().filter(|_| !it.waiting.is_blind);
                    risk.map_or(0.0, |risk| risk.probability.value())
                };
                chance(b).total_cmp(&chance(a))
            }),
        }
    }

    /// The address of the rows from a place on, with the filters as they are.
    fn address(&self, from: usize) -> String {
        let (head, band, amount) =
            (encoded(&self.head), encoded(&self.band), encoded(&self.amount));
        let (sort, place) = (self.sort.as_str(), self.place.as_str());
        format!(
            "/queue?sort={sort}&place={place}&head={head}&band={band}&amount={amount}&from={from}"
        )
    }
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

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Sla => "sla",
            Self::Amount => "amount",
            Self::Risk => "risk",
        }
    }
}

impl PlaceFilter {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ranked => "ranked",
            Self::Drawn => "drawn",
            Self::Waits => "waits",
        }
    }
}

struct Row {
    id: String,
    order_id: String,
    channel: String,
    placed: String,
    age: String,
    is_late: bool,
    amount: String,
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
    filters: Filters,
    heads: Vec<(String, String)>,
    rows: Vec<Row>,
    n_shown: usize,
    /// Orders that fit the filters.
    n_fitting: usize,
    /// Of what a review gains.
    currency: String,
    next: Option<String>,
    before: Option<String>,
}

async fn ranked(console: &Console, orders_max: usize) -> Result<ReviewQueue, Failure> {
    let now = console.now();
    let query = QueueQuery { minutes: None, placed_from: now - PLACED_WITHIN, orders_max };
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
    let (queue, now) = (ranked(console, RANKED_MAX).await?, console.now());
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
    let now = console.now();
    // The first rows are enough, unless another order or a choice of them is asked for.
    let orders_max = if filters.sort == Sort::Value { RANKED_MAX } else { usize::MAX };
    let mut queue = ranked(&console, orders_max).await?;
    let times = queue.orders.iter().map(|order| order.waiting.event_time);
    let oldest =
        times.min().map_or_else(|| "–".to_owned(), |at| visit.preferences.words.span(now - at));
    let heads = heads(visit.preferences.words, &queue.orders);
    queue.orders.retain(|order| filters.fits(order));
    filters.sort(&mut queue.orders);
    let from = filters.from.min(queue.orders.len());
    let shown: Vec<&QueuedOrder> = queue.orders.iter().skip(from).take(ROWS).collect();
    let ids: Vec<DecisionId> = shown.iter().map(|order| order.decision_id).collect();
    let decisions = console.engine.decisions_in_short(&ids).await?;
    let reason = |id: DecisionId| {
        let known = decisions.iter().find(|it| it.decision_id == id && !it.is_blind);
        known.and_then(|it| it.reason.as_ref())
    };
    let rows = shown.iter().map(|order| row(&console, &visit, order, reason(order.decision_id)));
    let rows: Vec<Row> = rows.collect();
    let n_shown = rows.len();
    let queue_page = QueuePage {
        frame: Frame::new(&console, &visit, Page::Queue),
        n_waiting: count(queue.n_waiting),
        n_looked_at: count(queue.n_looked_at),
        hours: grouped(queue.waiting_minutes / MINUTES, 1),
        oldest,
        is_overloaded: queue.n_looked_at < queue.n_waiting,
        may_decide: visit.may(Permission::Decide),
        heads,
        rows,
        n_shown,
        n_fitting: queue.orders.len(),
        currency: shown.first().map(|it| it.waiting.currency.to_string()).unwrap_or_default(),
        next: (from + n_shown < queue.orders.len()).then(|| filters.address(from + ROWS)),
        before: (0 < from).then(|| filters.address(from.saturating_sub(ROWS))),
        filters: Filters { from, ..filters },
    };
    page(&queue_page)
}

/// The risks that orders wait for, by name.
fn heads(words: Words, orders: &[QueuedOrder]) -> Vec<(String, String)> {
    let shown = orders.iter().filter(|order| !order.waiting.is_blind);
    let heads = shown.filter_map(|order| order.waiting.top_risk.as_ref()).map(|risk| &risk.head);
    let heads: BTreeSet<_> = heads.collect();
    heads.into_iter().map(|head| (head.0.to_string(), words.head(head))).collect()
}

fn row(console: &Console, visit: &Visit, order: &QueuedOrder, reason: Option<&Text>) -> Row {
    let (words, now) = (visit.preferences.words, console.now());
    let waiting = &order.waiting;
    let age = now - waiting.event_time;
    let risk = waiting.top_risk.as_ref().filter(|_| !waiting.is_blind);
    let of_hundred = |risk: &TopRisk| i64::from(of_hundred(risk.probability.value()));
    let claim = console.claims.of(order.decision_id, now);
    let is_mine = claim.as_ref().is_some_and(|it| it.person_id == visit.person.person_id);
    Row {
        id: order.decision_id.to_string(),
        order_id: waiting.order.order_id.to_string(),
        channel: waiting.order.channel.to_string(),
        placed: minute(waiting.event_time),
        age: words.span(age),
        is_late: console.settings.review_within.0 < age.0,
        amount: waiting.amount.map_or_else(|| "–".to_owned(), amount),
        gain: bare_money(waiting.gain_minor, waiting.currency),
        per_minute: bare_money(waiting.gain_minor / waiting.minutes, waiting.currency),
        minutes: grouped(waiting.minutes, 0),
        place: words.t(match order.place {
            Place::Ranked => "place-ranked",
            Place::Drawn => "place-drawn",
            Place::Waits => "place-waits",
        }),
        head: risk.map(|risk| words.head(&risk.head)).unwrap_or_default(),
        band: risk.map_or("", |risk| risk.band.as_str()),
        band_text: risk.map(|risk| words.band(risk.band)).unwrap_or_default(),
        frequency: risk.map(|risk| words.n("of-hundred", of_hundred(risk))).unwrap_or_default(),
        reason: reason.map(|text| fact(words, words.of(text)).to_owned()).unwrap_or_default(),
        claimed_by: claim.map(|claim| claim.person_id.to_string()).unwrap_or_default(),
        is_mine,
    }
}
