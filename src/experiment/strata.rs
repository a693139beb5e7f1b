//! Differences over strata, each compared with itself, then put together.

use crate::experiment::difference::{Difference, Metric};
use crate::experiment::moments::Moments;
use crate::experiment::refusal::{Answer, Refusal};

/// Control and treatment of a stratum: an epoch of an experiment, a country.
pub type Stratum = (Moments, Moments);

/// The difference that every stratum has with its share of all units; so arms whose shares
/// changed from one epoch to the next are not confounded with time (Miratrix and others,
/// "Adjusting treatment effect estimates by post-stratification", 2013).
///
/// # Errors
/// [`Refusal::TooFewUnits`] without a stratum, and as [`Difference::new`] of any of them.
pub fn difference(metric: Metric, strata: &[Stratum]) -> Answer<Difference> {
    let n_of = |(control, treatment): &Stratum| control.n + treatment.n;
    let n: f64 = strata.iter().map(n_of).sum();
    let (mut effect, mut variance, mut square) = (0.0, 0.0, 0.0);
    let mut joined: Option<Stratum> = None;
    for stratum in strata {
        let one = Difference::new(metric, &stratum.0, &stratum.1)?;
        let share = n_of(stratum) / n;
        effect += share * one.effect;
        square += share * one.effect * one.effect;
        variance += share * share * one.standard_error * one.standard_error;
        joined = Some(joined.map_or(*stratum, |(control, treatment)| {
            (control.joined(&stratum.0), treatment.joined(&stratum.1))
        }));
    }
    let (control, treatment) = joined.ok_or_else(|| vec![Refusal::TooFewUnits])?;
    // The shares of the strata are drawn, too.
    let between = (square - effect * effect).max(0.0) / n;
    let whole = Difference::new(metric, &control, &treatment)?;
    Ok(Difference { effect, standard_error: (variance + between).sqrt(), ..whole })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
