//! The same counts by channel, region and age of the account.

use std::collections::BTreeMap;

use crate::domain::backtest::{SliceBy, SliceRow};
use crate::workflow::backtest::compare::ComparedOrder;

/// Most values of one dimension; orders with others are counted as not told.
const VALUES_MAX: usize = 200;

/// Counts per slice.
#[derive(Debug, Default)]
pub struct Slices(BTreeMap<SliceBy, BTreeMap<Option<Box<str>>, Slice>>);

#[derive(Debug, Default)]
struct Slice {
    orders: u64,
    flips: u64,
    difference: f64,
    recorded_minutes: f64,
    draft_minutes: f64,
}

impl Slices {
    /// Adds an order to one slice of each dimension.
    pub fn add(&mut self, order: &ComparedOrder) {
        let age = order.is_new_account.map(|is_new| if is_new { "yes" } else { "no" }.into());
        for (by, value) in [
            (SliceBy::Channel, Some(order.channel.clone())),
            (SliceBy::Region, order.region.clone()),
            (SliceBy::NewAccount, age),
        ] {
            let values = self.0.entry(by).or_default();
            let has_room = values.len() < VALUES_MAX || values.contains_key(&value);
            let slice = values.entry(if has_room { value } else { None }).or_default();
            slice.orders += 1;
            slice.flips += u64::from(order.recorded != order.draft);
            slice.difference += order.draft_difference.unwrap_or_default();
            slice.recorded_minutes += order.recorded_minutes.unwrap_or_default();
            slice.draft_minutes += order.draft_minutes;
        }
    }

    /// One row per slice, dimension by dimension, values in the order of their text.
    pub fn report(self, days: f64) -> Vec<SliceRow> {
        let row = |by: SliceBy, (value, slice): (Option<Box<str>>, Slice)| SliceRow {
            by,
            value,
            orders: slice.orders,
            flips: slice.flips,
            draft_difference_minor: slice.difference + 0.0,
            recorded_minutes_per_day: slice.recorded_minutes / days,
            draft_minutes_per_day: slice.draft_minutes / days,
        };
        let rows = |(by, values): (SliceBy, BTreeMap<Option<Box<str>>, Slice>)| {
            values.into_iter().map(move |entry| row(by, entry))
        };
        self.0.into_iter().flat_map(rows).collect()
    }
}
