//! The journal (the only truth) and the records projected from it.

pub mod disk_use;
pub mod error;
pub mod journal;
pub mod log;
pub mod medium;
pub mod records;
pub mod snapshot;
pub mod way_giving;
