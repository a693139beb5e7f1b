//! Acting on a ring: one action for all waiting orders that are linked.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::format::{amount, minute, of_hundred};
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::decision::act::{Chosen, make};
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::decision_short::DecisionShort;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::linked_orders::LinkedOrder;

/// Names and values of a form whose boxes have one name.
type Pairs = Vec<(String, String)>;

/// The orders of a ring.
#[derive(Clone, Debug)]
pub struct RingView {
    /// The decision that it is around.
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// The linked orders that wait, newest first.
    pub rows: Vec<RingRow>,
    /// What can be done about all of them: name and title.
    pub actions: Vec<(&'static str, String)>,
    /// True when the visitor may act.
    pub may_decide: bool,
}

/// A waiting order of a ring.
#[derive(Clone, Debug)]
pub struct RingRow {
    /// Its decision.
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// Where it was placed.
    pub channel: String,
    /// When.
    pub placed: String,
    /// What the customer pays.
    pub amount: String,
    /// The risk that matters most; empty while it must not be seen.
    pub head: String,
    /// Class and name of its band.
    pub band: (&'static str, String),
    /// How many of a hundred such orders.
    pub frequency: String,
    /// What it shares with the order.
    pub shared: String,
    /// Who else has it open; such an order is not ticked.
    pub claimed_by: Option<String>,
}

#[derive(Template)]
#[template(path = "decision_ring.html", config = ".config/askama.toml")]
struct RingPart {
    words: Words,
    ring: RingView,
}

#[derive(Template)]
#[template(path = "decision_ring_page.html", config = ".config/askama.toml")]
struct RingPage {
    frame: Frame,
    words: Words,
    ring: RingView,
}

/// The ring around a decision, as a part of its page or as a page.
///
/// # Errors
/// `NoPage`, or as the engine's.
pub async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Html<String>, Failure> {
    let (id, words) = (decision_id(&id)?, visit.preferences.words);
    let this = console.engine.decisions_in_short(&[id]).await?;
    let this = this.first().ok_or(Failure::NoPage)?;
    let ring = view(&console, &visit, this, &linked(&console, id).await?);
    // The page's script asks for the part alone.
    if headers.contains_key("x-part") {
        return page(&RingPart { words, ring });
    }
    page(&RingPage { frame: Frame::new(&console, &visit, Place::Queue), words, ring })
}

/// Takes one choice for each ticked order; each can be undone like any other.
///
/// # Errors
/// `Forbidden`, `Fields`, `NoPage`, or as the engine's.
pub async fn act(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Response, Failure> {
    visit.need(Permission::Decide)?;
    let id = decision_id(&id)?;
    let linked = linked(&console, id).await?;
    let ids = ticked(&pairs, &linked.iter().map(|it| it.decision.decision_id).collect())?;
    let field = |name: &str| {
        let found = pairs.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    // Nobody looked at each of them, so no times are told.
    let chosen = Chosen::unseen(field("action"), field("override_reason"), field("note"));
    for it in &ids {
        make(&console, &visit, *it, &chosen).await?;
    }
    let detail = format!("{} for {} orders", field("action"), ids.len());
    console.audit(&visit.person.person_id, "decision.ring", &id.to_string(), &detail).await?;
    Ok(Redirect::to("/queue").into_response())
}

/// The linked orders that still wait: nobody has just chosen about them.
async fn linked(console: &Console, id: DecisionId) -> Result<Vec<LinkedOrder>, Failure> {
    let mut linked = console.engine.linked_waiting(id, console.now()).await?;
    linked.retain(|it| !console.pending.is_chosen(it.decision.decision_id));
    Ok(linked)
}

/// The ticked orders, each once.
///
/// # Errors
/// `Fields` when there are none, or one that does not wait or is not linked.
fn ticked(pairs: &Pairs, linked: &BTreeSet<DecisionId>) -> Result<BTreeSet<DecisionId>, Failure> {
    let mut ids = BTreeSet::new();
    for (_, value) in pairs.iter().filter(|(field, _)| field == "order") {
        let id = decision_id(value).ok().filter(|id| linked.contains(id));
        let wrong = || Failure::field("order", format!("{value} does not wait any more"));
        ids.insert(id.ok_or_else(wrong)?);
    }
    if ids.is_empty() {
        return Err(Failure::field("order", "is ticked nowhere"));
    }
    Ok(ids)
}

fn view(
    console: &Console,
    visit: &Visit,
    this: &DecisionShort,
    linked: &[LinkedOrder],
) -> RingView {
    let (words, now) = (visit.preferences.words, console.now());
    let claimed = |id| {
        let claim = console.claims.of(id, now);
        let others = claim.filter(|claim| claim.person_id != visit.person.person_id);
        others.map(|claim| claim.person_id.to_string())
    };
    let rows = linked.iter().map(|it| row(words, it, claimed(it.decision.decision_id)));
    RingView {
        id: this.decision_id.to_string(),
        order_id: this.order.order_id.to_string(),
        rows: rows.collect(),
        actions: ActionKind::ALL.map(|it| (it.as_str(), words.action(it))).into(),
        may_decide: visit.may(Permission::Decide),
    }
}

fn row(words: Words, linked: &LinkedOrder, claimed_by: Option<String>) -> RingRow {
    let decision = &linked.decision;
    // Before somebody has chosen about a blind order its score is hidden.
    let risk = decision.top_risk.as_ref().filter(|_| !decision.is_blind);
    let frequency =
        risk.map(|it| words.n("of-hundred", i64::from(of_hundred(it.probability.value()))));
    let shared: Vec<String> = linked.shared.iter().map(|kind| words.kind(*kind)).collect();
    RingRow {
        id: decision.decision_id.to_string(),
        order_id: decision.order.order_id.to_string(),
        channel: decision.order.channel.to_string(),
        placed: minute(decision.event_time),
        amount: decision.amount.map_or_else(|| "–".to_owned(), amount),
        head: risk.map(|it| words.head(&it.head)).unwrap_or_default(),
        band: risk.map(|it| (it.band.as_str(), words.band(it.band))).unwrap_or_default(),
        frequency: frequency.unwrap_or_default(),
        shared: shared.join(" · "),
        claimed_by,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_linked_orders_that_wait_are_acted_on_and_each_once() {
        let ids = [1, 2, 3].map(|n| DecisionId(Uuid::from_u128(n)));
        let pair = |id: &DecisionId| ("order".to_owned(), id.to_string());
        let linked = BTreeSet::from([ids[0], ids[1]]);
        let other = ("action".to_owned(), "hold".to_owned());
        let twice = vec![pair(&ids[0]), other.clone(), pair(&ids[0])];
        assert_eq!(ticked(&twice, &linked).unwrap(), BTreeSet::from([ids[0]]));
        for wrong in [vec![other], vec![pair(&ids[0]), pair(&ids[2])]] {
            assert!(matches!(ticked(&wrong, &linked), Err(Failure::Fields(_))), "{wrong:?}");
        }
    }
}
