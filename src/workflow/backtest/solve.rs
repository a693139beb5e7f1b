//! The price of a reviewer's minute at which given hours suffice.
//!
//! Actions are chosen by expected value, and the strategy charges every minute of a
//! person a price. So the choice that gains most within a number of minutes is the choice
//! at some price of a minute: it is the Lagrange multiplier of the limit (Everett,
//! "Generalized Lagrange multiplier method", 1963). Thresholds are no such dial: they only
//! say which actions are offered.
//!
//! As the price rises, an order moves from an action to one of fewer minutes, never back:
//! the value of each action is a straight line in the price, and the best of straight
//! lines is convex. Each order is therefore a few falling steps, and all orders together
//! are steps in a table of prices with a bounded number of rows.

use crate::decision::options::Options;

/// Rows per doubling of the price: the solution is right to 1/4096 of it.
const ROWS_PER_DOUBLING: u32 = 12;
/// Prices below this are one row: a hundredth of a fen.
const PRICE_MIN: f64 = 0.01;
/// Highest price, minor units: that of the strategy file's reader.
const PRICE_MAX: f64 = 1e9;

/// How the minutes of one order fall as their price rises from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MinuteSteps {
    /// Minutes at no price.
    pub start: f64,
    /// Prices and by how many minutes each lowers them, prices rising.
    pub falls: Vec<(f64, f64)>,
}

/// The minutes of all orders by price.
#[derive(Clone, Debug)]
pub struct PriceTable {
    start: f64,
    falls: Vec<f64>,
}

/// A price and the minutes of all orders at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priced {
    /// Price of a minute, minor units.
    pub price_minor: f64,
    /// Minutes in all.
    pub minutes: f64,
}

/// How the minutes of an order fall as their price rises, given its options at the
/// strategy's price.
pub fn minute_steps(options: &Options<'_>, price_minor: f64) -> MinuteSteps {
    let Some(first) = options.first_at(-price_minor) else { return MinuteSteps::default() };
    let mut minutes = first.policy.review_minutes;
    let mut steps = MinuteSteps { start: minutes, falls: Vec::new() };
    let mut value = first.value_at(-price_minor);
    // The next line to cross from below; every one of them has fewer minutes.
    while let Some((price, next_value, next_minutes)) = options
        .candidates()
        .filter(|it| it.policy.review_minutes < minutes)
        .map(|it| {
            let (others, at_none) = (it.policy.review_minutes, it.value_at(-price_minor));
            (((value - at_none) / (minutes - others)).max(0.0), at_none, others)
        })
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.2.total_cmp(&b.2)))
    {
        steps.falls.push((price, minutes - next_minutes));
        (value, minutes) = (next_value, next_minutes);
    }
    steps
}

impl Default for PriceTable {
    fn default() -> Self {
        Self { start: 0.0, falls: vec![0.0; row(PRICE_MAX) + 1] }
    }
}

impl PriceTable {
    /// Adds an order.
    pub fn add(&mut self, steps: &MinuteSteps) {
        self.start += steps.start;
        for (price, minutes) in &steps.falls {
            // Beyond the highest price there is none that an order could move at.
            if *price <= PRICE_MAX {
                self.falls[row(*price)] += minutes;
            }
        }
    }

    /// The lowest price at which the minutes are at most these, to a row; `None` when
    /// they are more at any price.
    pub fn solve(&self, minutes_max: f64) -> Option<Priced> {
        let mut minutes = self.start;
        if minutes <= minutes_max {
            return Some(Priced { price_minor: 0.0, minutes });
        }
        for (row, fall) in self.falls.iter().enumerate() {
            minutes -= fall;
            if minutes <= minutes_max {
                return Some(Priced { price_minor: row_end(row), minutes });
            }
        }
        None
    }

    /// Minutes that no price avoids.
    pub fn forced_minutes(&self) -> f64 {
        (self.start - self.falls.iter().sum::<f64>()).max(0.0)
    }

    /// Minutes at no price.
    pub fn minutes_at_no_price(&self) -> f64 {
        self.start
    }
}

/// Bits of an `f64` that tell rows apart: its exponent and the first of its fraction.
const ROW_SHIFT: u32 = 52 - ROWS_PER_DOUBLING;

fn row(price: f64) -> usize {
    let first = PRICE_MIN.to_bits() >> ROW_SHIFT;
    let bits = price.max(PRICE_MIN).to_bits() >> ROW_SHIFT;
    usize::try_from(bits - first).unwrap_or(usize::MAX)
}

/// The end of a row: a price above every one in it.
fn row_end(row: usize) -> f64 {
    f64::from_bits(((PRICE_MIN.to_bits() >> ROW_SHIFT) + row as u64 + 1) << ROW_SHIFT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::decision::attribution::{Calibrated, assess_briefly};
    use crate::decision::decide::options as choose;
    use crate::decision::fixtures::{strategy, sure_score};
    use crate::decision::options::Worth;
    use crate::decision::rule_facts::OrderView;
    use crate::decision::strategy::{ActionPolicy, Strategy};
    use crate::domain::decision::ActionKind;
    use crate::domain::money::Money;
    use crate::domain::order::{Order, OrderKey};
    use crate::domain::time::Timestamp;

    fn policies(minutes: &[f64]) -> Vec<ActionPolicy> {
        let of = |(at, minutes): (usize, &f64)| ActionPolicy {
            review_minutes: *minutes,
            ..crate::decision::fixtures::action(ActionKind::ALL[at], 0.0, 0.0)
        };
        minutes.iter().enumerate().map(of).collect()
    }

    fn options<'a>(policies: &'a [ActionPolicy], values: &[f64]) -> Options<'a> {
        let worth = |(policy, value)| Worth { policy, value_minor: value };
        let actions = policies.iter().zip(values.iter().copied()).map(worth).collect();
        Options { forced: None, actions }
    }

    fn minutes_at(steps: &MinuteSteps, price: f64) -> f64 {
        let fallen = steps.falls.iter().filter(|(at, _)| *at < price);
        steps.start - fallen.map(|(_, minutes)| minutes).sum::<f64>()
    }

    #[test]
    fn a_price_lies_in_its_row_and_below_its_end() {
        for price in [0.0, 0.01, 0.5, 1.0, 149.99, 150.0, 1e9] {
            assert!(price < row_end(row(price)), "{price}");
            assert!(row_end(row(price)) <= (price * (1.0 + 1.0 / 2048.0)).max(0.010_01), "{price}");
        }
    }

    #[test]
    fn more_minutes_than_every_price_leaves_are_refused() {
        let mut table = PriceTable::default();
        table.add(&MinuteSteps { start: 6.0, falls: vec![(100.0, 2.0)] });
        assert_eq!(table.solve(3.0), None);
        assert!((table.forced_minutes() - 4.0).abs() < 1e-9);
        assert_eq!(table.solve(6.0), Some(Priced { price_minor: 0.0, minutes: 6.0 }));
        let priced = table.solve(5.0).unwrap();
        assert!(100.0 < priced.price_minor && priced.price_minor < 100.1);
    }

    /// Orders of a day with drawn risks and amounts: their options at the strategy's price.
    fn day(dice: &mut ChaCha8Rng, strategy: &Strategy, tell: &mut dyn FnMut(Options<'_>)) {
        let key = OrderKey { channel: "app".into(), order_id: "1".into(), revision: 0 };
        for _ in 0..4_000 {
            let minor_units = dice.gen_range(1_000..90_000);
            let amount = Some(Money { currency: strategy.currency, minor_units });
            let order = Order { amount, ..Order::new(key.clone()) };
            // Most are harmless, few are likely bad.
            let score = sure_score("payment_fraud", dice.gen_range(0.0_f64..1.0).powi(4));
            let risk = assess_briefly(strategy, &score, &[], |_| unreachable_calibration());
            let view =
                OrderView { order: &order, event_time: Timestamp(0), values: &[], places: &[] };
            tell(choose(strategy, view, &[score], &[risk]));
        }
    }

    /// Nothing is weighted, so nothing is calibrated anew.
    fn unreachable_calibration() -> Calibrated {
        Calibrated { probability: f64::NAN, interval: (f64::NAN, f64::NAN), n_support: 0 }
    }

    #[test]
    fn hours_solved_on_some_days_hold_on_others_within_two_percent() {
        let mut dice = ChaCha8Rng::seed_from_u64(5);
        let mut strategy = strategy();
        for action in &mut strategy.actions {
            action.review_minutes = if action.kind == ActionKind::Review { 6.0 } else { 0.0 };
        }
        let price = strategy.money.review_minute_minor;
        let (n_days, wanted) = (40, 3_000.0);
        let mut table = PriceTable::default();
        for _ in 0..n_days {
            let add = &mut |options: Options<'_>| table.add(&minute_steps(&options, price));
            day(&mut dice, &strategy, add);
        }
        let days = f64::from(n_days);
        assert!(wanted * days < table.minutes_at_no_price(), "nothing to solve");
        let priced = table.solve(wanted * days).unwrap();
        let mut minutes = 0.0;
        for _ in 0..n_days {
            let surcharge = priced.price_minor - price;
            let add = &mut |options: Options<'_>| {
                minutes += options.first_at(surcharge).map_or(0.0, |it| it.policy.review_minutes);
            };
            day(&mut dice, &strategy, add);
        }
        let held = minutes / days;
        // 500 reviews a day over 40 days: chance alone is 1 % of the difference.
        assert!((held / wanted - 1.0).abs() < 0.02, "{held} minutes a day instead of {wanted}");
    }

    proptest! {
        /// The dial is monotone, and the steps are what choosing again at each price does.
        #[test]
        fn a_higher_price_never_costs_more_minutes(
            rows in proptest::collection::vec((0.0..9.0_f64, -500.0..500.0_f64), 1..9),
            price in 0.0..300.0_f64,
            asked in proptest::collection::vec(0.0..400.0_f64, 1..20),
        ) {
            let (minutes, values): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            let policies = policies(&minutes);
            let options = options(&policies, &values);
            let steps = minute_steps(&options, price);
            let mut asked = asked;
            asked.sort_by(f64::total_cmp);
            let mut last = f64::INFINITY;
            for at in asked {
                let first = options.first_at(at - price).unwrap();
                let chosen = first.policy.review_minutes;
                prop_assert!(chosen <= last);
                last = chosen;
                let near = steps.falls.iter().any(|(fall, _)| (fall - at).abs() < 1e-6);
                prop_assert!(near || (minutes_at(&steps, at) - chosen).abs() < 1e-9);
            }
        }
    }
}
