//! Instants and spans in whole microseconds, UTC.
//!
//! Integers, so that windows, replays and hashes never depend on rounding.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds; may be negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub i64);

/// A text that is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time such as 2026-02-16T20:00:00Z")]
pub struct TimestampError(pub String);

impl Span {
    /// One second.
    pub const SECOND: Self = Self(1_000_000);
    /// One hour.
    pub const HOUR: Self = Self(3_600 * 1_000_000);
    /// One day of 24 hours.
    pub const DAY: Self = Self(24 * 3_600 * 1_000_000);

    /// A span of `n` whole days.
    pub const fn days(n: i64) -> Self {
        Self(n * Self::DAY.0)
    }

    /// A span of `n` whole minutes.
    pub const fn minutes(n: i64) -> Self {
        Self(n * 60 * Self::SECOND.0)
    }

    /// A span of `n` whole hours.
    pub const fn hours(n: i64) -> Self {
        Self(n * Self::HOUR.0)
    }

    /// Length in seconds, as a real number.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Length in days, as a real number.
    pub fn as_days(self) -> f64 {
        self.as_seconds() / 86_400.0
    }
}

impl Timestamp {
    /// Reads an RFC 3339 text with any offset.
    ///
    /// # Errors
    /// [`TimestampError`] when the text is not such an instant.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_microsecond()))
            .map_err(|_| TimestampError(text.to_owned()))
    }

    /// Midnight (UTC) of the day this instant falls on.
    #[must_use]
    pub fn start_of_day(self) -> Self {
        Self(self.0.div_euclid(Span::DAY.0) * Span::DAY.0)
    }

    /// Microseconds since midnight (UTC).
    pub fn time_of_day(self) -> Span {
        Span(self.0.rem_euclid(Span::DAY.0))
    }

    /// Whole days since 1970-01-01; day 0 was a Thursday.
    pub fn day_number(self) -> i64 {
        self.0.div_euclid(Span::DAY.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// RFC 3339 where people read (JSON), the integer where machines do (postcard).
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_back_as_it_was_written() {
        for text in ["2026-02-16T20:00:00Z", "1969-12-31T23:59:59.999999Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn days_before_the_epoch_start_at_their_own_midnight() {
        let instant = Timestamp::parse("1969-12-31T18:00:00Z").unwrap();
        assert_eq!(instant.start_of_day().to_string(), "1969-12-31T00:00:00Z");
        assert_eq!(instant.time_of_day(), Span::hours(18));
    }
}
