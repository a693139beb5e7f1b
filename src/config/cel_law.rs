//! Conditions mean what CEL says: its interpreter gives the same answers.

use cel::objects::Value;
use cel::{Context, Program, to_value};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::config::fixtures::{PLACED, known_order, known_risks, shipped_features, strategy};
use crate::config::random_conditions::condition as random_condition;
use crate::config::rule_check::condition;
use crate::config::rule_names::{Names, RuleFeatures};
use crate::decision::rule_facts::{Facts, OrderView};

const SEED: u64 = 15;
const N_CONDITIONS: usize = 3_000;

/// What the order of the fixtures tells, as CEL values: all numbers are doubles.
fn context() -> Context<'static, 'static> {
    let mut context = Context::default();
    let order = json!({
        "amount": 1_234.5, "quantity": 7.0, "hour_of_day": 13.0, "account_age_days": 2.5,
        "channel": "live", "region": "CN-ZJ", "currency": "CNY", "ip_country": "CN",
        "items": [
            { "sku": "LIM-001", "quantity": 5.0, "unit_price": 12.5 },
            { "sku": "LIM-002", "quantity": 2.0 },
        ],
    });
    let values = [
        ("order", order),
        ("risk", json!({ "payment_fraud": 0.25 })),
        ("sku", json!({ "stock_units_max": 3.0 })),
        ("feature", json!({ "account_age_days": 2.5 })),
        ("attribute", json!({ "lanes": 4.0, "device_kind": "phone" })),
    ];
    for (name, value) in values {
        context.add_variable_from_value(name, to_value(value).unwrap());
    }
    context
}

#[test]
fn a_condition_holds_exactly_when_the_interpreter_of_cel_says_so() {
    let (order, features, strategy) = (known_order(), shipped_features(), strategy());
    let (risks, heads) = (known_risks(&strategy), ["payment_fraud".to_owned()]);
    let values: Vec<f32> = features
        .iter()
        .map(|spec| match &*spec.id {
            "sku_stock_units_max" => 3.0,
            "account_age_days" => 2.5,
            _ => f32::NAN,
        })
        .collect();
    let (mut dice, context) = (ChaCha8Rng::seed_from_u64(SEED), context());
    let mut n_of = [0_usize; 3];
    for _ in 0..N_CONDITIONS {
        let text = random_condition(&mut dice, 3);
        let known = RuleFeatures { read: &features, possible: &[] };
        let mut names = Names::new(known, &heads);
        let found = match condition(&text, &mut names) {
            Ok(found) => found,
            // Two attributes may be anything, and three looks through the basket are too long.
            Err(faults) => {
                let is_refused =
                    |message: &str| faults.iter().any(|it| it.message.contains(message));
                assert!(
                    is_refused("two attributes") || is_refused("may take"),
                    "{text}: {faults:?}"
                );
                continue;
            }
        };
        let place = |id: &str| features.iter().position(|spec| *spec.id == *id);
        let places: Vec<Option<usize>> = names.named.iter().map(|id| place(id)).collect();
        let view =
            OrderView { order: &order, event_time: PLACED, values: &values, places: &places };
        let ours = found.holds(&Facts::new(&strategy, view, &risks)).ok();
        let theirs = match Program::compile(&text).unwrap().execute(&context) {
            Ok(Value::Bool(flag)) => Some(flag),
            Ok(other) => panic!("{text} is {other:?}"),
            Err(_) => None,
        };
        assert_eq!(ours, theirs, "{text}");
        n_of[ours.map_or(2, usize::from)] += 1;
    }
    // Each answer often enough that agreeing says something.
    assert!(n_of.iter().all(|n| 300 <= *n), "{n_of:?}");
}
