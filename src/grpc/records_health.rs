//! Tells by gRPC health whether lists and cases can be asked.
//!
//! Orders are judged without the records, so the services that callers probe go on serving; the
//! records have a name of their own.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::{info, warn};

use crate::workflow::service::OrderService;

/// The name that health knows the records by.
pub const RECORDS: &str = "orderlens.records";
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps the health of the records up to date until the server stops.
pub(super) async fn watch_records<S: OrderService>(
    health: HealthReporter,
    service: Arc<S>,
    stopping: CancellationToken,
) {
    let mut was_away = None;
    loop {
        let failure = service.records_failure();
        let is_away = failure.is_some();
        if was_away != Some(is_away) {
            let status = if is_away { ServingStatus::NotServing } else { ServingStatus::Serving };
            health.set_service_status(RECORDS, status).await;
            match failure {
                Some(failure) => warn!(%failure, "degraded: lists and cases are unavailable"),
                None if was_away.is_some() => info!("the records follow again"),
                None => {}
            }
            was_away = Some(is_away);
        }
        tokio::select! {
            () = stopping.cancelled() => break,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    health.set_service_status(RECORDS, ServingStatus::NotServing).await;
}
