//! Tests of the strategy file: the shipped one, and twenty broken ones.

use std::fmt::Write;

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::config::mistake::ConfigErrors;
use crate::config::strategy::parse;
use crate::config::{EMBEDDED_STRATEGY, service};
use crate::decision::attribution::{Calibrated, Inputs, Recalibrate};
use crate::decision::decide::{DecideInput, decide};
use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadKind, HeadScore, RiskType};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderKey};

/// The shipped file with one place replaced; the place must be there once or more.
fn broken(from: &str, to: &str) -> ConfigErrors {
    assert!(EMBEDDED_STRATEGY.contains(from), "nothing to break: {from}");
    parse("strategy.toml", &EMBEDDED_STRATEGY.replacen(from, to, 1)).unwrap_err()
}

fn rendered(errors: &ConfigErrors) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_context_lines(1)
        .render_report(&mut out, errors)
        .unwrap();
    out
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
    let kinds: Vec<ActionKind> = strategy.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, ActionKind::ALL);
    assert_eq!(strategy.hash.len(), 64);
}

/// Weights of the shipped strategy are 1, so nothing is re-calibrated.
#[derive(Debug)]
struct Untouched;

impl Recalibrate for Untouched {
    fn calibrate(&self, _head_idx: usize, _log_odds: f64) -> Calibrated {
        Calibrated { probability: 0.0, interval: (0.0, 0.0), n_support: 0 }
    }
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
        evidence: None,
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
        (RiskType::ResellerHoarding, 0.93, 5_000, ActionKind::OfferReservation),
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
fn each_of_twenty_broken_files_tells_what_is_wrong_and_where() {
    let cases = [
        ("name = \"standard\"", "name = \"\""),
        ("name = \"standard\"", "name = standard"),
        ("currency = \"CNY\"", "currency = \"yuan\""),
        ("currency = \"CNY\"", "currency = 156"),
        ("network = 1.0", "network = 1000"),
        ("network = 1.0", "netwrok = 1.0"),
        ("[risks.default]", "[risks.defualt]"),
        ("[risks.payment_fraud]", "[risks.payment_frod]"),
        ("loss_share = 0.35", "loss_share = 35"),
        ("loss_fixed_minor = 30000", "loss_fixed_minor = -1"),
        ("decline_above = 0.92", "decline_above = 0.40"),
        ("decline_above = 0.92", "declined_above = 0.92"),
        ("USD = 7.1", "usd = 7.1"),
        ("n_support_min = 30", "n_support_min = 30.5"),
        ("[actions.approve]\nenabled = true", "[actions.approve]\nenabled = false"),
        ("[actions.challenge]", "[actions.chalenge]"),
        ("title = { en = \"Release\", zh = \"放行\" }", "title = { en = \"Release\" }"),
        ("payment_fraud = 0.85, promo_abuse", "payment_fruad = 0.85, promo_abuse"),
        ("needs = [\"phone\"]", "needs = [\"fone\"]"),
        (
            "when = { risks = [\"reseller_hoarding\"]",
            "when = { quantity_max = 1, risks = [\"reseller_hoarding\"]",
        ),
        ("band_at_most = \"low\"", "band_at_most = \"green\""),
        ("requires_approval = true", "requires_approval = \"yes\""),
        ("zh = \"您的订单将优先发出。\"", "zh = \"\""),
    ];
    let mut out = String::new();
    for (from, to) in cases {
        let line = to.lines().last().unwrap_or(to);
        writeln!(out, "> {line}\n{}", told(&broken(from, to))).unwrap();
    }
    insta::assert_snapshot!("broken_strategies", out);
}

#[test]
fn the_shipped_service_file_has_no_mistakes() {
    let settings = service::parse("orderlens.toml", crate::config::EMBEDDED_SERVICE).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(settings.identity_secret_variable, "ORDERLENS_IDENTITY_SECRET");
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
