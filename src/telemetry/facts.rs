//! How full, how far and how healthy the parts of the service are.

use std::fmt;

use crate::domain::time::{Span, Timestamp};
use crate::telemetry::events::seconds;
use crate::telemetry::page::{Family, Page, family};
use crate::workflow::replica::board::ReplicaStatus;
use crate::workflow::strategy_file::{LastReload, ReloadEnd};
use crate::workflow::system_status::SystemStatus;
use crate::workflow::watch_service::{FeatureShift, Plumbing, Watched};

const ACTIVE: Family = family("orderlens_active", "Versions of what judges now.");
const ANSWERS: Family =
    family("orderlens_engine_answers", "1 when the engine answered this scrape, else 0.");
const RELOADS: Family =
    family("orderlens_config_reloads", "Texts of the strategy file that were read, by result.");
const RELOAD_OK: Family =
    family("orderlens_config_last_reload_ok", "0 when the strategy file of now is not in use.");
const DURABLE: Family =
    family("orderlens_journal_durable_position", "Last journal record that is on disk.");
const FAILED: Family =
    family("orderlens_journal_failed", "1 when the journal has failed and takes nothing more.");
const DISK: Family = family("orderlens_disk_bytes", "What the data folder takes, by part.");
const RECORDS_LAG: Family =
    family("orderlens_records_lag", "Journal records that the records still lack.");
const RECORDS_FAILED: Family =
    family("orderlens_records_failed", "1 when the records could not be filled.");
const SNAPSHOT_AGE: Family =
    family("orderlens_snapshot_age_seconds", "How long ago the newest snapshot was saved.");
const COMMANDS: Family =
    family("orderlens_commands_waiting", "Commands that wait for the sequencer.");
const COMMANDS_MAX: Family = family("orderlens_commands_max", "Most commands that may wait.");
const POSITION: Family =
    family("orderlens_journal_position", "Last journal record that was handed over.");
const JOURNAL_LAG: Family =
    family("orderlens_journal_lag", "Journal records handed over that are not on disk yet.");
const ENTITIES: Family = family("orderlens_graph_entities", "Entities in the graph.");
const ORDERS: Family = family("orderlens_graph_orders", "Orders in the graph.");
const SHED: Family =
    family("orderlens_graph_shed_orders", "Orders that were shed for lack of room.");
const IGNORED: Family =
    family("orderlens_graph_ignored_facts", "Facts that the graph did not take, by reason.");
const ROTATION_KNOWN: Family = family(
    "orderlens_rotation_known",
    "Personal identifiers that were known when the identity secret was rotated last.",
);
const ROTATION_LINKED: Family = family(
    "orderlens_rotation_linked",
    "Those of them that came since, and stay known when the previous secret is gone.",
);
const DEPTH: Family = family("orderlens_queue_depth", "Orders that wait for a review.");
const OLDEST: Family =
    family("orderlens_queue_oldest_seconds", "How long ago the oldest of them was placed.");
const AUDIT: Family = family("orderlens_audit_entries", "Entries of the audit log.");
const EXPERIMENTS: Family = family("orderlens_experiments", "Remembered experiments, by state.");
const REPLICA_LAG: Family =
    family("orderlens_replica_lag", "Messages of the stream that this replica lacks.");
const REPLICA_READY: Family =
    family("orderlens_replica_ready", "0 when this replica takes nothing new.");
const PSI: Family = family(
    "orderlens_feature_psi",
    "Stability index of a feature against the training data, over the last hour or two.",
);
const CALIBRATION: Family = family(
    "orderlens_calibration_error",
    "How far the leading risk is from how often released orders turned out bad.",
);
const STARTED: Family =
    family("process_start_time_seconds", "When the process began to serve, Unix time.");
const MEMORY: Family = family("process_resident_memory_bytes", "Memory of the process.");

/// Writes what judges, how the files do, and what became of the strategy file.
pub(super) fn write_status(
    page: &mut Page<'_>,
    status: Option<&SystemStatus>,
    reload: &LastReload,
) -> fmt::Result {
    if let Some(it) = status {
        let labels = vec![
            ("build", (&*it.build).into()),
            ("model", (&*it.model.name).into()),
            ("model_hash", (&*it.model.hash).into()),
            ("strategy", (&*it.strategy.name).into()),
            ("strategy_hash", (&*it.strategy.hash).into()),
        ];
        page.versions(ACTIVE, &labels)?;
    }
    let data = status.map(|it| it.data);
    let parts = [
        ("journal", data.map(|it| it.journal)),
        ("snapshots", data.map(|it| it.snapshots)),
        ("records", data.and_then(|it| it.records)),
    ];
    let parts = parts.map(|(part, n)| (vec![("part", part.into())], n.map(|n| n as f64)));
    page.gauges(DISK, parts)?;
    page.gauge(RECORDS_LAG, status.map(|it| it.records_lag as f64))?;
    page.gauge(RECORDS_FAILED, status.map(|it| f64::from(it.records_failure.is_some())))?;
    let counts = reload.counts();
    let results =
        [("taken", counts.n_taken), ("mistakes", counts.n_mistaken), ("failed", counts.n_failed)];
    page.counters(RELOADS, results.map(|(result, n)| (vec![("result", result.into())], n)))?;
    // Before the first look, the text of the start is in use.
    let is_ok = reload.get().is_none_or(|it| match it.end {
        ReloadEnd::Taken => true,
        ReloadEnd::Mistakes(_) | ReloadEnd::Failed => false,
    });
    page.gauge(RELOAD_OK, Some(f64::from(is_ok)))
}

/// Writes what is known without asking the sequencer.
pub(super) fn write_plumbing(
    page: &mut Page<'_>,
    plumbing: Option<&Plumbing>,
    now: Timestamp,
) -> fmt::Result {
    page.gauge(DURABLE, plumbing.map(|it| it.durable_position as f64))?;
    page.gauge(FAILED, plumbing.map(|it| f64::from(it.journal_failure.is_some())))?;
    page.gauge(COMMANDS, plumbing.map(|it| it.n_commands as f64))?;
    page.gauge(COMMANDS_MAX, plumbing.map(|it| it.commands_max as f64))?;
    let saved = plumbing.and_then(|it| it.snapshot_time);
    page.gauge(SNAPSHOT_AGE, saved.map(|at| age(now, at)))
}

/// Writes what the sequencer knew, now or when it answered last.
pub(super) fn write_watched(
    page: &mut Page<'_>,
    watched: Option<&Watched>,
    durable_position: Option<u64>,
    now: Timestamp,
) -> fmt::Result {
    let position = watched.map(|it| it.position);
    page.gauge(POSITION, position.map(|it| it as f64))?;
    let lag = position.zip(durable_position);
    page.gauge(JOURNAL_LAG, lag.map(|(at, durable)| at.saturating_sub(durable) as f64))?;
    let graph = watched.map(|it| it.graph);
    page.gauge(ENTITIES, graph.map(|it| it.n_entities as f64))?;
    page.gauge(ORDERS, graph.map(|it| it.n_orders_kept as f64))?;
    let counts = graph.map(|it| it.counts).unwrap_or_default();
    page.counter(SHED, counts.n_shed)?;
    let ignored = [
        ("too_late", counts.n_too_late),
        ("repeated", counts.n_repeated),
        ("early_dropped", counts.n_early_dropped),
    ];
    page.counters(IGNORED, ignored.map(|(reason, n)| (vec![("reason", reason.into())], n)))?;
    let rotation = watched.and_then(|it| it.rotation.as_ref());
    page.gauge(ROTATION_KNOWN, rotation.map(|it| it.n_known as f64))?;
    page.gauge(ROTATION_LINKED, rotation.map(|it| it.n_linked as f64))?;
    let queue = watched.map(Watched::queue);
    page.gauge(DEPTH, queue.map(|it| it.n as f64))?;
    page.gauge(OLDEST, queue.map(|it| it.oldest.map_or(0.0, |placed| age(now, placed))))?;
    page.gauge(AUDIT, watched.map(|it| it.n_audit_entries as f64))?;
    let experiments = watched.map(|it| it.experiments).unwrap_or_default();
    let states = [
        ("running", experiments.n_running),
        ("ended", experiments.n_ended),
        ("breached", experiments.n_breached),
    ];
    let states = states.map(|(state, n)| (vec![("state", state.into())], Some(n as f64)));
    page.gauges(EXPERIMENTS, states)
}

/// Writes how far a replica is behind the stream that it follows.
pub(super) fn write_replica(page: &mut Page<'_>, replica: Option<&ReplicaStatus>) -> fmt::Result {
    page.gauge(REPLICA_LAG, replica.map(|it| it.lag() as f64))?;
    page.gauge(REPLICA_READY, replica.map(|it| f64::from(it.obstacle().is_none())))
}

/// Writes how far the world has moved away from the model.
pub(super) fn write_drift(
    page: &mut Page<'_>,
    shifts: &[FeatureShift],
    calibration: Option<f64>,
) -> fmt::Result {
    let shifts = shifts.iter().map(|it| (vec![("feature", (&*it.feature).into())], Some(it.index)));
    page.gauges(PSI, shifts)?;
    page.gauge(CALIBRATION, calibration)
}

/// Writes whether the engine answers and what the process is.
pub(super) fn write_uptime(
    page: &mut Page<'_>,
    answering: Answering,
    started: Timestamp,
) -> fmt::Result {
    page.gauge(ANSWERS, Some(f64::from(answering == Answering::Yes)))?;
    page.gauge(STARTED, Some(seconds(started)))?;
    page.gauge(MEMORY, resident_bytes())
}

/// Whether the engine answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answering {
    /// It did.
    Yes,
    /// It was busy, stopping, or has lost its disk.
    No,
}

fn age(now: Timestamp, at: Timestamp) -> f64 {
    let Span(micros) = now - at;
    micros.max(0) as f64 / 1e6
}

/// What Linux says of this process; nothing elsewhere.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024.0)
}
