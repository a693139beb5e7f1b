//! Statistics of experiments and of logged choices.
//!
//! Nothing here reads a clock, a journal or an order: numbers come in, and either numbers or a
//! refusal go out. A refusal has no number in it, so that nobody can show one.

pub mod arms;
pub mod confounding_gap;
pub mod difference;
pub mod distributions;
pub mod logged;
pub mod moments;
pub mod multiplicity;
pub mod off_policy;
pub mod permutation;
pub mod power;
pub mod rare_events;
pub mod refusal;
pub mod relative;
pub mod sequence;
pub mod shares;
pub mod split;
pub mod strata;
pub mod survival;
