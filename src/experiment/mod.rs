//! Statistics of experiments and of logged choices.
//!
//! Nothing here reads a clock, a journal or an order: numbers come in, and either numbers or a
//! refusal go out. A refusal has no number in it, so that nobody can show one.

pub mod arms;
pub mod bayes;
pub mod betting;
pub mod confounding_gap;
pub mod cuped_ratio;
pub mod difference;
pub mod distributions;
pub mod logged;
pub mod lower_bounds;
pub mod moments;
pub mod multiplicity;
pub mod narrowest;
pub mod off_policy;
pub mod one_sided;
pub mod paired;
pub mod permutation;
pub mod power;
pub mod power_underway;
pub mod rare_events;
pub mod refusal;
pub mod regression;
pub mod relative;
pub mod relative_delta;
pub mod replay_method;
pub mod sequence;
pub mod share_intervals;
pub mod shares;
pub mod split;
pub mod strata;
pub mod survival;
pub mod t_power;
pub mod tuning;
pub mod two_samples;
