//! Answers a scrape: reads every number once and writes all of them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;

use crate::domain::time::{Span, Timestamp};
use crate::grpc::call_counts::MethodReport;
use crate::grpc::call_names::ItemStream;
use crate::grpc::shared::Clock;
use crate::grpc::watch::Watch;
use crate::telemetry::facts::Answering;
use crate::telemetry::page::{Family, Page, family};
use crate::telemetry::{calls, deliveries, events, facts, handling, work};
use crate::workflow::calibration_watch::calibration_error;
use crate::workflow::deliveries::SinkStatus;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::engine::Engine;
use crate::workflow::event_health::report::SourceHealth;
use crate::workflow::replica::board::ReplicaStatus;
use crate::workflow::service::OrderService as _;
use crate::workflow::strategy_file::LastReload;
use crate::workflow::system_status::SystemStatus;
use crate::workflow::watch_service::{FeatureShift, Plumbing, WatchService as _, Watched};
use crate::workflow::work_tally::WorkTally;

/// How long the engine may take to answer a scrape; then what it said last is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the features are compared with the training data.
const SHIFTS_EVERY: Span = Span::minutes(1);
/// How often probabilities are compared with what came true.
const CALIBRATION_EVERY: Span = Span::minutes(10);
/// The code of what was refused for lack of room.
const EXHAUSTED: &str = "ResourceExhausted";

const REFUSED: Family = family(
    "orderlens_admission_refused",
    "Calls and items of streams that were refused because too much was going on.",
);

/// Writes all metrics of a service.
#[derive(Debug)]
pub struct Exporter {
    engine: Arc<Engine>,
    watch: Watch,
    reload: Arc<LastReload>,
    clock: Clock,
    started: Timestamp,
    /// What the sequencer said last: counts must not vanish while it is busy.
    watched: Mutex<Option<Arc<Watched>>>,
    shifts: Mutex<Option<(Timestamp, Arc<[FeatureShift]>)>>,
    calibration: Mutex<Option<(Timestamp, Option<f64>)>>,
}

/// Everything of one scrape.
#[derive(Debug)]
struct Scrape {
    now: Timestamp,
    started: Timestamp,
    reload: Arc<LastReload>,
    methods: Vec<MethodReport>,
    items: Vec<(ItemStream, &'static str, u64)>,
    waits: (Vec<u64>, f64),
    sources: Vec<SourceHealth>,
    sinks: Vec<(Box<str>, SinkStatus)>,
    aside: Vec<(Box<str>, u64)>,
    status: Option<SystemStatus>,
    plumbing: Option<Plumbing>,
    watched: Option<Arc<Watched>>,
    is_answering: Answering,
    shifts: Arc<[FeatureShift]>,
    calibration: Option<f64>,
    replica: Option<ReplicaStatus>,
}

impl Exporter {
    /// An exporter of a running engine and its doors.
    pub fn new(engine: Arc<Engine>, watch: Watch, reload: Arc<LastReload>, clock: Clock) -> Self {
        let started = clock();
        let (watched, shifts, calibration) = Default::default();
        Self { engine, watch, reload, clock, started, watched, shifts, calibration }
    }

    /// All metrics as `OpenMetrics` text.
    ///
    /// # Errors
    /// Never in practice: writing into a text does not fail.
    pub async fn text(&self) -> Result<String, fmt::Error> {
        let scrape = self.scrape().await;
        let methods = scrape.methods.clone();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(scrape));
        let mut text = String::new();
        encode_registry(&mut text, &registry)?;
        handling::write(&mut text, &methods)?;
        encode_eof(&mut text)?;
        Ok(text)
    }

    /// Why the service should get no traffic; `None` when it should.
    pub async fn unready(&self) -> Option<&'static str> {
        let plumbing = self.engine.plumbing().await;
        if plumbing.is_ok_and(|it| it.journal_failure.is_some()) {
            return Some("the journal takes nothing more");
        }
        if self.replica().is_some_and(|it| it.obstacle().is_some()) {
            return Some("this replica takes nothing new");
        }
        let answer = tokio::time::timeout(PATIENCE, self.engine.watch()).await;
        if !matches!(answer, Ok(Ok(_))) {
            return Some("the engine does not answer");
        }
        match self.engine.get_system_status().await {
            Ok(status) if status.records_failure.is_none() => None,
            Ok(_) | Err(_) => Some("the records do not follow"),
        }
    }

    /// How the replica does that this is; `None` for the only engine.
    fn replica(&self) -> Option<ReplicaStatus> {
        self.engine.replica().map(|status| status.borrow().clone())
    }

    async fn scrape(&self) -> Scrape {
        let (watched, is_answering) = self.watched().await;
        let shifts = self.shifts(watched.as_deref()).await;
        let calibration = self.calibration().await;
        let now = (self.clock)();
        Scrape {
            now,
            started: self.started,
            reload: self.reload.clone(),
            methods: self.watch.calls.report(),
            items: self.watch.calls.items(),
            waits: self.watch.calls.waits(),
            sources: self.watch.events.report(now),
            sinks: self.watch.deliveries.report(),
            aside: self.watch.deliveries.aside(),
            status: self.engine.get_system_status().await.ok(),
            plumbing: self.engine.plumbing().await.ok(),
            watched,
            is_answering,
            shifts,
            calibration,
            replica: self.replica(),
        }
    }

    async fn watched(&self) -> (Option<Arc<Watched>>, Answering) {
        let answer = tokio::time::timeout(PATIENCE, self.engine.watch()).await;
        let mut kept = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(Ok(watched)) => {
                *kept = Some(Arc::new(watched));
                (kept.clone(), Answering::Yes)
            }
            Ok(Err(_)) | Err(_) => (kept.clone(), Answering::No),
        }
    }

    async fn shifts(&self, watched: Option<&Watched>) -> Arc<[FeatureShift]> {
        let now = (self.clock)();
        let kept = self.shifts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, shifts)) = &kept
            && now - *at < SHIFTS_EVERY
        {
            return shifts.clone();
        }
        let Some(watched) = watched else { return Arc::default() };
        let sample = watched.tally.features.clone();
        let found = self.engine.feature_shifts(sample).await.unwrap_or_default();
        let found: Arc<[FeatureShift]> = found.into();
        // While there are too few orders to say anything, the next scrape looks again.
        if !found.is_empty() {
            let mut kept = self.shifts.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some((now, found.clone()));
        }
        found
    }
}

impl Exporter {
    async fn calibration(&self) -> Option<f64> {
        let now = (self.clock)();
        let kept = *self.calibration.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, error)) = kept
            && now - at < CALIBRATION_EVERY
        {
            return error;
        }
        // Records that lag behind are told by a metric of their own.
        let error = calibration_error(&*self.engine).await.ok().flatten();
        *self.calibration.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, error));
        error
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let page = &mut Page(encoder);
        calls::write(page, &self.methods, &self.items)?;
        self.write_refusals(page)?;
        let watched = self.watched.as_deref();
        let nothing = WorkTally::default();
        let tally = watched.map_or(&nothing, |it| &it.tally);
        work::write(page, tally, self.waits.clone())?;
        events::write(page, &self.sources)?;
        deliveries::write(page, &self.sinks, self.now)?;
        deliveries::write_aside(page, &self.aside)?;
        facts::write_status(page, self.status.as_ref(), &self.reload)?;
        facts::write_plumbing(page, self.plumbing.as_ref(), self.now)?;
        let durable = self.plumbing.as_ref().map(|it| it.durable_position);
        facts::write_watched(page, watched, durable, self.now)?;
        facts::write_replica(page, self.replica.as_ref())?;
        facts::write_drift(page, &self.shifts, self.calibration)?;
        facts::write_uptime(page, self.is_answering, self.started)
    }
}

impl Scrape {
    fn write_refusals(&self, page: &mut Page<'_>) -> fmt::Result {
        let codes = self.methods.iter().flat_map(|method| &method.handled);
        let calls: u64 = codes.filter(|(code, _)| *code == EXHAUSTED).map(|(_, n)| n).sum();
        let items = self.items.iter().filter(|(_, code, _)| *code == EXHAUSTED);
        let items: u64 = items.map(|(_, _, n)| n).sum();
        let kinds = [("call", calls), ("stream_item", items)];
        page.counters(REFUSED, kinds.map(|(kind, n)| (vec![("kind", kind.into())], n)))
    }
}
