//! Precision among the accounts that people would look at each day.

use std::collections::{BTreeMap, BTreeSet};

use crate::training::metrics::bootstrap::{Measured, measure};

/// One scored order of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountOrder {
    /// Day number.
    pub day: i64,
    /// Which account.
    pub account: u64,
    /// Higher means more suspicious.
    pub score: f64,
    /// True when the order was bad.
    pub is_positive: bool,
}

/// Mean over days of the share of truly bad accounts among the `k` highest-scored
/// accounts of the day: card precision at k of the Fraud Detection Handbook (Le Borgne
/// et al. 2022, chapter 4).
///
/// An account's score and truth of a day are the maxima over its orders; a bad account
/// that was found on one day is not looked at again. The interval resamples days. `None`
/// without orders or when `k` is 0.
pub fn card_precision_at_k(orders: &[AccountOrder], k: usize, seed: u64) -> Option<Measured> {
    if orders.is_empty() || k == 0 {
        return None;
    }
    let precisions = precision_by_day(orders, k);
    let [mean] = measure(precisions.len(), seed, |weights| {
        let total: f64 = weights.iter().sum();
        let sum: f64 = weights.iter().zip(&precisions).map(|(w, p)| w * p).sum();
        [sum / total]
    });
    Some(mean)
}

fn precision_by_day(orders: &[AccountOrder], k: usize) -> Vec<f64> {
    let mut days: BTreeMap<i64, BTreeMap<u64, (f64, bool)>> = BTreeMap::new();
    for order in orders {
        let accounts = days.entry(order.day).or_default();
        let entry = accounts.entry(order.account).or_insert((f64::NEG_INFINITY, false));
        entry.0 = entry.0.max(order.score);
        entry.1 |= order.is_positive;
    }
    let mut known = BTreeSet::new();
    let mut precisions = Vec::with_capacity(days.len());
    for accounts in days.values() {
        let mut ranked: Vec<(f64, u64, bool)> = accounts
            .iter()
            .filter(|(account, _)| !known.contains(*account))
            .map(|(&account, &(score, is_bad))| (score, account, is_bad))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let found: Vec<u64> = ranked.iter().take(k).filter(|top| top.2).map(|top| top.1).collect();
        precisions.push(found.len() as f64 / k as f64);
        known.extend(found);
    }
    precisions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(day: i64, account: u64, score: f64) -> AccountOrder {
        AccountOrder { day, account, score, is_positive: false }
    }

    fn bad(day: i64, account: u64, score: f64) -> AccountOrder {
        AccountOrder { day, account, score, is_positive: true }
    }

    #[test]
    fn a_found_account_is_not_counted_twice() {
        let orders =
            [bad(0, 1, 0.9), good(0, 2, 0.5), bad(1, 1, 0.9), bad(1, 2, 0.5), good(1, 3, 0.1)];
        // Day 0 finds 1 of 2; day 1 leaves account 1 out and finds account 2.
        assert_eq!(precision_by_day(&orders, 2), [0.5, 0.5]);
        assert_eq!(precision_by_day(&orders, 1), [1.0, 1.0]);
    }

    #[test]
    fn an_account_counts_with_its_most_suspicious_order() {
        let orders = [bad(0, 1, 0.1), good(0, 1, 0.9), good(0, 2, 0.5)];
        assert_eq!(precision_by_day(&orders, 1), [1.0]);
    }

    #[test]
    fn days_with_fewer_accounts_than_k_are_not_forgiven() {
        let precision = card_precision_at_k(&[bad(0, 1, 0.9)], 4, 1).unwrap();
        assert!((precision.value - 0.25).abs() < 1e-12);
        assert_eq!(card_precision_at_k(&[], 4, 1), None);
    }
}
