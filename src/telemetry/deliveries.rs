//! How deliveries to other systems do.

use std::borrow::Cow;
use std::fmt;

use crate::domain::time::Timestamp;
use crate::telemetry::page::{Family, Labels, Page, family};
use crate::workflow::deliveries::SinkStatus;

const DELIVERED: Family =
    family("orderlens_deliveries_delivered", "Deliveries that a sink has taken.");
const FAILED: Family =
    family("orderlens_deliveries_failed", "Tries to deliver to a sink that failed.");
const BEHIND: Family =
    family("orderlens_deliveries_behind", "Journal records not looked through for a sink yet.");
const OLDEST: Family = family(
    "orderlens_deliveries_oldest_seconds",
    "How long ago what a sink waits for was recorded; 0 while nothing waits.",
);
const DEAD: Family =
    family("orderlens_deliveries_dead", "Deliveries to a sink that were given up.");

const ASIDE: Family = family(
    "orderlens_subjects_dead",
    "Messages of a followed subject that could not be taken and were given up.",
);

/// Writes how every sink does.
pub(super) fn write(
    page: &mut Page<'_>,
    sinks: &[(Box<str>, SinkStatus)],
    now: Timestamp,
) -> fmt::Result {
    page.counters(DELIVERED, sinks.iter().map(|it| (labels(it), it.1.n_delivered)))?;
    page.counters(FAILED, sinks.iter().map(|it| (labels(it), it.1.n_failed)))?;
    page.gauges(BEHIND, sinks.iter().map(|it| (labels(it), Some(it.1.n_behind as f64))))?;
    let age = |at: Timestamp| (now - at).as_seconds().max(0.0);
    let oldest = sinks.iter().map(|it| (labels(it), Some(it.1.waits_since.map_or(0.0, age))));
    page.gauges(OLDEST, oldest)?;
    page.gauges(DEAD, sinks.iter().map(|it| (labels(it), Some(it.1.n_dead as f64))))
}

/// Writes how many messages of every followed source were given up.
pub(super) fn write_aside(page: &mut Page<'_>, aside: &[(Box<str>, u64)]) -> fmt::Result {
    let source = |name| vec![("source", Cow::from(name))];
    page.gauges(ASIDE, aside.iter().map(|(name, n)| (source(&**name), Some(*n as f64))))
}

fn labels((sink, _): &(Box<str>, SinkStatus)) -> Labels<'_> {
    vec![("sink", Cow::from(&**sink))]
}
