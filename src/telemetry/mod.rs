//! What machines that watch the service read: metrics, and its health.
//!
//! Nothing is counted here. The doors and the sequencer keep plain numbers; a scrape reads
//! them, asks the engine for the rest, and writes all of it as `OpenMetrics`. So the hot path
//! knows nothing of this folder, and a scrape costs nothing when nobody asks.

mod calls;
mod deliveries;
mod events;
pub mod exporter;
mod facts;
mod handling;
pub mod listener;
#[cfg(feature = "otel")]
pub mod otel;
mod page;
mod work;
