//! Features of some of the newest orders, to see whether the population moves.

use std::hash::Hasher as _;
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::domain::decision::Decision;
use crate::domain::time::{Span, Timestamp};
use crate::model::bundle::Bundle;
use crate::training::drift::{Drift, Shift};

/// Most orders of a sample; it is thinned to half beyond them.
const ORDERS_MAX: usize = 1_024;
/// Fewest orders that say something about a shift.
pub const ORDERS_MIN: usize = 200;
/// After this long a sample is done; the one before it is kept as well.
const LASTS: Span = Span::HOUR;

/// Orders of the last hour or two, drawn evenly from the time of each sample.
#[derive(Clone, Debug, Default)]
pub struct FeatureSample {
    now: Sample,
    before: Sample,
}

/// One of every so many orders.
#[derive(Clone, Debug, Default)]
struct Sample {
    from: Timestamp,
    /// An order out of so many is taken; doubled when there is no more room.
    stride: u64,
    n_seen: u64,
    orders: Vec<Order>,
}

#[derive(Clone, Debug)]
struct Order {
    /// Of the bundle that read the values.
    bundle: u64,
    values: Arc<[f32]>,
}

impl FeatureSample {
    /// Takes in a decision that was made now, or passes it over.
    pub fn see(&mut self, decision: &Decision) {
        let at = decision.times.received_time;
        if self.now.orders.is_empty() || LASTS <= at - self.now.from {
            self.before = std::mem::take(&mut self.now);
            self.now = Sample { from: at, stride: 1, ..Sample::default() };
        }
        self.now.see(|| Order {
            bundle: name_of(&decision.versions.model_hash),
            values: decision.features.as_slice().into(),
        });
    }

    /// How far each feature is from the population that a bundle was trained on; `None` with
    /// fewer than [`ORDERS_MIN`] orders that it read.
    pub fn shifts(&self, bundle: &Bundle) -> Option<Vec<Shift>> {
        let name = name_of(bundle.hash());
        let orders = self.before.orders.iter().chain(&self.now.orders);
        let orders: Vec<&Order> = orders.filter(|order| order.bundle == name).collect();
        if orders.len() < ORDERS_MIN {
            return None;
        }
        let mut drift = Drift::new(&bundle.parts().population);
        for order in orders {
            drift.add(&order.values, [].into_iter());
        }
        let features = bundle.manifest().features.iter().map(|spec| &*spec.id);
        Some(drift.shifts(features, [].into_iter()))
    }
}

impl Sample {
    fn see(&mut self, order: impl FnOnce() -> Order) {
        let n = self.n_seen;
        self.n_seen += 1;
        if !n.is_multiple_of(self.stride.max(1)) {
            return;
        }
        self.orders.push(order());
        if ORDERS_MAX <= self.orders.len() {
            let mut is_kept = false;
            self.orders.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.stride *= 2;
        }
    }
}

/// A short name of a hash, to compare without keeping it.
fn name_of(hash: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(hash.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_sample_is_thinned_evenly_and_goes_on() {
        let mut sample = Sample { stride: 1, ..Sample::default() };
        for n in 0..10_000_u16 {
            sample.see(|| Order { bundle: 0, values: [f32::from(n)].into() });
        }
        let values: Vec<f32> = sample.orders.iter().map(|order| order.values[0]).collect();
        assert!(ORDERS_MAX / 2 <= values.len() && values.len() < ORDERS_MAX);
        let gap = values[1] - values[0];
        let is_even = |pair: &[f32]| (pair[1] - pair[0] - gap).abs() < 1e-3;
        assert!(values.windows(2).all(is_even), "{values:?}");
        assert!(9_000.0 < *values.last().unwrap());
    }
}
