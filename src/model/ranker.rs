//! Ranks: feature values as small numbers, in blocks that count quickly.
//!
//! A rank is one plus the number of borders below the value. Borders stand in blocks
//! of 16, the last padded with infinity; the last borders of the blocks say which
//! block to count, so a value meets 32 borders at most.

use crate::model::binning::{Binning, RANK_MISSING};

/// Borders that are counted together.
pub(crate) const BLOCK: usize = 16;

/// The borders of every feature, laid out for counting.
#[derive(Clone, Debug)]
pub(crate) struct Ranker {
    pub(crate) features: Vec<FeatureBlocks>,
    pub(crate) blocks: Vec<[f32; BLOCK]>,
}

/// Where the blocks of a feature stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeatureBlocks {
    /// With one block, that block; with more, the block of their last borders, then they.
    pub(crate) first: u32,
    pub(crate) has_pivots: bool,
}

impl Ranker {
    pub(crate) fn new(binning: &Binning) -> Self {
        let mut ranker = Self { features: Vec::new(), blocks: Vec::new() };
        for feature in 0..binning.n_features() {
            let borders = binning.borders(feature);
            // Room for one pad, so that every value finds a block.
            let n_blocks = borders.len() / BLOCK + 1;
            let first = u32::try_from(ranker.blocks.len()).unwrap_or(u32::MAX);
            let has_pivots = 1 < n_blocks;
            ranker.features.push(FeatureBlocks { first, has_pivots });
            if has_pivots {
                ranker.blocks.push(padded(borders.iter().skip(BLOCK - 1).step_by(BLOCK)));
            }
            for block in 0..n_blocks {
                ranker.blocks.push(padded(borders.iter().skip(block * BLOCK).take(BLOCK)));
            }
        }
        ranker
    }

    /// Fills one rank per feature; what lies beyond either end is missing.
    pub(crate) fn fill(&self, values: &[f32], ranks: &mut [u8]) {
        ranks.fill(RANK_MISSING);
        for ((rank, &value), &feature) in ranks.iter_mut().zip(values).zip(&self.features) {
            *rank = self.rank(feature, value, |block, value| {
                block.iter().map(|&border| u8::from(border < value)).sum()
            });
        }
    }

    /// The rank of one value, given how to count the borders of a block below it.
    #[expect(clippy::inline_always, reason = "it must take on the instructions of its caller")]
    #[inline(always)]
    pub(crate) fn rank(
        &self,
        feature: FeatureBlocks,
        value: f32,
        count: impl Fn(&[f32; BLOCK], f32) -> u8,
    ) -> u8 {
        let first = feature.first as usize;
        if value.is_nan() {
            return RANK_MISSING;
        }
        if !feature.has_pivots {
            return 1 + count(&self.blocks[first], value);
        }
        let block = count(&self.blocks[first], value);
        let within = count(&self.blocks[first + 1 + usize::from(block)], value);
        // At most 254 borders: 1 + 16 · 15 + 14.
        1 + block * 16 + within
    }
}

fn padded<'a>(borders: impl Iterator<Item = &'a f32>) -> [f32; BLOCK] {
    let mut block = [f32::INFINITY; BLOCK];
    for (slot, border) in block.iter_mut().zip(borders) {
        *slot = *border;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_binning_at_and_around_every_border() {
        let borders = |n: u8| (0..n).map(|i| f32::from(i) * 0.5 - 9.0).collect::<Vec<_>>();
        let widths = [0, 1, 15, 16, 17, 31, 32, 33, 100, 240, 253, 254];
        let binning = Binning::new(widths.map(borders).into()).unwrap();
        let ranker = Ranker::new(&binning);
        let mut ranks = vec![0; binning.n_features() + 3];
        let steps = (-2_000..14_000_i16).map(|step| f32::from(step) / 100.0);
        for value in steps.chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0]) {
            ranker.fill(&vec![value; binning.n_features()], &mut ranks);
            for (feature, &rank) in ranks[..binning.n_features()].iter().enumerate() {
                assert_eq!(rank, binning.rank(feature, value), "{value} of feature {feature}");
            }
            assert_eq!(ranks[binning.n_features()..], [RANK_MISSING; 3]);
        }
    }
}
