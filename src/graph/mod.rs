//! The order-behavior knowledge graph: who met whom, when, and how it ended.
//!
//! Nodes are the entities that orders touch; an order is one meeting of all of
//! them. Everything is kept by time, so a read at `as_of` sees exactly the past.

mod arena;
pub mod categories;
pub mod cohort_read;
mod erasing;
pub mod evidence;
#[cfg(test)]
mod evidence_tests;
pub mod history;
pub mod hub;
mod hub_log;
mod hub_pairs;
pub mod identity;
#[cfg(test)]
mod identity_tests;
mod joined_evidence;
mod joining;
pub mod knowledge;
pub mod label_log;
#[cfg(test)]
mod laws;
mod market;
pub mod market_reads;
pub mod neighborhood;
#[cfg(test)]
mod neighborhood_tests;
mod node;
mod order_ring;
mod order_steps;
pub mod order_table;
mod order_truths;
pub mod pair_read;
mod placing;
mod postings;
pub mod removal;
#[cfg(test)]
mod ring_laws;
pub mod ring_read;
mod running_sums;
mod sales;
pub mod settings;
pub mod shared_things;
mod sharing;
#[cfg(test)]
mod shed_laws;
mod state_hash;
#[cfg(test)]
mod storage_laws;
pub mod totals;
mod uniting;
#[cfg(test)]
mod uniting_laws;
pub mod visit;
mod windows;
