//! Tests of the strategy file that ships, and of the service file.

use crate::config::fixtures::{Untouched, rendered, shipped_features};
use crate::config::mistake::ConfigErrors;
use crate::config::rule_names::RuleFeatures;
use crate::config::{EMBEDDED_STRATEGY, service, strategy};
use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, decide};
use crate::decision::rule_facts::{ITEM_FACTS, ORDER_FACTS, WordList};
use crate::decision::strategy::Strategy;
use crate::domain::confirmation::Confirmations;
use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadKind, HeadScore, RiskType};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::Timestamp;

pub(super) fn parse(file: &str, toml: &str) -> Result<Strategy, ConfigErrors> {
    let read = shipped_features();
    strategy::parse(file, toml, RuleFeatures { read: &read, possible: &[] })
}

/// The messages with their suggestions, one per line.
fn told(errors: &ConfigErrors) -> String {
    let mut out = String::new();
    for mistake in &errors.mistakes {
        out.push_str(&mistake.to_string());
        if let Some(suggestion) = &mistake.suggestion {
            out.push_str(" | ");
            out.push_str(suggestion);
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_shipped_strategy_has_no_mistakes_and_every_action() {
    let strategy = parse("strategy.toml", EMBEDDED_STRATEGY).unwrap();
    let single = strategy.actions.iter().filter(|action| action.plan.is_none());
    let kinds: Vec<ActionKind> = single.map(|action| action.kind).collect();
    assert_eq!(kinds, ActionKind::ALL);
    assert_eq!(strategy.hash.len(), 64);
}

/// The first action of the shipped strategy for an order of so many yuan.
fn first_action(risk: RiskType, probability: f64, yuan: i64) -> ActionKind {
    let score = HeadScore {
        head: risk.head(),
        kind: HeadKind::Risk,
        base: 0.0,
        raw: 0.0,
        contributions: Vec::new(),
        calibrated: probability,
        interval: (probability * 0.8, (probability * 1.2).min(0.999)),
        n_support: 1_000,
    };
    let mut order =
        Order::new(OrderKey { channel: "app".into(), order_id: "1".into(), revision: 0 });
    order.amount = Some(Money { currency: Currency::CNY, minor_units: yuan * 100 });
    let input = DecideInput {
        scores: &[score],
        recalibrate: &Untouched,
        inputs: Inputs { specs: &[], values: &[] },
        order: &order,
        event_time: Timestamp(0),
        rule_places: &[],
        evidence: None,
        is_without_graph: false,
        confirmations: &Confirmations::default(),
        room: None,
        actions_max: 3,
        contributions_max: 10,
    };
    let strategy = parse("strategy.toml", EMBEDDED_STRATEGY).unwrap();
    decide(&strategy, &input).actions[0].action
}

#[test]
fn the_shipped_strategy_recommends_what_a_business_would_expect() {
    let cases = [
        (RiskType::PaymentFraud, 0.002, 300, ActionKind::Approve),
        (RiskType::PaymentFraud, 0.30, 800, ActionKind::Challenge),
        (RiskType::PaymentFraud, 0.97, 3_000, ActionKind::Decline),
        (RiskType::ResellerHoarding, 0.85, 5_000, ActionKind::OfferReservation),
        // As the first step of the plan against hoarders.
        (RiskType::ResellerHoarding, 0.93, 5_000, ActionKind::Hold),
        (RiskType::PromoAbuse, 0.01, 120, ActionKind::Approve),
        (RiskType::PromoAbuse, 0.90, 120, ActionKind::Decline),
        (RiskType::FakeOrder, 0.60, 200, ActionKind::Review),
        (RiskType::ReturnAbuse, 0.02, 400, ActionKind::Approve),
    ];
    for (risk, probability, yuan, expected) in cases {
        let found = first_action(risk, probability, yuan);
        assert_eq!(found, expected, "{risk:?} {probability} {yuan}");
    }
}

#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_place() {
    let text = EMBEDDED_STRATEGY
        .replacen("address = 1.0", "adress = 1.5", 1)
        .replacen("review_above = 0.20", "review_above = 0.9", 1)
        .replacen("margin_share = 0.18 ", "margin_share = 18 ", 1);
    let errors = parse("config/strategy.toml", &text).unwrap_err();
    insta::assert_snapshot!("three_mistakes", rendered(&errors));
}

#[test]
fn the_shipped_file_tells_everything_that_a_rule_may_ask() {
    let facts = ORDER_FACTS.iter().map(|row| format!("order.{}", row.name));
    let of_items = ITEM_FACTS.iter().map(|row| format!("item.{}", row.name));
    let lists = [WordList::AddressKind, WordList::PaymentKind, WordList::Band];
    let words = lists.map(|list| list.words().join(", "));
    for told in facts.chain(of_items).chain(words) {
        assert!(EMBEDDED_STRATEGY.contains(&told), "{told}");
    }
}

#[test]
fn the_shipped_service_file_has_no_mistakes() {
    let settings = service::parse("orderlens.toml", crate::config::EMBEDDED_SERVICE).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(settings.identity.secret, "ORDERLENS_IDENTITY_SECRET");
}

#[test]
fn a_rotation_of_the_identity_secret_names_two_variables() {
    let previous = |value: &str| {
        let secret = "secret_variable = \"ORDERLENS_IDENTITY_SECRET\"\n";
        let both = format!("{secret}previous_secret_variable = {value}\n");
        let text = crate::config::EMBEDDED_SERVICE.replacen(secret, &both, 1);
        let settings = service::parse("orderlens.toml", &text);
        settings.map(|it| it.identity.previous).map_err(|errors| told(&errors))
    };
    assert_eq!(previous("\"B\""), Ok("B".to_owned()));
    // Kept in the file, and empty: no rotation goes on.
    assert_eq!(previous("\"\""), Ok(String::new()));
    let same = previous("\"ORDERLENS_IDENTITY_SECRET\"").unwrap_err();
    assert!(same.contains("identity.previous_secret_variable names the variable"), "{same}");
    assert!(previous("7").is_err());
}

#[test]
fn a_broken_service_file_tells_every_mistake() {
    let text = crate::config::EMBEDDED_SERVICE
        .replacen("127.0.0.1:50051", "localhost", 1)
        .replacen("in_flight_max = 256", "in_flight_max = 0", 1)
        .replacen("lateness_days = 30", "lateness_days = 500", 1)
        .replacen("record_bytes_max = 2097152", "record_bytes_max = 60000000", 1)
        .replacen("rows_max = 1024", "rows_max = 100", 1)
        .replacen("[records]", "[recods]", 1);
    let errors = service::parse("config/orderlens.toml", &text).unwrap_err();
    insta::assert_snapshot!("broken_service", told(&errors));
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_never_crashes_the_reader(
        at in 0..EMBEDDED_STRATEGY.len(), len in 0_usize..40, junk in "[\\PC\n]{0,12}"
    ) {
        let floor = |at: usize| (0..=at.min(EMBEDDED_STRATEGY.len()))
            .rev().find(|at| EMBEDDED_STRATEGY.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = (floor(at), floor(at + len));
        let text = format!("{}{junk}{}", &EMBEDDED_STRATEGY[..start], &EMBEDDED_STRATEGY[end..]);
        if let Err(errors) = parse("strategy.toml", &text) {
            proptest::prop_assert!(!errors.mistakes.is_empty());
            rendered(&errors);
        }
    }
}
