//! Reading the market of a SKU: stock, price, how fast it sells and to whom.

use std::cmp::Reverse;

use petgraph::unionfind::UnionFind;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::time::Timestamp;
use crate::graph::arena::NOBODY;
use crate::graph::history::Window;
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::market::MarketLog;
use crate::graph::sales::SalesLog;
use crate::graph::settings::RING_SALES_MAX;
use crate::graph::shared_things::{Joined, SharedThings};

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
    /// to the three rings which bought most; `None` of too few sales. Rings are those of the
    /// buyers whose orders here name a thing in common; one that shares with no other is none.
    pub fn top_rings_share(&self, window: Window) -> Option<f64> {
        let (sales, joined) = self.buyers(window);
        if sales.len() < RING_SALES_MIN {
            return None;
        }
        let n_units: u64 = sales.iter().map(|(_, n_units)| n_units).sum();
        let mut rings = bought_by_ring(&sales, &joined);
        rings.sort_unstable_by_key(|&n_units| Reverse(n_units));
        let n_top: u64 = rings.into_iter().take(TOP_RINGS).sum();
        Some(n_top as f64 / n_units as f64)
    }

    /// Buyers of a window's newest sales, with what those of one ring have in common.
    pub fn joined_buyers(&self, window: Window) -> Vec<Joined> {
        self.buyers(window).1
    }

    /// Buyer and pieces of each of a window's newest sales, and what joins buyers.
    fn buyers(&self, window: Window) -> (Vec<(Option<NodeIdx>, u64)>, Vec<Joined>) {
        let arena = &self.graph.arena;
        let (mut things, mut sales) = (SharedThings::default(), Vec::new());
        let newest = self.log.map(|log| log.newest(self.before(window), self.as_of));
        let newest = newest.into_iter().flatten().take(RING_SALES_MAX);
        for (no, n_units) in newest.filter(|&(no, _)| arena.holds(no)) {
            let row = arena.row(no);
            let buyer = row.node_of(EntityKind::Account).map(NodeIdx);
            if let Some(buyer) = buyer {
                things.add(buyer, row);
            }
            sales.push((buyer, u64::from(n_units)));
        }
        (sales, things.joined(self.graph, self.as_of))
    }

    /// The last instant before a window, which the retention cuts.
    fn before(&self, window: Window) -> Timestamp {
        let before = Timestamp(self.graph.horizon().0.saturating_sub(1));
        window.span().map_or(before, |span| before.max(self.as_of - span))
    }
}

/// Pieces of each ring of at least two buyers, by sales and by pairs of joined buyers.
fn bought_by_ring(sales: &[(Option<NodeIdx>, u64)], joined: &[Joined]) -> Vec<u64> {
    let mut buyers: Vec<NodeIdx> = sales.iter().filter_map(|&(buyer, _)| buyer).collect();
    buyers.sort_unstable();
    buyers.dedup();
    let position = |buyer: &NodeIdx| buyers.binary_search(buyer).ok();
    let mut rings = UnionFind::new(buyers.len());
    for [one, other] in joined.iter().map(|it| &it.accounts) {
        if let (Some(one), Some(other)) = (position(one), position(other)) {
            rings.union(one, other);
        }
    }
    // Buyers and pieces by ring.
    let ring_of = rings.into_labeling();
    let mut bought = vec![(0_u64, 0_u64); buyers.len()];
    for &ring in &ring_of {
        bought[ring].0 += 1;
    }
    for (buyer, n_units) in sales {
        if let Some(at) = buyer.as_ref().and_then(position) {
            bought[ring_of[at]].1 += n_units;
        }
    }
    bought.into_iter().filter(|&(n_buyers, _)| 2 <= n_buyers).map(|(_, n_units)| n_units).collect()
}
