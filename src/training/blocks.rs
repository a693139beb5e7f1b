//! The ranks of some rows, four features side by side: what a histogram reads.
//!
//! A histogram reads the ranks of a row for several features at once, so a row
//! costs one load per four features instead of four. Rows are numbered by their
//! position among the rows asked for, not by the matrix.

use crate::model::ensemble::Split;
use crate::training::columns::Columns;
use crate::training::share_out::share_out;

/// Features side by side in a block.
pub(crate) const LANES: usize = 4;

/// The ranks of one row for the features of a block.
pub(crate) type Block = [u8; LANES];

/// Ranks of some rows of a matrix, in blocks of [`LANES`] features.
#[derive(Debug)]
pub(crate) struct Blocks {
    n_rows: usize,
    /// Feature f is lane `f % LANES` of group `f / LANES`.
    groups: Vec<Vec<Block>>,
}

impl Blocks {
    /// Copies the ranks of `rows`, in their order.
    pub(crate) fn new(columns: &Columns, rows: &[u32], n_threads: usize) -> Self {
        let n_groups = columns.n_features().div_ceil(LANES);
        let mut groups = vec![Vec::new(); n_groups];
        share_out(n_threads, groups.iter_mut().enumerate(), |(group, blocks)| {
            *blocks = vec![[0; LANES]; rows.len()];
            for (lane, feature) in (group * LANES..columns.n_features()).take(LANES).enumerate() {
                let ranks = columns.ranks(feature);
                for (block, &row) in blocks.iter_mut().zip(rows) {
                    block[lane] = ranks[row as usize];
                }
            }
        });
        Self { n_rows: rows.len(), groups }
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The blocks of a group, one per row.
    pub(crate) fn group(&self, group: usize) -> &[Block] {
        &self.groups[group]
    }

    /// The blocks that hold a feature, and its lane in them.
    pub(crate) fn lane(&self, feature: u16) -> (&[Block], usize) {
        let feature = usize::from(feature);
        (&self.groups[feature / LANES], feature % LANES)
    }

    /// Writes the leaf numbers of rows `start..start + leaves.len()`.
    pub(crate) fn leaf_numbers(&self, splits: &[Split], start: usize, leaves: &mut [u8]) {
        leaves.fill(0);
        for (level, &split) in splits.iter().enumerate() {
            let (blocks, lane) = self.lane(split.feature);
            let blocks = &blocks[start..start + leaves.len()];
            let mut is_above = [0_u8; 256];
            for (rank, answer) in (0..=u8::MAX).zip(&mut is_above) {
                *answer = u8::from(split.is_above(rank)) << level;
            }
            for (leaf, block) in leaves.iter_mut().zip(blocks) {
                *leaf |= is_above[usize::from(block[lane])];
            }
        }
    }
}
