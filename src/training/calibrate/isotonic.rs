//! Isotonic regression by pooling adjacent violators.

use crate::model::calibration::CalibrationMap;
use crate::training::calibrate::HeldOut;

/// Pool-adjacent-violators with one knot per block, at the block's mean score.
pub(crate) fn isotonic(rows: &[HeldOut]) -> CalibrationMap {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    // Blocks: sum of scores, sum of targets, rows. Equal scores start as one block.
    let mut blocks: Vec<[f64; 3]> = Vec::new();
    let mut last_raw = f64::NAN;
    for row in &sorted {
        match blocks.last_mut() {
            Some(block) if row.raw <= last_raw => {
                *block = joined(*block, [row.raw, row.target, 1.0]);
            }
            _ => {
                merge_while_unordered(&mut blocks);
                blocks.push([row.raw, row.target, 1.0]);
            }
        }
        last_raw = row.raw;
    }
    merge_while_unordered(&mut blocks);
    let n = sorted.len() as f64;
    // Half a row keeps the ends away from 0 and 1, where one surprise costs infinitely.
    let floor = 0.5 / (n + 1.0);
    let (mut raw, mut probability): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for [score, target, n] in blocks {
        let knot = score / n;
        if raw.last().is_none_or(|last| *last < knot) {
            raw.push(knot);
            probability.push((target / n).clamp(floor, 1.0 - floor));
        }
    }
    CalibrationMap::Isotonic { raw, probability }
}

fn merge_while_unordered(blocks: &mut Vec<[f64; 3]>) {
    while let [.., before, last] = blocks.as_slice() {
        if before[1] * last[2] < last[1] * before[2] {
            return;
        }
        let merged = joined(*before, *last);
        blocks.truncate(blocks.len() - 2);
        blocks.push(merged);
    }
}

fn joined(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::calibrate::tests::simulate;

    #[test]
    fn isotonic_probabilities_never_fall() {
        let CalibrationMap::Isotonic { raw, probability } = isotonic(&simulate(500, |_| 0.5))
        else {
            panic!("isotonic makes knots");
        };
        assert!(raw.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(probability.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
