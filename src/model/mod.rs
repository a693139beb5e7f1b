//! Boosted oblivious trees with exact attribution, calibration and artifacts.
//!
//! An artifact ([`ensemble`], [`calibration`]) is what training writes; loading a
//! [`bundle`] compiles it into the [`engine`] that scores.

pub mod artifact;
pub mod background;
pub mod binning;
pub mod bundle;
pub mod calibration;
pub mod card;
pub mod conformal;
pub mod counterfactual;
pub mod engine;
pub mod ensemble;
mod ensemble_file;
pub mod fixed;
mod forest;
pub mod game;
#[cfg(target_arch = "x86_64")]
mod kernel;
pub mod manifest;
pub mod neighbors;
pub mod parts;
mod plain_forest;
pub mod population;
mod ranker;
mod tables;
pub mod unlike;
pub mod venn_abers;

#[cfg(test)]
mod engine_laws;
