//! The hoarder of limited goods: one order, three layers, two languages.
//!
//! The case that a business told first: a hotel address, a payment account from abroad, a
//! device far from the address, no earlier purchase, a limited item in the allowed number
//! and more. The buyers are synthetic; graph, model, strategy and page are the real ones.

use std::path::Path;
use std::sync::Arc;

use orderlens::cli::paint::Ink;
use orderlens::cli::render::Page;
use orderlens::cli::rule_features::FeatureLists;
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::config::strategy::parse as parse_strategy;
use orderlens::domain::decision::{ActionKind, Decision, DecisionId};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::Fact;
use orderlens::domain::head::RiskType;
use orderlens::domain::impact::{ImpactKind, ImpactPart, StepKind};
use orderlens::domain::order::{AddressKind, Order};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::risk::RiskAssessment;
use orderlens::domain::text::Language;
use orderlens::domain::time::Timestamp;
use orderlens::model::bundle::Bundle;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::truth::Archetype;
use orderlens::simulator::world::Simulation;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::judge_order::{ActiveStrategy, Judge, Stamp};
use orderlens::workflow::state::State;
use uuid::Uuid;

/// Not a seed of the training.
const SEED: u64 = 41;
const DAYS: u32 = 24;
const ORDERS_PER_DAY: u32 = 250;
const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// A device farther from the delivery address than this is far.
const FAR_KM: f64 = 300.0;

fn judge() -> Judge {
    let bundle = Bundle::load(Path::new("models/marketplace/1")).expect("the shipped bundle");
    let features = FeatureLists::of_bundle(&bundle);
    let strategy = parse_strategy("strategy", EMBEDDED_STRATEGY, features.as_known());
    let strategy = strategy.expect("the shipped strategy");
    let strategy = ActiveStrategy { strategy, toml: EMBEDDED_STRATEGY.into() };
    Judge::new(Arc::new(bundle), Arc::new(strategy), "test").expect("its features are known")
}

/// What the order itself tells of the case.
fn is_the_case(order: &Order) -> bool {
    let is_abroad = order.countries.payment != order.countries.shipping;
    order.address_kind == Some(AddressKind::Hotel)
        && order.countries.payment.is_some()
        && is_abroad
        && order.device_distance_km.is_some_and(|km| FAR_KM < km)
}

fn value_of(decision: &Decision, judge: &Judge, feature: &str) -> Option<f32> {
    let specs = &judge.bundle().manifest().features;
    let at = specs.iter().position(|spec| *spec.id == *feature)?;
    decision.features.get(at).copied()
}

/// Every order of the case by a new buyer, judged before it is told, in a simulated market.
fn cases(judge: &Judge) -> Vec<Decision> {
    let settings = SimulationSettings::new(SEED, START, DAYS, ORDERS_PER_DAY);
    let mut state = State::empty(BackgroundRule::OFF);
    let mut cases = Vec::new();
    for told in Simulation::new(settings, IdentityKey::from_secret(b"case")) {
        let event = told.event;
        let truth = told.truth.as_ref();
        if let Fact::OrderPlaced(order) = &event.fact
            && is_the_case(order)
            && truth.is_some_and(|truth| truth.archetype == Archetype::ResellerRing)
        {
            let request = ScoreRequest {
                request_id: event.event_id.clone(),
                event_time: event.event_time,
                order: order.clone(),
                max_actions: 3,
                max_contributions: 12,
            };
            let stamp = Stamp {
                decision_id: DecisionId(Uuid::from_u128(7)),
                received_time: request.event_time,
            };
            let decision = judge.judge(&mut state, &request, &stamp, || 0);
            if value_of(&decision, judge, "account_orders_count_all") == Some(0.0) {
                cases.push(decision);
            }
        }
        state.graph.apply(&event);
    }
    cases
}

fn hoarding(decision: &Decision) -> &RiskAssessment {
    let is_it = |risk: &&RiskAssessment| risk.head == RiskType::ResellerHoarding.head();
    decision.risks.iter().find(is_it).expect("the head is there")
}

/// Whether the plan of three steps comes first: hold the stock, alert the supply chain, offer the
/// reservation list.
fn has_the_plan_first(decision: &Decision) -> bool {
    let kinds: Vec<&StepKind> = decision.actions[0].steps.iter().map(|step| &step.kind).collect();
    let expected = [
        &StepKind::Action(ActionKind::Hold),
        &StepKind::Notice("alert_supply_chain".into()),
        &StepKind::Action(ActionKind::OfferReservation),
    ];
    kinds == expected
}

#[test]
fn the_hoarder_is_known_priced_and_met_with_a_plan() {
    let judge = judge();
    let cases = cases(&judge);
    assert!(20 <= cases.len(), "too few to speak of: {}", cases.len());
    for decision in &cases {
        let risk = hoarding(decision);
        assert!(0.9 <= risk.probability.value(), "{}", decision.order.order_id);
        let sum: f64 = risk.contributions.iter().map(|it| it.log_odds).sum();
        let raw = risk.base + sum + risk.rest.log_odds;
        assert!((raw - risk.raw_log_odds).abs() < 1e-9, "{}", decision.order.order_id);
        let release = &decision.impacts[0];
        assert_eq!(release.action, ActionKind::Approve);
        let is_index = |part: &&ImpactPart| part.kind == ImpactKind::PriceIndex;
        let index = release.parts.iter().find(is_index).expect("the market has a price");
        let alarm = index.alarm_from.expect("the strategy has a threshold");
        assert!(alarm < index.value.mean, "{}", decision.order.order_id);
    }
    // Another risk may weigh more: then the order is declined.
    let n_met = cases.iter().filter(|decision| has_the_plan_first(decision)).count();
    assert!(9 * cases.len() <= 10 * n_met, "{n_met} of {}", cases.len());

    let shown = cases.iter().find(|decision| has_the_plan_first(decision)).expect("most have");
    for (language, name) in [(Language::English, "en"), (Language::Chinese, "zh")] {
        let page = Page { language, ink: Ink::Plain }.decision(shown);
        insta::assert_snapshot!(format!("the_case_in_{name}"), page);
    }
}
