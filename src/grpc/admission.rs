//! Which orders are taken when places run out: the most valuable.
//!
//! When every place is taken nothing is taken any more, whatever it is worth. Before that,
//! orders of low value are refused, so that the last places are left to those of high value.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tonic::Status;

use crate::domain::money::Money;
use crate::grpc::limit::Places;
use crate::grpc::status;

/// Newest amounts with which an order is compared.
const NEWEST_MAX: usize = 256;
/// Rank of an order without an amount: it may be worth anything.
const UNKNOWN_RANK: f64 = 0.5;

/// Compares orders with the newest ones.
#[derive(Debug)]
pub struct Admission {
    places: Arc<Places>,
    newest: Mutex<VecDeque<Money>>,
}

impl Admission {
    /// For calls that take these places.
    pub fn new(places: Arc<Places>) -> Arc<Self> {
        Arc::new(Self { places, newest: Mutex::default() })
    }

    /// Takes an order, unless it is among those of low value and places run out: with half of
    /// the last quarter taken, the lower half of orders is refused.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` with the time to wait.
    pub fn admit(&self, amount: Option<Money>) -> Result<(), Status> {
        let pressure = self.places.pressure();
        let rank = self.rank(amount, pressure);
        if rank < pressure { Err(status::of_shedding()) } else { Ok(()) }
    }

    /// Share of the newest orders in the same currency that are worth less, equals by half; any
    /// rank will do while there is no pressure.
    fn rank(&self, amount: Option<Money>, pressure: f64) -> f64 {
        let Some(amount) = amount else { return UNKNOWN_RANK };
        // An amount is added whole or not at all, so a panicked neighbor has left it usable.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rank = UNKNOWN_RANK;
        if 0.0 < pressure {
            let (mut n, mut below) = (0.0, 0.0);
            for other in newest.iter().filter(|other| other.currency == amount.currency) {
                n += 1.0;
                below += match other.minor_units.cmp(&amount.minor_units) {
                    std::cmp::Ordering::Less => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Greater => 0.0,
                };
            }
            if 0.0 < n {
                rank = below / n;
            }
        }
        if newest.len() == NEWEST_MAX {
            newest.pop_front();
        }
        newest.push_back(amount);
        rank
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt as _;

    use super::*;
    use crate::domain::money::Currency;

    fn yuan(minor_units: i64) -> Money {
        Money { currency: Currency::CNY, minor_units }
    }

    /// How many of orders worth 1 to 100 are taken while `n_taken` of 16 places are.
    fn taken(n_taken: u32) -> Vec<i64> {
        let places = Places::new(16);
        let admission = Admission::new(Arc::clone(&places));
        // Twice, in an order that says nothing: 37 and 101 have no common divisor.
        for n in 0..200 {
            admission.admit(Some(yuan(1 + n * 37 % 101 % 100))).unwrap();
        }
        // One more: whoever asks has a place itself.
        let _held = places.hold(n_taken + 1);
        (1..=100).filter(|worth| admission.admit(Some(yuan(*worth))).is_ok()).collect()
    }

    #[test]
    fn the_fewer_places_are_left_the_more_an_order_must_be_worth() {
        assert_eq!(taken(0).len(), 100);
        assert_eq!(taken(12).len(), 100);
        let (half, few) = (taken(14), taken(15));
        assert!((40..=60).contains(&half.len()), "{half:?}");
        assert!(few.len() < half.len());
        // None below is taken while one above is refused, but for how the newest ones shift.
        assert!(half.iter().all(|worth| 40 < *worth), "{half:?}");
        assert!(few.iter().all(|worth| 60 < *worth), "{few:?}");
    }

    #[test]
    fn other_currencies_are_not_compared_and_refusals_say_when_to_come_again() {
        let places = Places::new(16);
        let admission = Admission::new(Arc::clone(&places));
        admission.admit(Some(yuan(1_000_000))).unwrap();
        let _held = places.hold(16);
        let yen = Currency::parse("JPY").unwrap();
        let refused = admission.admit(Some(Money { currency: yen, minor_units: 7 })).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.get_error_details().retry_info().unwrap().retry_delay.is_some());
        assert_eq!(refused.get_error_details().error_info().unwrap().reason, "SHED_LOW_VALUE");
    }
}
