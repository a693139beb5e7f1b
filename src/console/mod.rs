//! The console: pages for the people who look at decisions.
//!
//! Pages are made here, on the server, and work without a script; scripts add keys,
//! live parts and a movable graph. Everything that is shown comes from [`crate::workflow`].

pub mod assets;
pub mod catalog;
pub mod claims;
pub mod failure;
#[cfg(test)]
mod fixtures;
pub mod form;
pub mod format;
pub mod frame;
pub mod guard;
pub mod listener;
pub mod pages;
pub mod parts;
pub mod pending;
pub mod preferences;
pub mod server;
pub mod session;
pub mod words;
