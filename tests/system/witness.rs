//! Evidence that proves: a thousand decisions are taken at their word.
//!
//! A simulated marketplace is judged under a strategy that finds every order worth a look.
//! For one link of each decision, a graph is told the same events again, but the orders
//! whose ids the link names do not name its end any more: the answer must differ by what the
//! link said. And each sentence must speak of a node and of links that the evidence shows.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use orderlens::cli::rule_features::FeatureLists;
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::config::strategy::parse as parse_strategy;
use orderlens::decision::decide::leading_risk;
use orderlens::decision::strategy::Strategy;
use orderlens::domain::decision::{Decision, DecisionId, Reason, ReasonValue};
use orderlens::domain::entity::{EntityKind, EntityRef, IdentityKey};
use orderlens::domain::event::{AccountCreated, Event, Fact};
use orderlens::domain::evidence::{EvidenceEdge, LINK_EVENTS_MAX};
use orderlens::domain::feature::FeatureUnit;
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::time::Timestamp;
use orderlens::feature::catalog::Catalog;
use orderlens::graph::evidence::Shows;
use orderlens::model::bundle::Bundle;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::judge_order::{ActiveStrategy, Judge, Stamp};
use orderlens::workflow::state::State;
use uuid::Uuid;

const N_DECISIONS: usize = 1_000;
/// Links of one feature of one entity that evidence shows at most.
const LINKS_MAX: usize = 6;
const DAYS: u32 = 20;
const ORDERS_PER_DAY: u32 = 70;
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// A judged order, and how many events had been told by then.
struct Judged {
    n_told: usize,
    request: ScoreRequest,
    decision: Decision,
}

/// A shop's events, with what each order says of its account told apart, and first.
fn stream() -> Vec<Event> {
    let settings = SimulationSettings::new(29, START, DAYS, ORDERS_PER_DAY);
    let identity = IdentityKey::from_secret(b"witness");
    let mut events: Vec<Event> =
        Simulation::new(settings, identity).map(|told| told.event).collect();
    let mut n_prices = 0;
    events.retain(|event| {
        let is_price = matches!(event.fact, Fact::MarketPrice(_));
        n_prices += usize::from(is_price);
        !is_price || n_prices.is_multiple_of(PRICE_STEP)
    });
    let mut openings = Vec::new();
    for event in &mut events {
        let Fact::OrderPlaced(order) = &mut event.fact else { continue };
        let account = order.entity(EntityKind::Account).cloned();
        openings.extend(order.account_created_at.take().zip(account));
    }
    openings.sort();
    openings.dedup();
    let opening = |(n, (at, account)): (usize, (Timestamp, EntityRef))| Event {
        event_id: format!("opening/{n}").into(),
        event_time: at,
        ingest_time: None,
        fact: Fact::AccountCreated(AccountCreated { account, entities: Vec::new() }),
    };
    let mut told: Vec<Event> = openings.into_iter().enumerate().map(opening).collect();
    told.extend(events);
    told
}

/// The shipped model under a strategy for which no risk is low.
fn judge() -> Judge {
    let bundle = Bundle::load(Path::new("models/marketplace/1")).expect("the shipped bundle");
    let is_cut = |line: &str| line.starts_with("review_above");
    let cut = |line| if is_cut(line) { "review_above = 0.0000001" } else { line };
    let toml: Vec<&str> = EMBEDDED_STRATEGY.lines().map(cut).collect();
    let toml = toml.join("\n");
    let features = FeatureLists::of_bundle(&bundle);
    let strategy =
        parse_strategy("strategy", &toml, features.as_known()).expect("the shipped strategy");
    let strategy = Arc::new(ActiveStrategy { strategy, toml: toml.into() });
    Judge::new(Arc::new(bundle), strategy, "test").expect("its features are known")
}

fn judge_in(judge: &Judge, state: &mut State, request: &ScoreRequest) -> Decision {
    let stamp =
        Stamp { decision_id: DecisionId(Uuid::from_u128(7)), received_time: request.event_time };
    judge.judge(state, request, &stamp, || 0)
}

/// Judges every order before it is told, and keeps the last [`N_DECISIONS`] whose evidence
/// has a link that was weighed.
fn judged(judge: &Judge, events: &[Event]) -> Vec<Judged> {
    let mut state = State::empty(BackgroundRule::OFF);
    let mut judged = Vec::new();
    for (n_told, event) in events.iter().enumerate() {
        if let Fact::OrderPlaced(order) = &event.fact {
            let request = ScoreRequest {
                request_id: event.event_id.clone(),
                event_time: event.event_time,
                order: order.clone(),
                max_actions: 3,
                max_contributions: 12,
            };
            let decision = judge_in(judge, &mut state, &request);
            if decision.evidence.edges.iter().any(|edge| edge.delta_if_removed.is_some()) {
                judged.push(Judged { n_told, request, decision });
            }
        }
        state.graph.apply(event);
    }
    judged.split_off(judged.len().checked_sub(N_DECISIONS).expect("enough decisions"))
}

fn ends<'a>(decision: &'a Decision, edge: &EvidenceEdge) -> [&'a EntityRef; 2] {
    [edge.from, edge.to].map(|at| &decision.evidence.nodes[at as usize].entity)
}

/// The events before a decision, but orders that name both ends of a link lose the first; with
/// the ids of those orders, newest first.
fn without(events: &[Event], [leaving, other]: [&EntityRef; 2]) -> (Vec<Event>, Vec<Box<str>>) {
    let (mut events, mut changed) = (events.to_vec(), Vec::new());
    for event in &mut events {
        let Fact::OrderPlaced(order) = &mut event.fact else { continue };
        if order.nodes().any(|it| it == other) && order.entities.contains(leaving) {
            order.entities.retain(|it| it != leaving);
            changed.push((event.event_time, event.event_id.clone()));
        }
    }
    changed.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    (events, changed.into_iter().map(|(_, id)| id).collect())
}

/// Takes one link of a decision out of the events; true when that changes the score.
fn check_link(judge: &Judge, events: &[Event], case: &Judged, pick: usize) -> bool {
    let Judged { n_told, request, decision } = case;
    let edges = &decision.evidence.edges;
    let weighed: Vec<_> = edges.iter().filter(|edge| edge.delta_if_removed.is_some()).collect();
    let edge = weighed[pick % weighed.len()];
    let delta = edge.delta_if_removed.expect("it was filtered");
    let ends = ends(decision, edge);
    let (edited, changed) = without(&events[..*n_told], ends);
    let said: BTreeSet<&str> = edge.event_ids.iter().map(|id| &**id).collect();
    let newest: BTreeSet<&str> = changed.iter().take(LINK_EVENTS_MAX).map(|id| &**id).collect();
    assert_eq!(said, newest, "{ends:?}");
    assert_eq!(edge.n_orders, changed.len() as u64, "{ends:?}");
    let mut state = State::empty(BackgroundRule::OFF);
    for event in &edited {
        state.graph.apply(event);
    }
    let again = judge_in(judge, &mut state, request);
    let strategy: &Strategy = &judge.strategy().strategy;
    let at = leading_risk(strategy, &decision.risks).expect("the model has risks");
    let (before, after) = (&decision.risks[at], &again.risks[at]);
    let moved = after.weighted_log_odds - before.weighted_log_odds;
    assert_eq!(delta.log_odds.to_bits(), moved.to_bits(), "{ends:?}: {delta:?}, not {moved}");
    assert_eq!(delta.probability, after.probability, "{ends:?}");
    delta.log_odds != 0.0
}

/// A sentence about the past of a node names one that is shown, with the value that the
/// model saw; what it counts, links show, or the evidence says that it is cut.
fn check_reason(catalog: &Catalog, decision: &Decision, reason: &Reason) -> bool {
    let at = catalog.specs().iter().position(|spec| spec.id == reason.code);
    let at = at.expect("a reason is about a feature");
    let spec = &catalog.specs()[at];
    let argument = |name: &str| {
        let found = reason.arguments.iter().find(|argument| *argument.name == *name);
        found.map(|argument| &argument.value)
    };
    let value = match argument("value") {
        Some(ReasonValue::Number(value)) => Some(*value),
        Some(ReasonValue::Node(_)) | None => None,
    };
    let seen = Some(f64::from(decision.features[at])).filter(|value| !value.is_nan());
    assert_eq!(value, seen, "{}", reason.code);
    let Some(want) = catalog.evidence_want(at) else {
        assert!(argument("node").is_none(), "{} names a node", reason.code);
        return false;
    };
    let evidence = &decision.evidence;
    let of_order = evidence.nodes.iter().filter(|node| node.is_of_order);
    let of_kind: Vec<String> = of_order
        .filter(|node| node.entity.kind == want.entity)
        .map(|node| node.entity.label())
        .collect();
    match argument("node") {
        Some(ReasonValue::Node(label)) => {
            assert!(of_kind.contains(label), "{}: {label} is not shown", reason.code);
            for text in [&reason.text.en, &reason.text.zh] {
                assert!(text.contains(label.as_str()), "{text} does not name {label}");
            }
        }
        // An entity that nobody ever saw has no past to show.
        Some(ReasonValue::Number(_)) | None => assert!(of_kind.is_empty(), "{}", reason.code),
    }
    let n_links = evidence.edges.iter().filter(|it| it.features.contains(&spec.id)).count();
    let is_met = matches!(want.shows, Shows::Met(_, _) | Shows::FreshAccounts(_));
    let is_count = is_met && spec.unit == FeatureUnit::Count && want.entity != EntityKind::Sku;
    if let Some(counted) = value.filter(|_| is_count) {
        let n_hidden = counted - n_links as f64;
        let is_whole = n_hidden.abs() < 0.5;
        let is_cut = evidence.is_truncated && 0.0 < n_hidden && LINKS_MAX <= n_links;
        assert!(is_whole || is_cut, "{}: {n_links} of {counted}", reason.code);
    }
    true
}

#[test]
fn a_thousand_decisions_say_of_their_links_what_a_graph_without_them_says() {
    let (events, judge) = (stream(), judge());
    let cases = judged(&judge, &events);
    let ids: Vec<Arc<str>> =
        judge.bundle().manifest().features.iter().map(|spec| spec.id.clone()).collect();
    let catalog = Catalog::new(&judge.bundle().manifest().schema);
    let catalog = catalog.select(&ids).expect("the features of the bundle");
    let reasons =
        cases.iter().flat_map(|case| case.decision.reasons.iter().map(move |it| (case, it)));
    let n_shown = reasons.filter(|(case, it)| check_reason(&catalog, &case.decision, it)).count();
    let n_threads = thread::available_parallelism().map_or(1, NonZero::get);
    let n_moved: usize = thread::scope(|scope| {
        let check = |thread: usize| {
            let (judge, events, cases) = (&judge, &events, &cases);
            scope.spawn(move || {
                let own = (thread..cases.len()).step_by(n_threads);
                own.filter(|&at| check_link(judge, events, &cases[at], at)).count()
            })
        };
        let running: Vec<_> = (0..n_threads).map(check).collect();
        running.into_iter().map(|it| it.join().expect("every link holds")).sum()
    });
    // What a test that could not fail would also say.
    assert_eq!(cases.len(), N_DECISIONS);
    assert!(N_DECISIONS / 4 <= n_moved, "only {n_moved} links move a score");
    assert!(N_DECISIONS / 2 <= n_shown, "only {n_shown} sentences are about links");
}
