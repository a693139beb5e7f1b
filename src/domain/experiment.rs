//! Experiments between strategies and models: what is compared, and on whom.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::money::Currency;
use crate::domain::time::{Span, Timestamp};

/// Most arms of an experiment, the control included.
pub const ARMS_MAX: usize = 4;
/// Most percent of the units that a holdout may take.
pub const HOLDOUT_PERCENT_MAX: u32 = 5;
/// Longest name of an experiment or an arm, bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Fewest orders of an arm before money may stop an experiment, when nobody says otherwise.
pub const ORDERS_MIN_USUAL: u64 = 1_000;
/// Most days that what follows an order may count.
pub const HORIZON_DAYS_MAX: u32 = 730;
/// Salt of the holdout: one for all experiments, so that its units never take part in any.
pub const HOLDOUT_SALT: &str = "holdout";

/// An experiment as it was registered before its first order; nothing of it changes later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentPlan {
    /// Its name, never used again.
    pub id: Box<str>,
    /// What arms are drawn with; stays when anything else is edited.
    pub salt: Box<str>,
    /// What is compared; the first is the control.
    pub arms: Vec<Arm>,
    /// Percent of the units that are kept out of every experiment, 0 to 5.
    pub holdout_percent: u32,
    /// Harms that stop the experiment.
    pub guardrails: Vec<Harm>,
    /// Fewest orders of the control and of the arm before money may stop it.
    pub orders_min: u64,
    /// How long what follows an order counts.
    pub horizon: Span,
    /// How facts become money.
    pub worth: Worth,
}

/// One way to judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Its name within the experiment.
    pub name: Box<str>,
    /// Its share of the units that take part; all of them sum to 1.
    pub share: f64,
    /// Bundle name and version.
    pub model: Box<str>,
    /// BLAKE3 of the bundle's manifest.
    pub model_hash: Box<str>,
    /// BLAKE3 of the strategy's text.
    pub strategy_hash: Box<str>,
    /// The text, kept whole so that old answers replay.
    pub strategy_toml: Arc<str>,
}

/// Something that must not happen more often in an arm than in the control. Counted is its first
/// time in a unit: the others of a ring follow the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// The first recommendation did not release an order.
    Stopped,
    /// A bank took the money back.
    Chargeback,
    /// The platform fined the shop.
    Penalty,
    /// A customer complained.
    Complaint,
}

/// How facts about an order become money, minor units; fixed when the experiment starts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// Minor units of one major unit: 100 fen are a yuan.
    pub minor_per_major: f64,
    /// The money's currency; an amount in another one, or none, counts as `unknown_amount`.
    pub currency: Currency,
    /// Taken for an amount that is not known.
    pub unknown_amount: f64,
    /// Margin of an order that arrives, as a share of its amount.
    pub margin_share: f64,
    /// Cost of a return, as a share of the amount.
    pub return_share: f64,
    /// Fixed cost of a return.
    pub return_fixed: f64,
    /// Fee of a chargeback on top of the amount.
    pub chargeback_fixed: f64,
    /// Loss of an order confirmed as abuse, as a share of its amount.
    pub abuse_share: f64,
    /// A fine of unknown amount.
    pub penalty_fixed: f64,
    /// A complaint.
    pub complaint: f64,
    /// A minute of a reviewer.
    pub review_minute: f64,
}

/// Why an experiment ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentEnd {
    /// Somebody read the report and stopped it.
    Finished,
    /// Somebody pulled the plug.
    Killed,
    /// A harm was more frequent in an arm than in the control.
    Harm {
        /// Which.
        harm: Harm,
        /// In which arm.
        arm: Box<str>,
    },
    /// An arm earned less than the control.
    Money {
        /// Which arm.
        arm: Box<str>,
    },
}

impl ExperimentEnd {
    /// True when a guardrail ended it, not a person.
    pub fn is_breach(&self) -> bool {
        match self {
            Self::Harm { .. } | Self::Money { .. } => true,
            Self::Finished | Self::Killed => false,
        }
    }
}

/// From when on how many take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its start.
    pub from: Timestamp,
    /// Percent of the units that take part, 1 to 100.
    pub percent: u32,
}

impl ExperimentPlan {
    /// Names what was registered: BLAKE3 of the plan as JSON.
    pub fn hash(&self) -> Box<str> {
        // JSON cannot fail on our own types.
        let plan = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&plan).to_hex().as_str().into()
    }
}

impl Harm {
    /// Every harm.
    pub const ALL: [Self; 4] = [Self::Stopped, Self::Chargeback, Self::Penalty, Self::Complaint];

    /// Name, as in a plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Chargeback => "chargeback",
            Self::Penalty => "penalty",
            Self::Complaint => "complaint",
        }
    }

    /// The harm with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|harm| harm.as_str() == name)
    }
}
