//! The feature catalog and its point-in-time extraction from graph and order.

pub mod amount_line;
pub mod catalog;
mod category_reads;
mod category_rows;
mod cohort_reads;
mod cohort_rows;
#[cfg(test)]
mod cohort_tests;
pub mod edits;
mod entity_reads;
mod entity_rows;
mod extract;
#[cfg(test)]
mod fixtures;
mod head_now;
mod hub_rows;
#[cfg(test)]
mod hub_tests;
mod identity_rows;
#[cfg(test)]
mod laws;
mod market_rows;
#[cfg(test)]
mod market_tests;
mod order_reads;
mod order_rows;
mod relation_rows;
#[cfg(test)]
mod removal_laws;
mod row;
pub mod schema;
mod witness;
#[cfg(test)]
mod witness_laws;
mod words;
