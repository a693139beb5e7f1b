//! The commands: the only place that wires, reads clocks and draws.

pub mod clock;
pub mod event_file;
pub mod output;
