//! The journal (the only truth) and the records projected from it.

pub mod error;
pub mod journal;
pub mod medium;
