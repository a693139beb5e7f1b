//! Numbers and instants as people read them.
//!
//! Elements that show a number of the answer carry the exact one beside it, see
//! `data-value` in the templates; what is rounded here is for reading only.

use crate::domain::money::{Currency, Money, grouped};
use crate::domain::time::{Span, Timestamp};

/// A share as a percentage: `71.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A shift of log-odds with its sign: `+1.23`.
pub fn shift(log_odds: f64) -> String {
    let text = format!("{log_odds:+.2}");
    // What rounds to nothing has no direction.
    if text == "-0.00" { "+0.00".to_owned() } else { text }
}

/// Minor units as major ones with the currency: `CNY 1,299.50`.
pub fn money(minor: f64, currency: Currency) -> String {
    format!("{currency} {}", bare_money(minor, currency))
}

/// Minor units as major ones, where the currency stands elsewhere: `1,299.50`.
pub fn bare_money(minor: f64, currency: Currency) -> String {
    currency.major_text(minor)
}

/// The same with its sign.
pub fn signed_money(minor: f64, currency: Currency) -> String {
    let text = bare_money(minor, currency);
    if text.starts_with('-') { format!("{currency} {text}") } else { format!("{currency} +{text}") }
}

/// An amount.
pub fn amount(money_of: Money) -> String {
    money(money_of.minor_units as f64, money_of.currency)
}

/// A count with groups of three digits.
pub fn count(n: u64) -> String {
    grouped(n as f64, 0)
}

/// A number with at most three decimals.
pub fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // What rounds to nothing has no sign.
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// An instant to the minute, UTC: `2026-11-28 08:40`.
pub fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute}"),
        (_, _) => text,
    }
}

/// A length of time in its two largest units: how many of the larger and of the smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Seconds alone.
    Seconds(i64),
    /// Minutes alone.
    Minutes(i64),
    /// Hours and minutes.
    Hours(i64, i64),
    /// Days and hours.
    Days(i64, i64),
}

/// A length of time in its two largest units, without its sign.
pub fn length(span: Span) -> Length {
    let seconds = span.0.abs() / Span::SECOND.0;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => Length::Seconds(seconds),
        (0, 0, minutes) => Length::Minutes(minutes),
        (0, hours, minutes) => Length::Hours(hours, minutes),
        (days, hours, _) => Length::Days(days, hours),
    }
}

/// A figure with four digits that count: `0.9432`, `0.00002`, `123.4`.
pub fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    // Places to the first digit that counts, and three more; small numbers end after eight.
    let places = [1e3, 1e2, 1e1, 1.0, 1e-1, 1e-2, 1e-3, 1e-4].iter();
    let digits = places.filter(|place| value.abs() < **place).count();
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A length of time of a computation: `340 ns`, `12.5 µs`, `3.20 ms`.
pub fn nanos(nanos: u64) -> String {
    let n = nanos as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", n / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", n / 1e6),
        1_000_000_000.. => format!("{:.2} s", n / 1e9),
    }
}

/// What a file takes: `512 B`, `1.5 kB`, `64.0 MB`; a thousand of each make one of the next.
pub fn bytes(bytes: u64) -> String {
    let n = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", n / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n / 1e6),
        1_000_000_000.. => format!("{:.2} GB", n / 1e9),
    }
}

/// How many of a hundred: the nearest whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
pub fn of_hundred(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(money(-129_950.0, Currency::CNY), "CNY -1,299.50");
        assert_eq!(signed_money(5.0, Currency::CNY), "CNY +0.05");
        assert_eq!(money(-0.4, Currency::CNY), "CNY 0.00");
        assert_eq!((percent(0.7134).as_str(), of_hundred(0.7134)), ("71.3 %", 71));
        assert_eq!((shift(-0.001).as_str(), shift(1.239).as_str()), ("+0.00", "+1.24"));
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn times_read_like_times() {
        let at = Timestamp::parse("2026-11-28T08:40:31.5Z").unwrap();
        assert_eq!(minute(at), "2026-11-28 08:40");
        assert_eq!((nanos(340), nanos(12_540)), ("340 ns".into(), "12.5 µs".into()));
        assert_eq!((bytes(999), bytes(64_000_000)), ("999 B".into(), "64.0 MB".into()));
        assert_eq!(length(Span::hours(51)), Length::Days(2, 3));
        assert_eq!(length(Span::minutes(61)), Length::Hours(1, 1));
        assert_eq!(length(Span::minutes(14)), Length::Minutes(14));
        assert_eq!(length(Span(8_100_000)), Length::Seconds(8));
        let figures = [0.94321, 0.000_021, 123.45, 0.0, 5_000.4].map(figure);
        assert_eq!(figures, ["0.9432", "0.000021", "123.5", "0", "5000"]);
    }
}
