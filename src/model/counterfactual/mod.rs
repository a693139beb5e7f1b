//! The smallest changes that carry a raw score across a target, with proof.
//!
//! A [`lever::Levers`] list says what may change and to which values; a
//! [`search_forest::SearchForest`] is a head's ensemble in whole numbers. [`search`] looks for
//! the fewest levers first, then the least cost, and stops at three levers. It is
//! exhaustive: what it skips is shown by a lower bound to be too high. When its
//! work budget ends first, the answer says so.
//!
//! The bound. With `D` the shift of one setting, `I` the interaction of two and
//! `J` of three, a triple shifts the score by
//! `D_a + D_b + D_c + I_ab + I_ac + I_bc + J_abc`, exactly, because each tree is a
//! function of its levers and this is its expansion around the order. A sum of
//! minima never exceeds the minimum of the sum, so a triple whose sum of minima
//! misses the target holds no answer.

pub mod answer;
pub mod feature_levers;
pub mod lever;
pub mod plausibility;
pub mod question;
pub mod region;
pub mod search;
pub mod search_forest;

mod cubes;
mod greedy;
mod pairs;
mod setting_set;
mod singles;
mod triples;

#[cfg(test)]
mod laws;
