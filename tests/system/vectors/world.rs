//! The world that gates are measured in, against an independent implementation.

use serde_json::Value;

use crate::vectors::compared::Compared;
use crate::vectors::{numbers, read};

#[path = "../../../benches/gates/sim1_truth.rs"]
mod sim1_truth;

use sim1_truth::{Context, N_ACTIONS, best};

fn contexts(value: &Value) -> Vec<Context> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| Context { features: numbers(row).try_into().unwrap() }).collect()
}

/// All that is known of the 200 orders is compared: what each of six actions is worth without a
/// secret, with one, and on average; the best one, the rule's, and what both are worth.
#[test]
#[ignore = "reads reference numbers beside the repository"]
fn values_of_the_simulated_world_are_those_of_its_specification() {
    let file = read("sim_truth.json");
    let contexts = contexts(&file["x"]);
    let mut compared = Compared::within(1e-6);
    let mut worth = [0.0; 2];
    for (row, context) in contexts.iter().enumerate() {
        let probability = context.fraud_probability(0.0);
        compared.number("probability", probability, &file["fraud_prob_u0"][row]);
        let expected = context.expected_values(1.0);
        compared.numbers("value", &context.values(0.0), &file["value_u0"][row]);
        compared.numbers("value", &context.values(1.0), &file["value_u1"][row]);
        compared.numbers("value", &expected, &file["value_marginal"][row]);
        compared.number("best", best(&expected) as f64, &file["best"][row]);
        compared.number("rule", context.rule() as f64, &file["rule_action"][row]);
        worth[0] += expected[best(&expected)];
        worth[1] += expected[context.rule()];
    }
    let [optimum, rule] = worth.map(|sum| sum / contexts.len() as f64);
    compared.number("optimum", optimum, &file["optimal_value"]);
    compared.number("rule", rule, &file["rule_value"]);
    assert_eq!(compared.n(), 200 * (3 * N_ACTIONS + 3) + 2);
    compared.all_of(&file, &["x"]);
}
