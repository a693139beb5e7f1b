//! How long until something is reported, from cases that are still open, too.

/// A case: how long it was watched, in days, and whether it was reported then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// Days until the report, or until now.
    pub days: f64,
    /// False while nothing was reported: it may still come.
    pub is_reported: bool,
}

/// A step of a survival curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Days.
    pub days: f64,
    /// Share that is not reported after so many days.
    pub survival: f64,
    /// Its standard error (Greenwood 1926).
    pub error: f64,
}

/// The share that is not reported after so many days, when cases that are too young to tell are
/// neither taken for reported nor for good (Kaplan and Meier, "Nonparametric estimation from
/// incomplete observations", 1958).
#[derive(Clone, Debug, PartialEq)]
pub struct Survival {
    steps: Vec<Step>,
}

impl Survival {
    /// Of watched cases.
    pub fn new(cases: &[Watched]) -> Self {
        let mut cases = cases.to_vec();
        cases.sort_by(|a, b| a.days.total_cmp(&b.days));
        let mut at_risk = cases.len() as f64;
        let (mut survival, mut spread) = (1.0, 0.0);
        let mut steps = Vec::new();
        for tied in cases.chunk_by(|a, b| a.days.total_cmp(&b.days).is_eq()) {
            let reported = tied.iter().filter(|case| case.is_reported).count() as f64;
            if 0.0 < reported {
                survival *= 1.0 - reported / at_risk;
                spread += reported / (at_risk * (at_risk - reported));
                // When the last one is reported nothing is left to doubt.
                let error = if survival > 0.0 { survival * f64::sqrt(spread) } else { 0.0 };
                steps.push(Step { days: tied[0].days, survival, error });
            }
            at_risk -= tied.len() as f64;
        }
        Self { steps }
    }

    /// Steps by rising days.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Share that is not reported after so many days.
    pub fn at(&self, days: f64) -> f64 {
        let n = self.steps.partition_point(|step| step.days <= days);
        n.checked_sub(1).map_or(1.0, |last| self.steps[last].survival)
    }

    /// Of all that are reported within `horizon` days, the share that is within `days`; 1 when
    /// none are, since then nothing is waited for.
    pub fn known_share(&self, days: f64, horizon: f64) -> f64 {
        let ever = 1.0 - self.at(horizon);
        if ever <= 0.0 { 1.0 } else { ((1.0 - self.at(days)) / ever).min(1.0) }
    }

    /// The share of young cases that will be reported within `horizon` days, of their ages in
    /// days and the number reported so far: that number over as many cases as would be known by
    /// now. `None` while that is not even one.
    ///
    /// Only delays have to be those of the curve, not the rate, so the curve is one of older
    /// cases: young ones of another rate among them would bend it.
    pub fn rate(&self, n_reported: u64, ages: &[f64], horizon: f64) -> Option<f64> {
        let n_known: f64 = ages.iter().map(|age| self.known_share(*age, horizon)).sum();
        (1.0 <= n_known).then(|| n_reported as f64 / n_known)
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn steps_are_those_of_a_hand_computation() {
        let cases = [(3.0, true), (5.0, false), (5.0, true), (8.0, true)];
        let cases = cases.map(|(days, is_reported)| Watched { days, is_reported });
        let survival = Survival::new(&cases);
        let found: Vec<(f64, f64)> =
            survival.steps().iter().map(|step| (step.days, step.survival)).collect();
        assert_eq!(found, [(3.0, 0.75), (5.0, 0.5), (8.0, 0.0)]);
        // 0.75 · √(1 / (4 · 3)).
        assert!((survival.steps()[0].error - 0.75 * (1.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!((survival.at(7.9) - 0.5).abs() < 1e-12 && (survival.at(0.0) - 1.0).abs() < 1e-12);
        assert!((survival.known_share(5.0, 8.0) - 0.5).abs() < 1e-12);
        assert!((Survival::new(&[]).known_share(1.0, 9.0) - 1.0).abs() < 1e-12);
    }

    /// Half of what comes is known after five days: one report of four cases, two of them that
    /// old and two of no age, is one of one known case.
    #[test]
    fn a_rate_counts_only_as_many_cases_as_would_be_known() {
        let cases = [(5.0, true), (8.0, true), (90.0, false), (90.0, false)];
        let survival =
            Survival::new(&cases.map(|(days, is_reported)| Watched { days, is_reported }));
        let rate = survival.rate(1, &[5.0, 6.0, 0.0, 0.0], 90.0);
        assert!((rate.unwrap() - 1.0).abs() < 1e-12, "{rate:?}");
        assert_eq!(survival.rate(0, &[5.0, 0.0], 90.0), None);
    }

    /// Two of 100 orders are reported, after 25 days at the median; they came in evenly over 120
    /// days. Counting the silent ones for good says much less than the truth; the curve does not.
    #[test]
    fn orders_that_are_young_do_not_hide_what_will_be_reported() {
        let mut dice = ChaCha8Rng::seed_from_u64(3);
        let rate = std::f64::consts::LN_2 / 25.0;
        let (mut n_reported, mut cases) = (0.0, Vec::new());
        for _ in 0..200_000 {
            let age = dice.gen_range(0.0..120.0);
            let delay =
                if dice.gen_bool(0.02) { -dice.r#gen::<f64>().ln() / rate } else { f64::INFINITY };
            n_reported += f64::from(u8::from(delay <= age));
            cases.push(Watched { days: age.min(delay), is_reported: delay <= age });
        }
        let truth = 0.02 * (1.0 - (-rate * 119.0).exp());
        let naive = n_reported / 200_000.0;
        let found = 1.0 - Survival::new(&cases).at(119.0);
        assert!((found / truth - 1.0).abs() < 0.05, "{found} is not {truth}");
        assert!(naive / truth < 0.8, "{naive} of {truth}");
    }
}
