//! Health of a replica: it is asked nothing that another one answers better.
//!
//! While it catches up, or stands still, nothing is served. While the broker is away, what
//! reads is still served, and what changes something is not.

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::info;

use crate::grpc::server::{READING_SERVICES, WRITING_SERVICES, set_health};
use crate::workflow::replica::board::ReplicaStatus;

/// Keeps health up with a replica until it stops.
pub async fn follow_replica(
    health: HealthReporter,
    mut replica: watch::Receiver<ReplicaStatus>,
    stopping: tokio_util::sync::CancellationToken,
) {
    let mut before = None;
    loop {
        let now = health_of(&replica.borrow_and_update());
        if before != Some(now) && !stopping.is_cancelled() {
            let (reads, writes) = now;
            info!(%reads, %writes, "health of this replica");
            set_health(&health, &READING_SERVICES, reads).await;
            set_health(&health, &WRITING_SERVICES, writes).await;
            before = Some(now);
        }
        tokio::select! {
            changed = replica.changed() => if changed.is_err() { return },
            () = stopping.cancelled() => return,
        }
    }
}

/// Health of what reads and of what changes something.
fn health_of(status: &ReplicaStatus) -> (ServingStatus, ServingStatus) {
    use ServingStatus::{NotServing, Serving};
    if !status.is_current() {
        return (NotServing, NotServing);
    }
    (Serving, if status.is_connected { Serving } else { NotServing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::replica::board::{LAG_MAX, Phase};

    #[test]
    fn a_replica_without_its_broker_still_reads_and_one_behind_does_nothing() {
        use ServingStatus::{NotServing, Serving};
        let status = ReplicaStatus {
            replica: "a".into(),
            stream: "s".into(),
            phase: Phase::Following,
            is_connected: true,
            executed: 10,
            end: 10,
        };
        let of = |change: &dyn Fn(&mut ReplicaStatus)| {
            let mut changed = status.clone();
            change(&mut changed);
            health_of(&changed)
        };
        assert_eq!(of(&|_| {}), (Serving, Serving));
        assert_eq!(of(&|it| it.is_connected = false), (Serving, NotServing));
        assert_eq!(of(&|it| it.end = 11 + LAG_MAX), (NotServing, NotServing));
        assert_eq!(of(&|it| it.phase = Phase::CatchingUp), (NotServing, NotServing));
        let halted = Phase::Halted("no bundle".into());
        assert_eq!(of(&|it| it.phase = halted.clone()), (NotServing, NotServing));
    }
}
