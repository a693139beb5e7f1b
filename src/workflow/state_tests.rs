//! What the state remembers of each record, and how it tells requests apart.

use std::sync::Arc;

use crate::domain::decision::{Decision, DecisionId};
use crate::domain::event::{Event, Fact};
use crate::domain::money::{Currency, Money};
use crate::domain::order::AttributeValue;
use crate::domain::record::{ReceivedEvent, Record, ScoreRequest, ScoredOrder, StrategyActivated};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Span;
use crate::graph::history::Window;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::fixtures::{
    at, bundle, judge, model_activated, new_id, order, placed, request,
};
use crate::workflow::judge_order::Stamp;
use crate::workflow::state::{Entry, State, differing_fields, event_digest, request_digest};
use crate::workflow::strategy_ledger::STRATEGIES_MAX;

fn empty() -> State {
    State::empty(BackgroundRule::OFF)
}

fn activated(toml: &str, hash: &str) -> Record {
    Record::StrategyActivated(StrategyActivated {
        name: "s".into(),
        hash: hash.into(),
        toml: toml.into(),
        signature: Signature { by: Box::default(), at: at(0), note: Box::default() },
        staged_percent: None,
    })
}

fn decide(state: &mut State, request: &ScoreRequest) -> Decision {
    let stamp = Stamp { decision_id: new_id(at(0)), received_time: at(1_000) };
    judge(bundle(), "plain").judge(state, request, &stamp, || 0)
}

fn fold_score(state: &mut State, request: &ScoreRequest) -> DecisionId {
    let decision = Arc::new(decide(state, request));
    let id = decision.decision_id;
    state.fold(&Record::Decision(Arc::new(ScoredOrder { request: request.clone(), decision })));
    id
}

#[test]
fn every_record_is_found_at_its_own_position() {
    let mut state = empty();
    state.fold(&activated("plain", "h1"));
    let model = model_activated("h2");
    state.fold(&Record::ModelActivated(model));
    let event = placed(1);
    state.fold(&Record::Event(ReceivedEvent { event: event.clone(), received_time: at(2) }));
    let first = fold_score(&mut state, &request(2));
    let mut again = request(2);
    again.request_id = "asked anew".into();
    let second = fold_score(&mut state, &again);

    let active = state.strategies.active().unwrap();
    assert_eq!((&*active.hash, &*active.toml), ("h1", "plain"));
    assert_eq!((state.models.active_hash(), state.position), ("h2", 5));
    assert_eq!(
        state.told(&event.event_id),
        Some(Entry { position: 3, content: event_digest(&event) })
    );
    assert_eq!(state.decision_position(first), Some(4));
    assert_eq!(state.decision_position(second), Some(5));
    assert_eq!(state.order_position(&request(2).order.key), Some(5));
    let content = request_digest(&request(2));
    assert_eq!(state.answered("request 2"), Some(Entry { position: 4, content }));
    assert_eq!(state.answered("asked anew"), Some(Entry { position: 5, content }));
    assert_eq!(state.order_position(&request(3).order.key), None);
    assert_eq!(state.answered("request 1"), None);
    assert_eq!(state.graph.counts().n_orders, 2);
    assert_eq!(state.graph.counts().n_repeated, 1);
}

#[test]
fn strategies_are_remembered_by_their_last_activation_and_up_to_a_limit() {
    let mut state = empty();
    let mut activate = |n: usize| {
        state.fold(&activated(&format!("text {n}"), &format!("h{n}")));
        let known = state.strategies.versions().iter();
        known.map(|version| version.hash.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(activate(1), ["h1"]);
    assert_eq!(activate(2), ["h1", "h2"]);
    assert_eq!(activate(1), ["h2", "h1"]);
    let known = (3..=STRATEGIES_MAX).map(&mut activate).last().unwrap();
    assert_eq!((known.len(), &*known[0]), (STRATEGIES_MAX, "h2"));
    let known = activate(STRATEGIES_MAX + 1);
    assert_eq!((known.len(), &*known[0]), (STRATEGIES_MAX, "h1"));
}

#[test]
fn one_fact_from_far_ahead_does_not_make_the_others_too_late() {
    let mut state = empty();
    let mut tell = |event: Event, received: i64| {
        state.fold(&Record::Event(ReceivedEvent { event, received_time: at(received) }));
        let counts = state.graph.counts();
        (counts.n_orders, counts.n_too_late)
    };
    assert_eq!(tell(placed(1), 1), (1, 0));
    let in_ten_years = Event { event_time: at(0) + Span::days(3_650), ..placed(2) };
    assert_eq!(tell(in_ten_years, 2), (2, 0));
    assert_eq!(tell(placed(3), 3), (3, 0));
    let past = state.graph.history_of(&order(1).entities[0], at(5));
    assert_eq!(past.totals(Window::Ever).n_orders, 1);
}

#[test]
fn a_saved_state_reads_back_to_the_byte() {
    let mut state = empty();
    for n in 1..20 {
        fold_score(&mut state, &request(n));
    }
    let bytes = postcard::to_stdvec(&state).unwrap();
    let again: State = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&again).unwrap(), bytes);
    assert_eq!(again.graph.state_hash(), state.graph.state_hash());
}

/// A change of a request and the field that it shows in.
type Change = (&'static str, fn(&mut ScoreRequest));

#[test]
fn each_changed_field_changes_the_digest_and_is_named() {
    let changes: [Change; 8] = [
        ("event_time", |r| r.event_time = r.event_time + Span(1)),
        ("explain_level", |r| r.max_contributions = 0),
        ("max_actions", |r| r.max_actions = 1),
        ("order.amount", |r| r.order.amount = None),
        ("order.attributes", |r| {
            drop(r.order.attributes.insert("n".into(), AttributeValue::Number(-0.0)));
        }),
        ("order.device_distance_km", |r| r.order.device_distance_km = Some(0.0)),
        ("order.entities", |r| r.order.entities.swap(0, 1)),
        ("order.key", |r| r.order.key.revision = 1),
    ];
    for (name, change) in changes {
        let mut altered = request(1);
        change(&mut altered);
        assert_ne!(request_digest(&altered), request_digest(&request(1)), "{name}");
        assert_eq!(differing_fields(&request(1), &altered), [name.into()]);
    }
    let mut renamed = request(1);
    renamed.request_id = "other".into();
    assert_eq!(request_digest(&renamed), request_digest(&request(1)));
}

#[test]
fn an_amount_is_not_mistaken_for_a_discount_of_that_size() {
    let ten = Some(Money { currency: Currency::CNY, minor_units: 1_000 });
    let (mut amount, mut discount) = (request(1), request(1));
    (amount.order.amount, amount.order.discount) = (ten, None);
    (discount.order.amount, discount.order.discount) = (None, ten);
    assert_ne!(request_digest(&amount), request_digest(&discount));
    let (mut first, mut second) = (placed(1), placed(1));
    (first.fact, second.fact) =
        (Fact::OrderPlaced(amount.order), Fact::OrderPlaced(discount.order));
    assert_ne!(event_digest(&first), event_digest(&second));
}

#[test]
fn a_negative_zero_differs_from_zero_for_digest_and_fields_alike() {
    let with = |value| {
        let mut request = request(1);
        request.order.device_distance_km = Some(value);
        request
    };
    assert_ne!(request_digest(&with(0.0)), request_digest(&with(-0.0)));
    let fields = differing_fields(&with(0.0), &with(-0.0));
    assert_eq!(fields, ["order.device_distance_km".into()]);
}
