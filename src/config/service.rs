//! Reads the service file into checked [`ServiceSettings`].

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::mistake::ConfigErrors;
use crate::config::reader::{Section, read_document};

/// Everything that runs the service but is not a business decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Where callers connect.
    pub listen: SocketAddr,
    /// Folders and files.
    pub paths: Paths,
    /// Name of the environment variable that holds the identity secret.
    pub identity_secret_variable: String,
    /// Limits of the doors.
    pub limits: Limits,
    /// Limits of the graph.
    pub graph: GraphLimits,
    /// Limits of the journal.
    pub journal: JournalLimits,
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

/// Limits of the doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a limit is named `*_max` everywhere")]
pub struct Limits {
    /// Largest request, bytes.
    pub message_bytes_max: usize,
    /// Most requests at once.
    pub in_flight_max: usize,
    /// Most orders of one stream that wait for their answer.
    pub stream_depth_max: usize,
    /// Most rows of one page.
    pub page_size_max: usize,
}

/// Limits of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphLimits {
    /// Age at which links leave the graph, days.
    pub retention_days: u32,
    /// Age at which an event is flagged as late, days; not above the retention.
    pub lateness_days: u32,
    /// Most accounts of one ring.
    pub ring_size_max: u32,
    /// Buyers from which an entity is a hub.
    pub hub_orders_min: u32,
}

/// Limits of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Size at which a log file is closed, bytes.
    pub segment_bytes_max: u64,
    /// Records between two snapshots of the graph.
    pub snapshot_every_records: u64,
}

/// Checks the text of a service file.
///
/// # Errors
/// [`ConfigErrors`] with every mistake of the file.
pub fn parse(file_name: &str, toml: &str) -> Result<ServiceSettings, ConfigErrors> {
    read_document(file_name, toml, settings)
}

fn settings(root: &Section<'_>) -> Option<ServiceSettings> {
    let listen = listen(root);
    let paths = root.section("paths").and_then(|section| paths(&section));
    let variable = root.section("identity").and_then(|section| {
        let variable = section.text("secret_variable");
        section.finish();
        variable
    });
    let limits = root.section("limits").and_then(|section| limits(&section));
    let graph = root.section("graph").and_then(|section| graph(&section));
    let journal = root.section("journal").and_then(|section| journal(&section));
    Some(ServiceSettings {
        listen: listen?,
        paths: paths?,
        identity_secret_variable: variable?.value,
        limits: limits?,
        graph: graph?,
        journal: journal?,
    })
}

fn listen(root: &Section<'_>) -> Option<SocketAddr> {
    let found = root.text("listen")?;
    let address = found.value.parse::<SocketAddr>().ok();
    if address.is_none() {
        let message = format!("{} = \"{}\" is not an address with port", found.key, found.value);
        root.report_suggesting(&found, message, Some("write it like 127.0.0.1:50051".to_owned()));
    }
    address
}

fn paths(section: &Section<'_>) -> Option<Paths> {
    let path = |name| section.text(name).map(|found| PathBuf::from(found.value));
    let (data, models, strategy) = (path("data"), path("models"), path("strategy"));
    section.finish();
    Some(Paths { data: data?, models: models?, strategy: strategy? })
}

fn limits(section: &Section<'_>) -> Option<Limits> {
    let limit = |name, range| {
        section.integer(name, range).and_then(|found| usize::try_from(found.value).ok())
    };
    let message_bytes_max = limit("message_bytes_max", 4_096..=64 << 20);
    let in_flight_max = limit("in_flight_max", 1..=100_000);
    let stream_depth_max = limit("stream_depth_max", 1..=10_000);
    let page_size_max = limit("page_size_max", 1..=10_000);
    section.finish();
    Some(Limits {
        message_bytes_max: message_bytes_max?,
        in_flight_max: in_flight_max?,
        stream_depth_max: stream_depth_max?,
        page_size_max: page_size_max?,
    })
}

fn graph(section: &Section<'_>) -> Option<GraphLimits> {
    let retention = section.integer("retention_days", 31..=3_650);
    let lateness = section.integer("lateness_days", 0..=3_650);
    let ring = section.integer("ring_size_max", 2..=1_000_000);
    let hub = section.integer("hub_orders_min", 2..=1_000_000);
    section.finish();
    let (retention, lateness) = (retention?, lateness?);
    if retention.value < lateness.value {
        section.report_pair(
            format!(
                "{} = {} is above {} = {}",
                lateness.key, lateness.value, retention.key, retention.value
            ),
            (&lateness, "an event this late"),
            (&retention, "would find a graph that has forgotten its time"),
        );
    }
    Some(GraphLimits {
        retention_days: u32::try_from(retention.value).ok()?,
        lateness_days: u32::try_from(lateness.value).ok()?,
        ring_size_max: u32::try_from(ring?.value).ok()?,
        hub_orders_min: u32::try_from(hub?.value).ok()?,
    })
}

fn journal(section: &Section<'_>) -> Option<JournalLimits> {
    let segment = section.integer("segment_bytes_max", 65_536..=8 << 30);
    let snapshot = section.integer("snapshot_every_records", 1..=1_000_000_000);
    section.finish();
    Some(JournalLimits {
        segment_bytes_max: segment?.value.unsigned_abs(),
        snapshot_every_records: snapshot?.value.unsigned_abs(),
    })
}
