//! From scores to money, actions and reasons, under a strategy.

pub mod attribution;
pub mod case_text;
pub mod decide;
pub mod difference;
pub mod draws;
pub mod explore;
pub mod hindsight;
pub mod impact;
pub mod impact_draws;
pub mod messages;
pub mod options;
pub mod outlook;
pub mod queue;
pub mod ranking;
pub mod reasons;
pub mod rule;
pub mod rule_expression;
pub mod rule_facts;
pub mod similar_text;
pub mod strategy;
pub mod thresholds;
pub mod told;
pub mod unlike;
pub mod urgency;

#[cfg(test)]
mod decide_tests;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod reasons_tests;
#[cfg(test)]
mod rule_tests;
