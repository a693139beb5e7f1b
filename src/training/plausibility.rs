//! What the training rows have seen, for the search of counterfactuals.

use ndarray::{ArrayView1, ArrayView2};

use crate::domain::feature::FeatureSpec;
use crate::model::binning::{Binning, RANK_MISSING};
use crate::model::counterfactual::plausibility::{CELLS_MAX, Plausibility, SeenFeature};

/// Fewest rows with a value of a rank for the rank to count as seen.
const ROWS_MIN: usize = 3;
/// Most features whose pairs are recorded: memory and time grow with their square.
const LINKED_MAX: usize = 128;

/// Goes through the rows of a matrix; `specs` and `binning` belong to its columns.
pub(crate) fn gather_plausibility(
    matrix: ArrayView2<'_, f32>,
    specs: &[FeatureSpec],
    binning: &Binning,
) -> Plausibility {
    let mut features = Vec::with_capacity(specs.len());
    let mut ranks = Vec::with_capacity(specs.len());
    for (feature, column) in matrix.columns().into_iter().enumerate() {
        let own: Vec<u8> = column.iter().map(|&value| binning.rank(feature, value)).collect();
        features.push(see_feature(column, &own, binning.borders(feature).len()));
        ranks.push(own);
    }
    let linked = linked_features(specs);
    let cells: Vec<(Vec<u8>, usize)> = linked
        .iter()
        .map(|&feature| {
            let seen = &features[usize::from(feature)];
            let cells = ranks[usize::from(feature)].iter().map(|&rank| seen.cell(rank));
            (cells.collect(), seen.cells.iter().max().map_or(1, |cell| usize::from(*cell) + 1))
        })
        .collect();
    let later = |a: usize| cells[a + 1..].iter().map(move |b| (a, b));
    let pairs = (0..cells.len()).flat_map(later);
    let pairs = pairs.map(|(a, b)| see_pair(&cells[a].0, &b.0, cells[a].1)).collect();
    Plausibility { features, linked, pairs }
}

/// The features that a change may touch, then the first of the others; ascending.
fn linked_features(specs: &[FeatureSpec]) -> Vec<u16> {
    let of = |is_changeable| {
        (0_u16..).zip(specs).filter(move |(_, spec)| spec.is_changeable == is_changeable)
    };
    let linked = of(true).chain(of(false)).take(LINKED_MAX);
    let mut linked: Vec<u16> = linked.map(|(feature, _)| feature).collect();
    linked.sort_unstable();
    linked
}

fn see_feature(column: ArrayView1<'_, f32>, ranks: &[u8], n_borders: usize) -> SeenFeature {
    let mut by_rank: Vec<Vec<f32>> = vec![Vec::new(); n_borders + 2];
    for (&rank, &value) in ranks.iter().zip(column) {
        by_rank[usize::from(rank)].push(value);
    }
    for values in &mut by_rank {
        values.sort_by(f32::total_cmp);
    }
    let counts: Vec<usize> = by_rank.iter().map(Vec::len).collect();
    let known = by_rank.split_off(usize::from(RANK_MISSING) + 1);
    let value = |values: &Vec<f32>| median(values).filter(|_| ROWS_MIN <= values.len());
    SeenFeature {
        values: known.iter().map(value).collect(),
        // Ranks ascend with the values, so the whole list is sorted.
        scale: scale(&known.concat()),
        cells: coarse_cells(&counts),
    }
}

/// Median absolute deviation; the mean one where that is 0, 1 where all values are equal.
fn scale(sorted: &[f32]) -> f32 {
    let Some(middle) = median(sorted) else { return 1.0 };
    let mut deviations: Vec<f32> = sorted.iter().map(|value| (value - middle).abs()).collect();
    deviations.sort_by(f32::total_cmp);
    let of_half = median(&deviations).unwrap_or(0.0);
    let sum: f64 = deviations.iter().copied().map(f64::from).sum();
    #[expect(clippy::cast_possible_truncation, reason = "a mean of f32 values")]
    let mean = (sum / deviations.len() as f64) as f32;
    let is_usable = |scale: &f32| 0.0 < *scale && scale.is_finite();
    [of_half, mean].into_iter().find(is_usable).unwrap_or(1.0)
}

/// The lower of the two in the middle: a value that occurs.
fn median(sorted: &[f32]) -> Option<f32> {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// By rank: missing is cell 0; known ranks keep a cell each where they fit, else they share
/// cells of about equally many rows.
fn coarse_cells(counts: &[usize]) -> Vec<u8> {
    let narrow = |cell: usize| u8::try_from(cell.min(CELLS_MAX - 1)).unwrap_or(u8::MAX);
    if counts.len() <= CELLS_MAX {
        return (0..counts.len()).map(narrow).collect();
    }
    let n_known: usize = counts[1..].iter().sum();
    let mut n_below = 0;
    let known = counts[1..].iter().map(|count| {
        let cell = 1 + n_below * (CELLS_MAX - 1) / n_known.max(1);
        n_below += count;
        narrow(cell)
    });
    std::iter::once(0).chain(known).collect()
}

/// For each cell of one feature the cells of another that some row has with it.
fn see_pair(a: &[u8], b: &[u8], n_cells: usize) -> Vec<u32> {
    let mut seen = vec![0_u32; n_cells];
    for (&a, &b) in a.iter().zip(b) {
        seen[usize::from(a)] |= 1 << b;
    }
    seen
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::training::bundle::tests::plain_spec;

    const MISSING: f32 = f32::NAN;

    fn assert_near(found: f32, expected: f32) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    fn gather(matrix: &Array2<f32>, borders: &[&[f32]]) -> Plausibility {
        let specs: Vec<FeatureSpec> =
            (0..borders.len()).map(|at| plain_spec(&at.to_string())).collect();
        let binning = Binning::new(borders.iter().map(|list| list.to_vec()).collect()).unwrap();
        gather_plausibility(matrix.view(), &specs, &binning)
    }

    #[test]
    fn a_rank_has_a_value_that_occurred_and_none_where_rows_are_too_few() {
        let matrix = array![[1.0_f32], [2.0], [4.0], [7.0], [20.0], [30.0], [MISSING]];
        let seen = gather(&matrix, &[&[8.0]]);
        assert_eq!(seen.values(0).collect::<Vec<_>>(), [(1, 2.0)]);
        // Around 4: 3, 2, 0, 3, 16, 26.
        assert_near(seen.features[0].scale, 3.0);
    }

    #[test]
    fn a_scale_is_above_zero_for_values_that_hardly_vary() {
        assert_near(scale(&[0.0, 0.0, 0.0, 1.0]), 0.25);
        assert_near(scale(&[3.0, 3.0]), 1.0);
        assert_near(scale(&[]), 1.0);
    }

    #[test]
    fn only_pairs_that_some_row_has_are_seen_together() {
        let matrix = array![[0.0_f32, 5.0], [1.0, 6.0], [1.0, MISSING]];
        let seen = gather(&matrix, &[&[0.5], &[5.5]]);
        for (a, b, is_seen) in
            [(1, 1, true), (1, 2, false), (2, 2, true), (2, 0, true), (1, 0, false)]
        {
            assert_eq!(seen.is_seen_together((0, a), (1, b)), is_seen, "{a} {b}");
        }
    }

    #[test]
    fn many_ranks_share_cells_of_about_equally_many_rows() {
        let mut counts = vec![10; 201];
        counts[0] = 500;
        let cells = coarse_cells(&counts);
        assert_eq!((cells[0], cells[1], cells[200]), (0, 1, 31));
        assert!(cells.is_sorted());
        let n_up_to = |cell: u8| cells[1..].partition_point(|it| *it <= cell);
        let sizes: Vec<usize> = (1..32).map(|cell| n_up_to(cell) - n_up_to(cell - 1)).collect();
        assert!(sizes.iter().all(|n| (6..=7).contains(n)), "{sizes:?}");
        assert_eq!(coarse_cells(&[0, 3, 9]), [0, 1, 2]);
    }

    #[test]
    fn changeable_features_come_before_the_others_when_not_all_fit() {
        let mut specs = vec![plain_spec("x"); LINKED_MAX + 2];
        specs[LINKED_MAX + 1].is_changeable = true;
        let linked = linked_features(&specs);
        assert_eq!(linked.len(), LINKED_MAX);
        assert_eq!(linked[LINKED_MAX - 2..], [126, 129]);
    }
}
