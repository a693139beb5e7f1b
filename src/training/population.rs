//! Counting the population of a bundle: cells, the tree of pairs, the cut.

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::domain::time::Timestamp;
use crate::model::population::{CELLS_MAX, FeatureCounts, Population, ScoreCounts};
use crate::model::unlike::UnlikeTables;
use crate::training::drift::trend;
use crate::training::sample::share_of;

/// Where the values of a feature are cut: the tails are where unusual orders are.
const FEATURE_QUANTILES: [f64; 7] = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99];
/// Where raw scores are cut; decisions fall at the upper end.
const SCORE_QUANTILES: [f64; 9] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.998];
/// Share of the rows, the latest ones, that say what moves and what is unlike: a bundle
/// is asked about orders later than all that it was trained on.
const LATER_SHARE: f64 = 0.25;
/// Share of those later rows that count as unlike the earlier ones.
const UNLIKE_SHARE: f64 = 0.01;
/// Most rows that choose the pairs and the cut; more are thinned evenly.
const ROWS_MAX: usize = 20_000;

/// Counts the rows of a matrix, placed at `times`, and the raw scores of every head.
pub(crate) fn count_population(
    matrix: ArrayView2<'_, f32>,
    times: &[Timestamp],
    scores: &[Vec<f64>],
) -> Population {
    let mut order: Vec<usize> = (0..matrix.nrows()).collect();
    order.sort_by_key(|&row| (times[row], row));
    let matrix = matrix.select(Axis(0), &order);
    let n_earlier = matrix.nrows() - share_of(matrix.nrows(), LATER_SHARE);
    let (earlier, later) = matrix.view().split_at(Axis(0), n_earlier);
    let trends: Vec<f64> =
        matrix.columns().into_iter().map(|column| trend_of(column, n_earlier)).collect();
    let count = |rows: ArrayView2<'_, f32>| Population {
        n_rows: rows.nrows() as u64,
        features: count_features(rows, &trends),
        scores: scores.iter().map(|raw| count_scores(raw)).collect(),
        surprise_max: f64::INFINITY,
        unlike_share: UNLIKE_SHARE,
    };
    let surprise_max = cut(&count(earlier), later);
    Population { surprise_max, ..count(matrix.view()) }
}

/// How far a column, in time order, moved after its first `n_earlier` values.
fn trend_of(column: ArrayView1<'_, f32>, n_earlier: usize) -> f64 {
    let feature = cut_feature(column);
    let (earlier, later) = column.split_at(Axis(0), n_earlier);
    let counts = |part: ArrayView1<'_, f32>| {
        count(part.iter().map(|&value| feature.cell(value)), feature.borders.len() + 2)
    };
    trend(&counts(earlier), &counts(later))
}

/// Cells, counts and the tree of pairs; features that move stay out of the tree.
fn count_features(matrix: ArrayView2<'_, f32>, trends: &[f64]) -> Vec<FeatureCounts> {
    let columns = matrix.columns().into_iter().zip(trends);
    let mut features: Vec<FeatureCounts> =
        columns.map(|(column, &trend)| FeatureCounts { trend, ..cut_feature(column) }).collect();
    let columns = matrix.columns().into_iter().zip(&features);
    let cells: Vec<Vec<u8>> = columns.map(|(column, it)| cells_of(column, it)).collect();
    for (feature, cells) in features.iter_mut().zip(&cells) {
        feature.counts = count(cells.iter().copied().map(usize::from), feature.borders.len() + 2);
    }
    let steady: Vec<usize> = (0..features.len()).filter(|at| features[*at].is_steady()).collect();
    let steady_cells: Vec<&[u8]> = steady.iter().map(|&at| &*cells[at]).collect();
    for (&feature, parent) in steady.iter().zip(chow_liu(&steady_cells)) {
        let Some(parent) = parent.map(|parent| steady[parent]) else { continue };
        let n_own = features[feature].borders.len() + 2;
        let n_pairs = (features[parent].borders.len() + 2) * n_own;
        let pairs = cells[parent].iter().zip(&cells[feature]);
        let pairs =
            pairs.map(|(&of_parent, &own)| usize::from(of_parent) * n_own + usize::from(own));
        features[feature].joint = count(pairs, n_pairs);
        features[feature].parent = u16::try_from(parent).ok();
    }
    features
}

fn cut_feature(column: ArrayView1<'_, f32>) -> FeatureCounts {
    let mut known: Vec<f32> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f32::total_cmp);
    let (Some(&low), Some(&high)) = (known.first(), known.last()) else {
        return FeatureCounts::default();
    };
    let mut borders: Vec<f32> =
        FEATURE_QUANTILES.iter().map(|share| known[position(known.len(), *share)]).collect();
    borders.dedup();
    borders.retain(|border| *border < high);
    FeatureCounts { borders, range: Some((low, high)), ..FeatureCounts::default() }
}

fn count_scores(raw: &[f64]) -> ScoreCounts {
    let mut sorted = raw.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&high) = sorted.last() else { return ScoreCounts::default() };
    let mut borders: Vec<f64> =
        SCORE_QUANTILES.iter().map(|share| sorted[position(sorted.len(), *share)]).collect();
    borders.dedup();
    borders.retain(|border| *border < high);
    let mut scores = ScoreCounts { borders, counts: Vec::new() };
    scores.counts = count(raw.iter().map(|raw| scores.cell(*raw)), scores.borders.len() + 1);
    scores
}

/// Position of a quantile in a sorted list that is not empty.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length is between 0 and the length"
)]
fn position(n: usize, share: f64) -> usize {
    (((n - 1) as f64 * share) as usize).min(n - 1)
}

fn cells_of(column: ArrayView1<'_, f32>, feature: &FeatureCounts) -> Vec<u8> {
    column.iter().map(|&value| u8::try_from(feature.cell(value)).unwrap_or(0)).collect()
}

fn count(cells: impl Iterator<Item = usize>, n_cells: usize) -> Vec<u32> {
    let mut counts = vec![0_u32; n_cells];
    for cell in cells {
        counts[cell] = counts[cell].saturating_add(1);
    }
    counts
}

/// The parent of every feature in the tree of largest mutual information, rooted at
/// feature 0 (Chow and Liu 1968, by Prim's algorithm). Quadratic in the features.
fn chow_liu(cells: &[&[u8]]) -> Vec<Option<usize>> {
    let mut parents = vec![None; cells.len()];
    let mut nearest: Vec<(f64, usize)> = vec![(f64::NEG_INFINITY, 0); cells.len()];
    let mut outside: Vec<usize> = (1..cells.len()).collect();
    let mut newest = 0;
    while !outside.is_empty() {
        for &feature in &outside {
            let information = mutual_information(cells[newest], cells[feature]);
            if nearest[feature].0 < information {
                nearest[feature] = (information, newest);
            }
        }
        // The first of equals, so that the tree is the same every time.
        let mut best = 0;
        for at in 1..outside.len() {
            if nearest[outside[best]].0 < nearest[outside[at]].0 {
                best = at;
            }
        }
        newest = outside.remove(best);
        parents[newest] = Some(nearest[newest].1);
    }
    parents
}

/// What one feature's cell tells about the other's, nats.
fn mutual_information(a: &[u8], b: &[u8]) -> f64 {
    let mut joint = [[0_u32; CELLS_MAX]; CELLS_MAX];
    let stride = a.len().div_ceil(ROWS_MAX).max(1);
    for (a, b) in a.iter().zip(b).step_by(stride) {
        joint[usize::from(*a)][usize::from(*b)] += 1;
    }
    let total = f64::from(joint.iter().flatten().sum::<u32>()).max(1.0);
    let of_b: Vec<f64> =
        (0..CELLS_MAX).map(|b| joint.iter().map(|line| f64::from(line[b])).sum()).collect();
    let mut information = 0.0;
    for line in &joint {
        let of_a: f64 = line.iter().copied().map(f64::from).sum();
        for (both, of_b) in line.iter().zip(&of_b).filter(|(both, _)| 0 < **both) {
            let both = f64::from(*both);
            information += both / total * (both * total / (of_a * of_b)).ln();
        }
    }
    information
}

/// The surprise that [`UNLIKE_SHARE`] of the rows exceed.
fn cut(population: &Population, matrix: ArrayView2<'_, f32>) -> f64 {
    let tables = UnlikeTables::compile(population);
    let stride = matrix.nrows().div_ceil(ROWS_MAX).max(1);
    let mut values = Vec::new();
    let mut surprises: Vec<f32> = Vec::new();
    for row in matrix.outer_iter().step_by(stride) {
        values.clear();
        values.extend(row.iter().copied());
        surprises.push(tables.surprise(&values));
    }
    surprises.sort_by(f32::total_cmp);
    match surprises.len() {
        0 => 0.0,
        n => f64::from(surprises[position(n, 1.0 - UNLIKE_SHARE)]),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    /// Columns 0 and 2 go together, 1 is on its own, 3 is always missing.
    fn matrix(n_rows: usize) -> Array2<f32> {
        let mut rng = generator(3, 0);
        let mut matrix = Array2::from_elem((n_rows, 4), f32::NAN);
        for mut row in matrix.outer_iter_mut() {
            row[0] = rng.gen_range(0.0..1.0);
            row[1] = rng.gen_range(0.0..1.0);
            row[2] = 10.0 * row[0] + rng.gen_range(0.0..0.5);
        }
        matrix
    }

    fn count_one_a_second(matrix: &Array2<f32>) -> Population {
        let times: Vec<Timestamp> =
            (0..).take(matrix.nrows()).map(|at| Timestamp(at * 1_000_000)).collect();
        count_population(matrix.view(), &times, &[])
    }

    #[test]
    fn features_that_go_together_are_counted_together() {
        let population = count_one_a_second(&matrix(8_000));
        assert_eq!(population.features[2].parent, Some(0));
        assert_eq!(population.features[0].parent, None);
        let sum = |counts: &[u32]| counts.iter().sum::<u32>();
        assert!(population.features.iter().all(|feature| sum(&feature.counts) == 8_000));
        assert_eq!(sum(&population.features[2].joint), 8_000);
        assert_eq!(population.features[3].range, None);
    }

    #[test]
    fn a_feature_that_always_grows_makes_no_order_unlike() {
        let mut matrix = matrix(8_000);
        for (at, mut row) in matrix.outer_iter_mut().enumerate() {
            row[3] = at as f32;
        }
        let population = count_one_a_second(&matrix);
        let steady: Vec<bool> = population.features.iter().map(FeatureCounts::is_steady).collect();
        assert_eq!(steady, [true, true, true, false]);
        let tables = UnlikeTables::compile(&population);
        assert!(!tables.assess(&[0.5, 0.5, 5.2, 1e6]).is_unlike);
        assert!(tables.assess(&[0.05, 0.5, 9.9, 1e6]).is_unlike);
    }

    #[test]
    fn one_in_a_hundred_rows_is_unlike_the_others() {
        let matrix = matrix(8_000);
        let tables = UnlikeTables::compile(&count_one_a_second(&matrix));
        let is_unlike = |row: &ArrayView1<'_, f32>| tables.assess(&row.to_vec()).is_unlike;
        let share = matrix.outer_iter().filter(is_unlike).count() as f64 / 8_000.0;
        assert!((0.005..=0.015).contains(&share), "{share}");
        // Each value alone is usual; together they were never seen.
        assert!(tables.assess(&[0.05, 0.5, 9.9, f32::NAN]).is_unlike);
        assert!(!tables.assess(&[0.5, 0.5, 5.2, f32::NAN]).is_unlike);
    }

    #[test]
    fn scores_are_counted_once_each() {
        let raw: Vec<f64> = (0..1_000).map(f64::from).collect();
        let scores = count_scores(&raw);
        assert_eq!(scores.counts.iter().sum::<u32>(), 1_000);
        assert_eq!(scores.borders.len(), SCORE_QUANTILES.len());
        assert_eq!(count_scores(&[2.0; 50]).counts, [50]);
    }
}
