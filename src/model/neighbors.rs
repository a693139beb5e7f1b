//! The points nearest to a point, exactly and in one order.
//!
//! A k-d tree of linfa finds them; what it leaves open, which of equally far points come
//! first, is settled by their keys.

use linfa_nn::distance::L2Dist;
use linfa_nn::{KdTree, NearestNeighbour as _};
use ndarray::{ArrayView1, ArrayView2};

/// Points in a leaf of the tree.
const LEAF_SIZE: usize = 16;
/// Sums in another order differ by less than this part of a distance.
const ROUNDING: f64 = 1e-9;

/// Points of one width, each with the key that it is known by.
#[derive(Clone, Debug)]
pub struct Points<K> {
    n_dims: usize,
    keys: Vec<K>,
    /// Shape `[n_points][n_dims]`; every number is finite.
    values: Vec<f64>,
}

impl<K: Copy + Ord> Points<K> {
    /// No point yet.
    pub fn new(n_dims: usize) -> Self {
        Self { n_dims, keys: Vec::new(), values: Vec::new() }
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True without any point.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Adds a point; one of another width or with a number that is not finite is nowhere
    /// and passed over.
    pub fn push(&mut self, key: K, point: &[f64]) {
        if self.is_somewhere(point) {
            self.keys.push(key);
            self.values.extend_from_slice(point);
        }
    }

    /// The nearest `n_max` points with their Euclidean distances, nearest first, those of one
    /// distance by key; none for a point that is nowhere. Does not depend on the order in
    /// which points were added.
    pub fn nearest(&self, point: &[f64], n_max: usize) -> Vec<(K, f64)> {
        let mut found: Vec<(K, f64)> = self
            .near(point, n_max)
            .into_iter()
            .filter_map(|at| {
                let row = self.values.chunks_exact(self.n_dims).nth(at)?;
                Some((*self.keys.get(at)?, distance(row, point)))
            })
            .collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        found.truncate(n_max);
        found
    }

    /// Positions of the nearest points and of all that are as far as the last of them.
    fn near(&self, point: &[f64], n_max: usize) -> Vec<usize> {
        if !self.is_somewhere(point) {
            return Vec::new();
        }
        let asked = ArrayView1::from(point);
        let search = || {
            let rows = ArrayView2::from_shape((self.keys.len(), self.n_dims), &self.values).ok()?;
            let tree = KdTree::new().from_batch_with_leaf_size(&rows, LEAF_SIZE, L2Dist).ok()?;
            let nearest = tree.k_nearest(asked, n_max).ok()?;
            let (last, _) = nearest.last()?;
            let far = distance(last.as_slice()?, point) * (1.0 + ROUNDING);
            let all = tree.within_range(asked, far).ok()?;
            Some(all.into_iter().map(|(_, at)| at).collect())
        };
        search().unwrap_or_default()
    }

    fn is_somewhere(&self, point: &[f64]) -> bool {
        self.n_dims != 0 && point.len() == self.n_dims && point.iter().all(|it| it.is_finite())
    }
}

/// Euclidean distance, summed in the order of the dimensions.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn points(rows: &[(u32, [f64; 2])]) -> Points<u32> {
        let mut points = Points::new(2);
        for (key, row) in rows {
            points.push(*key, row);
        }
        points
    }

    #[test]
    fn the_nearest_come_first_and_equally_far_ones_by_key() {
        let rows =
            [(4, [3.0, 4.0]), (9, [0.0, 1.0]), (2, [-1.0, 0.0]), (7, [1.0, 0.0]), (1, [6.0, 8.0])];
        let points = points(&rows);
        let expected = [(2, 1.0), (7, 1.0), (9, 1.0), (4, 5.0), (1, 10.0)];
        for n_max in 0..=rows.len() {
            assert_eq!(points.nearest(&[0.0, 0.0], n_max), expected[..n_max]);
        }
        assert_eq!(points.nearest(&[0.0, 0.0], 99), expected);
    }

    #[test]
    fn more_equal_points_than_a_leaf_holds_are_told_apart_by_key() {
        let rows: Vec<(u32, [f64; 2])> = (0..200).rev().map(|key| (key, [0.3, 0.7])).collect();
        let found = points(&rows).nearest(&[0.3, 0.7], 3);
        assert_eq!(found, [(0, 0.0), (1, 0.0), (2, 0.0)]);
    }

    #[test]
    fn a_point_that_is_nowhere_has_no_neighbors_and_is_none() {
        let all = points(&[(1, [0.0, 0.0]), (2, [f64::NAN, 0.0]), (3, [f64::INFINITY, 0.0])]);
        assert_eq!(all.nearest(&[0.0, 0.0], 9), [(1, 0.0)]);
        assert_eq!(all.nearest(&[f64::NAN, 0.0], 9), []);
        assert_eq!(all.nearest(&[0.0], 9), []);
        assert_eq!(Points::<u32>::new(0).nearest(&[], 9), []);
        assert_eq!(points(&[]).nearest(&[0.0, 0.0], 9), []);
    }

    proptest! {
        #[test]
        fn a_tree_finds_what_looking_at_every_point_finds(
            rows in vec((0_u8..6, 0_u8..6), 0..120),
            n_max in 0_usize..20,
            is_turned in any::<bool>(),
        ) {
            // A coarse grid, so that many points are equally far.
            let number = |it: u8| 0.1 * f64::from(it);
            let mut rows: Vec<(u32, [f64; 2])> =
                (0..).zip(rows).map(|(key, (x, y))| (key, [number(x), number(y)])).collect();
            let mut expected: Vec<(u32, f64)> =
                rows.iter().map(|(key, row)| (*key, distance(row, &[0.2, 0.3]))).collect();
            expected.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            expected.truncate(n_max);
            if is_turned {
                rows.reverse();
            }
            prop_assert_eq!(points(&rows).nearest(&[0.2, 0.3], n_max), expected);
        }
    }
}
