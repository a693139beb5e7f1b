//! The days of a rehearsal: what people do, and what comes.

use std::collections::BTreeMap;
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use indicatif::ProgressBar;
use miette::IntoDiagnostic;

use crate::cli::rehearse::course::Course;
use crate::cli::rehearse::learning::{BUNDLE, params, save};
use crate::cli::rehearse::world::{Arrival, World};
use crate::cli::settings::graph_settings;
use crate::config::service::ServiceSettings;
use crate::domain::experiment_draft::{ArmDraft, Ending, ExperimentDraft, ReportAt};
use crate::domain::experiment_report::{Advice, ExperimentReport};
use crate::domain::operators::Habit;
use crate::domain::record::ScoreRequest;
use crate::domain::strategy_version::Signer;
use crate::domain::time::{Span, Timestamp};
use crate::model::bundle::Bundle;
use crate::workflow::engine::Engine;
use crate::workflow::experiment_service::ExperimentService as _;
use crate::workflow::judge_order::Judge;
use crate::workflow::model_service::ModelService as _;
use crate::workflow::retrain_model::{RetrainReport, Retraining};
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;
use crate::workflow::strategy_service::StrategyService as _;

/// Facts on their way to the journal at a time.
pub const IN_FLIGHT: usize = 512;
/// Days of the rehearsal on which a challenger is trained.
const RETRAIN_DAYS: [u32; 3] = [14, 28, 42];
/// Every head of the synthetic market is final after so long.
const MATURITY: Span = Span::days(45);
/// Days that a challenger is compared with the champion on real orders.
const EXPERIMENT_DAYS: u32 = 6;
/// The day on which the careless operator begins.
const CARELESS_DAY: u32 = 3;
/// The day on which a strategy that stops far too much is tried.
const NERVOUS_DAY: u32 = 22;
/// How long what follows an order counts in an experiment.
const HORIZON_DAYS: i64 = 45;

/// What runs through the days.
#[derive(Debug)]
pub struct Run<'a> {
    course: &'a Course,
    engine: &'a Engine,
    settings: &'a ServiceSettings,
    /// What goes on around the service.
    pub world: World,
    judge: Judge,
    /// What was seen so far.
    pub notes: Notes,
    running: Option<Running>,
}

/// An experiment that runs.
#[derive(Debug)]
struct Running {
    id: Box<str>,
    ends_on: u32,
    challenger: Option<Promotion>,
}

/// A bundle to promote when nothing speaks against it, and the hash of what the gate said.
#[derive(Debug)]
struct Promotion {
    bundle: Box<str>,
    gate_hash: Box<str>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Notes {
    /// Orders that were judged.
    pub n_orders: u64,
    /// Choices of operators.
    pub n_choices: u64,
    /// Facts that came later than they happened, or twice.
    pub n_late_facts: u64,
    /// Operators that were caught, with the day.
    pub caught: BTreeMap<Box<str>, u32>,
    /// Every retraining, with the day.
    pub retrainings: Vec<(u32, RetrainReport)>,
    /// Every experiment, at its end.
    pub experiments: Vec<ExperimentReport>,
    /// Bundles that were promoted, with the day.
    pub promoted: Vec<(u32, Box<str>)>,
}

impl<'a> Run<'a> {
    /// Before the first day.
    pub fn new(
        course: &'a Course,
        (engine, settings): (&'a Engine, &'a ServiceSettings),
        judge: Judge,
        world: World,
    ) -> Self {
        Self { course, engine, settings, world, judge, notes: Notes::default(), running: None }
    }

    /// A day from an instant on.
    ///
    /// # Errors
    /// When a part of the loop fails.
    pub async fn live(
        &mut self,
        day: u32,
        from: Timestamp,
        progress: &ProgressBar,
    ) -> miette::Result<()> {
        let end = from + Span::DAY;
        self.morning(day, from).await?;
        self.day(end, progress).await?;
        self.evening(day, end).await
    }

    /// What people do before the first order of a day.
    async fn morning(&mut self, day: u32, now: Timestamp) -> miette::Result<()> {
        if day == CARELESS_DAY {
            self.world.hire_careless();
        }
        if self.running.as_ref().is_some_and(|it| it.ends_on <= day) {
            self.end_experiment(day, now).await?;
        }
        if RETRAIN_DAYS.contains(&day) && self.running.is_none() {
            self.retrain(day, now).await?;
        }
        if day == NERVOUS_DAY && self.running.is_none() {
            self.try_nervous(day, now).await?;
        }
        Ok(())
    }

    /// Orders, facts and choices of a day, as they come.
    async fn day(&mut self, end: Timestamp, progress: &ProgressBar) -> miette::Result<()> {
        let engine = self.engine;
        let mut on_their_way = FuturesUnordered::new();
        while let Some(arrival) = self.world.next_before(end) {
            match arrival {
                Arrival::Order(placed) => {
                    let (event, order, truth) = *placed;
                    let request = ScoreRequest {
                        request_id: format!("synthetic-{}", event.event_id).into(),
                        event_time: event.event_time,
                        order,
                        max_actions: 3,
                        max_contributions: 12,
                    };
                    let order = request.order.clone();
                    let answer = engine.score_order(request, event.known_at()).await;
                    let decision = answer.into_diagnostic()?.decision;
                    self.world.decided(&decision, &order, &truth);
                    self.notes.n_orders += 1;
                    progress.set_message(format!("{} orders", self.notes.n_orders));
                }
                Arrival::Fact(event, received) => {
                    self.notes.n_late_facts += u64::from(event.known_at() < received);
                    on_their_way.push(Box::pin(engine.ingest_event(*event, received)));
                }
                Arrival::Choice(choice, received) => {
                    self.notes.n_choices += 1;
                    engine.record_choice(*choice, received).await.into_diagnostic()?;
                }
            }
            // One look puts the facts into line, before the next order; their flush can wait.
            while let Poll::Ready(Some(ack)) = futures_util::poll!(on_their_way.next()) {
                ack.into_diagnostic()?;
            }
            while IN_FLIGHT / 2 < on_their_way.len() {
                on_their_way.next().await.transpose().into_diagnostic()?;
            }
        }
        while let Some(ack) = on_their_way.next().await {
            ack.into_diagnostic()?;
        }
        Ok(())
    }

    /// What people see at the end of a day.
    async fn evening(&mut self, day: u32, now: Timestamp) -> miette::Result<()> {
        for operator in self.engine.list_operators().await.into_diagnostic()? {
            if operator.habit == Habit::RubberStamp
                && !self.notes.caught.contains_key(&operator.operator_id)
            {
                self.world.dismiss(&operator.operator_id);
                self.notes.caught.insert(operator.operator_id, day);
            }
        }
        // A guardrail that ended the experiment needs nobody to look.
        let is_over = match &self.running {
            Some(running) => self.report_of(&running.id, now).await?.ended.is_some(),
            None => false,
        };
        if is_over {
            self.end_experiment(day, now).await?;
        }
        Ok(())
    }

    async fn retrain(&mut self, day: u32, now: Timestamp) -> miette::Result<()> {
        let version = format!("day-{day}");
        let champion = self.champion().await?;
        let graph = graph_settings(self.settings);
        let reader = self.engine.journal_reader();
        let retraining = Retraining {
            reader: &reader,
            champion: &champion,
            strategy: &self.judge.strategy().strategy,
            graph: &graph,
            from: self.course.start,
            as_of: now,
            maturity: MATURITY,
        };
        let challenger = tokio::task::block_in_place(|| {
            retraining.challenger(&params(&version), &mut |_| {}).into_diagnostic()
        })?;
        save(&self.settings.paths.models, &challenger.bundle)?;
        let report = challenger.report();
        let (bundle, gate_hash) = (report.bundle.clone(), report.gate_hash.clone());
        self.notes.retrainings.push((day, report));
        if !challenger.is_passed() {
            return Ok(());
        }
        let arm = ArmDraft {
            name: "challenger".into(),
            share: 0.5,
            model: Some(bundle.clone()),
            strategy: None,
        };
        let id = format!("model-{version}").into();
        self.start(
            id,
            arm,
            100,
            (day + EXPERIMENT_DAYS, Some(Promotion { bundle, gate_hash })),
            now,
        )
        .await
    }

    /// A strategy that fears losses forty times as much as it should: it stops good customers.
    async fn try_nervous(&mut self, day: u32, now: Timestamp) -> miette::Result<()> {
        let toml =
            self.judge.strategy().toml.replace("loss_fixed_minor = ", "loss_fixed_minor = 99");
        let toml = toml.replace("name = \"standard\"", "name = \"nervous\"");
        let by = |name: &str| Signer { by: name.into(), note: "rehearsal".into() };
        let engine = self.engine;
        let ledger = engine.propose_strategy(toml, by("synthetic-wang"), now).await;
        let hash = ledger.into_diagnostic()?.versions().last().map(|it| it.hash.clone());
        let hash = hash.ok_or_else(|| miette::miette!("the proposal is not listed"))?;
        engine.approve_strategy(hash.clone(), by("synthetic-lin"), now).await.into_diagnostic()?;
        let arm =
            ArmDraft { name: "nervous".into(), share: 0.5, model: None, strategy: Some(hash) };
        self.start("nervous".into(), arm, 40, (day + EXPERIMENT_DAYS, None), now).await
    }

    async fn start(
        &mut self,
        id: Box<str>,
        arm: ArmDraft,
        percent: u32,
        (ends_on, challenger): (u32, Option<Promotion>),
        now: Timestamp,
    ) -> miette::Result<()> {
        let control = ArmDraft { name: "control".into(), share: 0.5, model: None, strategy: None };
        let draft = ExperimentDraft {
            id: id.clone(),
            arms: vec![control, arm],
            percent,
            holdout_percent: 0,
            guardrails: Vec::new(),
            orders_min: 1_000,
            horizon: Span::days(HORIZON_DAYS),
        };
        let by = Signer { by: "synthetic-analyst".into(), note: "rehearsal".into() };
        self.engine.start_experiment(draft, by, now).await.into_diagnostic()?;
        self.running = Some(Running { id, ends_on, challenger });
        Ok(())
    }

    async fn end_experiment(&mut self, day: u32, now: Timestamp) -> miette::Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let by = || Signer { by: "synthetic-analyst".into(), note: "rehearsal".into() };
        if self.report_of(&running.id, now).await?.ended.is_none() {
            let ended = self.engine.end_experiment(running.id.clone(), Ending::Finished, by(), now);
            ended.await.into_diagnostic()?;
        }
        let report = self.report_of(&running.id, now).await?;
        let is_safe = !matches!(report.advice, Advice::StopHarm | Advice::Refused);
        self.notes.experiments.push(report);
        if let Some(Promotion { bundle, gate_hash }) = running.challenger.filter(|_| is_safe) {
            let promoted = self.engine.promote_model(bundle.clone(), gate_hash, by(), now);
            promoted.await.into_diagnostic()?;
            self.notes.promoted.push((day, bundle));
        }
        Ok(())
    }

    async fn report_of(&self, id: &str, now: Timestamp) -> miette::Result<ExperimentReport> {
        self.engine.report_experiment(id.into(), ReportAt::Now(now)).await.into_diagnostic()
    }

    async fn champion(&self) -> miette::Result<Bundle> {
        let ledger = self.engine.list_models().await.into_diagnostic()?;
        let active = ledger.active().ok_or_else(|| miette::miette!("no model judges"))?;
        let version = active.name.strip_prefix(&format!("{BUNDLE}/")).unwrap_or(&active.name);
        Bundle::load(&self.settings.paths.models.join(BUNDLE).join(version)).into_diagnostic()
    }
}
