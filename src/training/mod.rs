//! Training sets, the tree trainer, baselines and evaluation.
//!
//! [`set`] is what comes in; [`boost`] grows the
//! trees.

pub mod binning;
pub mod boost;
pub mod columns;
pub mod error;
pub mod grow;
pub mod loss;
pub mod params;
pub mod sample;
pub mod set;
pub mod split;
