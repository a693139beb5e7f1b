//! Isotonic regression by pooling adjacent violators.

use crate::model::calibration::CalibrationMap;
use crate::training::calibrate::HeldOut;

/// Rows next to each other that share a mean.
#[derive(Clone, Copy)]
struct Block {
    /// Smallest and largest score.
    raw: (f64, f64),
    sum_raw: f64,
    sum_target: f64,
    n: f64,
}

/// Pool-adjacent-violators with one knot per block, at the block's mean score.
pub(crate) fn isotonic(rows: &[HeldOut]) -> CalibrationMap {
    map(rows, |block| [block.sum_raw / block.n; 2])
}

/// Pool-adjacent-violators with a knot at both ends of a block: level within blocks, so each
/// keeps its mean however wide it is.
pub(crate) fn isotonic_steps(rows: &[HeldOut]) -> CalibrationMap {
    map(rows, |block| [block.raw.0, block.raw.1])
}

fn map(rows: &[HeldOut], knots: impl Fn(&Block) -> [f64; 2]) -> CalibrationMap {
    // Half a row keeps the ends away from 0 and 1, where one surprise costs infinitely.
    let floor = 0.5 / (rows.len() as f64 + 1.0);
    let (mut raw, mut probability): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for block in blocks(rows) {
        for knot in knots(&block) {
            if raw.last().is_none_or(|last| *last < knot) {
                raw.push(knot);
                probability.push((block.sum_target / block.n).clamp(floor, 1.0 - floor));
            }
        }
    }
    CalibrationMap::Isotonic { raw, probability }
}

/// Blocks with ascending means. Equal scores start as one block.
fn blocks(rows: &[HeldOut]) -> Vec<Block> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    let mut blocks: Vec<Block> = Vec::new();
    let mut last_raw = f64::NAN;
    for row in &sorted {
        let (raw, sum_raw) = ((row.raw, row.raw), row.raw);
        let alone = Block { raw, sum_raw, sum_target: row.target, n: 1.0 };
        match blocks.last_mut() {
            Some(block) if row.raw <= last_raw => *block = joined(*block, alone),
            _ => {
                merge_while_unordered(&mut blocks);
                blocks.push(alone);
            }
        }
        last_raw = row.raw;
    }
    merge_while_unordered(&mut blocks);
    blocks
}

fn merge_while_unordered(blocks: &mut Vec<Block>) {
    while let [.., before, last] = blocks.as_slice() {
        if before.sum_target * last.n < last.sum_target * before.n {
            return;
        }
        let merged = joined(*before, *last);
        blocks.truncate(blocks.len() - 2);
        blocks.push(merged);
    }
}

fn joined(a: Block, b: Block) -> Block {
    Block {
        raw: (a.raw.0, b.raw.1),
        sum_raw: a.sum_raw + b.sum_raw,
        sum_target: a.sum_target + b.sum_target,
        n: a.n + b.n,
    }
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

    #[test]
    fn a_wide_block_of_steps_is_level() {
        let rows = [(0.1, 0.0), (0.2, 1.0), (0.9, 0.0), (1.0, 1.0)];
        let rows = rows.map(|(raw, target)| HeldOut { raw, target });
        let map = isotonic_steps(&rows);
        let shown = [0.0, 0.1, 0.2, 0.5, 0.9, 1.0].map(|raw| map.apply(raw));
        let expected = [0.1, 0.1, 0.5, 0.5, 0.5, 0.9_f64];
        assert_eq!(shown.map(f64::to_bits), expected.map(f64::to_bits));
    }
}
