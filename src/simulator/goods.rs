//! What is sold: categories, prices, shops; limited SKUs are in `market`.

use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::simulator::dice::{Dice, whole};

/// Ordinary SKUs on sale.
pub const N_SKUS: u32 = 4_000;
/// Shops.
pub const N_MERCHANTS: u32 = 120;
/// Limited SKUs have numbers from here on.
pub const LIMITED_FROM: u32 = 1_000_000;
/// Most pieces of a limited SKU in one order.
pub const LIMITED_QUANTITY_MAX: u32 = 3;
/// List price of a limited SKU, CNY minor units.
pub const LIMITED_PRICE_MINOR: i64 = 149_900;

/// A sort of goods with its economics.
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// Median price, CNY major units.
    pub price_median: f64,
    /// Sigma of the logarithm of prices.
    pub price_sigma: f64,
    /// Margin as a share of the price.
    pub margin: f64,
    /// Share of honest orders that come back.
    pub return_share: f64,
}

/// Positions in [`CATEGORIES`].
pub const GROCERY: u32 = 0;
/// Clothes and shoes.
pub const APPAREL: u32 = 1;
/// Cosmetics.
pub const BEAUTY: u32 = 2;
/// Phones and computers: easily resold.
pub const ELECTRONICS: u32 = 4;
/// Bags and watches: easily resold.
pub const LUXURY: u32 = 5;
/// Tea, liquor, gift boxes.
pub const GIFTS: u32 = 7;

const N_CATEGORIES: u32 = 8;

/// Grocery, apparel, beauty, home, electronics, luxury, toys, gifts.
pub const CATEGORIES: [Category; 8] = [
    Category { price_median: 60.0, price_sigma: 0.5, margin: 0.15, return_share: 0.005 },
    Category { price_median: 220.0, price_sigma: 0.6, margin: 0.35, return_share: 0.12 },
    Category { price_median: 180.0, price_sigma: 0.6, margin: 0.40, return_share: 0.03 },
    Category { price_median: 260.0, price_sigma: 0.7, margin: 0.25, return_share: 0.05 },
    Category { price_median: 1_800.0, price_sigma: 0.7, margin: 0.10, return_share: 0.05 },
    Category { price_median: 3_200.0, price_sigma: 0.6, margin: 0.20, return_share: 0.08 },
    Category { price_median: 150.0, price_sigma: 0.5, margin: 0.25, return_share: 0.04 },
    Category { price_median: 320.0, price_sigma: 0.5, margin: 0.25, return_share: 0.01 },
];

/// Prices of everything on sale.
#[derive(Clone, Debug)]
pub struct Goods {
    prices_minor: Vec<i64>,
}

impl Goods {
    /// Draws the prices.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 10);
        let price = |sku: u32| {
            let category = category(sku);
            let major = dice.log_normal(category.price_median, category.price_sigma);
            whole(major * 10.0).max(50) * 10
        };
        Self { prices_minor: (0..N_SKUS).map(price).collect() }
    }

    /// List price of one piece, CNY minor units.
    pub fn price_minor(&self, sku: u32) -> i64 {
        self.prices_minor.get(sku as usize).copied().unwrap_or(LIMITED_PRICE_MINOR)
    }

    /// The cheapest of a few SKUs that one shop sells.
    pub fn cheap_sku(&self, merchant: u32, dice: &mut Dice) -> u32 {
        let n_ranks = N_SKUS / N_MERCHANTS;
        let mut skus = [0; 3].map(|_| dice.below(n_ranks) * N_MERCHANTS + merchant);
        skus.sort_by_key(|sku| self.price_minor(*sku));
        skus[0]
    }
}

/// A SKU of a category, by Zipf's law; `rotation` moves which ones are popular.
pub fn popular_sku(category: u32, rotation: u32, dice: &mut Dice) -> u32 {
    let n_ranks = N_SKUS / N_CATEGORIES;
    ((dice.zipf(n_ranks) + rotation) % n_ranks) * N_CATEGORIES + category
}

/// The category of a SKU; limited SKUs are luxury.
pub fn category(sku: u32) -> Category {
    let idx = if is_limited(sku) { LUXURY } else { sku % N_CATEGORIES };
    CATEGORIES[idx as usize]
}

/// True for SKUs that are sold in drops.
pub fn is_limited(sku: u32) -> bool {
    LIMITED_FROM <= sku
}

/// The shop that sells a SKU; limited ones are sold by the brand shop.
pub fn merchant(sku: u32) -> u32 {
    if is_limited(sku) { N_MERCHANTS } else { sku % N_MERCHANTS }
}

/// The node of a SKU.
pub fn sku_entity(identity: &IdentityKey, sku: u32) -> EntityRef {
    let name = if is_limited(sku) {
        format!("LIM-{:03}", sku - LIMITED_FROM)
    } else {
        format!("SKU-{sku:05}")
    };
    identity.entity(EntityKind::Sku, &name)
}
