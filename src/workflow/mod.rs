//! What the system does, a verb per file.

pub mod error;
pub mod service;
