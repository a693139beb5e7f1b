//! A synthetic marketplace with known truth.

pub mod aftermath;
pub mod brushing;
pub mod calendar;
pub mod dice;
pub mod gangs;
pub mod goods;
pub mod groups;
pub mod heads;
pub mod honest;
#[cfg(test)]
mod laws;
pub mod market;
pub mod operator;
pub mod pending;
pub mod people;
pub mod resellers;
pub mod rule;
pub mod scene;
pub mod settings;
pub mod stream;
pub mod telling;
pub mod thieves;
pub mod truth;
pub mod world;
