//! How large, how long and how hard the synthetic marketplace is.

use crate::domain::time::Timestamp;

/// Everything that decides a simulated stream: equal settings give equal bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationSettings {
    /// Seed of all draws.
    pub seed: u64,
    /// First instant; cut to midnight UTC.
    pub start: Timestamp,
    /// Days simulated; facts after the last day are not told.
    pub days: u32,
    /// Orders on an average day.
    pub orders_per_day: u32,
    /// What share of orders each behavior makes.
    pub shares: Shares,
    /// Share of bad rings that behave carefully, in [0, 1].
    pub careful_share: f64,
    /// Share of positives whose label is never told (told as negative), in [0, 1].
    pub missed_share: f64,
    /// Share of honest orders that are labeled bad by mistake, in [0, 1].
    pub false_alarm_share: f64,
    /// Whether tactics change over time.
    pub drift: Drift,
    /// Whether families and gangs meet on the same networks.
    pub mixing: Mixing,
}

/// Share of all orders per behavior; the rest are plain shoppers.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Stolen cards and taken-over accounts.
    pub payment_fraud: f64,
    /// Rings that hoard limited SKUs.
    pub reseller_hoarding: f64,
    /// Coupon gangs.
    pub promo_abuse: f64,
    /// Brushing rings.
    pub fake_order: f64,
    /// Orders that abusers send back.
    pub return_abuse: f64,
    /// Overseas families on one network.
    pub families: f64,
    /// Residents of dormitories, offices and lockers, by account.
    pub hubs: f64,
    /// Residents of one hub who all order within minutes, at a flash sale.
    pub hub_rushes: f64,
    /// Companies buying in bulk.
    pub corporate: f64,
    /// Neighbors who buy together.
    pub group_buyers: f64,
    /// Honest buyers of one limited SKU.
    pub drop_fans: f64,
}

/// Whether tactics change over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The last day is like the first.
    Off,
    /// From this day on: gangs spread over several networks, more rings are
    /// careful, resellers leave hotels for forwarders, tastes rotate weekly.
    From {
        /// Days after the start.
        day: u32,
    },
}

/// Whether families and gangs meet on the same networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixing {
    /// Each has its own IPs.
    Separate,
    /// A gang bursts from the IP of a family in the same hour.
    SharedNetworks,
}

impl SimulationSettings {
    /// A marketplace with the documented default shares, no drift, own networks.
    pub fn new(seed: u64, start: Timestamp, days: u32, orders_per_day: u32) -> Self {
        Self {
            seed,
            start: start.start_of_day(),
            days,
            orders_per_day,
            shares: Shares::default(),
            careful_share: 0.2,
            missed_share: 0.02,
            false_alarm_share: 0.000_3,
            drift: Drift::Off,
            mixing: Mixing::Separate,
        }
    }

    /// True when the new tactics rule on this day.
    pub fn has_drifted(&self, day: u32) -> bool {
        match self.drift {
            Drift::Off => false,
            Drift::From { day: first } => first <= day,
        }
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            payment_fraud: 0.006,
            reseller_hoarding: 0.008,
            promo_abuse: 0.010,
            fake_order: 0.008,
            return_abuse: 0.010,
            families: 0.010,
            hubs: 0.08,
            hub_rushes: 0.005,
            corporate: 0.010,
            group_buyers: 0.008,
            drop_fans: 0.020,
        }
    }
}

impl Shares {
    /// Sum of the behaviors that are planned on top of plain shopping.
    pub fn planned(&self) -> f64 {
        self.payment_fraud
            + self.reseller_hoarding
            + self.promo_abuse
            + self.fake_order
            + self.return_abuse
            + self.families
            + self.hub_rushes
            + self.corporate
            + self.group_buyers
            + self.drop_fans
    }
}
