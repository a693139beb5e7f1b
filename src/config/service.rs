//! Reads the service file into checked [`ServiceSettings`].

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::access::{DoorSettings, read_doors};
use crate::config::mistake::ConfigErrors;
use crate::config::operations::{OperationsSettings, operations};
use crate::config::outside::OutsideRules;
use crate::config::reader::{Found, Section, read_document};
use crate::config::records::{RecordsSettings, records};
use crate::config::replica::{ReplicaLimits, replica};
use crate::config::sources::{DeliverySettings, SourceSettings, deliveries, sources};
use crate::model::background::ROWS_MAX;

/// Everything that runs the service but is not a business decision.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSettings {
    /// Where callers connect.
    pub listen: SocketAddr,
    /// Folders and files.
    pub paths: Paths,
    /// Where the identity secret is.
    pub identity: IdentityVariables,
    /// Limits of the doors.
    pub limits: Limits,
    /// Limits of the graph.
    pub graph: GraphLimits,
    /// Limits of the journal and its snapshots.
    pub journal: JournalLimits,
    /// Where the records are, and their pace.
    pub records: RecordsSettings,
    /// When the service makes a background of its own.
    pub background: BackgroundLimits,
    /// Pages for people.
    pub console: ConsoleLimits,
    /// What machines that watch get, and the log.
    pub operations: OperationsSettings,
    /// How the service joins others that answer alike.
    pub replica: ReplicaLimits,
    /// Who may connect, and how.
    pub doors: DoorSettings,
    /// What comes in beside gRPC.
    pub sources: SourceSettings,
    /// What goes out.
    pub deliveries: DeliverySettings,
}

/// Names of the environment variables with identity secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityVariables {
    /// Holds the secret of now.
    pub secret: String,
    /// Holds the one before it, while people are still known by that; empty when no rotation
    /// goes on.
    pub previous: String,
}

/// Folders and files, as written: relative ones start at the working folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Journal, records and snapshots.
    pub data: PathBuf,
    /// Bundles, one folder per version.
    pub models: PathBuf,
    /// The strategy file.
    pub strategy: PathBuf,
}

/// Limits of the doors and the engine behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest request, bytes.
    pub message_bytes_max: usize,
    /// Most calls at once.
    pub in_flight_max: usize,
    /// Most orders of one stream that are worked on at a time.
    pub stream_depth_max: usize,
    /// Most commands that wait for the engine.
    pub queue_max: usize,
    /// Most rows of one page.
    pub page_size_max: u32,
    /// Longest time of a call.
    pub deadline: Duration,
    /// Time that a caller must have left for the graph to be read.
    pub graph_budget: Duration,
    /// Time that a caller must have left for evidence and smallest changes.
    pub explanation_budget: Duration,
    /// Pause between two looks at the strategy file; zero = it is read at the start only.
    pub strategy_look: Duration,
}

/// Limits of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphLimits {
    /// Age at which facts leave the graph, days.
    pub retention_days: u32,
    /// Most orders that the graph keeps; the oldest beyond it are shed.
    pub orders_max: u32,
    /// Age at which an order is flagged as late, days; not above the retention.
    pub lateness_days: u32,
    /// Fewest accounts in 30 days that make an entity a hub.
    pub hub_accounts_min: u32,
    /// Fewest days, of 30, on which a hub is used.
    pub hub_age_days_min: u32,
    /// What more accounts share links none of them into a ring.
    pub ring_link_accounts_max: u32,
    /// Most facts kept for orders that have not been told yet.
    pub early_facts_max: u32,
}

/// Limits of the journal and its snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Size of a segment file, bytes.
    pub segment_bytes_max: u64,
    /// Longest record, bytes; fits into a segment and into the queue.
    pub record_bytes_max: usize,
    /// Most bytes that wait to be written.
    pub queue_bytes_max: usize,
    /// Records between two snapshots of the graph.
    pub snapshot_every_records: u64,
    /// Snapshots that are kept.
    pub snapshots_kept: usize,
}

/// Pages for people, and how long things last there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleLimits {
    /// Where browsers connect; `None` = there are no pages.
    pub listen: Option<SocketAddr>,
    /// How long a session lasts.
    pub session: Duration,
    /// How long an opened order stays somebody's.
    pub claim: Duration,
    /// How long a choice can be undone.
    pub undo: Duration,
    /// How soon after it was placed an order should be looked at.
    pub review_within: Duration,
}

/// When the service makes a background of the orders it approved, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundLimits {
    /// Approved orders between two backgrounds; 0 = never, answers compare with the bundle's.
    pub rebuild_every_approved: u64,
    /// Fewest orders that make one.
    pub rows_min: usize,
    /// Most orders of one; not below `rows_min`.
    pub rows_max: usize,
}

/// Checks the text of a service file.
///
/// # Errors
/// [`ConfigErrors`] with every mistake of the file.
pub fn parse(file_name: &str, toml: &str) -> Result<ServiceSettings, ConfigErrors> {
    read_document(file_name, toml, |root| settings(root, None))
}

/// The same for whoever is about to serve: also what stands behind the names of sources and
/// sinks is looked at.
///
/// # Errors
/// As [`parse`]; the mistakes of both sorts together.
pub fn parse_to_serve(
    file_name: &str,
    toml: &str,
    rules: &OutsideRules,
) -> Result<ServiceSettings, ConfigErrors> {
    read_document(file_name, toml, |root| settings(root, Some(rules)))
}

fn settings(root: &Section<'_>, rules: Option<&OutsideRules>) -> Option<ServiceSettings> {
    let listen = listen(root);
    let paths = root.section("paths").and_then(|section| paths(&section));
    let identity = root.section("identity").and_then(|section| identity(&section));
    let limits = root.section("limits").and_then(|section| limits(&section));
    let graph = root.section("graph").and_then(|section| graph(&section));
    let journal = root.section("journal").and_then(|section| journal(&section));
    let records = root.section("records").and_then(|section| records(&section));
    let background = root.section("background").and_then(|section| background(&section));
    let console = root.section("console").and_then(|section| console(&section));
    let operations = operations(root);
    let replica = root.section("replica").and_then(|section| replica(&section));
    let doors = read_doors(root);
    let (sources, deliveries) = (sources(root, rules), deliveries(root, rules));
    Some(ServiceSettings {
        listen: listen?,
        paths: paths?,
        identity: identity?,
        limits: limits?,
        graph: graph?,
        journal: journal?,
        records: records?,
        background: background?,
        console: console?,
        operations: operations?,
        replica: replica?,
        doors: doors?,
        sources: sources?,
        deliveries: deliveries?,
    })
}

fn identity(section: &Section<'_>) -> Option<IdentityVariables> {
    let (secret, name) = (section.text("secret_variable"), "previous_secret_variable");
    // Written only while a rotation goes on.
    let previous = section.has(name).then(|| section.any_text(name));
    section.finish();
    let secret = secret?;
    let Some(previous) = previous else {
        return Some(IdentityVariables { secret: secret.value, previous: String::new() });
    };
    let previous = previous?;
    if previous.value == secret.value {
        let message = format!("{} names the variable of the new secret as well", previous.key);
        section.report_pair(message, (&previous, "the previous secret"), (&secret, "the new one"));
        return None;
    }
    Some(IdentityVariables { secret: secret.value, previous: previous.value })
}

fn listen(section: &Section<'_>) -> Option<SocketAddr> {
    let found = section.text("listen")?;
    address(section, &found)
}

pub(super) fn address(section: &Section<'_>, found: &Found<String>) -> Option<SocketAddr> {
    let address = found.value.parse::<SocketAddr>().ok();
    if address.is_none() {
        let message = format!("{} = \"{}\" is not an address with port", found.key, found.value);
        let suggestion = Some("write it like 127.0.0.1:50051".to_owned());
        section.report_suggesting(found, message, suggestion);
    }
    address
}

fn console(section: &Section<'_>) -> Option<ConsoleLimits> {
    let listen = section.any_text("listen").and_then(|found| match found.value.as_str() {
        "" => Some(None),
        _ => address(section, &found).map(Some),
    });
    let unit = |name: &str, seconds: u64, range| {
        let found = section.integer(name, range)?;
        Some(Duration::from_secs(found.value.unsigned_abs() * seconds))
    };
    let session = unit("session_hours", 3_600, 1..=24 * 30);
    let claim = unit("claim_minutes", 60, 1..=24 * 60);
    let undo = unit("undo_seconds", 1, 0..=60);
    let review_within = unit("review_within_minutes", 60, 1..=30 * 24 * 60);
    section.finish();
    Some(ConsoleLimits {
        listen: listen?,
        session: session?,
        claim: claim?,
        undo: undo?,
        review_within: review_within?,
    })
}

fn paths(section: &Section<'_>) -> Option<Paths> {
    let path = |name| section.text(name).map(|found| PathBuf::from(found.value));
    let (data, models, strategy) = (path("data"), path("models"), path("strategy"));
    section.finish();
    Some(Paths { data: data?, models: models?, strategy: strategy? })
}

fn limits(section: &Section<'_>) -> Option<Limits> {
    let message_bytes_max = size(section, "message_bytes_max", 4_096..=64 << 20);
    let in_flight_max = size(section, "in_flight_max", 1..=100_000);
    let stream_depth_max = size(section, "stream_depth_max", 1..=10_000);
    let queue_max = size(section, "queue_max", 1..=1_000_000);
    let page_size_max = count(section, "page_size_max", 1..=10_000);
    let deadline = millis(section, "deadline_ms", 10..=600_000);
    let graph_budget = millis(section, "graph_budget_ms", 0..=600_000);
    let explanation_budget = millis(section, "explanation_budget_ms", 0..=600_000);
    let strategy_look = millis(section, "strategy_look_ms", 0..=86_400_000);
    section.finish();
    Some(Limits {
        message_bytes_max: message_bytes_max?,
        in_flight_max: in_flight_max?,
        stream_depth_max: stream_depth_max?,
        queue_max: queue_max?,
        page_size_max: page_size_max?,
        deadline: deadline?,
        graph_budget: graph_budget?,
        explanation_budget: explanation_budget?,
        strategy_look: strategy_look?,
    })
}

fn graph(section: &Section<'_>) -> Option<GraphLimits> {
    // The longest window of a feature is 30 days: less retention would cut it.
    let retention = section.integer("retention_days", 31..=3_650);
    let orders_max = count(section, "orders_max", 1_000..=4_000_000_000);
    let lateness = section.integer("lateness_days", 0..=3_650);
    let hub_accounts_min = count(section, "hub_accounts_min", 2..=1_000_000);
    let hub_age_days_min = count(section, "hub_age_days_min", 0..=365);
    let ring_link_accounts_max = count(section, "ring_link_accounts_max", 2..=1_000_000);
    let early_facts_max = count(section, "early_facts_max", 0..=100_000_000);
    section.finish();
    let (retention, lateness) = (retention?, lateness?);
    if retention.value < lateness.value {
        section.report_pair(
            format!(
                "{} = {} is above {} = {}",
                lateness.key, lateness.value, retention.key, retention.value
            ),
            (&lateness, "an order this late"),
            (&retention, "would find a graph that has forgotten its time"),
        );
    }
    Some(GraphLimits {
        retention_days: u32::try_from(retention.value).ok()?,
        orders_max: orders_max?,
        lateness_days: u32::try_from(lateness.value).ok()?,
        hub_accounts_min: hub_accounts_min?,
        hub_age_days_min: hub_age_days_min?,
        ring_link_accounts_max: ring_link_accounts_max?,
        early_facts_max: early_facts_max?,
    })
}

fn journal(section: &Section<'_>) -> Option<JournalLimits> {
    let segment = section.integer("segment_bytes_max", 65_536..=8 << 30);
    let record = section.integer("record_bytes_max", 4_096..=64 << 20);
    let queue = section.integer("queue_bytes_max", 65_536..=1 << 30);
    let snapshot_every = section.integer("snapshot_every_records", 1..=1_000_000_000);
    let snapshots_kept = size(section, "snapshots_kept", 1..=100);
    section.finish();
    let (segment, record, queue) = (segment?, record?, queue?);
    for room in [&segment, &queue] {
        // Half of it, so that headers and a second record fit too.
        if room.value / 2 < record.value {
            section.report_pair(
                format!(
                    "{} = {} is more than half of {} = {}",
                    record.key, record.value, room.key, room.value
                ),
                (&record, "a record this long"),
                (room, "would not fit well here"),
            );
        }
    }
    Some(JournalLimits {
        segment_bytes_max: segment.value.unsigned_abs(),
        record_bytes_max: usize::try_from(record.value).ok()?,
        queue_bytes_max: usize::try_from(queue.value).ok()?,
        snapshot_every_records: snapshot_every?.value.unsigned_abs(),
        snapshots_kept: snapshots_kept?,
    })
}

fn background(section: &Section<'_>) -> Option<BackgroundLimits> {
    let every = section.integer("rebuild_every_approved", 0..=1_000_000_000);
    let rows = 1..=i64::try_from(ROWS_MAX).unwrap_or(i64::MAX);
    let rows_min = section.integer("rows_min", rows.clone());
    let rows_max = section.integer("rows_max", rows);
    section.finish();
    let (rows_min, rows_max) = (rows_min?, rows_max?);
    if rows_max.value < rows_min.value {
        section.report_pair(
            format!(
                "{} = {} is above {} = {}",
                rows_min.key, rows_min.value, rows_max.key, rows_max.value
            ),
            (&rows_min, "this many orders"),
            (&rows_max, "would never be kept"),
        );
    }
    Some(BackgroundLimits {
        rebuild_every_approved: every?.value.unsigned_abs(),
        rows_min: usize::try_from(rows_min.value).ok()?,
        rows_max: usize::try_from(rows_max.value).ok()?,
    })
}

fn size(section: &Section<'_>, name: &str, range: RangeInclusive<i64>) -> Option<usize> {
    usize::try_from(section.integer(name, range)?.value).ok()
}

fn count(section: &Section<'_>, name: &str, range: RangeInclusive<i64>) -> Option<u32> {
    u32::try_from(section.integer(name, range)?.value).ok()
}

fn millis(section: &Section<'_>, name: &str, range: RangeInclusive<i64>) -> Option<Duration> {
    section.integer(name, range).map(|found| Duration::from_millis(found.value.unsigned_abs()))
}
