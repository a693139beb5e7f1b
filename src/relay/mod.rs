//! What comes in and goes out beside gRPC: signed webhooks and NATS subjects.
//!
//! What comes in goes through the door of the gRPC services: the same checks, the same keyed
//! hashes, the same acknowledgement once it is durable. What goes out is read off the journal,
//! by position, so that nothing is lost over a crash and judging never waits for a receiver.

pub mod alerts;
pub mod aside;
pub mod base64;
pub mod carrier;
pub mod courier;
pub mod door;
pub mod drift;
pub mod incoming;
pub mod json_place;
pub mod kept_file;
pub mod notice;
pub mod outbox;
pub mod sender;
pub mod signature;
pub mod subscription;
