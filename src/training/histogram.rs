//! Histograms: derivatives summed by rank, for the features of one block.
//!
//! A child's histogram is its parent's minus its sibling's; only the smaller
//! sibling is counted from rows.

use crate::training::blocks::{Block, LANES};
use crate::training::derivatives::Packed;
use crate::training::leaves::Leaves;

/// Sums by rank of one feature in one leaf; as long as ranks are bytes, none misses.
pub(crate) type Bins = [Packed; 256];

/// Histograms of the wanted lanes of one group of blocks, at the current level.
#[derive(Debug, Default)]
pub(crate) struct Histograms {
    /// Which lanes are counted, and how many bins each has.
    lanes: Vec<(usize, usize)>,
    /// `[leaf][lane]`.
    bins: Vec<Bins>,
    parents: Vec<Bins>,
}

impl Histograms {
    /// Forgets the last tree; from now on counts these lanes with these many bins.
    pub(crate) fn start(&mut self, lanes: impl Iterator<Item = (usize, usize)>) {
        self.lanes.clear();
        self.lanes.extend(lanes);
    }

    /// Counts the current leaves; call once per level, from the root down.
    pub(crate) fn count(&mut self, blocks: &[Block], leaves: &Leaves) {
        let n_lanes = self.lanes.len();
        std::mem::swap(&mut self.bins, &mut self.parents);
        self.bins.resize(leaves.n_leaves() * n_lanes, [Packed::default(); 256]);
        if leaves.n_leaves() == 1 {
            fill(&mut self.bins, &self.lanes, blocks, leaves.leaf(0));
            return;
        }
        let pairs = self.bins.chunks_exact_mut(2 * n_lanes);
        for (parent, (pair, sums)) in pairs.zip(self.parents.chunks_exact(n_lanes)).enumerate() {
            let (below, above) = pair.split_at_mut(n_lanes);
            let (rows_below, rows_above) = (leaves.leaf(2 * parent), leaves.leaf(2 * parent + 1));
            let (fewer, more, rows) = if rows_below.0.len() <= rows_above.0.len() {
                (below, above, rows_below)
            } else {
                (above, below, rows_above)
            };
            fill(fewer, &self.lanes, blocks, rows);
            for ((more, sums), (fewer, &(_, n_bins))) in
                more.iter_mut().zip(sums).zip(fewer.iter().zip(&self.lanes))
            {
                subtract(&mut more[..n_bins], &sums[..n_bins], &fewer[..n_bins]);
            }
        }
    }

    /// The bins of a counted lane, leaf after leaf.
    pub(crate) fn of(&self, position: usize) -> impl Iterator<Item = &[Packed]> {
        let n_bins = self.lanes[position].1;
        let bins = self.bins.iter().skip(position).step_by(self.lanes.len());
        bins.map(move |bins| &bins[..n_bins])
    }
}

/// Counts a leaf. The number of lanes is known inside the loop: no lane is in vain.
fn fill(
    bins: &mut [Bins],
    lanes: &[(usize, usize)],
    blocks: &[Block],
    (rows, packed): (&[u32], &[Packed]),
) {
    for (bins, &(_, n_bins)) in bins.iter_mut().zip(lanes) {
        bins[..n_bins].fill(Packed::default());
    }
    let lane = |position: usize| lanes[position].0;
    match lanes.len() {
        0 => {}
        1 => add_rows(bins, [lane(0)], blocks, rows, packed),
        2 => add_rows(bins, [lane(0), lane(1)], blocks, rows, packed),
        3 => add_rows(bins, [lane(0), lane(1), lane(2)], blocks, rows, packed),
        _ => add_rows(bins, [0, 1, 2, 3], blocks, rows, packed),
    }
}

fn add_rows<const N: usize>(
    bins: &mut [Bins],
    lanes: [usize; N],
    blocks: &[Block],
    rows: &[u32],
    packed: &[Packed],
) {
    let Some(bins) = bins.first_chunk_mut::<N>() else { return };
    for (&row, &packed) in rows.iter().zip(packed) {
        let block = blocks[row as usize];
        for (bins, lane) in bins.iter_mut().zip(lanes) {
            bins[usize::from(block[lane % LANES])].add(packed);
        }
    }
}

fn subtract(out: &mut [Packed], from: &[Packed], part: &[Packed]) {
    for ((out, from), part) in out.iter_mut().zip(from).zip(part) {
        *out = from.minus(*part);
    }
}
