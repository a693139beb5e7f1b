//! The pages: one file or folder each, beside its template.

pub mod decision;
pub mod preferences;
pub mod queue;
pub mod sign_in;
