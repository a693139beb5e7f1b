//! Stock on hand, market prices and sales of one SKU in one region, by time.
//!
//! The **price-volatility index** is in percent a day: at 5.0 the price moves by 5 %
//! on an ordinary day, at 0 it stands still. Formula: 100 · √(Σ wᵢ rᵢ² / Σ wᵢ dᵢ) over
//! the changes of the price, where rᵢ = ln(price / price before), dᵢ = days since the
//! change before, and wᵢ halves with every 7 days of age. The days since the last
//! change count as one more span without a move. Telling the same price again changes
//! nothing. Source: realized volatility (Andersen and Bollerslev, International
//! Economic Review 39, 1998) with exponential weights.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};
use crate::graph::sales::SalesLog;

/// A price or a move that is this old counts half.
const PRICE_HALF_LIFE: Span = Span::days(7);
/// Weighted days that a volatility needs; less says nothing of an ordinary day.
const VOLATILITY_DAYS_MIN: f64 = 1.0;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct PricePoint {
    time: Timestamp,
    price: f64,
    /// Exponentially weighted mean of this price and all before it.
    mean: f64,
    weight: f64,
    moves: Moves,
}

/// How the price moved up to its last change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Moves {
    /// When the price last changed, or was first told.
    changed_at: Timestamp,
    /// Σ wᵢ rᵢ² with the weights of that time.
    squared: f64,
    /// Σ wᵢ dᵢ with the weights of that time.
    days: f64,
}

impl Moves {
    fn none(time: Timestamp) -> Self {
        Self { changed_at: time, squared: 0.0, days: 0.0 }
    }

    /// The same sums, with the weights of a later time and the quiet days until then.
    fn until(self, time: Timestamp) -> Self {
        let quiet = time - self.changed_at;
        let kept = halved(quiet);
        let days = self.days.mul_add(kept, quiet.as_days());
        Self { changed_at: time, squared: self.squared * kept, days }
    }

    /// Percent a day.
    fn volatility(self) -> Option<f64> {
        (VOLATILITY_DAYS_MIN <= self.days).then(|| 100.0 * (self.squared / self.days).sqrt())
    }
}

/// What is known about a SKU in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct MarketLog {
    stock: Vec<(Timestamp, u64)>,
    prices: Vec<PricePoint>,
    /// Pieces sold there.
    pub(super) sales: SalesLog,
}

impl MarketLog {
    /// Adds a stock count.
    pub(super) fn insert_stock(&mut self, time: Timestamp, units: u64) {
        let position = self.stock.partition_point(|&known| known <= (time, units));
        self.stock.insert(position, (time, units));
    }

    /// Adds a price; prices told late recompute means and moves after them.
    pub(super) fn insert_price(&mut self, time: Timestamp, price: f64) {
        let position =
            self.prices.partition_point(|known| (known.time, known.price) <= (time, price));
        self.prices.insert(
            position,
            PricePoint { time, price, mean: price, weight: 1.0, moves: Moves::none(time) },
        );
        for at in position.max(1)..self.prices.len() {
            let before = self.prices[at - 1];
            let point = &mut self.prices[at];
            let kept = before.weight * halved(point.time - before.time);
            point.weight = kept + 1.0;
            point.mean = before.mean.mul_add(kept, point.price) / point.weight;
            point.moves = before.moves;
            let change = (point.price / before.price).ln();
            if 0.0 < change.abs() && change.is_finite() {
                let mut moves = before.moves.until(point.time);
                moves.squared = change.mul_add(change, moves.squared);
                point.moves = moves;
            }
        }
    }

    /// Forgets stock counts and prices older than `horizon`, but the newest of each.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let n = self.stock.partition_point(|known| known.0 < horizon);
        self.stock.drain(..n.min(self.stock.len().saturating_sub(1)));
        let n = self.prices.partition_point(|known| known.time < horizon);
        self.prices.drain(..n.min(self.prices.len().saturating_sub(2)));
    }

    /// The stock counts and prices as they are saved.
    pub(super) fn told(&self) -> impl Serialize + '_ {
        (&self.stock, &self.prices)
    }

    /// Units on hand at `as_of`.
    pub(super) fn stock(&self, as_of: Timestamp) -> Option<u64> {
        let n = self.stock.partition_point(|known| known.0 <= as_of);
        n.checked_sub(1).map(|last| self.stock[last].1)
    }

    /// Market price at `as_of` in major units.
    pub(super) fn price(&self, as_of: Timestamp) -> Option<f64> {
        self.latest(as_of).map(|last| self.prices[last].price)
    }

    /// Price index at `as_of`: latest price / exponentially weighted mean of the earlier
    /// ones with a half-life of 7 days. 1 is as usual, 2 is twice the usual price.
    pub(super) fn price_index(&self, as_of: Timestamp) -> Option<f64> {
        let last = self.latest(as_of)?;
        let usual = self.prices[last.checked_sub(1)?].mean;
        (0.0 < usual).then(|| self.prices[last].price / usual)
    }

    /// Price-volatility index at `as_of`, percent a day; `None` until prices have been told
    /// for a day.
    pub(super) fn price_volatility(&self, as_of: Timestamp) -> Option<f64> {
        let last = self.latest(as_of)?;
        self.prices[last].moves.until(as_of).volatility()
    }

    fn latest(&self, as_of: Timestamp) -> Option<usize> {
        self.prices.partition_point(|known| known.time <= as_of).checked_sub(1)
    }
}

/// Weight of what is this old.
fn halved(age: Span) -> f64 {
    (-age.as_days() / PRICE_HALF_LIFE.as_days()).exp2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(prices: &[(Timestamp, f64)]) -> MarketLog {
        let mut log = MarketLog::default();
        for &(time, price) in prices {
            log.insert_price(time, price);
        }
        log
    }

    fn hour(n: i64) -> Timestamp {
        Timestamp(Span::hours(n).0)
    }

    /// A price for every factor, a day apart.
    fn daily(factors: impl IntoIterator<Item = f64>) -> Vec<(Timestamp, f64)> {
        let mut price = 80.0;
        let at = |(n, factor): (i64, f64)| {
            price *= factor;
            (hour(24 * n), price)
        };
        (0_i64..).zip(factors).map(at).collect()
    }

    #[test]
    fn five_percent_up_or_down_every_day_is_a_volatility_of_five() {
        let steps = (0..30).map(|n| if n % 2 == 0 { 0.05_f64 } else { -0.05 });
        let exact = log(&daily(steps.clone().map(f64::exp)));
        assert!((exact.price_volatility(hour(24 * 29)).unwrap() - 5.0).abs() < 1e-9);
        let plain = log(&daily(steps.map(|step| 1.0 + step)));
        assert!((plain.price_volatility(hour(24 * 29)).unwrap() - 5.0).abs() < 0.02);
    }

    #[test]
    fn a_price_at_rest_has_no_volatility_and_a_price_of_today_none_yet() {
        let rest = log(&[(hour(0), 9.0), (hour(30), 9.0)]);
        assert_eq!(rest.price_volatility(hour(40)), Some(0.0));
        assert_eq!(rest.price_volatility(hour(23)), None);
        assert_eq!(rest.price_volatility(hour(-1)), None);
        // One jump of 10 % after a day, then two weeks of quiet.
        let jump = log(&[(hour(0), 1.0), (hour(24), 0.1_f64.exp())]);
        assert!((jump.price_volatility(hour(24)).unwrap() - 10.0).abs() < 1e-9);
        let later = jump.price_volatility(hour(24 * 15)).unwrap();
        assert!((later - 100.0 * (0.01 * 0.25 / 14.25_f64).sqrt()).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_volatility_knows_neither_the_order_of_arrival_nor_prices_told_twice(
            steps in prop::collection::vec((0.5_f64..2.0, 1_i64..60), 2..20),
            again in prop::collection::vec((any::<prop::sample::Index>(), 0_i64..60), 0..10),
            shuffle in any::<prop::sample::Index>(), quiet in 0_i64..400,
        ) {
            let mut prices = Vec::new();
            let (mut price, mut at) = (50.0, 0);
            for (factor, hours) in steps {
                (price, at) = (price * factor, at + hours);
                prices.push((hour(at), price));
            }
            let as_of = hour(at + quiet);
            let expected = log(&prices).price_volatility(as_of);
            prop_assert!(expected.is_none_or(f64::is_finite));
            let mut told = prices.clone();
            for (which, hours) in again {
                let which = which.index(prices.len());
                let until = prices.get(which + 1).map_or(as_of, |next| next.0 - Span(1));
                let (time, price) = prices[which];
                told.push(((time + Span::hours(hours)).min(until), price));
            }
            let middle = shuffle.index(told.len());
            told.rotate_left(middle);
            told.reverse();
            prop_assert_eq!(log(&told).price_volatility(as_of), expected);
        }
    }

    #[test]
    fn the_price_index_compares_with_the_weighted_past_in_any_order_of_arrival() {
        let day = |n| Timestamp(Span::days(n).0);
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut log = MarketLog::default();
            for at in order {
                log.insert_price(day(7 * at), [100.0, 160.0, 280.0][usize::try_from(at).unwrap()]);
            }
            // (100 / 2 + 160) / 1.5 = 140.
            assert!((log.price_index(day(15)).unwrap() - 2.0).abs() < 1e-12);
            assert!((log.price_index(day(8)).unwrap() - 1.6).abs() < 1e-12);
            assert_eq!(log.price_index(day(6)), None);
        }
    }
}
