//! The background of a bundle: its latest orders that are known to be good.

use crate::domain::head::HeadKind;
use crate::model::background::Background;
use crate::model::binning::Binning;
use crate::training::error::FitError;
use crate::training::set::TrainingSet;

/// Rows taken; fewer when there are not so many.
const ROWS_MAX: usize = 1_024;

/// The latest good rows, as ranks of the features at positions `kept`.
///
/// Good is a row whose known risk labels are all 0. Takes any rows when none is.
///
/// # Errors
/// [`FitError::Background`] when the set has no rows.
pub(crate) fn background(
    set: &TrainingSet,
    kept: &[usize],
    binning: &Binning,
) -> Result<Background, FitError> {
    let good: Vec<usize> = (0..set.times.len()).filter(|&row| is_good(set, row)).collect();
    let (name, mut rows) = if good.is_empty() {
        ("latest training orders", (0..set.times.len()).collect())
    } else {
        ("latest good training orders", good)
    };
    rows.sort_by_key(|&row| (set.times[row], row));
    let latest = &rows[rows.len().saturating_sub(ROWS_MAX)..];
    let mut all = Vec::with_capacity(latest.len() * kept.len());
    let (mut values, mut ranks) = (Vec::new(), Vec::new());
    for &row in latest {
        values.clear();
        values.extend(kept.iter().map(|&column| set.features[[row, column]]));
        binning.ranks_into(&values, &mut ranks);
        all.extend_from_slice(&ranks);
    }
    Ok(Background::new(name, kept.len(), all)?)
}

fn is_good(set: &TrainingSet, row: usize) -> bool {
    let risks = set.heads.iter().filter(|head| head.kind == HeadKind::Risk);
    let labels = risks.map(|head| head.values[row]).filter(|label| !label.is_nan());
    let (mut n_known, mut n_bad) = (0_u32, 0_u32);
    for label in labels {
        n_known += 1;
        n_bad += u32::from(0.5 < label);
    }
    0 < n_known && n_bad == 0
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::domain::feature::CatalogSchema;
    use crate::domain::head::HeadId;
    use crate::domain::time::Timestamp;
    use crate::training::bundle::tests::plain_spec;
    use crate::training::set::HeadTarget;

    /// Row i has the value i in column 1; later rows come first.
    fn set(labels: &[f32]) -> TrainingSet {
        let n_rows = labels.len();
        TrainingSet {
            features: Array2::from_shape_fn((n_rows, 2), |(row, column)| (row * column) as f32),
            specs: ["a", "b"].map(plain_spec).into(),
            schema: CatalogSchema::default(),
            times: (0_i64..).take(n_rows).map(|row| Timestamp(-row)).collect(),
            weights: vec![1.0; n_rows],
            heads: vec![HeadTarget {
                id: HeadId("fake_order".into()),
                kind: HeadKind::Risk,
                values: labels.to_vec(),
            }],
        }
    }

    fn check(labels: &[f32], name: &str, expected: &[u8]) {
        let borders = (0..250_u8).map(f32::from).collect();
        let binning = Binning::new(vec![borders]).unwrap();
        let background = background(&set(labels), &[1], &binning).unwrap();
        assert_eq!((background.name(), background.ranks()), (name, expected));
    }

    #[test]
    fn only_rows_known_to_be_good_are_taken_the_latest_last() {
        check(&[0.0, 1.0, f32::NAN, 0.0, 0.0], "latest good training orders", &[5, 4, 1]);
        check(&[1.0, f32::NAN], "latest training orders", &[2, 1]);
    }

    #[test]
    fn no_more_rows_are_taken_than_the_limit() {
        let binning = Binning::new(vec![vec![0.0]]).unwrap();
        let background = background(&set(&[0.0; ROWS_MAX + 9]), &[1], &binning).unwrap();
        assert_eq!(background.n_rows(), ROWS_MAX);
        // The first row is the only one that is not above 0, and it is the latest.
        assert_eq!(background.ranks().last(), Some(&1));
    }
}
