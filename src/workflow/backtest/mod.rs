//! The strategy lab: recorded orders judged again under a draft of a strategy.
//!
//! Every recorded decision holds its order and its features, so no graph is needed: the
//! features are scored with the same bundle, against the background of their time, and
//! both strategies choose. One thread reads, several judge, and results are folded in the
//! order of the journal, so that the report does not depend on how many there are.

pub mod compare;
pub mod flips;
pub mod load;
pub mod money;
pub mod past_judges;
pub mod pipeline;
pub mod run;
pub mod slices;
pub mod solve;
pub mod tally;
pub mod truths;

#[cfg(test)]
mod tests;
