//! A guard against rare harm: two counts decide, no variance is needed.
//!
//! Under no effect each event falls into the treatment with the share `ρ` of its units, so
//! `E = B(a + x_t, b + x_c) / B(a, b) / (ρ^x_t (1 − ρ)^x_c)` is a fair bet against that: 1 / E
//! is a p that holds however often it is looked at (Ville). Count the first event of a ring, not
//! every one: the others of a ring follow the first.

use crate::experiment::distributions::{BISECTIONS, ln_beta, ln_beta_tail};

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

    /// The treatment's shares of events that there is no evidence at level `alpha` against: an
    /// interval that holds at every look.
    pub fn share_interval(&self, events: Events, alpha: f64) -> (f64, f64) {
        let n = (events.treatment + events.control) as f64;
        let is_refuted = |treatment_share: f64| {
            let bet = Self { treatment_share, ..*self };
            -alpha.ln() <= bet.ln_evidence(events)
        };
        // Where the share that was seen has no evidence against it.
        let seen = if n > 0.0 { events.treatment as f64 / n } else { 0.5 };
        let end = |edge: f64| {
            let (mut out, mut inside) = (edge, seen);
            for _ in 0..BISECTIONS {
                let middle = f64::midpoint(out, inside);
                if is_refuted(middle) {
                    out = middle;
                } else {
                    inside = middle;
                }
            }
            inside
        };
        (end(0.0), end(1.0))
    }

    /// A guard of a treatment that has this share of the units, in (0, 1).
    ///
    /// Its prior of eight events thinks of rates that are up by a third to threefold: with fewer
    /// a small harm is seen later, with more a large one (`cargo bench --bench gates -- looks`
    /// shows when each is stopped).
    pub fn guard(treatment_share: f64) -> Self {
        const EVENTS: f64 = 8.0;
        let prior = (EVENTS * treatment_share, EVENTS * (1.0 - treatment_share));
        Self { prior, treatment_share }
    }

    /// Logarithm of the evidence that the treatment has more events than its share: the prior
    /// is cut off below it, so nothing is spent on a treatment that does good.
    pub fn ln_evidence_of_harm(&self, events: Events) -> f64 {
        let (a, b) = self.prior;
        let (treatment, control) = (events.treatment as f64, events.control as f64);
        self.ln_evidence(events) + ln_beta_tail(self.treatment_share, a + treatment, b + control)
            - ln_beta_tail(self.treatment_share, a, b)
    }

    /// True once there is evidence of harm at level `alpha`.
    pub fn is_harm(&self, events: Events, alpha: f64) -> bool {
        -alpha.ln() <= self.ln_evidence_of_harm(events)
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
        // What is less likely than any number tells is no evidence.
        let good = Events { treatment: 0, control: 1_000_000 };
        assert!(!EventBet::guard(0.5).is_harm(good, 0.05));
    }

    #[test]
    fn the_interval_ends_where_evidence_begins() {
        let events = Events { treatment: 12, control: 30 };
        let (low, high) = BET.share_interval(events, 0.05);
        assert!(low < 12.0 / 42.0 && 12.0 / 42.0 < high);
        for treatment_share in [low, high] {
            let evidence = EventBet { treatment_share, ..BET }.ln_evidence(events);
            assert!((evidence - 20.0_f64.ln()).abs() < 1e-6, "{evidence}");
        }
        let (low, high) = BET.share_interval(Events::default(), 0.05);
        assert!(low < 1e-9 && 1.0 - 1e-9 < high, "nothing is known without events");
    }

    /// The sum over all outcomes of n events of their chance times the evidence is 1.
    #[test]
    fn the_bet_is_fair() {
        for share in [0.5, 0.1] {
            let bet = EventBet::guard(share);
            let n = 12_u64;
            let mut sums = [0.0; 2];
            let mut ways = 1.0;
            for treatment in 0..=n {
                let control = n - treatment;
                let [of_it, of_others] = [(share, treatment), (1.0 - share, control)]
                    .map(|(share, n): (f64, u64)| share.powf(n as f64));
                let chance = ways * of_it * of_others;
                let events = Events { treatment, control };
                sums[0] += chance * bet.ln_evidence(events).exp();
                sums[1] += chance * bet.ln_evidence_of_harm(events).exp();
                ways *= control as f64 / (treatment + 1) as f64;
            }
            for sum in sums {
                assert!((sum - 1.0).abs() < 1e-9, "{sum}");
            }
        }
    }
}
