//! Assignment of units against reference numbers of hashlib.

use orderlens::domain::assignment::draw;
use orderlens::experiment::arms::Arms;

use crate::vectors::{counts, read};

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn units_are_assigned_as_by_hashlib() {
    let file = read("assignment.json");
    let named = |shares: &[f64], coverage| Arms::new(shares, coverage).unwrap();
    let columns = [
        ("arm_5050_full", named(&[0.5, 0.5], 1.0)),
        ("arm_5050_cov10", named(&[0.5, 0.5], 0.1)),
        ("arm_721", named(&[0.7, 0.2, 0.1], 1.0)),
    ];
    for row in file["rows"].as_array().unwrap() {
        let found = draw(row["salt"].as_str().unwrap(), row["unit"].as_str().unwrap());
        assert_eq!(found.to_bits(), row["v"].as_f64().unwrap().to_bits(), "{row}");
        let hash = u64::from_str_radix(row["hash_hex"].as_str().unwrap(), 16).unwrap();
        assert_eq!(found.to_bits(), ((hash >> 11) as f64 / 2_f64.powi(53)).to_bits(), "{row}");
        for (column, arms) in &columns {
            let arm = arms.arm(found).map(|arm| arm as u64);
            assert_eq!(arm, row[column].as_u64(), "{row}");
        }
    }
    let checks = &file["checks"];
    let arms = named(&[0.5, 0.3, 0.2], 1.0);
    let mut units = [0; 3];
    for unit in 0..checks["n"].as_u64().unwrap() {
        units[arms.arm(draw("uniformity", &format!("u{unit}"))).unwrap()] += 1;
    }
    assert_eq!(units.to_vec(), counts(&checks["counts_532"]));
}
