//! The gRPC server: services, health, reflection, limits and an orderly end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::info;

use crate::domain::entity::IdentityKey;
use crate::grpc::access_door::{AccessDoor, Entropy};
use crate::grpc::admission::Admission;
use crate::grpc::case_door::CaseDoor;
use crate::grpc::counted::Counted;
use crate::grpc::deadline::Deadline;
use crate::grpc::decision_door::DecisionDoor;
use crate::grpc::entrance::{ConnectionLimits, Entrance};
use crate::grpc::event_door::EventDoor;
use crate::grpc::experiment_door::ExperimentDoor;
use crate::grpc::feedback_door::FeedbackDoor;
use crate::grpc::gate::{Gate, Gated, KeyRule};
use crate::grpc::graph_door::GraphDoor;
use crate::grpc::journal_health::follow_journal;
use crate::grpc::limit::{InFlightLimit, Places};
use crate::grpc::model_door::ModelDoor;
use crate::grpc::records_health::watch_records;
use crate::grpc::review_door::ReviewDoor;
use crate::grpc::shared::{Clock, Shared};
use crate::grpc::strategy_door::StrategyDoor;
use crate::grpc::watch::Watch;
use crate::wire::pb::CONTRACT_DESCRIPTOR_SET;
use crate::wire::pb::answered::decision_service_server::{self, DecisionServiceServer};
use crate::wire::pb::v1::access_service_server::{self, AccessServiceServer};
use crate::wire::pb::v1::case_service_server::{self, CaseServiceServer};
use crate::wire::pb::v1::event_service_server::{self, EventServiceServer};
use crate::wire::pb::v1::experiment_service_server::{self, ExperimentServiceServer};
use crate::wire::pb::v1::feedback_service_server::{self, FeedbackServiceServer};
use crate::wire::pb::v1::graph_service_server::{self, GraphServiceServer};
use crate::wire::pb::v1::model_service_server::{self, ModelServiceServer};
use crate::wire::pb::v1::review_service_server::{self, ReviewServiceServer};
use crate::wire::pb::v1::strategy_service_server::{self, StrategyServiceServer};
use crate::workflow::access_service::AccessService;
use crate::workflow::case_service::CaseService;
use crate::workflow::experiment_service::ExperimentService;
use crate::workflow::key_service::KeyService;
use crate::workflow::model_service::ModelService;
use crate::workflow::review_service::ReviewService;
use crate::workflow::service::OrderService;
use crate::workflow::strategy_service::StrategyService;

/// Bytes in flight that a stream may have; larger windows cost memory per stream.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes in flight that a connection may have.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// How long a connection that is asked whether it lives may take to say so.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);

/// Limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct GrpcSettings {
    /// Most unary calls in flight over all connections.
    pub in_flight_max: usize,
    /// Longest time that a call may take, whatever its caller allows.
    pub deadline: Duration,
    /// Largest request in bytes.
    pub message_bytes_max: usize,
    /// Most items of one stream that are worked on at a time; at least 1.
    pub stream_items_max: usize,
    /// Whether callers may ask for the contract.
    pub reflection: Reflection,
    /// Limits of connections.
    pub connections: ConnectionLimits,
    /// Whether callers must show a key.
    pub keys: KeyRule,
    /// Makes the secrets of keys.
    pub random: Entropy,
}

/// Whether callers may ask for the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reflection {
    /// v1 and v1alpha are served.
    Served,
    /// Not served.
    Off,
}

/// Why the server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The descriptor set of the contract cannot be served.
    #[error("the contract's descriptor set is broken")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the gRPC transport failed")]
    Transport(#[from] tonic::transport::Error),
}

/// Everything that is served.
pub trait Service:
    AccessService
    + KeyService
    + OrderService
    + StrategyService
    + ReviewService
    + CaseService
    + ExperimentService
    + ModelService
{
}

impl<S> Service for S where
    S: AccessService
        + KeyService
        + OrderService
        + StrategyService
        + ReviewService
        + CaseService
        + ExperimentService
        + ModelService
{
}

/// Serves the engine until `shutdown` resolves; then health says so, streams end
/// after the items in flight, and running calls are waited for.
///
/// # Errors
/// [`Error`] when reflection cannot be built or the transport fails.
pub async fn serve<S: Service>(
    entrance: impl Into<Entrance>,
    service: Arc<S>,
    identity: IdentityKey,
    clock: Clock,
    (settings, watch): (GrpcSettings, Watch),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let places = Places::new(settings.in_flight_max);
    let shared = share(service, identity, clock, &settings, watch, &places);
    let watch = shared.watch.clone();
    let stopping = shared.stopping.clone();
    let gate = Gate::new(shared.service.key_ring(), settings.keys, clock);
    let (health, health_service) = tonic_health::server::health_reporter();
    let records = tell_health(&health, &shared).await;
    let bytes_max = settings.message_bytes_max;
    let access = AccessDoor { shared: shared.clone(), random: settings.random };
    let access = AccessServiceServer::new(access);
    let decisions = DecisionServiceServer::new(DecisionDoor(shared.clone()));
    let cases = CaseServiceServer::new(CaseDoor(shared.clone()));
    let events = EventServiceServer::new(EventDoor(shared.clone()));
    let experiments = ExperimentServiceServer::new(ExperimentDoor(shared.clone()));
    let models = ModelServiceServer::new(ModelDoor(shared.clone()));
    let feedback = FeedbackServiceServer::new(FeedbackDoor(shared.clone()));
    let graph = GraphServiceServer::new(GraphDoor(shared.clone()));
    let reviews = ReviewServiceServer::new(ReviewDoor(shared.clone()));
    let strategies = StrategyServiceServer::new(StrategyDoor(shared));
    let (v1, v1alpha) = match settings.reflection {
        Reflection::Served => {
            let (v1, v1alpha) = (reflection().build_v1()?, reflection().build_v1alpha()?);
            (Some(gate.guard(v1)), Some(gate.guard(v1alpha)))
        }
        Reflection::Off => (None, None),
    };
    let guard = Guard { gate, places, longest: settings.deadline, watch, clock };
    let (entrance, limits) = (entrance.into(), settings.connections);
    if let Ok(address) = entrance.local_addr() {
        info!(%address, "serving gRPC on {address}");
    }
    transport(limits)
        .add_service(guard.around(access.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(decisions.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(cases.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(events.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(graph.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(strategies.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(reviews.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(experiments.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(models.max_decoding_message_size(bytes_max)))
        .add_service(guard.around(feedback.max_decoding_message_size(bytes_max)))
        .add_service(health_service)
        .add_optional_service(v1)
        .add_optional_service(v1alpha)
        .serve_with_incoming_shutdown(Box::pin(entrance.connections(limits)), async move {
            shutdown.await;
            info!("stopping: running calls end, new ones are refused");
            set_all(&health, ServingStatus::NotServing).await;
            stopping.cancel();
        })
        .await?;
    // Waiting for it gives its handle of the engine back.
    drop(records.await);
    Ok(())
}

/// What every door holds.
fn share<S>(
    service: Arc<S>,
    identity: IdentityKey,
    clock: Clock,
    settings: &GrpcSettings,
    watch: Watch,
    places: &Arc<Places>,
) -> Shared<S> {
    Shared {
        service,
        identity: Arc::new(identity),
        clock,
        stopping: CancellationToken::new(),
        stream_items_max: settings.stream_items_max.max(1),
        watch,
        admission: Admission::new(Arc::clone(places)),
    }
}

/// Says what is served, and goes on saying it; gives the task that looks at the records.
async fn tell_health<S: Service>(health: &HealthReporter, shared: &Shared<S>) -> JoinHandle<()> {
    let (stopping, replica) = (shared.stopping.clone(), shared.service.replica());
    let at_first =
        if replica.is_some() { ServingStatus::NotServing } else { ServingStatus::Serving };
    set_all(health, at_first).await;
    let lost = shared.service.journal_lost();
    tokio::spawn(follow_journal(health.clone(), lost, replica, stopping.clone()));
    tokio::spawn(watch_records(health.clone(), shared.service.clone(), stopping))
}

/// HTTP/2 with its limits.
fn transport(limits: ConnectionLimits) -> Server {
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .http2_max_header_list_size(limits.header_bytes_max)
        .max_concurrent_streams(limits.streams_max)
}

/// What stands before every door: numbers, then keys, then the places, then the time.
struct Guard {
    gate: Gate,
    places: Arc<Places>,
    longest: Duration,
    watch: Watch,
    clock: Clock,
}

impl Guard {
    fn around<D: NamedService>(&self, door: D) -> Counted<Gated<InFlightLimit<Deadline<D>>>> {
        let timed = Deadline::new(door, self.longest);
        let gated = self.gate.guard(InFlightLimit::new(timed, Arc::clone(&self.places)));
        Counted::new(gated, &self.watch, self.clock)
    }
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(CONTRACT_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

async fn set_all(health: &HealthReporter, status: ServingStatus) {
    set_health(health, &READING_SERVICES, status).await;
    set_health(health, &WRITING_SERVICES, status).await;
}

/// What reads, and the service as a whole.
pub(super) const READING_SERVICES: [&str; 4] = [
    "",
    case_service_server::SERVICE_NAME,
    graph_service_server::SERVICE_NAME,
    review_service_server::SERVICE_NAME,
];
/// What changes something.
pub(super) const WRITING_SERVICES: [&str; 7] = [
    access_service_server::SERVICE_NAME,
    decision_service_server::SERVICE_NAME,
    event_service_server::SERVICE_NAME,
    experiment_service_server::SERVICE_NAME,
    feedback_service_server::SERVICE_NAME,
    model_service_server::SERVICE_NAME,
    strategy_service_server::SERVICE_NAME,
];

/// Tells health of services.
pub(super) async fn set_health(health: &HealthReporter, services: &[&str], status: ServingStatus) {
    for service in services {
        health.set_service_status(*service, status).await;
    }
}
