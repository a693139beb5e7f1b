//! Counterfactuals: the smallest changes that would have led to another action.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::decision::ActionKind;
use crate::domain::head::HeadId;
use crate::domain::risk::Probability;
use crate::domain::text::Text;

/// What a search for the smallest changes of one order found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CounterfactualSearch {
    /// The risk whose score was to cross.
    pub head: HeadId,
    /// Which way.
    pub direction: CounterfactualDirection,
    /// What for.
    pub aim: CounterfactualAim,
    /// Probability of that risk to cross: at which the first action turns, all other heads as
    /// they are, or the given one. `None` when it is out of reach: then nothing was searched.
    pub target: Option<Probability>,
    /// Changes that do reach the aim, smallest first; each judged again as a whole.
    pub counterfactuals: Vec<Counterfactual>,
    /// What follows when none is listed, and from those that are.
    pub proof: CounterfactualProof,
}

/// What a change is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterfactualAim {
    /// Another first action.
    OtherAction,
    /// A given probability.
    GivenProbability,
}

/// Which way a score has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterfactualDirection {
    /// Down: what would release the order, or stop it less.
    TowardRelease,
    /// Up: what would stop it, or stop it more.
    TowardStopping,
}

/// What a search can vouch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterfactualProof {
    /// Every allowed change of up to three levers was looked at or shown not to carry the
    /// score across.
    Complete,
    /// The work budget ended first.
    Budget,
    /// The strategy re-weights the score: the search followed the model, so it proves nothing.
    Reweighted,
}

/// One change that reaches the aim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counterfactual {
    /// What is set, by lever; at most three.
    pub levers: Vec<LeverChange>,
    /// Sum of |change| / median absolute deviation over what is set.
    pub cost: f64,
    /// Probability of the searched risk after the change.
    pub probability: Probability,
    /// First action after the change: the changed order judged again, every head and rule.
    pub first_action: ActionKind,
    /// True when no change of fewer levers, and no cheaper one of the same levers, carries the
    /// score across.
    pub is_proven_minimal: bool,
    /// The sentence.
    pub text: Text,
}

/// One field of the order that is changed, with all features that follow from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeverChange {
    /// The feature that is set; the others in `features` follow from it.
    pub lever: Arc<str>,
    /// How far the lever may go, the others as they are; `None` for a kind, which has no order.
    pub range: Option<LeverRange>,
    /// Every feature that takes another value.
    pub features: Vec<FeatureChange>,
}

/// Values of a lever around the new one: all that the training rows have seen among them carry
/// the score across, too, and at both ends the order was judged again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeverRange {
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// True when the searched risk tells no value beyond the farther end from that end.
    pub is_open: bool,
}

/// A feature before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureChange {
    /// Stable feature id.
    pub feature: Arc<str>,
    /// Value of the order; `None` is unknown.
    pub from: Option<f64>,
    /// Value after the change; `None` is unknown.
    pub to: Option<f64>,
}
