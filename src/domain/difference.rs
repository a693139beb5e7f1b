//! How two decisions about one order differ, part by part.

use serde::Serialize;

use crate::domain::decision::ActionKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadId;
use crate::domain::risk::{Probability, RiskBand};

/// A value without a change and with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// Without.
    pub before: T,
    /// With.
    pub after: T,
}

/// What is different between two decisions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionDifference {
    /// The action of rank 1; `None` where there is none.
    pub first_action: Change<Option<ActionKind>>,
    /// One per risk head, in bundle order.
    pub risks: Vec<RiskDifference>,
}

/// How one risk moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RiskDifference {
    /// Which risk.
    pub head: HeadId,
    /// Under the strategy.
    pub probability: Change<Probability>,
    /// Under the strategy.
    pub band: Change<RiskBand>,
    /// What the model says, log-odds.
    pub raw_log_odds: Change<f64>,
    /// Under the strategy's weights, log-odds.
    pub weighted_log_odds: Change<f64>,
    /// Every theme, moved or not, in [`FeatureGroup::ALL`] order.
    pub groups: Vec<GroupDifference>,
    /// The features whose share of the raw score moved most, largest move first.
    pub contributions: Vec<ContributionDifference>,
    /// How many further ones moved.
    pub n_omitted: u32,
    /// Sum of their moves, log-odds: with those listed it is the move of the raw score.
    pub omitted_log_odds: f64,
}

/// How the share of one theme moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupDifference {
    /// Which theme.
    pub group: FeatureGroup,
    /// The model's share, log-odds.
    pub log_odds: Change<f64>,
    /// Under the strategy's weights, log-odds.
    pub weighted_log_odds: Change<f64>,
}

/// How the share of one feature moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContributionDifference {
    /// Stable feature id.
    pub feature: Box<str>,
    /// Its theme.
    pub group: FeatureGroup,
    /// Its value; `None` is unknown.
    pub value: Change<Option<f64>>,
    /// The model's share, log-odds.
    pub log_odds: Change<f64>,
}

impl Change<f64> {
    /// After minus before.
    pub fn shift(self) -> f64 {
        self.after - self.before
    }
}
