//! Stops an experiment that does harm: read after every fact.

use crate::domain::experiment::{ExperimentEnd, Harm};
use crate::experiment::difference::{Difference, Metric};
use crate::experiment::moments::Moments;
use crate::experiment::rare_events::{EventBet, Events};
use crate::experiment::sequence::OneSided;
use crate::workflow::experiment_run::ExperimentRun;

/// Chance that guardrails stop an experiment without any effect, all of them together.
pub const GUARD_ALPHA: f64 = 0.05;
/// Units at which the guard of money is sharpest.
pub const MONEY_UNITS_SHARPEST: f64 = 2_000.0;
/// Changes between two looks at money: a look reads every unit.
const MONEY_LOOK_EVERY: u64 = 64;

impl ExperimentRun {
    /// Why it has to end now, if it has: a harm that is more frequent in an arm than in the
    /// control, or an arm that earns less. `None` once it has ended.
    pub fn breach(&self) -> Option<ExperimentEnd> {
        if !self.is_running() {
            return None;
        }
        let is_money_look = self.n_changes.is_multiple_of(MONEY_LOOK_EVERY);
        self.harm_breach().or_else(|| if is_money_look { self.money_breach() } else { None })
    }

    /// The level of each single guard (Bonferroni): harms and money, for every arm but the control.
    pub fn guard_alpha(&self) -> f64 {
        let n_guards = (self.plan.guardrails.len() + 1) * (self.plan.arms.len() - 1).max(1);
        GUARD_ALPHA / n_guards as f64
    }

    /// Logarithm of the evidence that a harm comes more often to an arm than to the control.
    pub fn ln_harm_evidence(&self, harm: Harm, arm: usize) -> (Events, f64) {
        let (shares, harmed) = (&self.plan.arms, self.harmed(harm));
        let treatment_share = shares[arm].share / (shares[arm].share + shares[0].share);
        let events = Events { treatment: harmed[arm], control: harmed[0] };
        (events, EventBet::guard(treatment_share).ln_evidence_of_harm(events))
    }

    /// Moments of the units of an arm: what they brought, and their orders.
    pub fn moments(&self, arm: usize) -> Moments {
        let mut moments = Moments::default();
        for unit in self.units.iter().filter(|unit| usize::from(unit.arm) == arm) {
            moments.add(unit.net as f64, f64::from(unit.n_orders));
        }
        moments
    }

    fn harm_breach(&self) -> Option<ExperimentEnd> {
        let bar = -self.guard_alpha().ln();
        let arms = 1..self.plan.arms.len();
        self.plan.guardrails.iter().find_map(|harm| {
            let arm = arms.clone().find(|arm| bar <= self.ln_harm_evidence(*harm, *arm).1)?;
            let arm = self.plan.arms[arm].name.clone();
            Some(ExperimentEnd::Harm { harm: *harm, arm })
        })
    }

    fn money_breach(&self) -> Option<ExperimentEnd> {
        let control = self.moments(0);
        let bound = OneSided::new(self.guard_alpha(), MONEY_UNITS_SHARPEST);
        let orders = |of: &Moments| of.n * of.mean_beside;
        let is_worse = |arm: &usize| {
            let treatment = self.moments(*arm);
            let has_enough =
                (self.plan.orders_min as f64) <= orders(&control).min(orders(&treatment));
            let difference = Difference::new(Metric::Ratio, &control, &treatment);
            has_enough
                && difference.is_ok_and(|it| {
                    let variance = it.standard_error * it.standard_error * it.n;
                    it.effect + bound.distance(variance, it.n) < 0.0
                })
        };
        let arm = (1..self.plan.arms.len()).find(is_worse)?;
        Some(ExperimentEnd::Money { arm: self.plan.arms[arm].name.clone() })
    }
}
