//! Differences over strata, each compared with itself, then put together.

use crate::experiment::difference::{Difference, Metric, slope};
use crate::experiment::moments::Moments;
use crate::experiment::refusal::{Answer, Refusal};
use crate::experiment::relative_delta::size_of;

/// Control and treatment of a stratum: an epoch of an experiment, a country.
pub type Stratum = (Moments, Moments);

/// Control's mean and the difference of all strata, with the covariances of both.
struct Whole {
    baseline: f64,
    difference: Difference,
    covariances: [[f64; 2]; 2],
}

/// The difference that every stratum has with its share of all units; so arms whose shares
/// changed from one epoch to the next are not confounded with time (Miratrix and others,
/// "Adjusting treatment effect estimates by post-stratification", 2013).
///
/// # Errors
/// [`Refusal::TooFewUnits`] without a stratum, and as [`Difference::new`] of any of them.
pub fn difference(metric: Metric, strata: &[Stratum]) -> Answer<Difference> {
    Ok(whole(metric, strata)?.difference)
}

/// The same over the size of the control's mean; see
/// [`relative_delta`](crate::experiment::relative_delta) for what it is good for.
///
/// # Errors
/// As [`difference`], and [`Refusal::BaselineNearZero`].
pub fn relative(metric: Metric, strata: &[Stratum]) -> Answer<Difference> {
    let Whole { baseline, difference, covariances } = whole(metric, strata)?;
    let size = size_of(baseline, covariances[0][0])?;
    let effect = difference.effect / size;
    let by_baseline = -difference.effect / baseline;
    let variance = by_baseline * by_baseline * covariances[0][0]
        + 2.0 * by_baseline * covariances[0][1]
        + covariances[1][1];
    Ok(Difference { effect, standard_error: variance.sqrt() / size, ..difference })
}

fn whole(metric: Metric, strata: &[Stratum]) -> Answer<Whole> {
    let n_of = |(control, treatment): &Stratum| control.n + treatment.n;
    let n: f64 = strata.iter().map(n_of).sum();
    let mut means = [0.0; 2];
    let (mut covariances, mut squares) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
    let mut joined: Option<Stratum> = None;
    for stratum in strata {
        let (control, treatment) = stratum;
        let one = Difference::new(metric, control, treatment)?;
        let (baseline, variance) = metric.mean_and_variance(control);
        let slope = slope(metric, control, treatment)?;
        let common = -metric.covariance(control, slope) / control.n;
        let of_both = [[variance, common], [common, one.standard_error * one.standard_error]];
        let (share, found) = (n_of(stratum) / n, [baseline, one.effect]);
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            covariances[a][b] += share * share * of_both[a][b];
            squares[a][b] += share * found[a] * found[b];
        }
        means = [means[0] + share * found[0], means[1] + share * found[1]];
        joined = Some(joined.map_or(*stratum, |(all_control, all_treatment)| {
            (all_control.joined(control), all_treatment.joined(treatment))
        }));
    }
    let (control, treatment) = joined.ok_or_else(|| vec![Refusal::TooFewUnits])?;
    // The shares of the strata are drawn, too.
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        covariances[a][b] += (squares[a][b] - means[a] * means[b]) / n;
    }
    let all = Difference::new(metric, &control, &treatment)?;
    let standard_error = covariances[1][1].sqrt();
    let difference = Difference { effect: means[1], standard_error, ..all };
    Ok(Whole { baseline: means[0], difference, covariances })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::relative_delta;

    fn arm(n: u32, mean: f64) -> Moments {
        let mut moments = Moments::default();
        for at in 0..n {
            moments.add(mean + f64::from(at % 2) - 0.5, 1.0);
        }
        moments
    }

    /// In each epoch the treatment is worse by 1. It got most units in the better epoch, so all
    /// together it looks better (Simpson's paradox).
    #[test]
    fn epochs_with_other_shares_do_not_turn_an_effect_around() {
        let strata = [(arm(900, 10.0), arm(100, 9.0)), (arm(100, 20.0), arm(900, 19.0))];
        let found = difference(Metric::Mean, &strata).unwrap();
        assert!((found.effect + 1.0).abs() < 1e-9, "{found:?}");
        let joined = |of: fn(&Stratum) -> Moments| of(&strata[0]).joined(&of(&strata[1]));
        let whole = Difference::new(Metric::Mean, &joined(|it| it.0), &joined(|it| it.1)).unwrap();
        assert!(0.0 < whole.effect, "{whole:?}");
        assert_eq!(difference(Metric::Mean, &[]), Err(vec![Refusal::TooFewUnits]));
    }
    #[test]
    fn one_stratum_is_as_relative_as_without_any_and_several_weigh_by_their_units() {
        let strata = [(arm(90, 10.0), arm(110, 9.0)), (arm(400, 20.0), arm(400, 19.0))];
        let alone = relative(Metric::Mean, &strata[..1]).unwrap();
        let (control, treatment) = &strata[0];
        let expected = relative_delta::difference(Metric::Mean, control, treatment).unwrap();
        assert!((alone.effect - expected.effect).abs() < 1e-12, "{alone:?}");
        assert!((alone.standard_error - expected.standard_error).abs() < 1e-12, "{alone:?}");
        let both = relative(Metric::Mean, &strata).unwrap();
        assert!((both.effect - -1.0 / 18.0).abs() < 1e-12, "{both:?}");
    }
}
