//! The commands: the only place that wires, reads clocks and draws.

pub mod import;
