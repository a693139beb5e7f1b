//! Opens what comes in and goes out beside gRPC: webhooks and deliveries.

use std::net::SocketAddr;
use std::sync::Arc;

use miette::{Context as _, IntoDiagnostic as _, miette};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::cli::clock;
use crate::cli::output::say;
use crate::cli::serve::bind;
use crate::cli::tls::{Protocol, acceptor};
use crate::config::reader::Found;
use crate::config::secret::secret_text;
use crate::config::service::ServiceSettings;
use crate::config::sources::{SinkPlace, SinkSettings, SubscriptionSettings};
use crate::console::listener::Entrance;
use crate::domain::entity::IdentityKey;
use crate::domain::time::Span;
use crate::grpc::admission::Admission;
use crate::grpc::limit::Places;
use crate::grpc::shared::Shared;
use crate::grpc::watch::Watch;
use crate::relay::alerts::watch_sources;
use crate::relay::aside::Aside;
use crate::relay::carrier::{Carrier, WebhookCarrier, authorities};
use crate::relay::courier::{Alerts, Courier, Office, RetryRule, Route};
use crate::relay::door::{WebhookDoor, serve};
use crate::relay::drift::watch_drift;
use crate::relay::kept_file::KeptFile;
use crate::relay::notice::NoticeKind;
use crate::relay::outbox::OutboxFile;
use crate::relay::sender::{DoorLimits, Sender};
use crate::relay::signature::Secret;
use crate::relay::subscription::{Source, follow};
use crate::stream::publisher::{Publisher, PublisherSettings};
use crate::stream::settings::Servers;
use crate::stream::subscriber::SubscriberSettings;
use crate::workflow::deliveries::DeliveryBoard;
use crate::workflow::engine::Engine;
use crate::workflow::event_health::EventKind;

/// Where senders post to, before their name.
const PATH: &str = "/v1/webhooks/";
/// Where the dead letters of subjects go, under the name of their source.
const DEAD_STREAM: &str = "ORDERLENS_DEAD";
const DEAD_SUBJECT: &str = "orderlens.dead";

/// What comes in and goes out, ready to be started.
#[derive(Debug, Default)]
pub struct Relay {
    incoming: Option<Incoming>,
    sources: Vec<Source>,
    routes: Vec<Route>,
    /// Most orders of one stream, or messages of one source, that are worked on at a time.
    depth: usize,
}

#[derive(Debug)]
struct Incoming {
    listener: TcpListener,
    entrance: Entrance,
    senders: Vec<Sender>,
    limits: DoorLimits,
}

/// Takes the address of webhooks and reads every secret.
///
/// # Errors
/// When the address is taken, a secret is missing or weak, a name of a kind is not known, or
/// what was put aside does not read.
pub async fn open_relay(
    settings: &ServiceSettings,
    board: &Arc<DeliveryBoard>,
) -> miette::Result<Relay> {
    let sinks = settings.deliveries.sinks.iter();
    let routes = sinks.map(|sink| route(settings, sink)).collect::<Result<_, _>>()?;
    let subscriptions = settings.sources.subscriptions.iter();
    let sources = subscriptions.map(|it| source(settings, it, board)).collect::<Result<_, _>>()?;
    let incoming = match settings.sources.listen {
        Some(listen) => Some(incoming(settings, listen).await?),
        None => None,
    };
    Ok(Relay { incoming, sources, routes, depth: settings.limits.stream_depth_max })
}

async fn incoming(settings: &ServiceSettings, listen: SocketAddr) -> miette::Result<Incoming> {
    let (sources, doors) = (&settings.sources, &settings.doors);
    let mut senders = Vec::new();
    for sender in &sources.senders {
        let mut secrets = vec![secret(&sender.secret_variable)?];
        let previous = &sender.previous_secret_variable;
        if secret_text(previous).into_diagnostic()?.is_some() {
            secrets.push(secret(previous)?);
        }
        let kinds = named(&sender.kinds, &EventKind::ALL, EventKind::as_str)?;
        senders.push(Sender { name: sender.name.clone(), secrets, kinds });
    }
    let tls = doors.tls.as_ref().map(|files| acceptor(files, Protocol::Pages)).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listener = bind(listen).await?;
    say(format!("webhooks on {scheme}://{}{PATH}", listener.local_addr().into_diagnostic()?));
    let entrance =
        Entrance { tls, connections_max: sources.connections_max, handshake: doors.handshake };
    let limits = DoorLimits {
        body_bytes_max: sources.body_bytes_max,
        tolerance: Span(i64::try_from(sources.tolerance.as_micros()).unwrap_or(i64::MAX)),
        body_within: sources.body_within,
    };
    Ok(Incoming { listener, entrance, senders, limits })
}

impl Relay {
    /// Starts everything; each task ends when it is told to stop.
    ///
    /// # Errors
    /// When an outbox cannot be read or made.
    pub fn start(
        self,
        engine: &Arc<Engine>,
        identity: &IdentityKey,
        watch: &Watch,
        stopping: &CancellationToken,
    ) -> miette::Result<Vec<JoinHandle<()>>> {
        let mut tasks = Vec::new();
        let office = Office {
            reader: engine.journal_reader(),
            erased: engine.erased_board(),
            board: watch.deliveries.clone(),
            clock: clock::now,
            chance,
            stopping: stopping.clone(),
        };
        let alerts: Vec<_> = self.routes.iter().map(|route| route.alerts.clone()).collect();
        if !alerts.is_empty() {
            let board = watch.events.clone();
            let drift = watch_drift(engine.clone(), alerts.clone(), clock::now, stopping.clone());
            tasks.push(tokio::spawn(drift));
            tasks.push(tokio::spawn(watch_sources(board, alerts, clock::now, stopping.clone())));
        }
        for route in self.routes {
            let sink = route.file.name().to_owned();
            let courier = Courier::open(route, office.clone()).into_diagnostic();
            let courier = courier.wrap_err_with(|| format!("opening the outbox of `{sink}`"))?;
            tasks.push(tokio::spawn(courier.run()));
        }
        // Places of its own: their number bounds what is under way here.
        let share = |n_places| Shared {
            service: engine.clone(),
            identity: Arc::new(identity.clone()),
            clock: clock::now,
            stopping: stopping.clone(),
            stream_items_max: self.depth,
            watch: watch.clone(),
            admission: Admission::new(Places::new(n_places)),
        };
        for source in self.sources {
            tasks.push(tokio::spawn(follow(source, share(self.depth), stopping.clone())));
        }
        if let Some(incoming) = self.incoming {
            let shared = share(incoming.entrance.connections_max);
            tasks.push(incoming.serve(shared, stopping.clone()));
        }
        Ok(tasks)
    }
}

impl Incoming {
    fn serve(self, shared: Shared<Engine>, stopping: CancellationToken) -> JoinHandle<()> {
        let door = WebhookDoor { shared, senders: self.senders, limits: self.limits };
        tokio::spawn(async move {
            let stop = stopping.cancelled_owned();
            if let Err(error) = serve(self.listener, self.entrance, door, stop).await {
                warn!(%error, "the address of webhooks ended badly");
            }
        })
    }
}

fn route(settings: &ServiceSettings, sink: &SinkSettings) -> miette::Result<Route> {
    let deliveries = &settings.deliveries;
    let carrier = match &sink.place {
        SinkPlace::Webhook { url, ca_file, secret_variable } => {
            let to = || format!("opening the way to sink `{}`", sink.name);
            let roots = ca_file.as_deref().map(authorities).transpose();
            let (roots, secret) = (roots.into_diagnostic()?, secret(secret_variable)?);
            let carrier = WebhookCarrier::new(url, roots, secret, deliveries.within);
            let carrier = carrier.into_diagnostic();
            Carrier::Webhook(Box::new(carrier.wrap_err_with(to)?))
        }
        SinkPlace::Nats { url_variable, stream, subject } => {
            Carrier::Nats(Box::new(Publisher::new(PublisherSettings {
                servers: servers(url_variable)?,
                stream: stream.as_str().into(),
                prefix: subject.as_str().into(),
                ack_within: deliveries.within,
            })))
        }
    };
    Ok(Route {
        file: OutboxFile::new(&settings.paths.data, &sink.name),
        kinds: named(&sink.kinds, &NoticeKind::ALL, NoticeKind::as_str)?,
        carrier,
        retry: RetryRule {
            tries_max: deliveries.tries_max,
            first: deliveries.first_pause,
            longest: deliveries.longest_pause,
        },
        alerts: Arc::new(Alerts::default()),
    })
}

fn source(
    settings: &ServiceSettings,
    asked: &SubscriptionSettings,
    board: &Arc<DeliveryBoard>,
) -> miette::Result<Source> {
    let (servers, within) = (servers(&asked.url_variable)?, settings.deliveries.within);
    let file = KeptFile::new(&settings.paths.data, &asked.name);
    let aside = Aside::open(file, (&asked.stream, &asked.subject), board.clone());
    let to = || format!("opening what was put aside of `{}`", asked.name);
    let aside = aside.into_diagnostic().wrap_err_with(to)?;
    Ok(Source {
        sender: Sender {
            name: asked.name.clone(),
            secrets: Vec::new(),
            kinds: named(&asked.kinds, &EventKind::ALL, EventKind::as_str)?,
        },
        settings: SubscriberSettings {
            servers: servers.clone(),
            stream: asked.stream.as_str().into(),
            subject: asked.subject.as_str().into(),
            durable: format!("orderlens-{}", asked.name).into(),
            depth: settings.limits.stream_depth_max,
            answer_within: within,
        },
        dead: Publisher::new(PublisherSettings {
            servers,
            stream: DEAD_STREAM.into(),
            prefix: DEAD_SUBJECT.into(),
            ack_within: within,
        }),
        aside,
    })
}

/// The brokers in an environment variable.
fn servers(variable: &str) -> miette::Result<Servers> {
    let url = secret_text(variable).into_diagnostic()?.unwrap_or_default();
    Servers::parse(&url).into_diagnostic().wrap_err_with(|| format!("reading {variable}"))
}

/// The secret in an environment variable; one that is named must be there.
fn secret(variable: &str) -> miette::Result<Secret> {
    let text = secret_text(variable).into_diagnostic()?.unwrap_or_default();
    Secret::read(&text).into_diagnostic().wrap_err_with(|| format!("reading {variable}"))
}

fn named<T: Copy>(
    words: &[Found<String>],
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> miette::Result<Vec<T>> {
    let find = |word: &Found<String>| {
        let found = all.iter().copied().find(|it| name(*it) == word.value);
        let names: Vec<_> = all.iter().map(|it| name(*it)).collect();
        let help = format!("there are {}", names.join(", "));
        found.ok_or_else(|| miette!(help = help, "{}: `{}` is not known", word.key, word.value))
    };
    words.iter().map(find).collect()
}

/// In [0, 1), another at each call.
fn chance() -> f64 {
    f64::from(clock::random()[0]) / 256.0
}
