//! Reading the market of a SKU: stock, price, how fast it sells and to whom.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::time::Timestamp;
use crate::graph::arena::NOBODY;
use crate::graph::history::Window;
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::market::MarketLog;
use crate::graph::sales::SalesLog;
use crate::graph::settings::RING_SALES_MAX;

/// Rings whose share of the sales is told.
const TOP_RINGS: usize = 3;
/// Fewest sales that such a share is told of.
const RING_SALES_MIN: usize = 4;

/// What the market says about a SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarketRead {
    /// Units on hand.
    pub stock_units: Option<u64>,
    /// True when they are those of the region alone.
    pub is_stock_of_region: bool,
    /// Market price in major units.
    pub price: Option<f64>,
    /// Latest market price / exponentially weighted mean of the earlier ones.
    pub price_index: Option<f64>,
    /// How much the market price moves, percent a day.
    pub price_volatility: Option<f64>,
}

/// The sales of a SKU in one region, as of an instant.
#[derive(Clone, Copy, Debug)]
pub struct Sales<'a> {
    graph: &'a KnowledgeGraph,
    log: Option<&'a SalesLog>,
    as_of: Timestamp,
}

impl KnowledgeGraph {
    /// Stock and price of a SKU: of the region if known there, else of everywhere.
    pub fn market(
        &self,
        sku: &EntityRef,
        region: Option<&EntityRef>,
        as_of: Timestamp,
    ) -> MarketRead {
        let mut read = MarketRead::default();
        let of_region = region.and_then(|region| self.market_log_of(sku, Some(region)));
        for log in [of_region, self.market_log_of(sku, None)].into_iter().flatten() {
            if read.stock_units.is_none() {
                read.stock_units = log.stock(as_of);
                read.is_stock_of_region =
                    read.stock_units.is_some() && of_region.is_some_and(|of| std::ptr::eq(of, log));
            }
            if read.price.is_none() {
                read.price = log.price(as_of);
                read.price_index = log.price_index(as_of);
                read.price_volatility = log.price_volatility(as_of);
            }
        }
        read
    }

    /// Sales of a SKU in a region; without one, those of orders that named no region.
    pub fn sales(
        &self,
        sku: &EntityRef,
        region: Option<&EntityRef>,
        as_of: Timestamp,
    ) -> Sales<'_> {
        let log = self.market_log_of(sku, region).map(|log| &log.sales);
        Sales { graph: self, log, as_of }
    }

    fn market_log_of(&self, sku: &EntityRef, region: Option<&EntityRef>) -> Option<&MarketLog> {
        let sku = self.find(sku)?;
        let region = match region {
            Some(region) => self.find(region)?.0,
            None => NOBODY,
        };
        self.market.get(&(sku.0, region))
    }
}

impl Sales<'_> {
    /// Pieces sold in a window; of all time as far as the retention reaches.
    pub fn n_units(&self, window: Window) -> u64 {
        self.log.map_or(0, |log| log.n_units(self.before(window), self.as_of))
    }

    /// Share of the pieces of a window's newest sales, at most [`RING_SALES_MAX`], that went
    /// to the three rings which bought most; `None` of too few sales. An account that is
    /// linked to no other is no ring.
    pub fn top_rings_share(&self, window: Window) -> Option<f64> {
        let arena = &self.graph.arena;
        let newest = self.log?.newest(self.before(window), self.as_of).take(RING_SALES_MAX);
        let newest = newest.filter(|&(no, _)| arena.holds(no));
        let buyer = |no| arena.row(no).node_of(EntityKind::Account).unwrap_or(NOBODY);
        let mut sales: Vec<(u32, u32)> = newest.map(|(no, n_units)| (buyer(no), n_units)).collect();
        if sales.len() < RING_SALES_MIN {
            return None;
        }
        let sum = |sales: &[(u32, u32)]| sales.iter().map(|&(_, n)| u64::from(n)).sum::<u64>();
        let n_units = sum(&sales);
        let mut rings = Vec::new();
        while let Some(&(buyer, _)) = sales.first() {
            let history = self.graph.history(NodeIdx(buyer), self.as_of);
            let ring = history.map(|past| past.ring()).unwrap_or_default();
            let is_its = |who: u32| who == buyer || ring.contains(&NodeIdx(who));
            let (bought, others) = sales.into_iter().partition(|&(who, _)| is_its(who));
            sales = others;
            if 2 <= ring.len() {
                let bought: Vec<(u32, u32)> = bought;
                rings.push(sum(&bought));
            }
        }
        rings.sort_unstable_by(|one, other| other.cmp(one));
        let n_top: u64 = rings.into_iter().take(TOP_RINGS).sum();
        Some(n_top as f64 / n_units as f64)
    }

    /// The last instant before a window, which the retention cuts.
    fn before(&self, window: Window) -> Timestamp {
        let before = Timestamp(self.graph.horizon().0.saturating_sub(1));
        window.span().map_or(before, |span| before.max(self.as_of - span))
    }
}
