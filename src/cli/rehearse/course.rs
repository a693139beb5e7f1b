//! The course of a rehearsal, day by day.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use miette::IntoDiagnostic;
use serde::Serialize;

use crate::cli::clock;
use crate::cli::output::{bar, spinner};
use crate::cli::rehearse::days::{IN_FLIGHT, Notes, Run};
use crate::cli::rehearse::learning::first_model;
use crate::cli::rehearse::truth_money::{Frozen, TruthMoney, truth_money};
use crate::cli::rehearse::world::World;
use crate::cli::serve::{identity, new_decision_id};
use crate::cli::settings::{
    bundle_reader, engine_settings, graph_settings, judge_with, reader, shipped,
};
use crate::config::service::ServiceSettings;
use crate::domain::decision::Decision;
use crate::domain::event::Event;
use crate::domain::experiment_report::ExperimentReport;
use crate::domain::time::{Span, Timestamp};
use crate::simulator::settings::{Drift, SimulationSettings};
use crate::simulator::world::Simulation;
use crate::workflow::engine::Engine;
use crate::workflow::judge_order::Judge;
use crate::workflow::retrain_model::RetrainReport;
use crate::workflow::service::OrderService as _;
use crate::workflow::start_engine::{EngineInputs, start_engine};

/// Days before the rehearsal on which bad rings change their tactics.
const DRIFT_DAYS_BEFORE: u32 = 5;

/// What to rehearse.
#[derive(Clone, Debug)]
pub struct Course {
    /// Seed of the market.
    pub seed: u64,
    /// Days that are served.
    pub days: u32,
    /// Days before them.
    pub history_days: u32,
    /// Orders per day, about.
    pub orders_per_day: u32,
    /// First day of the history.
    pub start: Timestamp,
    /// Folder of everything.
    pub output: PathBuf,
}

/// What the rehearsal showed.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsal {
    /// Always true: nothing here happened.
    pub is_synthetic: bool,
    /// Seed of the market.
    pub seed: u64,
    /// Days that were served.
    pub days: u32,
    /// Orders that were judged.
    pub n_orders: u64,
    /// Choices of operators.
    pub n_choices: u64,
    /// Facts that came later than they happened, or twice.
    pub n_late_facts: u64,
    /// Facts that never came, since their order was stopped.
    pub n_stopped_facts: u64,
    /// Operators that were caught, with the day.
    pub caught: BTreeMap<Box<str>, u32>,
    /// Every retraining, with the day.
    pub retrainings: Vec<(u32, RetrainReport)>,
    /// Every experiment, at its end.
    pub experiments: Vec<ExperimentReport>,
    /// Bundles that were promoted, with the day.
    pub promoted: Vec<(u32, Box<str>)>,
    /// Money against the model of day 0.
    pub money: TruthMoney,
}

/// Rehearses.
///
/// # Errors
/// When a part of the loop fails.
pub async fn rehearsal(course: &Course) -> miette::Result<Rehearsal> {
    let mut settings = shipped()?;
    settings.paths.data = course.output.join("data");
    settings.paths.models = course.output.join("models");
    let day_0 = course.start + Span::days(i64::from(course.history_days));
    let mut simulation = simulation(course)?.peekable();
    let mut past = Vec::new();
    while let Some(told) = simulation.next_if(|told| told.event.known_at() < day_0) {
        past.push(told.event);
    }
    let graph = graph_settings(&settings);
    let first = first_model(&settings.paths.models, &past, (course.start, day_0), &graph)?;
    let judge = judge_with(&settings, first)?;
    let engine = open(&settings, &judge, course.start)?;
    remember(&engine, past).await?;
    let world = World::new(simulation, course.seed);
    let mut run = Run::new(course, (&engine, &settings), judge.clone(), world);
    let progress = bar(u64::from(course.days), "days");
    for day in 0..course.days {
        progress.set_position(u64::from(day));
        run.live(day, day_0 + Span::days(i64::from(day)), &progress).await?;
    }
    progress.finish_and_clear();
    let Run { world, notes, .. } = run;
    let money = {
        let progress = spinner("records");
        progress.set_message("pricing every order");
        let frozen =
            Frozen { bundle: judge.bundle(), strategy: &judge.strategy().strategy, graph: &graph };
        let reader = engine.journal_reader();
        let truth = |decision: &Decision| world.truth(&decision.order);
        truth_money(&reader, frozen, day_0, truth, &mut |n| progress.set_position(n))?
    };
    engine.stop();
    let Notes { n_orders, n_choices, n_late_facts, caught, retrainings, experiments, promoted } =
        notes;
    Ok(Rehearsal {
        is_synthetic: true,
        seed: course.seed,
        days: course.days,
        n_orders,
        n_choices,
        n_late_facts,
        n_stopped_facts: world.n_stopped_facts(),
        caught,
        retrainings,
        experiments,
        promoted,
        money,
    })
}

fn simulation(course: &Course) -> miette::Result<Simulation> {
    let n_days = course.history_days + course.days;
    let drift = Drift::From { day: course.history_days.saturating_sub(DRIFT_DAYS_BEFORE) };
    let settings =
        SimulationSettings::new(course.seed, course.start, n_days, course.orders_per_day);
    Ok(Simulation::new(SimulationSettings { drift, ..settings }, identity()?))
}

fn open(settings: &ServiceSettings, judge: &Judge, now: Timestamp) -> miette::Result<Engine> {
    let inputs = EngineInputs {
        read_strategy: reader(judge),
        read_bundle: bundle_reader(settings),
        judge: judge.clone(),
        new_id: new_decision_id,
        nanos: clock::nanos,
        now,
    };
    start_engine(&engine_settings(settings), &inputs).into_diagnostic()
}

async fn remember(engine: &Engine, past: Vec<Event>) -> miette::Result<()> {
    let progress = bar(past.len() as u64, "facts");
    progress.set_message("the past");
    let told = futures_util::stream::iter(past).map(|event| {
        let received = event.known_at();
        engine.ingest_event(event, received)
    });
    let mut told = told.buffered(IN_FLIGHT);
    while let Some(ack) = told.next().await {
        ack.into_diagnostic()?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}
