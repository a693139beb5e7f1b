//! From scores to money, actions and reasons, under a strategy.

pub mod strategy;
