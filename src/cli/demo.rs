//! `orderlens demo`: a server on the shipped bundle judges a synthetic stream.
//!
//! Everything is the real thing but the buyers: the journal, the graph, the
//! models and the gRPC door are those of `serve`; the orders come from the
//! simulator, and their truth is shown beside each answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use miette::{IntoDiagnostic, WrapErr};
use tokio::sync::oneshot;
use tonic::transport::Channel;

use crate::cli::ask::{Lang, ink};
use crate::cli::clock;
use crate::cli::console::open_console;
use crate::cli::log::start_log;
use crate::cli::operations::{open_operations, watch};
use crate::cli::output::{bar, say};
use crate::cli::paint::Ink;
use crate::cli::picture::svg;
use crate::cli::relay::Relay;
use crate::cli::render::Page;
use crate::cli::serve::{Doors, bind, identity, open_service, serve_engine, stop_signal};
use crate::cli::settings::ServiceFiles;
use crate::config::service::ServiceSettings;
use crate::console::parts::Market;
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::event::{Event, Fact};
use crate::domain::feedback::OperatorChoice;
use crate::domain::order::Order;
use crate::domain::time::{Span, Timestamp};
use crate::simulator::operator::{OperatorManner, Origin, SimulatedOperator};
use crate::simulator::settings::SimulationSettings;
use crate::simulator::truth::{Archetype, OrderTruth};
use crate::simulator::world::{SimulatedEvent, Simulation};
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;
use crate::wire::{order, stored_decision};
use crate::workflow::engine::Engine;
use crate::workflow::service::OrderService;

/// Facts of the past that are on their way to the journal at a time.
const HISTORY_IN_FLIGHT: usize = 512;
/// Ordinary orders shown as a line each; the others are only counted.
const PLAIN_LINES_MAX: u32 = 12;
/// Remarkable orders shown as a line each: bad ones, and good ones that are not just released.
const REMARKABLE_LINES_MAX: u32 = 28;

/// Start a server on the shipped bundle and play a synthetic stream at it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: ServiceFiles,
    /// Address to serve on; a free port of this machine when it is taken
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Address of the pages for people; a free port of this machine when it is taken
    #[arg(long)]
    console: Option<SocketAddr>,
    /// Address for machines that watch; nowhere when the configured one is taken
    #[arg(long)]
    operations: Option<SocketAddr>,
    /// Seed of the synthetic market
    #[arg(long, default_value_t = 21)]
    seed: u64,
    /// Days that the graph has seen before the show
    #[arg(long, default_value_t = 21)]
    history_days: u32,
    /// Days that are judged, up to today
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=90))]
    show_days: u32,
    /// Orders per day, about
    #[arg(long, default_value_t = 400)]
    orders_per_day: u32,
    /// Language of the answers
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Folder for pictures (SVG) of the answers that are shown in full
    #[arg(long)]
    pictures: Option<PathBuf>,
    /// Stop after the show instead of serving on
    #[arg(long)]
    exit: bool,
}

/// Runs the command: shows decisions as they come, then serves until Ctrl-C.
///
/// # Errors
/// When the bundle, the data folder or the address cannot be used.
pub fn run(args: &Args) -> miette::Result<()> {
    let mut settings = args.files.load()?;
    start_log(settings.operations.log);
    settings.paths.data = demo_folder(&settings);
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(show(args, &settings))
}

async fn show(args: &Args, settings: &ServiceSettings) -> miette::Result<()> {
    let listener = match bind(args.listen.unwrap_or(settings.listen)).await {
        Ok(listener) => listener,
        // Somebody serves there already; a demo only needs some port.
        Err(_) if args.listen.is_none() => bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?,
        Err(error) => return Err(error),
    };
    let url = format!("http://{}", listener.local_addr().into_diagnostic()?);
    let (engine, identity) = open_service(settings, None)?;
    let mut settings = settings.clone();
    settings.console.listen = args.console.or(settings.console.listen);
    let watch = watch(&settings.operations);
    let pages = open_console(&settings, (&engine, &identity), Market::Synthetic, &watch).await?;
    let operations = open_operations(&settings.operations, args.operations).await?;
    let settings = &settings;
    let (past, today) = market(args)?;
    say(
        "orderlens demo. Every buyer, order and outcome below is SYNTHETIC; the service is real.\n",
    );
    remember(&engine, past).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    // The server ends with a signal, or with the show: when it failed or was all that was wanted.
    let until = async move {
        tokio::select! { () = stop_signal() => {}, _ = stopped => {} }
    };
    let relay = Relay::default();
    let doors = Doors { grpc: listener.into(), pages, operations, watch, relay };
    let served = serve_engine(settings, (engine.clone(), identity), doors, until);
    let showing = async {
        let told = play(args, &engine, &url, today).await;
        drop(engine);
        told?;
        where_to_look(settings, &url);
        if !args.exit {
            say("\nCtrl-C stops it.");
            return miette::Result::<_>::Ok(Some(stop));
        }
        Ok(None)
    };
    // While `showing` keeps `stop`, the server stays up; dropping it ends the server.
    let (served, shown) = tokio::join!(served, showing);
    shown.map(drop).and(served)
}

/// A new folder for each run, so that a demo never meets other data.
fn demo_folder(settings: &ServiceSettings) -> PathBuf {
    settings.paths.data.join(format!("demo-{}", clock::now().0 / 1_000_000))
}

/// The synthetic market: what happened before the show, and the show.
fn market(args: &Args) -> miette::Result<(Vec<Event>, Vec<SimulatedEvent>)> {
    let show_from =
        clock::now().start_of_day() - Span::days(i64::from(args.show_days.saturating_sub(1)));
    let start = show_from - Span::days(i64::from(args.history_days));
    let n_days = args.history_days + args.show_days;
    let settings = SimulationSettings::new(args.seed, start, n_days, args.orders_per_day);
    let simulation = Simulation::new(settings, identity()?);
    let (past, now): (Vec<_>, Vec<_>) =
        simulation.partition(|told| told.event.known_at() < show_from);
    Ok((past.into_iter().map(|told| told.event).collect(), now))
}

/// Tells the engine the past, as if each fact had arrived when it became known.
async fn remember(engine: &Engine, past: Vec<Event>) -> miette::Result<()> {
    let progress = bar(past.len() as u64, "facts");
    progress.set_message("filling the graph");
    let n_facts = past.len();
    let told = futures_util::stream::iter(past).map(|event| {
        let received = event.known_at();
        engine.ingest_event(event, received)
    });
    let mut told = told.buffered(HISTORY_IN_FLIGHT);
    while let Some(ack) = told.next().await {
        ack.into_diagnostic()?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    say(format!("{n_facts} facts of the past are in the journal and the graph.\n"));
    Ok(())
}

/// What was shown, for the closing table.
#[derive(Default)]
struct Tally {
    by_archetype: BTreeMap<&'static str, BTreeMap<&'static str, u32>>,
    shown_in_full: Vec<Archetype>,
    plain_lines: u32,
    remarkable_lines: u32,
    n_choices: u32,
}

async fn play(
    args: &Args,
    engine: &Engine,
    url: &str,
    today: Vec<SimulatedEvent>,
) -> miette::Result<()> {
    let channel = Channel::from_shared(url.to_owned()).into_diagnostic()?;
    let channel = channel.connect().await.into_diagnostic().wrap_err("reaching our own server")?;
    let mut client = DecisionServiceClient::new(channel);
    let mut tally = Tally::default();
    let mut operator = SimulatedOperator::new(args.seed, OperatorManner::Thorough, 0.1);
    let page = Page { language: args.lang.into(), ink: ink() };
    let mut on_their_way = FuturesUnordered::new();
    for told in today {
        let SimulatedEvent { event, truth } = told;
        let (order, truth) = match (event.fact, truth) {
            (Fact::OrderPlaced(order), Some(truth)) => (order, truth),
            (fact, _) => {
                let event = Event { fact, ..event };
                let received = event.known_at();
                on_their_way.push(Box::pin(engine.ingest_event(event, received)));
                // One look puts the fact into line, before the next order; its flush can wait.
                while let Poll::Ready(Some(ack)) = futures_util::poll!(on_their_way.next()) {
                    ack.into_diagnostic()?;
                }
                continue;
            }
        };
        let decision = score(&mut client, event.event_time, &order).await?;
        if tell(page, &decision, &truth, &mut tally) == Shown::InFull
            && let Some(folder) = &args.pictures
        {
            draw(page, &decision, truth.archetype, folder)?;
        }
        // What came in last waits for whoever opens the console.
        if event.event_time < clock::now().start_of_day() {
            choose(engine, &mut operator, &decision, &order, &truth, &mut tally).await?;
        }
    }
    while let Some(ack) = on_their_way.next().await {
        ack.into_diagnostic()?;
    }
    say(format!("\n{tally}"));
    Ok(())
}

async fn score(
    client: &mut DecisionServiceClient<Channel>,
    event_time: Timestamp,
    placed: &Order,
) -> miette::Result<Decision> {
    let request = pb::ScoreOrderRequest {
        event_time: Some(time_to_pb(event_time)),
        order: Some(order::to_pb(placed)),
        ..pb::ScoreOrderRequest::default()
    };
    let answer = client.score_order(request).await.into_diagnostic()?.into_inner();
    let decision = answer.decision.ok_or_else(|| miette::miette!("an answer without decision"))?;
    stored_decision::of_answer(decision).into_diagnostic()
}

/// The first order of each remarkable kind in full, the others as a line.
fn tell(page: Page, decision: &Decision, truth: &OrderTruth, tally: &mut Tally) -> Shown {
    let archetype = truth.archetype.as_str();
    let action = decision.actions.first().map_or("none", |first| first.action.as_str());
    *tally.by_archetype.entry(archetype).or_default().entry(action).or_default() += 1;
    let is_told_apart = matches!(
        truth.archetype,
        Archetype::Family | Archetype::CouponGang | Archetype::ResellerRing | Archetype::StolenCard
    );
    if is_told_apart && !tally.shown_in_full.contains(&truth.archetype) {
        tally.shown_in_full.push(truth.archetype);
        say(format!("\n━━━ synthetic truth: {archetype} ━━━"));
        say(page.decision(decision));
        return Shown::InFull;
    }
    let is_plain =
        truth.is_good && decision.actions.first().is_none_or(|first| releases(first.action));
    let (lines, lines_max) = if is_plain {
        (&mut tally.plain_lines, PLAIN_LINES_MAX)
    } else {
        (&mut tally.remarkable_lines, REMARKABLE_LINES_MAX)
    };
    if lines_max <= *lines {
        return Shown::No;
    }
    *lines += 1;
    say(format!("{}   (synthetic truth: {archetype})", page.line(decision)));
    Shown::AsLine
}

/// Actions that need no person: the order goes out.
fn releases(action: ActionKind) -> bool {
    matches!(action, ActionKind::Approve | ActionKind::ApproveAndWatch | ActionKind::Expedite)
}

/// How much of an answer was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    InFull,
    AsLine,
    No,
}

fn draw(page: Page, decision: &Decision, kind: Archetype, folder: &Path) -> miette::Result<()> {
    let drawn = svg(&Page { ink: Ink::Ansi, ..page }.decision(decision));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join(format!("{}.svg", kind.as_str())), drawn))
        .into_diagnostic()
        .wrap_err_with(|| format!("drawing into {}", folder.display()))
}

/// A simulated person decides what the service did not simply approve.
async fn choose(
    engine: &Engine,
    operator: &mut SimulatedOperator,
    decision: &Decision,
    order: &Order,
    truth: &OrderTruth,
    tally: &mut Tally,
) -> miette::Result<()> {
    let offered: Vec<ActionKind> = decision.actions.iter().map(|offer| offer.action).collect();
    if offered.first().is_none_or(|first| releases(*first)) {
        return Ok(());
    }
    let is_foreign = order.countries.ip.as_deref().is_some_and(|country| country != "CN");
    let origin = if is_foreign { Origin::Foreign } else { Origin::Domestic };
    let chosen = operator.choose(&offered, truth, origin);
    let opened_at = decision.times.received_time;
    let choice = OperatorChoice {
        choice_id: format!("synthetic-choice-{}", decision.decision_id).into(),
        decision_id: decision.decision_id,
        operator_id: "synthetic-operator".into(),
        action: chosen.action,
        chosen_rank: chosen.chosen_rank,
        override_reason: chosen.override_reason,
        note: None,
        opened_at: Some(opened_at),
        decided_at: opened_at + chosen.delay,
        review: None,
    };
    engine.record_choice(choice, clock::now()).await.into_diagnostic()?;
    tally.n_choices += 1;
    Ok(())
}

fn where_to_look(settings: &ServiceSettings, url: &str) {
    let data = settings.paths.data.display();
    say(format!(
        "Serving gRPC on {url} (health, reflection v1 and v1alpha).\n\
         Ask about an order yourself:   orderlens score docs/example-order.json --server {url}\n\
         Recorded in:                   {data}\n\
         Make every decision again:     orderlens replay --data {data}   (after stopping)"
    ));
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "First recommended action by synthetic truth:")?;
        for (archetype, actions) in &self.by_archetype {
            let n: u32 = actions.values().sum();
            let mut shares: Vec<_> = actions.iter().collect();
            shares.sort_by(|a, b| b.1.cmp(a.1));
            let shares: Vec<_> =
                shares.into_iter().map(|(action, n)| format!("{action} {n}")).collect();
            writeln!(f, "  {archetype:<22} {n:>5}   {}", shares.join(", "))?;
        }
        writeln!(f, "{} choices of a simulated operator were recorded.", self.n_choices)
    }
}
