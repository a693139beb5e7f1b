//! Protobuf messages and their conversions to and from the domain.
//!
//! `x::to_pb` writes a message, `x::read` reads one with a [`check::Check`]
//! that gathers every violation at once and seals personal identifiers.

pub mod access;
pub mod access_record;
pub mod answer;
pub mod case;
pub mod check;
pub mod counterfactual;
pub mod decision;
pub mod decision_bytes;
pub mod difference;
pub mod enums;
mod erasure_record;
pub mod error;
pub mod event;
pub mod experiment;
pub mod experiment_record;
pub mod experiment_report;
pub mod exploration;
pub mod feedback;
pub mod folded_order;
pub mod graph_status;
pub mod key_record;
pub mod message_writer;
pub mod model;
pub mod neighborhood;
pub mod order;
pub mod pb;
pub mod preview;
pub mod proposal;
pub mod record;
pub mod recorded_order;
pub mod request;
pub mod review_queue;
pub mod review_trace;
mod rule;
#[cfg(test)]
mod sample_parts;
#[cfg(test)]
mod samples;
pub mod scored_bytes;
pub mod similar;
pub mod stored_decision;
pub mod strategy;
pub mod strategy_record;
pub mod what_if;
