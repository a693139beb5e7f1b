//! The only reader of the machine's clocks and of its entropy.

use std::time::Instant;

use rand::RngCore as _;
use rand::rngs::OsRng;

use crate::domain::time::Timestamp;

/// Now, by the machine's clock.
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// Monotonic nanoseconds since the first call.
pub fn nanos() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Unguessable bytes from the operating system, others at each call.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
