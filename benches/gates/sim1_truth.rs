//! What each action is worth for an order of SIM-1, without any dice.
//!
//! A system test compares it with numbers of an implementation that nobody here wrote.

/// Release, verify by phone, review, hold a day, cancel, expedite.
pub(crate) const N_ACTIONS: usize = 6;

/// An order, as far as anybody can see it.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// Risk, ln amount, ln(1 + age of the account in days), share of returns, delay of the
    /// carrier, ln size of the ring, loyalty, pressure of audits.
    pub features: [f64; 8],
}

impl Context {
    /// Probability of a fraud, when the order hides `secret` from the features.
    pub(crate) fn fraud_probability(&self, secret: f64) -> f64 {
        let [risk, ln_amount, ln_age, _, _, ln_ring, ..] = self.features;
        let log_odds = -3.2 + 5.5 * risk + 0.35 * ln_ring - 0.25 * (ln_age - 5.0)
            + 0.3 * (ln_amount - 3.6)
            + secret;
        1.0 / (1.0 + (-log_odds).exp())
    }

    /// What every action is worth on average, when the order hides `secret` from the features.
    pub(crate) fn values(&self, secret: f64) -> [f64; N_ACTIONS] {
        self.values_at(self.fraud_probability(secret))
    }

    /// What every action is worth on average to those who see the features alone, secrets being
    /// normal around 0 with this spread.
    pub(crate) fn expected_values(&self, spread: f64) -> [f64; N_ACTIONS] {
        // Values are linear in the probability, so its mean is enough.
        self.values_at(mean_over_normal(|u| self.fraud_probability(spread * u)))
    }

    /// What the rule does: release, review or cancel.
    pub(crate) fn rule(&self) -> usize {
        let [risk, ..] = self.features;
        if risk < 0.35 {
            0
        } else if risk < 0.6 {
            2
        } else {
            4
        }
    }

    /// What every action is worth when the order is a fraud with probability `p`.
    fn values_at(&self, p: f64) -> [f64; N_ACTIONS] {
        let [_, ln_amount, _, _, delay, _, repeat, audit] = self.features;
        let amount = ln_amount.exp();
        let (margin, later, loss) = (0.25 * amount, 18.0 * repeat + 4.0, 0.9 * amount + 15.0);
        let good = 1.0 - p;
        let late = 8.0 * good * delay;
        let release = good * (margin + later) - p * loss - 25.0 * audit * p - late;
        let phone =
            good * (0.95 * (margin + later) - 2.0) - 0.25 * p * loss - 1.125 * p - late - 1.2;
        let review = good * (0.93 * (margin + later) - 1.0) - 0.1 * p * loss - 5.0 - late;
        let hold =
            good * (0.8 * (margin + later) - 1.0) - 0.55 * p * loss - 0.4 - 10.0 * good * delay;
        let cancel = -good * (0.6 * later + 2.0) - 0.5;
        let expedite = release + 7.0 * good * delay - 3.0 - 6.0 * p;
        [release, phone, review, hold, cancel, expedite]
    }
}

/// The action that is worth most; the first of equals.
pub(crate) fn best(values: &[f64; N_ACTIONS]) -> usize {
    let is_less = |a: usize, b: usize| values[a] < values[b];
    (1..N_ACTIONS).fold(0, |best, action| if is_less(best, action) { action } else { best })
}

/// Mean of a function of a standard normal variable. The trapezoidal rule is exact to rounding
/// for functions as smooth as these: its error falls with e^(−2πd/h), d being the distance of
/// the nearest pole from the real line, here π (Trefethen and Weideman, "The exponentially
/// convergent trapezoidal rule", 2014).
fn mean_over_normal(function: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 0.25;
    /// Beyond 9 lies less than 1e-18.
    const N_STEPS: i32 = 36;
    let density = |u: f64| (-u * u / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let at = (-N_STEPS..=N_STEPS).map(|step| f64::from(step) * STEP);
    at.map(|u| STEP * density(u) * function(u)).sum()
}
