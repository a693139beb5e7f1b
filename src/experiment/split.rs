//! Are the arms as large as they were drawn? Else nothing can be compared.

use crate::experiment::distributions::{chi_square_tail, ln_multivariate_beta};
use crate::experiment::refusal::{Answer, Refusal};

/// Pearson's chi-square p of units per arm against their shares; for one look only.
///
/// # Errors
/// [`Refusal::UnitInEmptyArm`], [`Refusal::TooFewUnits`] without units or a second arm.
pub fn one_look_p(units: &[u64], shares: &[f64]) -> Answer<f64> {
    let (units, shares) = drawn_arms(units, shares)?;
    let n: f64 = units.iter().sum();
    let whole: f64 = shares.iter().sum();
    let distance = |(units, share): (&f64, &f64)| {
        let expected = n * share / whole;
        (units - expected) * (units - expected) / expected
    };
    let statistic: f64 = units.iter().zip(&shares).map(distance).sum();
    Ok(chi_square_tail(statistic, units.len() as f64 - 1.0))
}

/// Evidence against the shares as it grows: its p holds however often it is looked at
/// (Lindon and Malek, "Anytime-valid inference for multinomial count data", 2022).
#[derive(Clone, Debug)]
pub struct SplitWatch {
    shares: Vec<f64>,
    prior: Vec<f64>,
    units: Vec<u64>,
    p: f64,
}

impl SplitWatch {
    /// A watch over arms of these shares; `concentration` says how near to them alternatives
    /// are thought of: 1,000 sees a shift of 2 points after some ten thousand units.
    pub fn new(shares: &[f64], concentration: f64) -> Self {
        let whole: f64 = shares.iter().sum();
        let shares: Vec<f64> = shares.iter().map(|share| share / whole).collect();
        let prior = shares.iter().map(|share| share * concentration).collect();
        Self { units: vec![0; shares.len()], shares, prior, p: 1.0 }
    }

    /// Adds units by arm and gives the p so far.
    ///
    /// # Errors
    /// [`Refusal::UnitInEmptyArm`].
    pub fn add(&mut self, units: &[u64]) -> Answer<f64> {
        for (sum, more) in self.units.iter_mut().zip(units) {
            *sum += more;
        }
        self.p = self.p.min((-self.ln_evidence()?).exp()).min(1.0);
        Ok(self.p)
    }

    /// Logarithm of the Bayes factor: mixture over shares against the shares themselves.
    ///
    /// # Errors
    /// [`Refusal::UnitInEmptyArm`].
    pub fn ln_evidence(&self) -> Answer<f64> {
        let is_drawn = |at: &usize| 0.0 < self.shares[*at];
        let (drawn, empty): (Vec<usize>, Vec<usize>) = (0..self.shares.len()).partition(is_drawn);
        if empty.iter().any(|at| self.units[*at] != 0) {
            return Err(vec![Refusal::UnitInEmptyArm]);
        }
        let prior: Vec<f64> = drawn.iter().map(|at| self.prior[*at]).collect();
        let counts = drawn.iter().map(|at| self.units[*at] as f64);
        let after: Vec<f64> = prior.iter().zip(counts.clone()).map(|(a, n)| a + n).collect();
        let under_shares: f64 =
            drawn.iter().zip(counts).map(|(at, n)| n * self.shares[*at].ln()).sum();
        Ok(ln_multivariate_beta(&after) - ln_multivariate_beta(&prior) - under_shares)
    }
}

/// Units and shares of the arms that somebody is drawn into.
fn drawn_arms(units: &[u64], shares: &[f64]) -> Answer<(Vec<f64>, Vec<f64>)> {
    let pairs = || units.iter().zip(shares);
    if pairs().any(|(units, share)| *units != 0 && *share <= 0.0) {
        return Err(vec![Refusal::UnitInEmptyArm]);
    }
    let drawn: (Vec<f64>, Vec<f64>) =
        pairs().filter(|it| 0.0 < *it.1).map(|(units, share)| (*units as f64, *share)).unzip();
    if drawn.0.len() < 2 || drawn.0.iter().sum::<f64>() <= 0.0 {
        return Err(vec![Refusal::TooFewUnits]);
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_split_has_p_1_and_a_unit_in_an_empty_arm_is_refused() {
        assert_eq!(one_look_p(&[5_000, 5_000], &[0.5, 0.5]), Ok(1.0));
        let empty = one_look_p(&[500, 500, 30], &[0.5, 0.5, 0.0]);
        assert_eq!(empty, Err(vec![Refusal::UnitInEmptyArm]));
        let mut watch = SplitWatch::new(&[0.5, 0.5, 0.0], 1_000.0);
        assert_eq!(watch.add(&[500, 500, 1]), Err(vec![Refusal::UnitInEmptyArm]));
        assert_eq!(one_look_p(&[0, 0], &[0.5, 0.5]), Err(vec![Refusal::TooFewUnits]));
    }

    /// ssrm-test 0.1.5 (Apache-2.0), concentration 10,000: its first batch.
    #[test]
    fn evidence_is_that_of_ssrm_test() {
        let mut watch = SplitWatch::new(&[0.5, 0.5], 10_000.0);
        let p = watch.add(&[44, 56]).unwrap();
        assert!((p - 0.997_848_310_741_654_3).abs() < 1e-9, "{p}");
        // Batches add up: the order within them says nothing.
        watch.add(&[30, 20]).unwrap();
        let mut at_once = SplitWatch::new(&[0.5, 0.5], 10_000.0);
        at_once.add(&[74, 76]).unwrap();
        assert_eq!(watch.ln_evidence(), at_once.ln_evidence());
    }
}
