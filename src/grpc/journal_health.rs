//! Health once the journal has failed: nothing more is recorded here.
//!
//! A journal that has failed takes nothing before a restart, so health does not come back either.

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::warn;

use crate::grpc::replica_health::follow_replica;
use crate::grpc::server::{WRITING_SERVICES, set_health};
use crate::wire::pb::v1::{graph_service_server, review_service_server};
use crate::workflow::replica::board::ReplicaStatus;

/// The service as a whole, and what reads a state that will never be on disk.
const RESTING_ON_STATE: [&str; 3] =
    ["", graph_service_server::SERVICE_NAME, review_service_server::SERVICE_NAME];

/// Keeps health up with a replica, if this is one, until the server stops or the journal fails.
pub(super) async fn follow_journal(
    health: HealthReporter,
    lost: BoxFuture<'static, ()>,
    replica: Option<watch::Receiver<ReplicaStatus>>,
    stopping: CancellationToken,
) {
    let follow = async {
        match replica {
            Some(replica) => follow_replica(health.clone(), replica, stopping.clone()).await,
            None => stopping.cancelled().await,
        }
    };
    // What follows the replica has ended by the time that health is told: it cannot take it back.
    tokio::select! {
        biased;
        () = lost => {}
        () = follow => return,
    }
    warn!("health says so: the journal takes nothing more, only what is on disk can be read");
    set_health(&health, &RESTING_ON_STATE, ServingStatus::NotServing).await;
    set_health(&health, &WRITING_SERVICES, ServingStatus::NotServing).await;
}
