//! Reads how the service is watched: an address for machines, and the log.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::reader::Section;
use crate::config::service::address;

/// What those who watch the service get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperationsSettings {
    /// Where machines that watch connect; `None` = nowhere.
    pub listen: Option<SocketAddr>,
    /// An event that comes in later than this after it happened is late.
    pub events_late: Duration,
    /// Share of the events of a source that are to be taken and not late; below 1.
    pub events_target: f64,
    /// How the log is written.
    pub log: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// As text on a terminal, else as JSON.
    Auto,
    /// An object per line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    const ALL: [Self; 3] = [Self::Auto, Self::Json, Self::Text];

    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// Reads the sections `operations` and `log`.
pub(super) fn operations(root: &Section<'_>) -> Option<OperationsSettings> {
    let section = root.section("operations");
    let watched = section.and_then(|section| {
        let listen = section.any_text("listen").and_then(|found| match found.value.as_str() {
            "" => Some(None),
            _ => address(&section, &found).map(Some),
        });
        let late = section.integer("events_late_seconds", 1..=30 * 86_400);
        let target = section.number("events_target", 0.5..=0.999_999);
        section.finish();
        Some((listen?, Duration::from_secs(late?.value.unsigned_abs()), target?.value))
    });
    let log = root.section("log").and_then(|section| {
        let format = section.text("format");
        section.finish();
        section.one_of(&format?, &LogFormat::ALL, |format| format.as_str())
    });
    let (listen, events_late, events_target) = watched?;
    Some(OperationsSettings { listen, events_late, events_target, log: log? })
}

/// The name of this service in traces when the environment gives none.
const SERVICE: &str = "orderlens";

/// The name of this service in traces; `None` when the environment names no collector, by the
/// variable that `OpenTelemetry` has for it.
pub fn traced_as() -> Option<String> {
    let given = |name: &str| {
        let text = std::env::var_os(name)?.into_string().ok();
        text.filter(|text| !text.is_empty())
    };
    given("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Some(given("OTEL_SERVICE_NAME").unwrap_or_else(|| SERVICE.to_owned()))
}
