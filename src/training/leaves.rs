//! The rows of a tree's sample, grouped by the leaf they are in so far.

use crate::model::ensemble::Split;
use crate::training::blocks::{Block, Blocks};
use crate::training::derivatives::Packed;
use crate::training::share_out::share_out;

/// Fewest rows that are worth a second thread.
const ROWS_SHARED_MIN: usize = 8_192;

/// Rows and their derivatives, leaf after leaf; rows of a leaf keep their order.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    rows: Vec<u32>,
    packed: Vec<Packed>,
    /// Leaf k holds positions `starts[k]..starts[k + 1]`.
    starts: Vec<usize>,
    totals: Vec<Packed>,
    /// The other half of a division: where the rows go next.
    next: (Vec<u32>, Vec<Packed>),
}

/// One leaf about to be divided, with the places of its rows now and next.
struct Division<'a> {
    rows: &'a [u32],
    packed: &'a [Packed],
    next_rows: &'a mut [u32],
    next_packed: &'a mut [Packed],
    /// Rows below, once divided.
    n_below: &'a mut usize,
}

impl Leaves {
    /// Starts a tree: one leaf with the given rows and derivatives.
    pub(crate) fn fill(&mut self, sample: impl Iterator<Item = (u32, Packed)>) {
        self.rows.clear();
        self.packed.clear();
        for (row, packed) in sample {
            self.rows.push(row);
            self.packed.push(packed);
        }
        self.next.0.resize(self.rows.len(), 0);
        self.next.1.resize(self.rows.len(), Packed::default());
        self.starts.clear();
        self.starts.extend([0, self.rows.len()]);
        self.totals.clear();
        self.totals.push(self.packed.iter().copied().sum());
    }

    pub(crate) fn n_leaves(&self) -> usize {
        self.totals.len()
    }

    /// Sums of the derivatives by leaf.
    pub(crate) fn totals(&self) -> &[Packed] {
        &self.totals
    }

    /// Rows and derivatives of a leaf.
    pub(crate) fn leaf(&self, leaf: usize) -> (&[u32], &[Packed]) {
        let range = self.starts[leaf]..self.starts[leaf + 1];
        (&self.rows[range.clone()], &self.packed[range])
    }

    /// Threads that are worth having for a pass over all rows.
    pub(crate) fn n_threads(&self, n_threads: usize) -> usize {
        if self.rows.len() < ROWS_SHARED_MIN { 1 } else { n_threads }
    }

    /// Splits every leaf k into leaves 2k (below) and 2k + 1 (above); rows keep order.
    pub(crate) fn divide(&mut self, split: Split, blocks: &Blocks, n_threads: usize) {
        let (column, lane) = blocks.lane(split.feature);
        let mut answers = [0_usize; 256];
        for (rank, answer) in (0..=u8::MAX).zip(&mut answers) {
            *answer = usize::from(split.is_above(rank));
        }
        let n_threads = self.n_threads(n_threads);
        let mut n_below = vec![0; self.n_leaves()];
        let work = self.divisions(&mut n_below);
        share_out(n_threads, work.into_iter(), |division| division.run(column, lane, &answers));
        std::mem::swap(&mut self.rows, &mut self.next.0);
        std::mem::swap(&mut self.packed, &mut self.next.1);
        let (parents, totals) = (std::mem::take(&mut self.starts), &mut self.totals);
        totals.clear();
        self.starts.push(0);
        for (parent, n_below) in parents.windows(2).zip(n_below) {
            let middle = parent[0] + n_below;
            self.starts.extend([middle, parent[1]]);
            totals.push(self.packed[parent[0]..middle].iter().copied().sum());
            totals.push(self.packed[middle..parent[1]].iter().copied().sum());
        }
    }

    /// The children of a leaf lie where the leaf lay, so leaves divide side by side.
    fn divisions<'a>(&'a mut self, n_below: &'a mut [usize]) -> Vec<Division<'a>> {
        let (mut next_rows, mut next_packed) = (&mut *self.next.0, &mut *self.next.1);
        let mut work = Vec::with_capacity(n_below.len());
        for (range, n_below) in self.starts.windows(2).zip(n_below) {
            let (rows, packed) = (&self.rows[range[0]..range[1]], &self.packed[range[0]..range[1]]);
            let (own_rows, other_rows) = next_rows.split_at_mut(rows.len());
            let (own_packed, other_packed) = next_packed.split_at_mut(rows.len());
            (next_rows, next_packed) = (other_rows, other_packed);
            work.push(Division {
                rows,
                packed,
                next_rows: own_rows,
                next_packed: own_packed,
                n_below,
            });
        }
        work
    }
}

impl Division<'_> {
    /// Rows below fill from the front, rows above from the back; the back is turned
    /// around at the end. No branch depends on a row's answer: it would be a coin toss.
    fn run(self, column: &[Block], lane: usize, answers: &[usize; 256]) {
        let (mut front, mut back) = (0, self.rows.len());
        for (&row, &packed) in self.rows.iter().zip(self.packed) {
            let is_above = answers[usize::from(column[row as usize][lane])];
            let at = if is_above == 0 { front } else { back - 1 };
            self.next_rows[at] = row;
            self.next_packed[at] = packed;
            front += 1 - is_above;
            back -= is_above;
        }
        self.next_rows[front..].reverse();
        self.next_packed[front..].reverse();
        *self.n_below = front;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::model::ensemble::MissingSide;
    use crate::training::columns::Columns;
    use crate::training::derivatives::{Magnitude, Scales};

    #[test]
    fn dividing_keeps_every_row_once_in_order_on_its_side() {
        let n_rows = 20_000;
        let matrix = Array2::from_shape_fn((n_rows, 2), |(row, column)| {
            ((row * (7 + column) * 2_654_435_761) % 1_000) as f32
        });
        let columns = Columns::new(matrix.view(), 15, 1).unwrap();
        let rows: Vec<u32> = (0..20_000).collect();
        let blocks = Blocks::new(&columns, &rows, 1);
        let scales = Scales::new(Magnitude { first: 20_000.0, second: 20_000.0 }, n_rows);
        for n_threads in [1, 2] {
            let mut leaves = Leaves::default();
            leaves.fill(rows.iter().map(|&row| (row, scales.pack([1.0, 1.0]))));
            let whole = leaves.totals()[0];
            let splits = [(0, 3), (1, 7)].map(|(feature, border)| Split {
                feature,
                border,
                missing: MissingSide::Below,
            });
            for split in splits {
                leaves.divide(split, &blocks, n_threads);
            }
            assert_eq!(leaves.totals().iter().copied().sum::<Packed>(), whole);
            let mut seen = 0;
            for leaf in 0..4 {
                let (rows, _) = leaves.leaf(leaf);
                assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
                seen += rows.len();
                for &row in rows {
                    let rank = |feature| columns.ranks(feature)[row as usize];
                    let bits = splits.map(|split| split.is_above(rank(split.feature.into())));
                    assert_eq!(usize::from(bits[0]) * 2 + usize::from(bits[1]), leaf);
                }
            }
            assert_eq!(seen, n_rows);
        }
    }
}
