//! Training sets, the tree trainer, baselines and evaluation.
//!
//! [`set`] is what comes in, [`bundle`] makes a model of it; [`boost`] grows the
//! trees, [`metrics`] and [`evaluate`] say how good they are.

pub mod action_values;
pub mod background;
pub mod baseline;
pub mod binning;
pub mod blocks;
pub mod boost;
pub mod bundle;
pub mod calibrate;
pub mod card;
mod choose_loss;
pub mod columns;
pub mod derivatives;
pub mod drift;
pub mod error;
pub mod evaluate;
pub mod forest;
pub mod grow;
pub mod head;
pub(crate) mod held_out;
pub mod histogram;
pub mod importance;
pub(crate) mod join;
pub mod leaves;
pub mod loss;
pub mod metrics;
pub mod params;
pub(crate) mod parts;
pub mod pictures;
pub(crate) mod plausibility;
pub(crate) mod population;
pub mod prune;
pub mod quantiles;
pub mod rows;
pub mod sample;
pub(crate) mod screen;
pub mod set;
pub mod share_out;
pub mod slices;
pub mod split;
pub mod stability;
