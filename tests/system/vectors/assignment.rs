//! Draws and arms, to the bit, against hashlib.

use std::collections::BTreeMap;

use orderlens::domain::assignment::draw;
use orderlens::experiment::arms::Arms;

use crate::vectors::near::{has_fields, items, text};
use crate::vectors::{counts, read};

fn arms(shares: &[f64], coverage: f64) -> Arms {
    Arms::new(shares, coverage).unwrap()
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn all_units_fall_into_the_arms_of_hashlib() {
    let file = read("assignment.json");
    has_fields(&file, &["definition", "rows", "checks"]);
    let columns = [
        ("arm_5050_full", arms(&[0.5, 0.5], 1.0)),
        ("arm_5050_cov10", arms(&[0.5, 0.5], 0.1)),
        ("arm_721", arms(&[0.7, 0.2, 0.1], 1.0)),
    ];
    let rows = items(&file, "rows");
    for row in rows {
        has_fields(
            row,
            &["salt", "unit", "hash_hex", "v", "arm_5050_full", "arm_5050_cov10", "arm_721"],
        );
        let found = draw(text(row, "salt"), text(row, "unit"));
        assert_eq!(found.to_bits(), row["v"].as_f64().unwrap().to_bits(), "{row}");
        let hash = u64::from_str_radix(text(row, "hash_hex"), 16).unwrap();
        assert_eq!(found.to_bits(), ((hash >> 11) as f64 / 2_f64.powi(53)).to_bits(), "{row}");
        for (column, arms) in &columns {
            assert_eq!(arms.arm(found).map(|arm| arm as u64), row[column].as_u64(), "{row}");
        }
    }
    assert_eq!(rows.len(), 36);
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn shares_are_even_and_salts_independent_to_the_unit() {
    let checks = &read("assignment.json")["checks"];
    has_fields(checks, &["n", "salt", "unit", "counts_532", "independence_salts", "joint"]);
    let units: Vec<String> = (0..checks["n"].as_u64().unwrap())
        .map(|n| text(checks, "unit").replace("{i}", &n.to_string()))
        .collect();
    assert_eq!(units.len(), 200_000);
    let three = arms(&[0.5, 0.3, 0.2], 1.0);
    let mut of_three = [0; 3];
    for unit in &units {
        of_three[three.arm(draw(text(checks, "salt"), unit)).unwrap()] += 1;
    }
    assert_eq!(of_three.to_vec(), counts(&checks["counts_532"]));
    let halves = arms(&[0.5, 0.5], 1.0);
    let salts = items(checks, "independence_salts");
    let mut joint: BTreeMap<String, u64> = BTreeMap::new();
    for unit in &units {
        let arm = |salt: &str| halves.arm(draw(salt, unit)).unwrap();
        let both: String =
            salts.iter().map(|salt| arm(salt.as_str().unwrap()).to_string()).collect();
        *joint.entry(both).or_default() += 1;
    }
    assert_eq!(serde_json::to_value(joint).unwrap(), checks["joint"]);
}
