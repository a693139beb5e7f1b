//! The stream that gives all replicas one order: NATS JetStream.
//!
//! What goes in are batches of proposals, what comes out are the same batches, numbered.
//! Whoever reads from one number on reads what everybody else does.

pub mod batch;
pub mod error;
pub mod link;
pub mod publisher;
pub mod settings;
pub mod subscriber;
