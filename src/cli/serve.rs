//! `orderlens serve`: decisions over gRPC until told to stop.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use miette::{Context, IntoDiagnostic, miette};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::{ContextV7, Uuid};

use crate::cli::clock;
use crate::cli::console::{Pages, open_console};
use crate::cli::exposure::refuse_open_doors;
use crate::cli::identity_fingerprint;
use crate::cli::log::start_log;
use crate::cli::operations::{open_operations, serve_operations, watch};
use crate::cli::output::say;
use crate::cli::relay::{Relay, open_relay};
use crate::cli::replica::replica_settings;
use crate::cli::settings::{
    ServiceFiles, bundle_reader, engine_settings, grpc_settings, load_judge, reader,
};
use crate::cli::tls::{Protocol, acceptor};
use crate::cli::watch_strategy::watch_strategy;
use crate::config::secret::{IdentitySecret, identity_secret};
use crate::config::service::{IdentityVariables, ServiceSettings};
use crate::console::parts::Market;
use crate::domain::decision::DecisionId;
use crate::domain::entity::IdentityKey;
use crate::domain::pseudonym::Rotation;
use crate::domain::time::Timestamp;
use crate::grpc::entrance::Entrance;
use crate::grpc::server::serve;
use crate::grpc::watch::Watch;
use crate::workflow::engine::Engine;
use crate::workflow::replica::start_replica::{ReplicaSettings, start_replica};
use crate::workflow::start_engine::{EngineInputs, EngineSettings, start_engine};

/// Serve decisions over gRPC
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: ServiceFiles,
    /// Address to listen on; port 0 takes a free one
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Address of the pages for people; port 0 takes a free one
    #[arg(long)]
    console: Option<SocketAddr>,
    /// Address for machines that watch; port 0 takes a free one
    #[arg(long)]
    operations: Option<SocketAddr>,
}

/// Runs the command until SIGINT or SIGTERM.
///
/// # Errors
/// When a file has mistakes, the data folder cannot be opened or the address is taken.
pub fn run(args: &Args) -> miette::Result<()> {
    let mut settings = args.files.load_to_serve()?;
    start_log(settings.operations.log);
    settings.listen = args.listen.unwrap_or(settings.listen);
    settings.console.listen = args.console.or(settings.console.listen);
    refuse_open_doors(&settings)?;
    let tls = grpc_tls(&settings)?;
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(async {
        let listener = bind(settings.listen).await?;
        let address = listener.local_addr().into_diagnostic()?;
        let (engine, identity) = open_service(&settings, replica_settings(&settings)?)?;
        let watch = watch(&settings.operations);
        let pages = open_console(&settings, (&engine, &identity), Market::Real, &watch).await?;
        let operations = open_operations(&settings.operations, args.operations).await?;
        let relay = open_relay(&settings, &watch.deliveries).await?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        say(format!("listening on {scheme}://{address}"));
        let grpc = Entrance::new(listener, tls);
        let doors = Doors { grpc, pages, operations, watch, relay };
        serve_engine(&settings, (engine, identity), doors, stop_signal()).await
    })
}

/// TLS for callers, when the settings want it.
fn grpc_tls(settings: &ServiceSettings) -> miette::Result<Option<TlsAcceptor>> {
    settings.doors.tls.as_ref().map(|files| acceptor(files, Protocol::Grpc)).transpose()
}

/// Where callers and people come in.
#[derive(Debug)]
pub struct Doors {
    /// gRPC.
    pub grpc: Entrance,
    /// Pages, if there are any.
    pub pages: Option<Pages>,
    /// For machines that watch.
    pub operations: Option<TcpListener>,
    /// What they see.
    pub watch: Watch,
    /// Webhooks, and deliveries to other systems.
    pub relay: Relay,
}

/// Serves an engine until `stop`, then saves a snapshot and lets the data folder go. The key
/// hashes identifiers.
///
/// # Errors
/// When the transport fails.
pub async fn serve_engine(
    settings: &ServiceSettings,
    (engine, identity): (Arc<Engine>, IdentityKey),
    doors: Doors,
    stop: impl Future<Output = ()> + Send,
) -> miette::Result<()> {
    let saver =
        tokio::spawn(save_snapshots(engine.clone(), settings.journal.snapshot_every_records));
    let strategy = settings.paths.strategy.clone();
    let last_reload = doors.pages.as_ref().map(Pages::last_reload).unwrap_or_default();
    let pause = settings.limits.strategy_look;
    let watcher =
        tokio::spawn(watch_strategy(engine.clone(), strategy, pause, last_reload.clone()));
    let grpc = grpc_settings(settings);
    let stopping = CancellationToken::new();
    let pages = doors.pages.map(|pages| tokio::spawn(pages.serve(stopping.clone())));
    let watch = doors.watch;
    let watching = doors.operations.map(|listener| {
        let (engine, watch) = (engine.clone(), watch.clone());
        serve_operations(listener, engine, watch, last_reload, stopping.clone())
    });
    let relay = doors.relay.start(&engine, &identity, &watch, &stopping)?;
    let served = serve(doors.grpc, engine.clone(), identity, clock::now, (grpc, watch), stop).await;
    stopping.cancel();
    if let Some(pages) = pages
        && let Ok(Err(error)) = pages.await
    {
        warn!(%error, "the pages ended badly");
    }
    for task in watching.into_iter().chain(relay) {
        drop(task.await);
    }
    // Waiting for the aborted tasks gives their handles of the engine back.
    for task in [saver, watcher] {
        task.abort();
        drop(task.await);
    }
    match engine.save_snapshot().await {
        Ok(position) => info!(position, "saved a snapshot"),
        Err(error) => warn!(%error, "no snapshot saved: the next start folds more of the journal"),
    }
    if let Ok(engine) = Arc::try_unwrap(engine) {
        tokio::task::block_in_place(|| engine.stop());
    }
    served.into_diagnostic().wrap_err("serving gRPC")
}

/// Opens the data folder with the configured bundle and strategy.
///
/// # Errors
/// When bundle, strategy or data folder cannot be used.
pub fn open_engine(settings: &ServiceSettings) -> miette::Result<Engine> {
    start_engine(&engine_settings(settings), &inputs(settings)?).into_diagnostic()
}

/// The same for orders, alone or as one of many replicas, with the key that hashes identifiers.
///
/// # Errors
/// As [`open_engine`], and when the folder was written with another identity secret.
pub fn open_service(
    settings: &ServiceSettings,
    replica: Option<ReplicaSettings>,
) -> miette::Result<(Arc<Engine>, IdentityKey)> {
    let identity = identity_of(&settings.identity)?;
    let checked = identity_fingerprint::check(settings, &identity)?;
    let rotation = identity.rotation();
    if let Some(Rotation { current, previous }) = &rotation {
        info!(current, previous, "whoever was known by the previous identity secret stays known");
    }
    let folder = EngineSettings { rotation, ..engine_settings(settings) };
    let engine = match replica {
        Some(replica) => start_replica(&folder, &inputs(settings)?, replica),
        None => start_engine(&folder, &inputs(settings)?),
    };
    let engine = Arc::new(engine.into_diagnostic()?);
    // Only now nobody else has the folder.
    checked.keep()?;
    Ok((engine, identity))
}

fn inputs(settings: &ServiceSettings) -> miette::Result<EngineInputs> {
    let judge = load_judge(settings)?;
    Ok(EngineInputs {
        read_strategy: reader(&judge),
        read_bundle: bundle_reader(settings),
        judge,
        new_id: new_decision_id,
        nanos: clock::nanos,
        now: clock::now(),
    })
}

/// Takes an address, or says which one is taken.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn bind(address: SocketAddr) -> miette::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .into_diagnostic()
        .wrap_err_with(|| format!("listening on {address}: is another server running there?"))
}

/// The key that hashes personal identifiers where no service file names its variable.
///
/// # Errors
/// When the environment names a file of the secret that does not read.
pub fn identity() -> miette::Result<IdentityKey> {
    identity_from(IDENTITY_VARIABLE)
}

/// The key in an environment variable; warns when it is the public development key.
fn identity_from(variable: &str) -> miette::Result<IdentityKey> {
    let secret = identity_secret(variable).into_diagnostic()?;
    if let IdentitySecret::DevelopmentDefault(_) = &secret {
        warn!("{variable} is not set: identifiers are hashed with the development key");
    }
    Ok(secret.key().clone())
}

/// The key of a service, with the one before it while that is named.
fn identity_of(variables: &IdentityVariables) -> miette::Result<IdentityKey> {
    let IdentityVariables { secret, previous } = variables;
    let key = identity_from(secret)?;
    if previous.is_empty() {
        return Ok(key);
    }
    let given = |variable: &str| match identity_secret(variable).into_diagnostic()? {
        IdentitySecret::Given(key) => Ok(key),
        IdentitySecret::DevelopmentDefault(_) => Err(miette!(
            help = "set it; or, when no rotation goes on, take previous_secret_variable out of \
                    [identity] in the service file",
            "{variable} is not set, and [identity] names {previous} as the previous secret"
        )),
    };
    let (key, previous_key) = (given(secret)?, given(previous)?);
    if key.fingerprint() == previous_key.fingerprint() {
        return Err(miette!(
            help = "give the new secret to the first, or take previous_secret_variable out of \
                    [identity] in the service file",
            "{secret} and {previous} hold the same secret"
        ));
    }
    Ok(key.rotated_from(&previous_key))
}

/// SIGINT or SIGTERM.
pub async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupted => {}
        () = terminated => {}
    }
}

/// Environment variable of the identity secret, as shipped.
const IDENTITY_VARIABLE: &str = "ORDERLENS_IDENTITY_SECRET";
/// How often the number of new records is looked at.
const SNAPSHOT_LOOK: Duration = Duration::from_secs(5);

/// Saves the state every so many records, so that a restart folds little.
async fn save_snapshots(engine: Arc<Engine>, every_records: u64) {
    let mut saved = engine.durable_position();
    loop {
        tokio::time::sleep(SNAPSHOT_LOOK).await;
        if engine.durable_position() < saved.saturating_add(every_records) {
            continue;
        }
        match engine.save_snapshot().await {
            Ok(position) => {
                info!(position, "saved a snapshot");
                saved = position;
            }
            Err(error) => warn!(%error, "no snapshot saved"),
        }
    }
}

/// Ids that sort as the requests arrived: microseconds go into them, not only milliseconds.
pub fn new_decision_id(received: Timestamp) -> DecisionId {
    static CONTEXT: LazyLock<Mutex<ContextV7>> =
        LazyLock::new(|| Mutex::new(ContextV7::new().with_additional_precision()));
    let seconds = u64::try_from(received.0.div_euclid(1_000_000)).unwrap_or(0);
    let nanos = u32::try_from(received.0.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    // A counter is never half-written, so a panicked neighbor has left it usable.
    let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    DecisionId(Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos)))
}
