//! Boosted oblivious trees with exact attribution, calibration and artifacts.
//!
//! An artifact ([`ensemble`], [`calibration`]) is what training writes; loading a
//! [`bundle`] compiles it into the engine that scores ([`attribution`]).

pub mod artifact;
pub mod attribution;
pub mod background;
pub mod binning;
pub mod bundle;
pub mod calibration;
pub mod conformal;
pub mod counterfactual;
pub mod ensemble;
mod ensemble_file;
pub mod fixed;
pub mod manifest;
pub mod parts;
pub mod venn_abers;
