//! Small inputs for the tests of this folder.

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::config::mistake::ConfigErrors;
use crate::config::rule_names::RuleFeatures;
use crate::config::strategy::parse;
use crate::decision::attribution::{Calibrated, Inputs, Recalibrate, assess};
use crate::decision::strategy::Strategy;
use crate::domain::entity::{EntityKind, IdentityKey};
use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadKind, HeadScore, RiskType};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{AttributeValue, Order, OrderItem, OrderKey};
use crate::domain::risk::RiskAssessment;
use crate::domain::time::{Span, Timestamp};
use crate::model::manifest::Manifest;

/// The smallest strategy with every section.
pub(crate) const MINIMAL: &str = include_str!("minimal_strategy.toml");

/// The features of the shipped bundle.
pub(crate) fn shipped_features() -> Vec<FeatureSpec> {
    let manifest = include_str!("../../models/marketplace/1/manifest.json");
    serde_json::from_str::<Manifest>(manifest).unwrap().features
}

/// A feature of this build that the shipped bundle does not read.
pub(crate) fn unread_feature() -> FeatureSpec {
    let like = shipped_features().into_iter().find(|spec| &*spec.id == "sku_stock_units_max");
    FeatureSpec { id: "sku_stock_cover_days_max".into(), ..like.unwrap() }
}

/// Mistakes as a terminal shows them.
pub(crate) fn rendered(errors: &ConfigErrors) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_context_lines(1)
        .render_report(&mut out, errors)
        .unwrap();
    out
}

/// Weights of 1, so nothing is re-calibrated.
#[derive(Debug)]
pub(crate) struct Untouched;

impl Recalibrate for Untouched {
    fn calibrate(&self, _head_idx: usize, _log_odds: f64) -> Calibrated {
        Calibrated { probability: 0.0, interval: (0.0, 0.0), n_support: 0 }
    }
}

/// The smallest strategy.
pub(crate) fn strategy() -> Strategy {
    let read = shipped_features();
    parse("strategy.toml", MINIMAL, RuleFeatures { read: &read, possible: &[] }).unwrap()
}

/// When [`known_order`] was placed: one in the afternoon.
pub(crate) const PLACED: Timestamp = Timestamp(13 * Span::HOUR.0);

/// An order that tells much, but no discount, no distance and not where it goes.
pub(crate) fn known_order() -> Order {
    let key = OrderKey { channel: "live".into(), order_id: "1".into(), revision: 0 };
    let mut order = Order::new(key);
    let yuan = |minor_units| Money { currency: Currency::CNY, minor_units };
    let identity = IdentityKey::from_secret(b"test");
    let item = |sku: &str, quantity, unit_price| OrderItem {
        sku: identity.entity(EntityKind::Sku, sku),
        quantity,
        unit_price,
    };
    order.amount = Some(yuan(123_450));
    order.items = vec![item("LIM-001", 5, Some(yuan(1_250))), item("LIM-002", 2, None)];
    order.entities = vec![identity.entity(EntityKind::Region, "CN-ZJ")];
    order.account_created_at = Some(PLACED - Span::hours(60));
    order.countries.ip = Some("CN".into());
    order.attributes.insert("lanes".into(), AttributeValue::Number(4.0));
    order.attributes.insert("device_kind".into(), AttributeValue::Category("phone".into()));
    order
}

/// One risk head that says a quarter.
pub(crate) fn scores() -> Vec<HeadScore> {
    vec![HeadScore {
        head: RiskType::PaymentFraud.head(),
        kind: HeadKind::Risk,
        base: 0.0,
        raw: 0.0,
        contributions: Vec::new(),
        calibrated: 0.25,
        interval: (0.2, 0.3),
        n_support: 1_000,
    }]
}

/// What [`scores`] are under a strategy.
pub(crate) fn known_risks(strategy: &Strategy) -> Vec<RiskAssessment> {
    let inputs = Inputs { specs: &[], values: &[] };
    let risk = |score: &HeadScore| {
        assess(strategy, score, inputs, |log_odds| Untouched.calibrate(0, log_odds), 0)
    };
    scores().iter().map(risk).collect()
}
