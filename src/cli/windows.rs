//! Time flags shared by `train` and `evaluate`.

use clap::Args;

use crate::domain::time::{Span, Timestamp};
use crate::workflow::play_history::Window;

/// Which orders to learn from and which to judge.
#[derive(Args, Clone, Debug)]
pub struct WindowArgs {
    /// First day (or RFC 3339 instant) whose orders are learned from
    #[arg(long, value_parser = parse_instant)]
    pub train_from: Option<Timestamp>,
    /// First day (or instant) that is no longer learned from
    #[arg(long, value_parser = parse_instant)]
    pub train_to: Option<Timestamp>,
    /// First day (or instant) whose orders are judged
    #[arg(long, value_parser = parse_instant)]
    pub test_from: Option<Timestamp>,
    /// First day (or instant) that is no longer judged
    #[arg(long, value_parser = parse_instant)]
    pub test_to: Option<Timestamp>,
    /// Labels are seen no earlier than this after their order, e.g. `7d` or `36h`
    #[arg(long, value_parser = parse_span, default_value = "0d")]
    pub label_delay: Span,
}

impl WindowArgs {
    /// The training window; open ends are the ends of time.
    pub fn train(&self) -> Window {
        let to = self.train_to.or(self.test_from).unwrap_or(Timestamp(i64::MAX));
        Window { from: self.train_from.unwrap_or(Timestamp(i64::MIN)), to }
    }

    /// The test window; open ends are the ends of time.
    pub fn test(&self) -> Window {
        let from = self.test_from.or(self.train_to).unwrap_or(Timestamp(i64::MIN));
        Window { from, to: self.test_to.unwrap_or(Timestamp(i64::MAX)) }
    }

    /// When training takes place: labels known later do not count.
    pub fn train_as_of(&self) -> Timestamp {
        self.test_from.unwrap_or_else(|| match self.train_to {
            Some(to) => to + self.label_delay,
            None => Timestamp(i64::MAX),
        })
    }
}

/// Reads `2018-07-25` (midnight UTC) or an RFC 3339 instant.
///
/// # Errors
/// A sentence about a text that is neither.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return Timestamp::parse(&format!("{date}T00:00:00Z")).map_err(|error| error.to_string());
    }
    Timestamp::parse(text)
        .map_err(|error| format!("{error}, and not a date such as 2026-02-16 either"))
}

/// Reads `7d`, `36h`, `90m` or `30s`.
///
/// # Errors
/// A sentence about a text that is not such a span.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is not a span such as 7d, 36h, 90m or 30s");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "d" => Span::DAY.0,
        "h" => Span::HOUR.0,
        "m" => Span::SECOND.0 * 60,
        "s" => Span::SECOND.0,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|span| *span >= 0).map(Span).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_hours_and_instants_are_read_and_anything_else_is_refused() {
        assert_eq!(parse_span("7d"), Ok(Span::days(7)));
        assert_eq!(parse_span("36h"), Ok(Span::hours(36)));
        for text in ["", "d", "-1d", "7 d", "7w", "天"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
        let midnight = Timestamp::parse("2018-07-25T00:00:00Z").unwrap();
        assert_eq!(parse_instant("2018-07-25"), Ok(midnight));
        assert_eq!(parse_instant("2018-07-25T08:00:00+08:00"), Ok(midnight));
        assert!(parse_instant("25.07.2018").is_err());
    }
}
