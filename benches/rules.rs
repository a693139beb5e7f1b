//! What do the rules of a strategy cost per order?
//!
//! Budget: 20 rules of usual size ≤ 20 µs for an order of 3 items, ≤ 300 µs for one of 1,000
//! items that every rule looks through; reading a rule from its text ≤ 1 ms.
#![expect(clippy::expect_used, reason = "a bench without its strategy measures nothing")]

use divan::{Bencher, black_box};
use orderlens::cli::rule_features::FeatureLists;
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::config::strategy::parse;
use orderlens::decision::rule_facts::{Facts, OrderView};
use orderlens::decision::strategy::{ActionPolicy, Strategy};
use orderlens::domain::entity::{EntityKind, IdentityKey};
use orderlens::domain::money::{Currency, Money};
use orderlens::domain::order::{Order, OrderItem, OrderKey};
use orderlens::domain::time::Timestamp;

const N_RULES: usize = 20;
const USUAL: [&str; 4] = [
    "has(sku.stock_units_max) && sku.stock_units_max < 5 && order.channel == \"live\"",
    "order.amount >= 3000 && order.address_kind in [\"hotel\", \"forwarder\"]",
    "account.age_days < 7 || ip.orders_count_1d > 20 && !(order.payment_country == \"CN\")",
    "order.merchant.startsWith(\"flag\") && order.quantity * 2 > size(order.items)",
];
const LOOKING: [&str; 1] = ["order.items.exists(item, item.quantity > 50)"];

/// The shipped strategy with rules of these conditions in turn.
fn strategy(conditions: &[&str]) -> Strategy {
    let (rest, _) = EMBEDDED_STRATEGY.split_once("[rules.").expect("the shipped rules");
    let rule = |(n, when): (usize, &&str)| {
        format!(
            "[rules.r{n}]\nenabled = true\nwhen = '{when}'\npriority = 1\nforce = \"none\"\n\
             tags = [\"tag{n}\"]\nemit = []\ntitle = {{ en = \"a\", zh = \"b\" }}\n"
        )
    };
    let rules = conditions.iter().cycle().take(N_RULES).enumerate().map(rule);
    let text: String = std::iter::once(rest.to_owned()).chain(rules).collect();
    parse("strategy", &text, FeatureLists::of_build().as_known()).expect("rules without mistakes")
}

fn order(n_items: u32) -> Order {
    let key = OrderKey { channel: "live".into(), order_id: "1".into(), revision: 0 };
    let mut order = Order::new(key);
    order.amount = Some(Money { currency: Currency::CNY, minor_units: 459_900 });
    let identity = IdentityKey::from_secret(b"bench");
    let item = |n: u32| OrderItem {
        sku: identity.entity(EntityKind::Sku, &format!("SKU-{n}")),
        quantity: 1 + n % 3,
        unit_price: None,
    };
    order.items = (0..n_items).map(item).collect();
    order.entities = vec![identity.entity(EntityKind::Merchant, "flagship")];
    order
}

fn apply(bencher: Bencher<'_, '_>, conditions: &[&str], n_items: u32) {
    let strategy = strategy(conditions);
    let features = FeatureLists::of_build();
    let specs = features.as_known().read;
    let (order, values) = (order(n_items), vec![3.0_f32; specs.len()]);
    let places = strategy.rules.places(specs);
    let view =
        OrderView { order: &order, event_time: Timestamp(0), values: &values, places: &places };
    let eligible: Vec<&ActionPolicy> = strategy.actions.iter().collect();
    bencher.bench_local(|| {
        let facts = Facts::new(&strategy, black_box(view), &[]);
        strategy.rules.apply(&facts, &eligible)
    });
}

#[divan::bench]
fn twenty_usual_rules(bencher: Bencher<'_, '_>) {
    apply(bencher, &USUAL, 3);
}

#[divan::bench]
fn one_look_through_a_thousand_items_twenty_times(bencher: Bencher<'_, '_>) {
    apply(bencher, &LOOKING, 1_000);
}

#[divan::bench]
fn read_a_strategy_of_twenty_rules(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| strategy(black_box(&USUAL)));
}

fn main() {
    divan::main();
}
