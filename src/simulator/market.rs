//! Limited SKUs: releases, stock, and a market price that reacts to hoarding.
//!
//! `index = price ÷ list price` moves by a tenth of the distance to
//! `1 + 4 × hoarded share × sold share + 0.15 × sold share` every six hours, so
//! that it is about 1 in peace and near 5 when rings hold everything. From the
//! fourteenth day on the target falls back to 1.

use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::{Dice, whole};
use crate::simulator::goods::{LIMITED_FROM, LIMITED_PRICE_MINOR};
use crate::simulator::people::N_REGIONS;
use crate::simulator::scene::NewestDrop;

/// Days between two releases.
pub const RELEASE_DAYS: u32 = 7;
/// Day of the first release.
pub const FIRST_RELEASE_DAY: u32 = 2;
/// How often market prices are told.
pub const TICK: Span = Span::hours(6);

/// One limited SKU on the market.
#[derive(Clone, Debug)]
pub struct Limited {
    /// Its number.
    pub sku: u32,
    /// When it was released.
    pub released_at: Timestamp,
    /// Units left.
    pub units_left: u64,
    units: u64,
    sold: [f64; N_REGIONS as usize],
    hoarded: [f64; N_REGIONS as usize],
    index: [f64; N_REGIONS as usize],
}

/// All limited SKUs, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Market {
    limited: Vec<Limited>,
}

/// Who takes units off the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// Somebody who wants to have it.
    Fan,
    /// Somebody who wants to sell it.
    Ring,
}

impl Market {
    /// Puts two limited SKUs on sale; gives their numbers.
    pub fn release(&mut self, at: Timestamp, orders_per_day: u32) -> NewestDrop {
        let first = LIMITED_FROM + u32::try_from(self.limited.len()).unwrap_or(0);
        let skus = [first, first + 1];
        for (sku, share) in skus.into_iter().zip([0.28, 0.15]) {
            let units = whole(f64::from(orders_per_day) * share).max(20).unsigned_abs();
            self.limited.push(Limited {
                sku,
                released_at: at,
                units_left: units,
                units,
                sold: [0.0; 6],
                hoarded: [0.0; 6],
                index: [1.0; 6],
            });
        }
        NewestDrop { skus, released_at: at }
    }

    /// Takes units; gives how many are left, or `None` when there were too few.
    pub fn take(&mut self, sku: u32, region: u8, quantity: u32, taker: Taker) -> Option<u64> {
        let limited = self.find_mut(sku)?;
        limited.units_left = limited.units_left.checked_sub(u64::from(quantity))?;
        let region = usize::from(region) % limited.sold.len();
        limited.sold[region] += f64::from(quantity);
        if taker == Taker::Ring {
            limited.hoarded[region] += f64::from(quantity);
        }
        Some(limited.units_left)
    }

    /// Moves all prices by one tick; gives SKU, region and price of those still traded.
    pub fn tick(&mut self, now: Timestamp, dice: &mut Dice) -> Vec<(u32, u8, i64)> {
        let mut prices = Vec::new();
        for limited in &mut self.limited {
            let age = now - limited.released_at;
            if Span::days(35) < age {
                continue;
            }
            let sold_share = 1.0 - limited.units_left as f64 / limited.units as f64;
            for (number, region) in (0_u8..).zip(0..N_REGIONS as usize) {
                let hoarded = limited.hoarded[region] / limited.sold[region].max(1.0);
                let target = if Span::days(14) < age {
                    1.0
                } else {
                    1.0 + (4.0 * hoarded + 0.15) * sold_share
                };
                let index = &mut limited.index[region];
                *index += 0.1 * (target - *index);
                *index *= dice.real(0.985, 1.015);
                let price = whole(LIMITED_PRICE_MINOR as f64 * *index);
                prices.push((limited.sku, number, price));
            }
        }
        prices
    }

    /// Market price ÷ list price; 1 for anything not limited.
    pub fn index(&self, sku: u32, region: u8) -> f64 {
        let limited = position(sku).and_then(|position| self.limited.get(position));
        limited.map_or(1.0, |limited| limited.index[usize::from(region) % limited.index.len()])
    }

    /// Units left of a limited SKU.
    pub fn units_left(&self, sku: u32) -> u64 {
        let limited = position(sku).and_then(|position| self.limited.get(position));
        limited.map_or(0, |limited| limited.units_left)
    }

    fn find_mut(&mut self, sku: u32) -> Option<&mut Limited> {
        let position = position(sku)?;
        self.limited.get_mut(position)
    }
}

fn position(sku: u32) -> Option<usize> {
    sku.checked_sub(LIMITED_FROM).map(|position| position as usize)
}
