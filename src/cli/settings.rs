//! From configuration files to the settings of each part.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use miette::{Context, IntoDiagnostic};

use crate::cli::clock::random;
use crate::cli::outside_rules::outside_rules;
use crate::cli::rule_features::FeatureLists;
use crate::config::access::DoorSettings;
use crate::config::mistake::{ConfigErrors, Mistake};
use crate::config::outside::Environment;
use crate::config::service::{ServiceSettings, parse as parse_service, parse_to_serve};
use crate::config::strategy::parse as parse_strategy;
use crate::config::{EMBEDDED_SERVICE, EMBEDDED_STRATEGY};
use crate::domain::time::Span;
use crate::graph::settings::GraphSettings;
use crate::grpc::entrance::ConnectionLimits;
use crate::grpc::gate::KeyRule;
use crate::grpc::server::{GrpcSettings, Reflection};
use crate::model::bundle::Bundle;
use crate::store::journal::JournalSettings;
use crate::store::journal::recovery::DamagedTail;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::judge_order::{ActiveStrategy, Judge};
use crate::workflow::model_shelf::{BundleFault, BundleReader};
use crate::workflow::pace::TimeBudgets;
use crate::workflow::start_engine::EngineSettings;
use crate::workflow::strategy_shelf::StrategyReader;

/// Files and folders of a service.
#[derive(Clone, Debug, clap::Args)]
pub struct ServiceFiles {
    /// Service file; the shipped settings otherwise
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of journal, records and snapshots; overrides the service file
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder of bundles; overrides the service file
    #[arg(long)]
    models: Option<PathBuf>,
    /// Strategy file; overrides the service file
    #[arg(long)]
    strategy: Option<PathBuf>,
}

impl ServiceFiles {
    /// True when a data folder or a service file is named.
    pub fn are_named(&self) -> bool {
        self.data.is_some() || self.config.is_some()
    }

    /// The checked service settings.
    ///
    /// # Errors
    /// Every mistake of the service file; an environment variable that does not read.
    pub fn load(&self) -> miette::Result<ServiceSettings> {
        self.load_with(parse_service)
    }

    /// The same for whoever is about to serve: kinds, secrets and addresses of sources and
    /// sinks are looked at as well.
    ///
    /// # Errors
    /// As [`ServiceFiles::load`], with every mistake of both sorts.
    pub fn load_to_serve(&self) -> miette::Result<ServiceSettings> {
        let rules = outside_rules(Environment::Same);
        self.load_with(|name, text| parse_to_serve(name, text, &rules))
    }

    fn load_with(
        &self,
        parse: impl Fn(&str, &str) -> Result<ServiceSettings, ConfigErrors>,
    ) -> miette::Result<ServiceSettings> {
        let mut settings = match &self.config {
            None => parse("config/orderlens.toml", EMBEDDED_SERVICE)?,
            Some(path) => parse(&path.display().to_string(), &read(path)?)?,
        };
        let given = |given: &Option<PathBuf>, configured: &mut PathBuf| {
            if let Some(path) = given {
                configured.clone_from(path);
            }
        };
        given(&self.data, &mut settings.paths.data);
        given(&self.models, &mut settings.paths.models);
        given(&self.strategy, &mut settings.paths.strategy);
        settings.records.place = settings.records.chosen_place().into_diagnostic()?;
        Ok(settings)
    }
}

/// The shipped service settings.
///
/// # Errors
/// Never for a released build; the shipped file is checked by a test.
pub fn shipped() -> miette::Result<ServiceSettings> {
    Ok(parse_service("config/orderlens.toml", EMBEDDED_SERVICE)?)
}

/// The configured bundle under the configured strategy.
///
/// # Errors
/// When there is no bundle, it does not load, or the strategy has mistakes.
pub fn load_judge(settings: &ServiceSettings) -> miette::Result<Judge> {
    let folder = newest_bundle(&settings.paths.models)?;
    judge_with(settings, Bundle::load(&folder).into_diagnostic()?)
}

/// A bundle under the configured strategy.
///
/// # Errors
/// When the strategy has mistakes, or does not fit the bundle.
pub fn judge_with(settings: &ServiceSettings, bundle: Bundle) -> miette::Result<Judge> {
    let features = FeatureLists::of_bundle(&bundle);
    let strategy = Arc::new(load_strategy(&settings.paths.strategy, &features)?);
    Judge::new(Arc::new(bundle), strategy, env!("CARGO_PKG_VERSION")).into_diagnostic()
}

/// Checks strategy texts that come over the wire or from the journal, for the bundle of a judge.
pub fn reader(judge: &Judge) -> StrategyReader {
    let features = FeatureLists::of_bundle(judge.bundle());
    Arc::new(move |toml| match parse_strategy("strategy", toml, features.as_known()) {
        Ok(strategy) => Ok(ActiveStrategy { strategy, toml: toml.into() }),
        Err(errors) => Err(errors.mistakes.iter().map(Mistake::as_domain).collect()),
    })
}

/// Reads bundles by name and version, `risk/1`, from the configured folder of bundles.
pub fn bundle_reader(settings: &ServiceSettings) -> BundleReader {
    let models = settings.paths.models.clone();
    Arc::new(move |name| {
        let parts: Vec<&str> = name.split('/').collect();
        // A name comes over the wire: it leads to no other folder.
        let is_plain =
            |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
        if parts.len() != 2 || !parts.iter().all(is_plain) {
            return Err(BundleFault::Missing);
        }
        let folder = models.join(parts[0]).join(parts[1]);
        if !folder.is_dir() {
            return Err(BundleFault::Missing);
        }
        Bundle::load(&folder).map_err(|error| BundleFault::Broken(error.to_string().into()))
    })
}

/// Settings of the engine.
pub fn engine_settings(settings: &ServiceSettings) -> EngineSettings {
    let (journal, records) = (&settings.journal, &settings.records);
    let background = &settings.background;
    EngineSettings {
        data_dir: settings.paths.data.clone(),
        journal: JournalSettings {
            segment_bytes: journal.segment_bytes_max,
            record_bytes_max: journal.record_bytes_max,
            queue_bytes_max: journal.queue_bytes_max,
            damaged_tail: DamagedTail::Refuse,
        },
        graph: graph_settings(settings),
        background: BackgroundRule {
            every_approved: background.rebuild_every_approved,
            rows_min: background.rows_min,
            rows_max: background.rows_max,
        },
        rotation: None,
        queue_max: settings.limits.queue_max,
        budgets: TimeBudgets {
            graph: span_of(settings.limits.graph_budget),
            explanation: span_of(settings.limits.explanation_budget),
        },
        records: records.place.clone(),
        records_pause: records.pause,
        records_batch_max: records.batch_max,
        snapshots_kept: journal.snapshots_kept,
    }
}

fn span_of(duration: Duration) -> Span {
    Span(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

/// Settings of the graph; training and serving must remember alike.
pub fn graph_settings(settings: &ServiceSettings) -> GraphSettings {
    let graph = &settings.graph;
    let days = |n: u32| Span::days(i64::from(n));
    GraphSettings {
        retention: days(graph.retention_days),
        orders_max: graph.orders_max,
        lateness: days(graph.lateness_days),
        hub_accounts_min: graph.hub_accounts_min,
        hub_age_min: days(graph.hub_age_days_min),
        ring_link_accounts_max: graph.ring_link_accounts_max,
        early_facts_max: graph.early_facts_max,
    }
}

/// Settings of the gRPC door.
pub fn grpc_settings(settings: &ServiceSettings) -> GrpcSettings {
    let limits = &settings.limits;
    GrpcSettings {
        in_flight_max: limits.in_flight_max,
        deadline: limits.deadline,
        message_bytes_max: limits.message_bytes_max,
        stream_items_max: limits.stream_depth_max,
        reflection: Reflection::Served,
        connections: connection_limits(&settings.doors),
        keys: if settings.doors.keys_required { KeyRule::Required } else { KeyRule::Optional },
        random,
    }
}

/// Limits of connections.
fn connection_limits(doors: &DoorSettings) -> ConnectionLimits {
    ConnectionLimits {
        connections_max: doors.connections_max,
        streams_max: doors.streams_max,
        header_bytes_max: doors.header_bytes_max,
        handshake: doors.handshake,
        keepalive: doors.keepalive,
    }
}

/// The bundle that a folder of bundles offers: the newest version by name, or the folder itself.
///
/// # Errors
/// When there is none, or the folder cannot be read.
pub fn newest_bundle(models: &Path) -> miette::Result<PathBuf> {
    if models.join("manifest.json").exists() {
        return Ok(models.to_path_buf());
    }
    let mut found = Vec::new();
    for name in folders(models)? {
        found.extend(folders(&name)?.into_iter().filter(|dir| dir.join("manifest.json").exists()));
    }
    found.sort_by_cached_key(|folder| version_key(&folder.to_string_lossy()));
    found.pop().ok_or_else(|| {
        miette::miette!(
            help = "run from the package folder, name one with --models, or make one with `orderlens train`",
            "there is no bundle in {}",
            models.display()
        )
    })
}

fn folders(dir: &Path) -> miette::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir)
        .into_diagnostic()
        .wrap_err_with(|| format!("looking for bundles in {}", dir.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir()).collect())
}

/// A piece of a folder's name; numbers come before words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NamePart {
    Number(u64),
    Word(Box<str>),
}

/// The order of versions: 9 comes before 10, as people count and text does not.
fn version_key(name: &str) -> Vec<NamePart> {
    let runs = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let part = |run: &[u8]| {
        let text = String::from_utf8_lossy(run);
        text.parse().map_or_else(|_| NamePart::Word(text.as_ref().into()), NamePart::Number)
    };
    runs.map(part).collect()
}

/// A strategy file. That it is missing at the shipped place is no fault: the shipped text is
/// built in.
///
/// # Errors
/// When it cannot be read, or has mistakes.
pub fn load_strategy(path: &Path, features: &FeatureLists) -> miette::Result<ActiveStrategy> {
    let toml = match std::fs::read_to_string(path) {
        Ok(toml) => toml,
        Err(_) if path == Path::new("config/strategy.toml") => EMBEDDED_STRATEGY.to_owned(),
        Err(error) => {
            return Err(error)
                .into_diagnostic()
                .wrap_err_with(|| format!("reading {}", path.display()));
        }
    };
    let strategy = parse_strategy(&path.display().to_string(), &toml, features.as_known())?;
    Ok(ActiveStrategy { strategy, toml: toml.into() })
}

fn read(path: &Path) -> miette::Result<String> {
    std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_version_is_newer_than_the_ninth() {
        for (older, newer) in [
            ("models/risk/9", "models/risk/10"),
            ("models/risk/2026-9-30", "models/risk/2026-11-25"),
            ("models/risk/1", "models/risk/1.1"),
            ("models/risk/7", "models/risk/next"),
        ] {
            assert!(version_key(older) < version_key(newer), "{older} {newer}");
        }
    }
}
