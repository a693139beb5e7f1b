//! The pages: one file or folder each, beside its template.

pub mod admin;
pub mod cases;
pub mod decision;
pub mod experiments;
pub mod graph;
pub mod health;
pub mod help;
pub mod lab;
pub mod models;
pub mod preferences;
pub mod queue;
pub mod reviews;
pub mod sign_in;

#[cfg(test)]
mod render_tests;
