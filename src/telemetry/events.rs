//! How the sources of events do.

use std::fmt;

use crate::domain::time::Timestamp;
use crate::telemetry::page::{Family, Labels, Page, family};
use crate::workflow::event_health::Refusal;
use crate::workflow::event_health::report::{SourceHealth, Window, WindowHealth};

const TAKEN: Family = family("orderlens_events_taken", "Events that are in the journal.");
const REPEATED: Family =
    family("orderlens_events_repeated", "Events that were there already: retries of the source.");
const LATE: Family =
    family("orderlens_events_late", "Events that came in later than events_late_seconds.");
const REFUSED: Family = family("orderlens_events_refused", "Events that were refused, by reason.");
const LAST_SEEN: Family = family(
    "orderlens_event_last_seen_timestamp_seconds",
    "When a source told this kind of event last, Unix time.",
);
const DELAY: Family = family(
    "orderlens_event_delay_p99_seconds",
    "99 % of the events came in within this after they happened, plus or minus 10 %.",
);
const REFUSED_SHARE: Family =
    family("orderlens_event_refused_share", "Share of the events that were refused.");
const BURN: Family = family(
    "orderlens_event_slo_burn",
    "How many times faster than allowed a source misses events_target.",
);

/// Writes how every source does.
pub(super) fn write(page: &mut Page<'_>, sources: &[SourceHealth]) -> fmt::Result {
    page.counters(TAKEN, sources.iter().map(|it| (labels(it), it.n_taken)))?;
    page.counters(REPEATED, sources.iter().map(|it| (labels(it), it.n_repeated)))?;
    page.counters(LATE, sources.iter().map(|it| (labels(it), it.n_late)))?;
    let refused = sources.iter().flat_map(|it| {
        Refusal::ALL.into_iter().zip(it.refused).filter(|(_, n)| 0 < *n).map(move |(why, n)| {
            let mut labels = labels(it);
            labels.push(("reason", why.as_str().into()));
            (labels, n)
        })
    });
    page.counters(REFUSED, refused)?;
    page.gauges(LAST_SEEN, sources.iter().map(|it| (labels(it), Some(seconds(it.last_seen)))))?;
    windows(page, DELAY, sources, |it| it.delay_p99)?;
    windows(page, REFUSED_SHARE, sources, WindowHealth::refused_share)?;
    windows(page, BURN, sources, |it| it.burn)
}

/// An instant as Unix time in seconds.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e6
}

fn windows(
    page: &mut Page<'_>,
    family: Family,
    sources: &[SourceHealth],
    value: impl Fn(&WindowHealth) -> Option<f64>,
) -> fmt::Result {
    let mut lines = Vec::new();
    for source in sources {
        for (window, health) in Window::ALL.into_iter().zip(&source.windows) {
            let mut labels = labels(source);
            labels.push(("window", window.as_str().into()));
            lines.push((labels, value(health)));
        }
    }
    page.gauges(family, lines)
}

fn labels(source: &SourceHealth) -> Labels<'_> {
    vec![("source", (&*source.source).into()), ("kind", source.kind.as_str().into())]
}
