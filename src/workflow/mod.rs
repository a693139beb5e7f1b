//! What the system does, a verb per file.
pub mod state;
