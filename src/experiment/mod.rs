//! Statistics of experiments and of logged choices.
//!
//! Nothing here reads a clock, a journal or an order: numbers come in, and either numbers or a
//! refusal go out. A refusal has no number in it, so that nobody can show one.

pub mod difference;
pub mod distributions;
pub mod logged;
pub mod moments;
pub mod off_policy;
pub mod rare_events;
pub mod refusal;
pub mod sequence;
pub mod split;
