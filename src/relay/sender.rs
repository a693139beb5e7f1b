//! Who may send webhooks, and what.

use std::time::Duration;

use crate::domain::time::{Span, Timestamp};
use crate::relay::signature::{Claim, Secret, is_fresh, is_signed};
use crate::workflow::event_health::EventKind;

/// Somebody who may send webhooks.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The name in the address; signs feedback that it tells.
    pub name: Box<str>,
    /// Its secret, then the one before it while that still counts.
    pub secrets: Vec<Secret>,
    /// What it may tell.
    pub kinds: Vec<EventKind>,
}

/// Limits of what is sent.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Largest body, bytes.
    pub body_bytes_max: usize,
    /// How far the time of a message may be from ours.
    pub tolerance: Span,
    /// Longest time in which a body comes in.
    pub body_within: Duration,
}

/// The headers of a message, as they came.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub time: &'a str,
    /// `webhook-signature`.
    pub signature: &'a str,
}

/// Longest id of a message, bytes: the ids of its events are made of it.
const ID_BYTES_MAX: usize = 128;

impl Sender {
    /// Whether a message is of this sender and new; why not is told to nobody, since whoever
    /// guesses would learn from it.
    pub fn has_sent(&self, shown: Shown<'_>, body: &[u8], now: Timestamp, tolerance: Span) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_graphic();
        let is_id = !shown.id.is_empty()
            && shown.id.len() <= ID_BYTES_MAX
            && shown.id.bytes().all(is_plain);
        let Ok(seconds) = shown.time.parse::<i64>() else { return false };
        let claim = Claim { id: shown.id, seconds };
        is_id
            && is_fresh(claim, now, tolerance)
            && is_signed(&self.secrets, claim, body, shown.signature)
    }
}
