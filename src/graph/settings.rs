//! How long the graph remembers, what it calls a hub, and how far it walks.

use serde::{Deserialize, Serialize};

use crate::domain::time::Span;
use crate::graph::knowledge::KnowledgeGraph;

/// Most SKUs of one order that become graph links; further ones only count as items.
pub const SKUS_PER_ORDER_MAX: usize = 64;
/// Orders of an entity kept as a list: up to here a scan is cheaper than counters.
pub const LISTED_ORDERS_MAX: usize = 16;
/// Most orders of the smaller of two hubs looked through for those they have in common.
pub const HUB_WALK_MAX: usize = 4_096;
/// Most orders that one fact lets the graph forget, so that no fact has to wait for many.
pub const SWEPT_ORDERS_MAX: usize = 4;
/// Most orders of one pair that are counted where they are looked through.
pub const PAIR_WALK_MAX: usize = 1_024;
/// Most accounts of a ring that a read visits; a larger ring reads as this large.
pub const RING_ACCOUNTS_MAX: usize = 64;
/// Most shared things that a read of one ring looks at.
pub const RING_CARRIERS_MAX: usize = 256;
/// Most meetings looked at to find the most recent counterparts.
pub const RECENT_WALK_MAX: usize = 256;
/// Most accounts, the newest, that are looked at as the cohort of an entity.
pub const COHORT_ACCOUNTS_MAX: usize = 32;
/// Most orders of one account, the newest, whose things are compared with those of others.
pub const LINKING_ORDERS_MAX: usize = 16;
/// Most purchases, the newest, whose variety is looked at.
pub const COHORT_PURCHASES_MAX: usize = 64;
/// Most addresses of one account of a cohort that are looked at.
pub const COHORT_ADDRESSES_MAX: usize = 8;
/// Most sales of a SKU, the newest, whose buyers are looked at.
pub const RING_SALES_MAX: usize = 64;
/// Most category attributes whose values are remembered; those named later are not.
pub const CATEGORY_ATTRIBUTES_MAX: usize = 64;
/// Most values of a category that are remembered one by one; later ones count together.
pub const VALUES_PER_CATEGORY_MAX: usize = 4_096;

/// What the graph remembers and how it tells hubs and rings apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GraphSettings {
    /// Facts older than this, seen from the newest order, are forgotten or refused.
    pub retention: Span,
    /// Most orders kept, the memory budget; beyond it the oldest are shed, by whole minutes.
    /// One takes some 1,300 bytes with its share of seven entities and its verdict (bench
    /// `graph_scale`: 1,459 at 100,000 orders, 1,223 at a million), so the default asks for
    /// 26 GB, and a gigabyte holds some 750,000.
    pub orders_max: u32,
    /// An order this much older than the newest fact is judged, but flagged as late.
    pub lateness: Span,
    /// Fewest accounts in 30 days that make an entity a hub; there they speak half for it.
    pub hub_accounts_min: u32,
    /// Fewest days, of 30, on which a hub is used; there they speak half for it.
    pub hub_age_min: Span,
    /// What more accounts than this share links none of them into a ring.
    pub ring_link_accounts_max: u32,
    /// Most facts kept for orders that have not been told yet; further ones are dropped.
    pub early_facts_max: u32,
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self {
            retention: Span::days(400),
            orders_max: 20_000_000,
            lateness: Span::days(30),
            hub_accounts_min: 25,
            hub_age_min: Span::days(7),
            ring_link_accounts_max: 40,
            early_facts_max: 100_000,
        }
    }
}

impl GraphSettings {
    /// As the journal keeps them.
    pub fn to_json(&self) -> String {
        // Whole numbers with names always have a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From a text of the journal; what an older build did not know has its default.
    ///
    /// # Errors
    /// When the text is no such JSON.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl KnowledgeGraph {
    /// What the graph remembers by.
    pub fn settings(&self) -> &GraphSettings {
        &self.settings
    }

    /// Goes on by other settings; what was forgotten so far stays so.
    pub fn follow(&mut self, settings: GraphSettings) {
        self.settings = settings;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_older_journal_are_read_without_what_is_no_longer_there() {
        let json = r#"{"lateness":86400000000,"ring_accounts_max":64}"#;
        let expected = GraphSettings { lateness: Span::DAY, ..GraphSettings::default() };
        assert_eq!(GraphSettings::parse(json).unwrap(), expected);
        assert_eq!(expected.orders_max, 20_000_000);
    }
}
