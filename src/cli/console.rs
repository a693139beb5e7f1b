//! Opens the console: its address, its entropy, and who signs in first.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use miette::IntoDiagnostic;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::cli::clock;
use crate::cli::output::say;
use crate::cli::replica::takes_part;
use crate::cli::serve::bind;
use crate::cli::tls::{Protocol, acceptor};
use crate::config::levers::{levers, with_levers};
use crate::config::service::ServiceSettings;
use crate::console::listener::Entrance;
use crate::console::parts::{Console, ConsoleParts, ConsoleSettings, LeverTools, Market};
use crate::console::server::serve;
use crate::domain::access::{Permission, PersonDraft, Role};
use crate::domain::entity::IdentityKey;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Span;
use crate::grpc::watch::Watch;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::engine::Engine;
use crate::workflow::service::OrderService as _;
use crate::workflow::strategy_file::LastReload;

/// Who signs in first, and can let the others in.
const FIRST_PERSON: &str = "admin";

/// The console and where browsers reach it.
#[derive(Debug)]
pub struct Pages {
    listener: TcpListener,
    entrance: Entrance,
    console: Arc<Console>,
}

impl Pages {
    /// Where the pages look for what became of the strategy file.
    pub fn last_reload(&self) -> Arc<LastReload> {
        self.console.last_reload.clone()
    }

    /// Serves pages until told to stop.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve(self, stopping: CancellationToken) -> io::Result<()> {
        serve(self.listener, self.entrance, self.console, stopping.cancelled_owned()).await
    }
}

/// Takes the console's address and prints a link that signs an administrator in, once; `None`
/// when the settings want no pages.
///
/// # Errors
/// When the address is taken or the engine does not answer.
pub async fn open_console(
    settings: &ServiceSettings,
    (engine, identity): (&Arc<Engine>, &IdentityKey),
    market: Market,
    watch: &Watch,
) -> miette::Result<Option<Pages>> {
    let Some(listen) = settings.console.listen else { return Ok(None) };
    let doors = &settings.doors;
    let tls = doors.tls.as_ref().map(|files| acceptor(files, Protocol::Pages)).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let entrance =
        Entrance { tls, connections_max: doors.connections_max, handshake: doors.handshake };
    let listener = match (bind(listen).await, market) {
        (Ok(listener), _) => listener,
        // Somebody serves there already; a demo only needs some port.
        (Err(_), Market::Synthetic) => bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?,
        (Err(error), Market::Real) => return Err(error),
    };
    let console = Arc::new(Console::new(ConsoleParts {
        engine: engine.clone(),
        clock: clock::now,
        random: clock::random,
        settings: limits(settings),
        market,
        events: watch.events.clone(),
        deliveries: watch.deliveries.clone(),
        levers: LeverTools { read: levers, moved: with_levers },
        identity: identity.clone(),
    }));
    let origin = format!("{scheme}://{}", listener.local_addr().into_diagnostic()?);
    if engine.replica().is_some() {
        // Health is asked for meanwhile: the doors open before the replica has caught up.
        tokio::spawn(invite_later(engine.clone(), console.clone(), origin));
    } else {
        invite(engine, &console, &origin).await?;
    }
    Ok(Some(Pages { listener, entrance, console }))
}

async fn invite_later(engine: Arc<Engine>, console: Arc<Console>, origin: String) {
    takes_part(&engine).await;
    if let Err(error) = invite(&engine, &console, &origin).await {
        warn!(%error, "nobody is invited to the pages");
    }
}

/// Prints a link that signs an administrator in.
async fn invite(engine: &Engine, console: &Console, origin: &str) -> miette::Result<()> {
    let link = console.token();
    let person_id = first_person(engine).await?;
    console.sessions.invite(&link, &person_id, clock::now());
    say(format!(
        "console on {origin}; sign in as {person_id}, once, within a day:\n\
         {origin}/sign-in?link={}",
        link.expose(),
    ));
    Ok(())
}

/// An administrator: the first there is, else one that may do everything.
async fn first_person(engine: &Engine) -> miette::Result<Box<str>> {
    let people = engine.list_people().await.into_diagnostic()?;
    if let Some(person) = people.iter().find(|person| person.may(Permission::Administer)) {
        return Ok(person.person_id.clone());
    }
    let draft = PersonDraft {
        person_id: FIRST_PERSON.into(),
        name: "Administrator".into(),
        roles: BTreeSet::from(Role::ALL),
        is_active: true,
        key_hash: None,
    };
    let signer = Signer { by: FIRST_PERSON.into(), note: "first start".into() };
    let person = engine.change_person(draft, signer, clock::now()).await.into_diagnostic()?;
    Ok(person.person_id)
}

fn limits(settings: &ServiceSettings) -> ConsoleSettings {
    let span = |it: Duration| Span(i64::try_from(it.as_micros()).unwrap_or(i64::MAX));
    let console = &settings.console;
    ConsoleSettings {
        session: span(console.session),
        claim: span(console.claim),
        undo: span(console.undo),
        review_within: span(console.review_within),
    }
}
