//! Files that people edit, checked before anything uses them.

pub mod access;
pub mod levers;
pub mod mistake;
pub mod operations;
pub mod outside;
pub mod reader;
pub mod records;
pub mod replica;
pub mod rule_check;
pub mod rule_names;
pub mod rule_syntax;
pub mod rule_types;
pub mod secret;
pub mod service;
pub mod sources;
pub mod strategy;
pub mod strategy_actions;
pub mod strategy_edit;
pub mod strategy_plans;
pub mod strategy_rules;
pub mod strategy_schema;

/// The shipped service file: what the binary uses when no file is given.
pub const EMBEDDED_SERVICE: &str = include_str!("../../config/orderlens.toml");
/// The shipped strategy file: what the binary uses when no file is given.
pub const EMBEDDED_STRATEGY: &str = include_str!("../../config/strategy.toml");

#[cfg(test)]
mod broken_strategies_tests;
#[cfg(test)]
mod cel_law;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod levers_tests;
#[cfg(test)]
mod random_conditions;
#[cfg(test)]
mod strategy_fuzz;
#[cfg(test)]
mod strategy_plans_tests;
#[cfg(test)]
mod strategy_tests;
