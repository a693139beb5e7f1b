//! The questions of many trees, 32 trees abreast, and the leaves they lead to.

use crate::model::ensemble::{DEPTH_MAX, MissingSide, Split, Tree};

/// Trees that are asked together: the bytes of a vector register.
pub(crate) const LANES: usize = 32;

/// How a position of a feature is stored: a byte while that is wide enough.
pub(crate) trait Position: Copy + Default + Into<usize> + std::fmt::Debug {
    /// The position, if it fits.
    fn of(feature: u16) -> Self;
}

impl Position for u8 {
    fn of(feature: u16) -> Self {
        u8::try_from(feature).unwrap_or(u8::MAX)
    }
}

impl Position for u16 {
    fn of(feature: u16) -> Self {
        feature
    }
}

/// One question of each of 32 trees: "is `rank − offset`, in wrapping bytes, above
/// `at_most`?".
#[derive(Clone, Debug)]
pub(crate) struct Questions<P> {
    pub(crate) features: [P; LANES],
    /// 1 where a missing value goes above: rank 0 (missing) minus 1 is 255.
    pub(crate) offsets: [u8; LANES],
    pub(crate) at_most: [u8; LANES],
}

/// All questions of 32 trees, in bit order.
#[derive(Clone, Debug)]
pub(crate) struct Block<P> {
    pub(crate) levels: [Questions<P>; DEPTH_MAX],
}

/// The trees of all heads, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Forest<P> {
    pub(crate) blocks: Vec<Block<P>>,
}

impl<P: Position> Forest<P> {
    pub(crate) fn new<'a>(trees: impl Iterator<Item = &'a Tree>) -> Self {
        // Pads missing trees and levels: no byte is above 255.
        let never = Questions {
            features: [P::default(); LANES],
            offsets: [0; LANES],
            at_most: [u8::MAX; LANES],
        };
        let mut blocks: Vec<Block<P>> = Vec::new();
        for (position, tree) in trees.enumerate() {
            let lane = position % LANES;
            if lane == 0 {
                blocks.push(Block { levels: std::array::from_fn(|_| never.clone()) });
            }
            let Some(block) = blocks.last_mut() else { continue };
            for (questions, &split) in block.levels.iter_mut().zip(tree.splits()) {
                questions.set(lane, split);
            }
        }
        Self { blocks }
    }

    /// Length of the leaf buffer: a byte per tree and pad.
    pub(crate) fn n_lanes(&self) -> usize {
        self.blocks.len() * LANES
    }

    /// Fills in the leaf number of every tree.
    pub(crate) fn fill(&self, ranks: &[u8], leaves: &mut [u8]) {
        for (block, leaves) in self.blocks.iter().zip(leaves.chunks_exact_mut(LANES)) {
            let mut bits = [0_u8; LANES];
            for (level, questions) in block.levels.iter().enumerate() {
                let mut asked = [0_u8; LANES];
                for (asked, &feature) in asked.iter_mut().zip(&questions.features) {
                    *asked = ranks.get(feature.into()).copied().unwrap_or(0);
                }
                for (lane, bits) in bits.iter_mut().enumerate() {
                    let rank = asked[lane].wrapping_sub(questions.offsets[lane]);
                    *bits |= u8::from(questions.at_most[lane] < rank) << level;
                }
            }
            leaves.copy_from_slice(&bits);
        }
    }
}

impl<P: Position> Questions<P> {
    fn set(&mut self, lane: usize, split: Split) {
        // A known rank is above border k from k + 2 on.
        let (offset, at_most) = match split.missing {
            MissingSide::Below => (0, split.border.saturating_add(1)),
            MissingSide::Above => (1, split.border),
        };
        self.features[lane] = P::of(split.feature);
        self.offsets[lane] = offset;
        self.at_most[lane] = at_most;
    }
}
