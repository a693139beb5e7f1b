//! Values that the past of a category's value gives: its target statistics.

use crate::feature::head_now::{HeadNow, shrunk};
use crate::feature::row::CategoryRead;
use crate::graph::categories::CategoryHistory;

/// The value of a read; NaN while there is nothing to compare with.
pub(super) fn category_value(
    read: CategoryRead,
    past: CategoryHistory<'_>,
    heads: &[HeadNow],
) -> f64 {
    match read {
        CategoryRead::OrderShare(window) => {
            past.n_orders(window) as f64 / past.n_orders_of_all(window) as f64
        }
        CategoryRead::BadShare(head, window) => {
            let HeadNow { slot, rate } = heads[head];
            let Some(slot) = slot else { return f64::NAN };
            let known = past.labels(slot, window);
            shrunk(known.n_bad as f64, known.n_known as f64, rate)
        }
    }
}
