//! Times and spans as sources write them: epochs, patterns with a zone.

use jiff::civil::{DateTime, date};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::domain::time::{Span, Timestamp};
use crate::import::amount::parse_decimal;
use crate::import::mistake::suggest;
use crate::import::section::{Column, Entry};

/// How a column tells the time.
#[derive(Clone, Debug)]
pub(super) struct TimeSpec {
    /// Where it stands.
    pub(super) column: Column,
    /// How it is written.
    pub(super) format: TimeFormat,
}

/// How a time is written.
#[derive(Clone, Debug)]
pub(super) enum TimeFormat {
    /// `2026-02-16T20:00:00+08:00`, a space instead of the `T` allowed.
    Rfc3339,
    /// Units after an instant, such as seconds since 1970.
    Since {
        /// The instant.
        origin: Timestamp,
        /// Decimal digits between the unit and a microsecond: 6 for seconds.
        digits: u32,
    },
    /// A strptime pattern; a time without offset is civil time in the zone.
    Pattern {
        /// Such as `%Y-%m-%d %H:%M:%S`.
        pattern: Box<str>,
        /// Such as `Asia/Shanghai`; repeated hours take the first, skipped ones move on.
        zone: TimeZone,
    },
}

const FORMATS: [&str; 5] =
    ["rfc3339", "epoch_seconds", "epoch_millis", "seconds_since", "%Y-%m-%d %H:%M:%S"];

impl TimeFormat {
    /// The instant a text tells, if it does.
    pub(super) fn parse(&self, text: &str) -> Option<Timestamp> {
        let time = match self {
            Self::Rfc3339 => Timestamp::parse(text).ok()?,
            Self::Since { origin, digits } => {
                Timestamp(origin.0.checked_add(parse_decimal(text, *digits)?)?)
            }
            Self::Pattern { pattern, zone } => {
                let parts = BrokenDownTime::parse(pattern.as_bytes(), text).ok()?;
                let instant = match parts.to_timestamp() {
                    Ok(instant) => instant,
                    Err(_) => zone.to_timestamp(parts.to_datetime().ok()?).ok()?,
                };
                Timestamp(instant.as_microsecond())
            }
        };
        // Beyond year 9999 there is no text form to write.
        jiff::Timestamp::from_microsecond(time.0).is_ok().then_some(time)
    }
}

/// Reads `{ column, format, origin, zone }`.
pub(super) fn check_time(entry: &Entry<'_>) -> Option<TimeSpec> {
    let section = entry.section()?;
    let column = section.required("column").and_then(|entry| entry.column());
    let format = section.required("format");
    let origin = section.entry("origin");
    let zone = section.entry("zone");
    let name = format.as_ref().and_then(Entry::text);
    let checked = match (name, &format) {
        (Some("rfc3339"), _) => Some(TimeFormat::Rfc3339),
        (Some("epoch_seconds"), _) => Some(TimeFormat::Since { origin: Timestamp(0), digits: 6 }),
        (Some("epoch_millis"), _) => Some(TimeFormat::Since { origin: Timestamp(0), digits: 3 }),
        (Some("seconds_since"), _) => {
            let origin = origin.as_ref().map_or_else(
                || {
                    let remark = "is missing; `seconds_since` counts from it".to_owned();
                    section.note(&format!("{}.origin", entry.path), remark);
                    None
                },
                check_origin,
            );
            origin.map(|origin| TimeFormat::Since { origin, digits: 6 })
        }
        (Some(pattern), Some(format)) => check_pattern(format, pattern, zone.as_ref()),
        (None, _) | (Some(_), None) => None,
    };
    if let (Some(origin), Some(name)) = (&origin, name)
        && name != "seconds_since"
    {
        origin.note("is only used with format `seconds_since`".to_owned(), None);
    }
    if let (Some(zone), Some(name)) = (&zone, name)
        && FORMATS.contains(&name)
        && !name.contains('%')
    {
        zone.note(format!("is only used with a pattern, not with `{name}`"), None);
    }
    section.finish();
    Some(TimeSpec { column: column?, format: checked? })
}

fn check_origin(entry: &Entry<'_>) -> Option<Timestamp> {
    match Timestamp::parse(entry.text()?) {
        Ok(origin) => Some(origin),
        Err(error) => {
            entry.note(error.to_string(), None);
            None
        }
    }
}

fn check_pattern(
    format: &Entry<'_>,
    pattern: &str,
    zone: Option<&Entry<'_>>,
) -> Option<TimeFormat> {
    if !pattern.contains('%') {
        let remark = format!("`{pattern}` is not a time format ({})", FORMATS.join(", "));
        format.note(remark, suggest(pattern, FORMATS));
        return None;
    }
    // A pattern is good when it reads back the day that it wrote.
    let sample = date(2026, 2, 16).at(20, 0, 0, 0).in_tz("UTC").ok()?;
    let round_trip = jiff::fmt::strtime::format(pattern, &sample)
        .and_then(|text| BrokenDownTime::parse(pattern, text))
        .and_then(|parts| match parts.to_timestamp() {
            Ok(instant) => Ok(instant.to_zoned(TimeZone::UTC).date()),
            Err(_) => parts.to_datetime().map(DateTime::date),
        });
    match round_trip {
        Ok(day) if day == sample.date() => {}
        Ok(_) => {
            format.note(format!("`{pattern}` does not tell the full date"), None);
            return None;
        }
        Err(error) => {
            format.note(format!("`{pattern}` is not a usable time pattern: {error}"), None);
            return None;
        }
    }
    let has_offset = ["%z", "%:z", "%Q", "%:Q", "%s"].iter().any(|part| pattern.contains(part));
    let zone = match zone {
        Some(entry) => check_zone(entry)?,
        None if has_offset => TimeZone::UTC,
        None => {
            let remark = format!("`{pattern}` tells no offset, so `zone` must name a time zone");
            format.note(remark, Some("such as zone = \"UTC\" or \"Asia/Shanghai\"".to_owned()));
            return None;
        }
    };
    Some(TimeFormat::Pattern { pattern: pattern.into(), zone })
}

fn check_zone(entry: &Entry<'_>) -> Option<TimeZone> {
    let name = entry.text()?;
    let zone = TimeZone::get(name).ok();
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let hint = suggest(name, known.iter().map(String::as_str));
        entry.note(format!("`{name}` is not a known time zone"), hint);
    }
    zone
}

/// Reads a positive span such as `7d`, `12h`, `30m`, `90s` or `2w`.
pub(super) fn check_span(entry: &Entry<'_>) -> Option<Span> {
    let text = entry.text()?;
    let span = parse_span(text);
    if span.is_none() {
        let remark = format!("`{text}` is not a span such as `7d`, `12h`, `30m`, `90s` or `2w`");
        entry.note(remark, None);
    }
    span
}

fn parse_span(text: &str) -> Option<Span> {
    let unit = match text.as_bytes().last()? {
        b's' => Span::SECOND.0,
        b'm' => 60 * Span::SECOND.0,
        b'h' => Span::HOUR.0,
        b'd' => Span::DAY.0,
        b'w' => 7 * Span::DAY.0,
        _ => return None,
    };
    // Only digits: a signed or fractional span is a slip.
    let digits = text.get(..text.len() - 1)?;
    let count = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    count.parse::<i64>().ok()?.checked_mul(unit).map(Span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_tells_the_same_instant() {
        let pattern = |pattern: &str, zone: &str| TimeFormat::Pattern {
            pattern: pattern.into(),
            zone: TimeZone::get(zone).unwrap(),
        };
        let since = |origin: &str, digits| TimeFormat::Since {
            origin: Timestamp::parse(origin).unwrap(),
            digits,
        };
        let cases = [
            (TimeFormat::Rfc3339, "2026-02-16T20:00:00+08:00"),
            (TimeFormat::Rfc3339, "2026-02-16 12:00:00.000000+00:00"),
            (since("1970-01-01T00:00:00Z", 6), "1771243200"),
            (since("1970-01-01T00:00:00Z", 3), "1771243200000"),
            (since("2026-02-16T00:00:00Z", 6), "43200.0"),
            (pattern("%Y-%m-%d %H:%M:%S", "Asia/Shanghai"), "2026-02-16 20:00:00"),
            (pattern("%d/%m/%Y %H:%M", "UTC"), "16/02/2026 12:00"),
            (pattern("%Y-%m-%d %H:%M:%S %z", "UTC"), "2026-02-16 20:00:00 +0800"),
        ];
        for (format, text) in cases {
            let told = format.parse(text).map(|time| time.to_string());
            assert_eq!(told.as_deref(), Some("2026-02-16T12:00:00Z"), "{text}");
        }
        assert_eq!(TimeFormat::Rfc3339.parse("yesterday"), None);
        assert_eq!(since("1970-01-01T00:00:00Z", 6).parse("99999999999999"), None);
    }

    #[test]
    fn a_span_is_a_whole_number_and_a_unit() {
        assert_eq!(parse_span("7d"), Some(Span::days(7)));
        assert_eq!(parse_span("2w"), Some(Span::days(14)));
        for text in ["", "d", "7", "-7d", "1.5h", "7 d", "7y", "99999999999999999w"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
