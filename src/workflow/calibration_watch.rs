//! Do probabilities come true? Of released orders that turned out.

use crate::domain::closed_case::{ClosedCase, ClosedCaseQuery};
use crate::workflow::dossier_service::DossierService;
use crate::workflow::error::Error;

/// Most closed cases that are looked at.
const CASES_MAX: usize = 2_000;
/// Cases of one page.
const PAGE: u32 = 200;
/// Fewest ends that say something: 20 in each bin.
pub const ENDS_MIN: usize = 200;
/// Bins of equally many orders.
const BINS: usize = 10;

/// The expected calibration error of the leading risk, between 0 and 1; `None` while there are
/// fewer than [`ENDS_MIN`] orders that ended.
///
/// Of orders that went out only: what was stopped shows no outcome of its own. Within a bin of
/// equal probability that choice does not matter, as far as it was made by the probability.
///
/// # Errors
/// As [`DossierService::list_closed_cases`].
pub async fn calibration_error(engine: &impl DossierService) -> Result<Option<f64>, Error> {
    let mut ends = Vec::new();
    let mut query = ClosedCaseQuery { n_max: PAGE, ..ClosedCaseQuery::default() };
    for _ in 0..CASES_MAX.div_ceil(PAGE as usize) {
        let page = engine.list_closed_cases(query.clone()).await?;
        ends.extend(page.cases.iter().filter_map(end_of));
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    Ok(error_of(ends))
}

/// How probable it was that an order is bad, and whether it was.
fn end_of(case: &ClosedCase) -> Option<(f64, bool)> {
    let done = case.chosen.as_ref().map(|chosen| chosen.action).or(case.first_action)?;
    if !done.is_release() {
        return None;
    }
    let words = case.outcomes.iter().filter_map(|kind| kind.shows_bad());
    // One bad word outweighs good ones: an order can arrive and be charged back later.
    Some((case.top_risk.as_ref()?.probability.value(), words.max()?))
}

/// Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using
/// Bayesian Binning", 2015, with bins of equally many.
fn error_of(mut ends: Vec<(f64, bool)>) -> Option<f64> {
    let n = ends.len();
    if n < ENDS_MIN {
        return None;
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let bins = (0..BINS).map(|bin| &ends[bin * n / BINS..(bin + 1) * n / BINS]);
    let gaps = bins.map(|bin| {
        let expected: f64 = bin.iter().map(|(probability, _)| probability).sum();
        let found: f64 = bin.iter().map(|(_, is_bad)| f64::from(u8::from(*is_bad))).sum();
        (expected - found).abs()
    });
    Some(gaps.sum::<f64>() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_that_come_true_have_no_error_and_shifted_ones_have_theirs() {
        let sample = |shift: f64| {
            // In each of ten bins of 100, as many are bad as its probability says.
            let of = |bin: u32, n: u32| ((f64::from(bin) / 10.0 + shift).min(1.0), n < 10 * bin);
            (0..10).flat_map(|bin| (0..100).map(move |n| of(bin, n))).collect::<Vec<_>>()
        };
        assert!(error_of(sample(0.0)).unwrap() < 1e-9);
        assert!((error_of(sample(0.1)).unwrap() - 0.1).abs() < 1e-9);
        assert_eq!(error_of(sample(0.0)[..ENDS_MIN - 1].to_vec()), None);
    }
}
