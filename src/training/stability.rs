//! Do two bundles explain the same orders alike?

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::head::HeadId;

/// Features that a person reads first.
pub const TOP_FEATURES: usize = 5;
/// Features listed whose contribution moved most.
const MOVERS_MAX: usize = 10;

/// How alike one head of two bundles is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stability {
    /// Which head.
    pub head: HeadId,
    /// Orders compared.
    pub n_orders: u64,
    /// Mean absolute change of the raw score, log-odds or the value's unit.
    pub mean_score_change: f64,
    /// Mean over orders of Spearman's rank correlation between the contributions.
    pub rank_correlation: f64,
    /// Mean over orders of the share of the five leading features that are the same.
    pub top_overlap: f64,
    /// Features whose contributions changed most, largest first.
    pub movers: Vec<Mover>,
}

/// A feature whose contributions changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mover {
    /// Feature id.
    pub feature: Box<str>,
    /// Mean contribution in the judged bundle.
    pub mean: f64,
    /// Mean contribution in the other bundle.
    pub mean_other: f64,
    /// Mean absolute change per order.
    pub mean_change: f64,
}

/// One order's answer by one head of one bundle.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    /// Raw score.
    pub raw: f64,
    /// One per feature of the bundle.
    pub contributions: &'a [f64],
}

/// Compares one head order by order.
#[derive(Clone, Debug)]
pub struct Comparison {
    head: HeadId,
    /// Every feature of either bundle.
    names: Vec<Box<str>>,
    /// Their positions in both bundles.
    positions: Vec<[Option<usize>; 2]>,
    /// Sums per feature: contribution, the other's, absolute change.
    sums: Vec<[f64; 3]>,
    n_orders: u64,
    score_change: f64,
    correlation: f64,
    overlap: f64,
}

impl Comparison {
    /// An empty comparison of a head; `features` are the ids of both bundles, in order.
    pub fn new(head: &HeadId, features: [&[Box<str>]; 2]) -> Self {
        let mut positions: BTreeMap<Box<str>, [Option<usize>; 2]> = BTreeMap::new();
        for (which, ids) in features.iter().enumerate() {
            for (at, id) in ids.iter().enumerate() {
                positions.entry(id.clone()).or_default()[which] = Some(at);
            }
        }
        let sums = vec![[0.0; 3]; positions.len()];
        let (names, positions) = positions.into_iter().unzip();
        Self {
            head: head.clone(),
            names,
            positions,
            sums,
            n_orders: 0,
            score_change: 0.0,
            correlation: 0.0,
            overlap: 0.0,
        }
    }

    /// Adds one order as both bundles explain it.
    pub fn add(&mut self, ours: Explained<'_>, other: Explained<'_>) {
        let at = |contributions: &[f64], position: Option<usize>| {
            position.and_then(|at| contributions.get(at)).copied().unwrap_or(0.0)
        };
        let pairs = self.positions.iter();
        let pairs: Vec<(f64, f64)> =
            pairs.map(|[a, b]| (at(ours.contributions, *a), at(other.contributions, *b))).collect();
        for (sums, (a, b)) in self.sums.iter_mut().zip(&pairs) {
            *sums = [sums[0] + a, sums[1] + b, sums[2] + (a - b).abs()];
        }
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        self.n_orders += 1;
        self.score_change += (ours.raw - other.raw).abs();
        self.correlation += correlation(&ranks(&a), &ranks(&b));
        self.overlap += overlap(&a, &b);
    }

    /// The figures; zeros without orders.
    pub fn finish(self) -> Stability {
        let n = self.n_orders.max(1) as f64;
        let movers = self.names.into_iter().zip(&self.sums).map(|(feature, sums)| Mover {
            feature,
            mean: sums[0] / n,
            mean_other: sums[1] / n,
            mean_change: sums[2] / n,
        });
        let mut movers: Vec<Mover> = movers.filter(|mover| 0.0 < mover.mean_change).collect();
        movers.sort_by(|a, b| {
            b.mean_change.total_cmp(&a.mean_change).then(a.feature.cmp(&b.feature))
        });
        movers.truncate(MOVERS_MAX);
        Stability {
            head: self.head,
            n_orders: self.n_orders,
            mean_score_change: self.score_change / n,
            rank_correlation: self.correlation / n,
            top_overlap: self.overlap / n,
            movers,
        }
    }
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|a, b| values[*b] <= values[*a]) {
        let first = tied.first().map_or(0, |first| {
            order.partition_point(|at| values[*at].total_cmp(&values[*first]).is_lt())
        });
        for at in tied {
            ranks[*at] = first as f64 + 0.5 * (tied.len() as f64 - 1.0);
        }
    }
    ranks
}

/// Pearson's correlation; 1 when neither side varies, 0 when one does not.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().max(1) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    if aa <= 0.0 && bb <= 0.0 {
        1.0
    } else if aa <= 0.0 || bb <= 0.0 {
        0.0
    } else {
        ab / (aa * bb).sqrt()
    }
}

/// Share of the leading features, by absolute contribution, that are in both lists.
fn overlap(a: &[f64], b: &[f64]) -> f64 {
    let leading = |values: &[f64]| {
        let mut order: Vec<usize> = (0..values.len()).filter(|at| values[*at] != 0.0).collect();
        order.sort_by(|x, y| values[*y].abs().total_cmp(&values[*x].abs()).then(x.cmp(y)));
        order.truncate(TOP_FEATURES);
        order
    };
    let (a, b) = (leading(a), leading(b));
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 1.0;
    }
    a.iter().filter(|at| b.contains(at)).count() as f64 / longest as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(ours: &[(&str, f64)], other: &[(&str, f64)]) -> Stability {
        let ids = |list: &[(&str, f64)]| list.iter().map(|it| it.0.into()).collect::<Vec<_>>();
        let values = |list: &[(&str, f64)]| list.iter().map(|it| it.1).collect::<Vec<f64>>();
        let head = HeadId("fake_order".into());
        let mut comparison = Comparison::new(&head, [&ids(ours), &ids(other)]);
        let (a, b) = (values(ours), values(other));
        comparison.add(
            Explained { raw: a.iter().sum(), contributions: &a },
            Explained { raw: b.iter().sum(), contributions: &b },
        );
        comparison.finish()
    }

    #[test]
    fn the_same_answer_in_another_order_is_stable() {
        let same = compare(&[("x", 1.0), ("y", -0.5)], &[("y", -0.5), ("x", 1.0)]);
        assert!((same.rank_correlation - 1.0).abs() < 1e-12);
        assert!((same.top_overlap - 1.0).abs() < 1e-12);
        assert!(same.movers.is_empty() && same.mean_score_change.abs() < 1e-12);
    }

    #[test]
    fn a_feature_that_took_over_is_the_first_mover() {
        let moved = compare(&[("x", 2.0), ("y", 0.1)], &[("z", 2.0), ("y", 0.1)]);
        assert_eq!(&*moved.movers[0].feature, "x");
        assert!((moved.movers[0].mean_change - 2.0).abs() < 1e-12);
        assert!((moved.top_overlap - 0.5).abs() < 1e-12);
        assert!(moved.rank_correlation < 0.0);
    }

    #[test]
    fn equal_values_share_their_rank() {
        let expected = [0.0, 1.5, 1.5, 3.0];
        for (ours, expected) in ranks(&[1.0, 2.0, 2.0, 5.0]).iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-12);
        }
    }
}
