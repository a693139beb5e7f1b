//! A replica: one of many engines that execute the same stream.
//!
//! What changes something is not executed where it was asked for. It is proposed to a stream
//! and executed when it comes back, by every replica at the same place, and the replica that
//! was asked answers its caller. So all of them hold the same journal, byte for byte.

pub mod board;
pub(super) mod execute;
mod follow;
mod kept_tail;
mod propose;
pub mod ready;
mod session;
pub mod start_replica;
pub mod waiting;
