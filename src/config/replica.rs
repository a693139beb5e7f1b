//! The section of the service file that makes a service one of many replicas.

use std::time::Duration;

use crate::config::reader::{Found, Section};

/// Longest name of a stream.
const STREAM_CHARS_MAX: usize = 64;

/// How a service joins others that answer alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaLimits {
    /// Name of the environment variable that holds the broker's address; the service is alone
    /// while it is not set.
    pub url_variable: String,
    /// Name of the environment variable that holds the replica's name.
    pub name_variable: String,
    /// Name of the stream.
    pub stream: String,
    /// How many brokers keep the stream: 1, 3 or 5.
    pub n_copies: usize,
    /// How long the broker may take to acknowledge what is sent.
    pub ack: Duration,
}

/// Reads the section.
pub(super) fn replica(section: &Section<'_>) -> Option<ReplicaLimits> {
    let url_variable = section.text("url_variable");
    let name_variable = section.text("name_variable");
    let stream = section.text("stream").and_then(|found| stream(section, found));
    let copies = section.integer("copies", 1..=5).and_then(|found| {
        let is_odd = found.value % 2 == 1;
        if !is_odd {
            let message = format!("{} = {} is not 1, 3 or 5", found.key, found.value);
            section.report(&found, message, "an even number of brokers has no majority more");
        }
        usize::try_from(found.value).ok().filter(|_| is_odd)
    });
    let ack = section.integer("ack_ms", 100..=60_000);
    section.finish();
    Some(ReplicaLimits {
        url_variable: url_variable?.value,
        name_variable: name_variable?.value,
        stream: stream?,
        n_copies: copies?,
        ack: Duration::from_millis(ack?.value.unsigned_abs()),
    })
}

fn stream(section: &Section<'_>, found: Found<String>) -> Option<String> {
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    let name = &found.value;
    let is_name = !name.is_empty() && name.len() <= STREAM_CHARS_MAX && name.chars().all(fits);
    if !is_name {
        let message = format!("{} = \"{name}\" is no name of letters, digits, _ and -", found.key);
        section.report(&found, message, "at most 64 of them");
        return None;
    }
    Some(found.value)
}
