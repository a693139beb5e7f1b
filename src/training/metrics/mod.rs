//! How good scores are, each figure with a bootstrap interval.
//!
//! linfa's own ROC misses the point (0, 0) for scores of exactly 0 and sums in
//! `f32`, so ranking and calibration figures are ours, in `f64`; its confusion
//! matrix is used.

pub mod accounts;
pub mod bootstrap;
pub mod confusion;
pub mod probability;
pub mod ranking;
pub mod value;
pub mod weighted;
