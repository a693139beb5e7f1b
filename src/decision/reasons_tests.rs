//! What the reasons say, word for word.

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, decide};
use crate::decision::fixtures::{graph_spec, input, order, risk_score, spec, strategy};
use crate::domain::decision::{Reason, ReasonValue};
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::evidence::{Evidence, EvidenceNode};
use crate::domain::feature::{FeatureGroup, FeatureSpec, FeatureUnit};
use crate::domain::text::Text;

fn specs() -> Vec<FeatureSpec> {
    let named = |id: &str, unit, en: &str, zh: &str| FeatureSpec {
        name: Text::new(en, zh),
        ..spec(id, FeatureGroup::Order, unit)
    };
    vec![
        graph_spec(
            "ip_orders_count_1d",
            EntityKind::Ip,
            Text::new("orders from this IP in the last day", "该 IP 近一天的订单数"),
        ),
        graph_spec(
            "ip_orders_count_7d",
            EntityKind::Ip,
            Text::new("orders from this IP in the last 7 days", "该 IP 近七天的订单数"),
        ),
        named("discount_share", FeatureUnit::Share, "share taken off by coupons", "优惠占比"),
        named("account_age", FeatureUnit::Days, "age of the account", "账户年龄"),
        named("is_weekend", FeatureUnit::Flag, "ordered on a weekend", "周末下单"),
    ]
}

fn told(base: f64, contributions: &[f64], evidence: Option<&Evidence>) -> Vec<Reason> {
    let (specs, order) = (specs(), order());
    let scores = [risk_score("promo_abuse", base, contributions)];
    let values = [14.0, 40.0, 0.355, f32::NAN, 1.0];
    let input = DecideInput {
        inputs: Inputs { specs: &specs, values: &values },
        evidence,
        ..input(&scores, &specs, &order)
    };
    decide(&strategy(), &input).reasons
}

fn text(reasons: &[Reason]) -> String {
    let lines: Vec<&str> = reasons
        .iter()
        .flat_map(|reason| [reason.text.en.as_str(), reason.text.zh.as_str()])
        .collect();
    lines.join("\n")
}

fn evidence() -> Evidence {
    let entity = EntityRef { kind: EntityKind::Ip, key: EntityKey::Hashed(0x003f_9a12 << 104) };
    let node = EvidenceNode { entity, n_orders: 14, n_bad: 3, is_hub: false, is_of_order: true };
    Evidence { nodes: vec![node], ..Evidence::default() }
}

#[test]
fn a_high_risk_tells_what_raises_it_and_says_nothing_twice() {
    let reasons = told(0.0, &[1.82, 1.5, 0.7, 0.4, -2.0], Some(&evidence()));
    insta::assert_snapshot!(text(&reasons), @r"
Orders from this IP in the last day: 14 (on ip#3f9a12). This makes coupon and promotion abuse more likely (+1.82 log-odds).
该 IP 近一天的订单数：14（见于 ip#3f9a12），使优惠滥用的可能性升高（对数几率 +1.82）。
Share taken off by coupons: 35.5%. This makes coupon and promotion abuse more likely (+0.70 log-odds).
优惠占比：35.5%，使优惠滥用的可能性升高（对数几率 +0.70）。
Age of the account: not known. This makes coupon and promotion abuse more likely (+0.40 log-odds).
账户年龄：未知，使优惠滥用的可能性升高（对数几率 +0.40）。
");
    assert_eq!(reasons[0].arguments[2].value, ReasonValue::Node("ip#3f9a12".to_owned()));
}

#[test]
fn a_low_risk_tells_what_reassures() {
    let reasons = told(-1.0, &[0.5, 0.1, -0.7, 0.01, -2.0], None);
    insta::assert_snapshot!(text(&reasons), @r"
Ordered on a weekend: yes. This makes coupon and promotion abuse less likely (−2.00 log-odds).
周末下单：是，使优惠滥用的可能性降低（对数几率 −2.00）。
Share taken off by coupons: 35.5%. This makes coupon and promotion abuse less likely (−0.70 log-odds).
优惠占比：35.5%，使优惠滥用的可能性降低（对数几率 −0.70）。
");
}

#[test]
fn a_hub_is_said_to_be_one() {
    let mut evidence = evidence();
    evidence.nodes[0].is_hub = true;
    let reasons = told(0.0, &[1.82, 0.0, 0.0, 0.0, 0.0], Some(&evidence));
    insta::assert_snapshot!(text(&reasons), @r"
Orders from this IP in the last day: 14 (on ip#3f9a12, which many share). This makes coupon and promotion abuse more likely (+1.82 log-odds).
该 IP 近一天的订单数：14（见于多人共用的 ip#3f9a12），使优惠滥用的可能性升高（对数几率 +1.82）。
");
}
