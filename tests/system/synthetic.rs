//! The shipped bundle on a synthetic marketplace that it was not trained on.

use std::sync::OnceLock;

use serde_json::Value;

use crate::server::orderlens;

/// Never used for training (7, 8 and 9) nor by any demonstration.
const SEED: &str = "90210";

/// Families and gangs on the same IPs in the same hour; read by all tests, made once.
fn report() -> &'static Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    REPORT.get_or_init(|| judge_stream(["--days", "32", "--orders-per-day", "1500"]))
}

/// A small stream whose last part, a festival, is judged by the shipped bundle.
fn judge_stream(size: [&str; 4]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let [events, truth] = ["events.jsonl", "truth.csv"].map(|name| folder.path().join(name));
    let simulated = orderlens()
        .args(["simulate", "--seed", SEED, "--shared-networks"])
        .args(size)
        .arg("--output")
        .arg(&events)
        .arg("--truth")
        .arg(&truth)
        .output()
        .unwrap();
    assert!(simulated.status.success(), "{}", String::from_utf8_lossy(&simulated.stderr));
    let evaluated = orderlens()
        .args(["evaluate", "--model", "models/marketplace/1", "--json", "--no-baselines"])
        .args(["--test-from", "2026-01-15", "--strategy", "config/strategy.toml"])
        .arg("--events")
        .arg(&events)
        .arg("--truth")
        .arg(&truth)
        .output()
        .unwrap();
    assert!(evaluated.status.success(), "{}", String::from_utf8_lossy(&evaluated.stderr));
    serde_json::from_slice(&evaluated.stdout).unwrap()
}

/// Share of a kind of buyer's orders that `who` stopped.
fn stopped(report: &Value, archetype: &str, who: &str) -> f64 {
    let rows = report["archetypes"]["rows"].as_array().unwrap();
    let is_it = |row: &&Value| row["archetype"] == archetype && row["part"] == "all";
    let row = rows.iter().find(is_it).unwrap();
    assert!(row["orders"].as_u64().unwrap() >= 50, "{archetype}: too few orders to judge");
    row[who]["share"].as_f64().unwrap()
}

#[test]
fn the_shipped_bundle_stops_gangs_and_resellers_and_spares_the_families_that_the_rule_stops() {
    let report = report();
    let table = serde_json::to_string_pretty(&report["archetypes"]).unwrap();
    for archetype in ["coupon_gang", "reseller_ring"] {
        let caught = stopped(report, archetype, "model");
        assert!(caught >= 0.95, "{archetype}: {caught} of {table}");
    }
    for archetype in ["dormitory_resident", "office_worker"] {
        let spared = stopped(report, archetype, "model");
        assert!(spared <= 0.01, "{archetype}: {spared} of {table}");
    }
    let spared = stopped(report, "family", "model");
    assert!(spared <= 0.02, "families stopped: {spared} of {table}");
    let by_rule = stopped(report, "family", "rule");
    assert!(by_rule > 0.25, "the rule is expected to fail on families: {by_rule} of {table}");
    for head in report["archetypes"]["heads"].as_array().unwrap() {
        let is_ours = ["promo_abuse", "reseller_hoarding"].iter().any(|id| head["head"] == **id);
        let recall = head["recall"]["share"].as_f64().unwrap();
        assert!(!is_ours || recall >= 0.9, "{head}");
    }
    let orders = report["orders"].as_u64().unwrap();
    let residual = report["residual_max"].as_f64().unwrap();
    assert!(orders >= 10_000 && residual <= 1e-9, "{orders} orders, residual {residual:e}");
}

#[test]
fn a_market_of_a_quarter_the_size_is_judged_as_well() {
    let report = judge_stream(["--days", "40", "--orders-per-day", "400"]);
    let table = serde_json::to_string_pretty(&report["archetypes"]).unwrap();
    for archetype in ["coupon_gang", "reseller_ring"] {
        // A bundle that learned one market's volume ranks rings well, but doubts them all.
        for who in ["model", "by_probability"] {
            let caught = stopped(&report, archetype, who);
            assert!(caught >= 0.9, "{archetype}, {who}: {caught} of {table}");
        }
    }
    let spared = stopped(&report, "family", "model");
    assert!(spared <= 0.03, "families stopped: {spared} of {table}");
}

#[test]
fn accounts_of_one_person_are_linked_and_those_of_two_are_not() {
    let identity = &report()["identity"];
    let precision = &identity["precision"];
    assert!(precision["of"].as_u64().unwrap() >= 500, "{identity}");
    assert_eq!(precision["count"], precision["of"], "{identity}");
    let recall = identity["recall"]["share"].as_f64().unwrap();
    // Short streams have more accounts of a single order, of which little is known.
    assert!(recall >= 0.95, "{identity}");
}

/// How the actions of the shipped strategy do where the truth is known. Larger runs on
/// fresh seeds give a gain of .78 to .79; somebody who knows the kind of buyer gets .93 to .94.
#[test]
fn the_best_action_is_among_three_and_its_probability_means_what_it_says() {
    let actions = &report()["actions"];
    let value = |of: &Value| of["value"].as_f64().unwrap();
    let best = value(&actions["best_recommended"]);
    assert!(best >= 0.92, "the best action is among the three for {best}");
    let (all, contested) = (&actions["all"], &actions["contested"]);
    let n = all["n"].as_u64().unwrap();
    let error = value(&all["p_best_ece"]);
    assert!(n >= 10_000 && error <= 0.025, "{n} decisions: {error}");
    // Where there is something to decide, a softmax of the values is far off.
    let (ours, softmax) = (value(&contested["p_best_ece"]), value(&contested["softmax_ece"]));
    assert!(ours <= 0.05 && 0.2 <= softmax, "contested: {ours}, softmax {softmax}");
    let (gain, ceiling) = (value(&actions["gain_share"]), value(&actions["buyer_known_share"]));
    assert!(0.7 <= gain && gain <= ceiling && ceiling <= 1.0, "{gain} of {ceiling}");
}
