//! Stock on hand and market prices of one SKU in one region, by time.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// A price that is this old counts half in the usual price.
const PRICE_HALF_LIFE: Span = Span::days(7);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct PricePoint {
    time: Timestamp,
    price: f64,
    /// Exponentially weighted mean of this price and all before it.
    mean: f64,
    weight: f64,
}

/// What is known about a SKU in a region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct MarketLog {
    stock: Vec<(Timestamp, u64)>,
    prices: Vec<PricePoint>,
}

impl MarketLog {
    /// Adds a stock count.
    pub(super) fn insert_stock(&mut self, time: Timestamp, units: u64) {
        let position = self.stock.partition_point(|&known| known <= (time, units));
        self.stock.insert(position, (time, units));
    }

    /// Adds a price; prices told late recompute the means after them.
    pub(super) fn insert_price(&mut self, time: Timestamp, price: f64) {
        let position =
            self.prices.partition_point(|known| (known.time, known.price) <= (time, price));
        self.prices.insert(position, PricePoint { time, price, mean: price, weight: 1.0 });
        for at in position.max(1)..self.prices.len() {
            let before = self.prices[at - 1];
            let point = &mut self.prices[at];
            let age = (point.time - before.time).as_days() / PRICE_HALF_LIFE.as_days();
            let kept = before.weight * (-age).exp2();
            point.weight = kept + 1.0;
            point.mean = before.mean.mul_add(kept, point.price) / point.weight;
        }
    }

    /// Forgets what is older than `horizon`, but the newest of each.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let n = self.stock.partition_point(|known| known.0 < horizon);
        self.stock.drain(..n.min(self.stock.len().saturating_sub(1)));
        let n = self.prices.partition_point(|known| known.time < horizon);
        self.prices.drain(..n.min(self.prices.len().saturating_sub(2)));
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

    fn latest(&self, as_of: Timestamp) -> Option<usize> {
        self.prices.partition_point(|known| known.time <= as_of).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
