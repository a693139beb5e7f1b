//! The formulas of [`crate::decision::impact`] in many scenarios at once.
//!
//! Column by column instead of scenario by scenario, so that the compiler can take
//! several scenarios per instruction. Every scenario sees the same operations in the
//! same order as in [`Stakes::parts`], so the numbers are the same to the last bit.

use crate::decision::draws::{DRAWS, p10_p90};
use crate::decision::impact::{Exposure, Friction, PARTS, Stakes};
use crate::decision::outlook::OutlookDraws;

/// A quantity in each of `N` scenarios.
pub type Lane<const N: usize> = [f64; N];

/// The 10 % and 90 % quantiles of some draws.
pub type Ends = (f64, f64);

/// What the heads say in each scenario.
#[derive(Clone, Copy, Debug)]
pub struct Lanes<'l, const N: usize> {
    /// Probability of each risk, in the order of the exposures.
    pub risks: &'l [Lane<N>],
    /// Probability of a return.
    pub returns: &'l Lane<N>,
    /// Margin of later purchases, minor units.
    pub future: &'l Lane<N>,
    /// Chance that no risk is real.
    pub good: &'l Lane<N>,
}

/// What an action earns in each scenario, kind by kind; what is no money is left out.
struct Money<const N: usize> {
    risk_loss: Lane<N>,
    penalty: Lane<N>,
    returns: Lane<N>,
    false_stop: Lane<N>,
    delay: Lane<N>,
    future: Lane<N>,
    /// The order is released and no risk takes it.
    passes: Lane<N>,
    total: Lane<N>,
}

/// An action in all what-if draws.
#[derive(Debug)]
pub struct Drawn {
    /// Of each kind of consequence.
    pub ends: [Ends; PARTS],
    /// Sum of the money parts in each draw.
    pub totals: Lane<DRAWS>,
}

/// What all actions on an order share.
#[derive(Debug)]
pub struct DrawnOrder<'a> {
    stakes: &'a Stakes<'a>,
    outlook: &'a OutlookDraws,
    good: Lane<DRAWS>,
    good_ends: Ends,
    /// Of good times the margin of later purchases.
    future_ends: Ends,
}

/// Chance that no risk is real, in each scenario.
pub fn good<const N: usize>(risks: &[Lane<N>]) -> Lane<N> {
    let mut good = [1.0; N];
    for risk in risks {
        for (good, p) in good.iter_mut().zip(risk) {
            *good *= 1.0 - p;
        }
    }
    good
}

/// What an action earns in each scenario, minor units.
pub fn totals<const N: usize>(
    stakes: &Stakes<'_>,
    action: &Friction<'_>,
    lanes: Lanes<'_, N>,
) -> Lane<N> {
    money(stakes, action, lanes).total
}

impl<'a> DrawnOrder<'a> {
    /// An order in all draws.
    pub fn new(stakes: &'a Stakes<'a>, outlook: &'a OutlookDraws) -> Self {
        let good = good(&outlook.risks);
        let future = std::array::from_fn(|draw| good[draw] * outlook.future[draw]);
        let (good_ends, future_ends) = (ends(&good), ends(&future));
        Self { stakes, outlook, good, good_ends, future_ends }
    }

    /// An action on it, in the order of [`crate::decision::impact::Parts`].
    ///
    /// A part that only grows or only falls with another quantity has its quantiles where
    /// that has them, so those are looked for once.
    pub fn evaluate(&self, action: &Friction<'_>) -> Drawn {
        let (stakes, policy) = (self.stakes, action.policy);
        let rates = &stakes.strategy.money;
        let lanes = Lanes {
            risks: &self.outlook.risks,
            returns: &self.outlook.returns,
            future: &self.outlook.future,
            good: &self.good,
        };
        let money = money(stakes, action, lanes);
        let passes = ends(&money.passes);
        let same = |value: f64| (value, value);
        let price_index = self.outlook.price_index.as_ref().map_or(same(1.0), |index| {
            let at = |draw: usize| 1.0 + (index[draw] - 1.0) * money.passes[draw];
            ends(&std::array::from_fn(at))
        });
        let margin = rates.margin_share * stakes.amount;
        let ends = [
            ends(&money.risk_loss),
            ends(&money.penalty),
            follow(passes, |passes| margin * passes),
            ends(&money.returns),
            ends(&money.false_stop),
            follow(self.good_ends, |good| -(good * policy.loses) * rates.complaint_minor),
            ends(&money.delay),
            same(-policy.review_minutes * rates.review_minute_minor),
            same(-policy.cost_minor),
            follow(self.future_ends, |future| future * (1.0 + policy.future_uplift)),
            price_index,
            follow(passes, |passes| stakes.n_pieces * passes),
        ];
        Drawn { ends, totals: money.total }
    }
}

/// The quantiles of draws, which may all be equal.
fn ends(draws: &Lane<DRAWS>) -> Ends {
    let first = draws[0];
    if draws.iter().all(|draw| draw.to_bits() == first.to_bits()) {
        (first, first)
    } else {
        p10_p90(draws)
    }
}

/// The quantiles of what follows from a quantity with these, up or down.
fn follow((p10, p90): Ends, value: impl Fn(f64) -> f64) -> Ends {
    let (a, b) = (value(p10), value(p90));
    (a.min(b), a.max(b))
}

fn money<const N: usize>(
    stakes: &Stakes<'_>,
    action: &Friction<'_>,
    lanes: Lanes<'_, N>,
) -> Money<N> {
    let rates = &stakes.strategy.money;
    let policy = action.policy;
    let (mut uncaught, mut unharmed) = ([1.0; N], [1.0; N]);
    for ((risk, catches), exposure) in
        lanes.risks.iter().zip(&action.catches).zip(&stakes.exposures)
    {
        for ((uncaught, unharmed), p) in uncaught.iter_mut().zip(&mut unharmed).zip(risk) {
            *uncaught *= 1.0 - p * catches;
            *unharmed *= 1.0 - p * catches - p * (1.0 - catches) * exposure.share;
        }
    }
    let fixed = fixed_loss(stakes, action, lanes.risks, |exposure| exposure.fixed);
    let penalty = fixed_loss(stakes, action, lanes.risks, |exposure| exposure.penalty);
    let per_return = rates.return_share * stakes.amount + rates.return_fixed_minor;
    let zero = [0.0; N];
    let mut money = Money {
        risk_loss: zero,
        penalty: zero,
        returns: zero,
        false_stop: zero,
        delay: zero,
        future: zero,
        passes: zero,
        total: zero,
    };
    for at in 0..N {
        let (good, future) = (lanes.good[at], lanes.future[at]);
        let stopped = good * policy.loses;
        let passes = uncaught[at] - stopped;
        money.passes[at] = passes;
        money.risk_loss[at] = -(stakes.amount * (uncaught[at] - unharmed[at]) + fixed[at]);
        money.penalty[at] = -penalty[at];
        money.returns[at] = -lanes.returns[at] * per_return * passes;
        money.false_stop[at] = -stopped * rates.churn_share * future;
        money.delay[at] = -policy.delay_hours * rates.delay_hour_minor * (good - stopped);
        money.future[at] = good * future * (1.0 + policy.future_uplift);
        let margin = rates.margin_share * stakes.amount * passes;
        let complaint = -stopped * rates.complaint_minor;
        let review = -policy.review_minutes * rates.review_minute_minor;
        // As `impact::total` adds them: in the order of the parts.
        money.total[at] = money.risk_loss[at]
            + money.penalty[at]
            + margin
            + money.returns[at]
            + money.false_stop[at]
            + complaint
            + money.delay[at]
            + review
            + -policy.cost_minor
            + money.future[at];
    }
    money
}

/// As `Stakes::fixed_loss`, in every scenario.
fn fixed_loss<const N: usize>(
    stakes: &Stakes<'_>,
    action: &Friction<'_>,
    risks: &[Lane<N>],
    fixed: impl Fn(&Exposure) -> f64,
) -> Lane<N> {
    let mut sum = [0.0; N];
    for (r, exposure) in stakes.exposures.iter().enumerate() {
        let fixed = fixed(exposure);
        if fixed <= 0.0 {
            continue;
        }
        let mut term: Lane<N> =
            std::array::from_fn(|at| fixed * risks[r][at] * (1.0 - action.catches[r]));
        for (q, (risk, catches)) in risks.iter().zip(&action.catches).enumerate() {
            if q != r {
                for (term, p) in term.iter_mut().zip(risk) {
                    *term *= 1.0 - p * catches;
                }
            }
        }
        for (sum, term) in sum.iter_mut().zip(term) {
            *sum += term;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::attribution::{Calibrated, assess_briefly};
    use crate::decision::fixtures::{action, impact_score, order, risk_score, strategy};
    use crate::decision::impact::{Scenario, total};
    use crate::decision::outlook::Outlook;
    use crate::decision::strategy::ActionPolicy;
    use crate::domain::decision::ActionKind;
    use crate::domain::head::HeadKind;

    #[test]
    fn columns_hold_what_each_scenario_says_by_itself() {
        let mut strategy = strategy();
        strategy.default_risk.penalty_minor = 700.0;
        strategy.default_risk.loss_fixed_minor = 300.0;
        let scores = [
            risk_score("payment_fraud", -1.0, &[0.5]),
            risk_score("promo_abuse", -2.0, &[0.3]),
            impact_score("return", HeadKind::ImpactProbability, 0.2, (0.1, 0.4)),
            impact_score("repurchase_value", HeadKind::ImpactValue, 90.0, (20.0, 400.0)),
            impact_score("price_index", HeadKind::ImpactValue, 1.1, (0.9, 1.6)),
        ];
        let wide = |_: f64| Calibrated { probability: 0.2, interval: (0.05, 0.6), n_support: 99 };
        let risks: Vec<_> =
            scores[..2].iter().map(|score| assess_briefly(&strategy, score, &[], wide)).collect();
        let order = order();
        let outlook = Outlook::new(&strategy, &scores, &risks);
        let (stakes, draws) = (Stakes::new(&strategy, &order, outlook.heads()), outlook.draws());
        let drawn_order = DrawnOrder::new(&stakes, &draws);
        for (catches, loses) in [(0.0, 0.0), (0.7, 0.1), (1.0, 1.0)] {
            let policy = ActionPolicy {
                cost_minor: 40.0,
                review_minutes: 3.0,
                delay_hours: 6.0,
                future_uplift: -0.1,
                ..action(ActionKind::Hold, catches, loses)
            };
            let friction = stakes.friction(&policy);
            let columns = drawn_order.evaluate(&friction);
            let each: Vec<_> = (0..DRAWS)
                .map(|draw| {
                    let risks: Vec<f64> = draws.risks.iter().map(|risk| risk[draw]).collect();
                    let price_index = draws.price_index.map_or(1.0, |index| index[draw]);
                    let (returns, future) = (draws.returns[draw], draws.future[draw]);
                    let scenario = Scenario { risks: &risks, returns, future, price_index };
                    stakes.parts(&friction, &scenario)
                })
                .collect();
            for (sum, parts) in columns.totals.iter().zip(&each) {
                assert_eq!(sum.to_bits(), total(parts).to_bits());
            }
            for (part, ends) in columns.ends.iter().enumerate() {
                let (p10, p90) = p10_p90(&std::array::from_fn(|draw| each[draw][part]));
                // A zero may have either sign: `estimate` gives it back without one.
                let bits = |(a, b): Ends| ((a + 0.0).to_bits(), (b + 0.0).to_bits());
                assert_eq!(bits(*ends), bits((p10, p90)), "part {part}");
            }
        }
    }
}
