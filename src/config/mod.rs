//! Files that people edit, checked before anything uses them.

pub mod mistake;
pub mod reader;
pub mod secret;
pub mod service;
pub mod strategy;
pub mod strategy_actions;

/// The shipped service file: what the binary uses when no file is given.
pub const EMBEDDED_SERVICE: &str = include_str!("../../config/orderlens.toml");
/// The shipped strategy file: what the binary uses when no file is given.
pub const EMBEDDED_STRATEGY: &str = include_str!("../../config/strategy.toml");

#[cfg(test)]
mod strategy_tests;
