//! A guard against rare harm: two counts decide, no variance is needed.
//!
//! Under no effect each event falls into the treatment with the share `ρ` of its units, so
//! `E = B(a + x_t, b + x_c) / B(a, b) / (ρ^x_t (1 − ρ)^x_c)` is a fair bet against that: 1 / E
//! is a p that holds however often it is looked at (Ville). Count the first event of a ring, not
//! every one: the others of a ring follow the first.

use crate::experiment::distributions::ln_beta;

/// Events of both arms so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// In the treatment.
    pub treatment: u64,
    /// In the control.
    pub control: u64,
}

/// A bet against "no effect".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventBet {
    /// Pseudo-events of the treatment and the control before any came; both above 0.
    pub prior: (f64, f64),
    /// Share of the units that are in the treatment, in (0, 1).
    pub treatment_share: f64,
}

impl EventBet {
    /// Logarithm of the evidence against "no effect".
    pub fn ln_evidence(&self, events: Events) -> f64 {
        let (a, b) = self.prior;
        let (treatment, control) = (events.treatment as f64, events.control as f64);
        ln_beta(a + treatment, b + control)
            - ln_beta(a, b)
            - treatment * self.treatment_share.ln()
            - control * (1.0 - self.treatment_share).ln()
    }

    /// True once there is evidence at level `alpha` and it points at the treatment.
    pub fn is_harm(&self, events: Events, alpha: f64) -> bool {
        let n = (events.treatment + events.control) as f64;
        let is_more = self.treatment_share * n < events.treatment as f64;
        is_more && -alpha.ln() <= self.ln_evidence(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BET: EventBet = EventBet { prior: (0.5, 0.5), treatment_share: 0.5 };

    #[test]
    fn evidence_is_that_of_the_closed_form() {
        let of = |treatment, control| BET.ln_evidence(Events { treatment, control });
        assert!(of(0, 0).abs() < 1e-12 && of(1, 0).abs() < 1e-9);
        assert!((of(5, 0) - 2.063_693_184_711_697).abs() < 1e-9, "{}", of(5, 0));
    }

    #[test]
    fn twenty_against_none_is_harm_and_none_against_twenty_is_not() {
        assert!(BET.is_harm(Events { treatment: 20, control: 0 }, 0.05));
        assert!(!BET.is_harm(Events { treatment: 0, control: 20 }, 0.05));
        assert!(!BET.is_harm(Events::default(), 0.05));
    }

    /// The sum over all outcomes of n events of their chance times the evidence is 1.
    #[test]
    fn the_bet_is_fair() {
        for share in [0.5, 0.1] {
            let bet = EventBet { treatment_share: share, ..BET };
            let n = 12_u64;
            let mut sum = 0.0;
            let mut ways = 1.0;
            for treatment in 0..=n {
                let control = n - treatment;
                let [of_it, of_others] = [(share, treatment), (1.0 - share, control)]
                    .map(|(share, n): (f64, u64)| share.powf(n as f64));
                let chance = ways * of_it * of_others;
                sum += chance * bet.ln_evidence(Events { treatment, control }).exp();
                ways *= control as f64 / (treatment + 1) as f64;
            }
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
