//! Lets machines watch a running service: metrics, liveness, readiness.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::clock;
use crate::cli::output::say;
use crate::cli::serve::bind;
use crate::config::operations::{OperationsSettings, traced_as};
use crate::domain::time::Span;
use crate::grpc::spans::SpanSink;
use crate::grpc::watch::Watch;
use crate::telemetry::exporter::Exporter;
use crate::telemetry::listener::serve;
#[cfg(feature = "otel")]
use crate::telemetry::otel::OtelSpans;
use crate::workflow::engine::Engine;
use crate::workflow::event_health::{EventBoard, EventObjective};
use crate::workflow::strategy_file::LastReload;

/// Takes the address for machines that watch; `given` is the one that the caller insists on.
///
/// A configured address that is taken is told in the log and passed over: orders are judged
/// whether somebody watches or not.
///
/// # Errors
/// When the given address is taken.
pub async fn open_operations(
    settings: &OperationsSettings,
    given: Option<SocketAddr>,
) -> miette::Result<Option<TcpListener>> {
    let listener = match (given, settings.listen) {
        (Some(address), _) => bind(address).await?,
        (None, None) => return Ok(None),
        (None, Some(address)) => {
            let Ok(listener) = bind(address).await else {
                warn!(%address, "{address} is taken: nobody can watch this service");
                return Ok(None);
            };
            listener
        }
    };
    if let Ok(address) = listener.local_addr() {
        if !address.ip().is_loopback() {
            info!(%address, "metrics are open to whoever reaches {address}, without sign-in");
        }
        say(format!("metrics on http://{address}/metrics"));
    }
    Ok(Some(listener))
}

/// Numbers for the doors to move.
pub fn watch(settings: &OperationsSettings) -> Watch {
    let micros = i64::try_from(settings.events_late.as_micros()).unwrap_or(i64::MAX);
    let objective = EventObjective { delay_max: Span(micros), target: settings.events_target };
    let events = Arc::new(EventBoard::new(objective));
    Watch { calls: Arc::default(), events, deliveries: Arc::default(), spans: spans() }
}

/// Who follows calls: an `OpenTelemetry` collector, when this build can and the environment names one.
#[cfg(feature = "otel")]
fn spans() -> Option<Arc<dyn SpanSink>> {
    let service = traced_as()?;
    match OtelSpans::to_collector(service) {
        Ok(spans) => Some(Arc::new(spans)),
        Err(error) => {
            warn!(%error, "no spans are sent");
            None
        }
    }
}

/// Nobody follows calls in a build without the feature `otel`.
#[cfg(not(feature = "otel"))]
fn spans() -> Option<Arc<dyn SpanSink>> {
    if traced_as().is_some() {
        warn!("a collector is named, but this build cannot reach it: no spans are sent");
    }
    None
}

/// Serves machines that watch until told to stop; the handle of the engine is given back then.
pub fn serve_operations(
    listener: TcpListener,
    engine: Arc<Engine>,
    watch: Watch,
    reload: Arc<LastReload>,
    stopping: CancellationToken,
) -> JoinHandle<()> {
    let exporter = Exporter::new(engine, watch, reload, clock::now);
    tokio::spawn(async move {
        if let Err(error) = serve(listener, exporter, stopping.cancelled_owned()).await {
            warn!(%error, "the address for machines that watch ended badly");
        }
    })
}
