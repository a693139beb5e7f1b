//! A data folder with as many decisions as asked for, made once and used again.
//!
//! Some thousand orders of a synthetic marketplace are judged with the shipped bundle.
//! The others are theirs in marketplaces beside it: the same days and goods, but other
//! people, devices and addresses, so the graph is as wide as with a million real orders.
//! Of the orders that are stopped, a half gets a choice within hours and the others never
//! do: what is left waits for a person. Most orders that are released were asked about
//! without an explanation, or a million would not fit on a small disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use orderlens::cli::output::bar;
use orderlens::cli::settings::{engine_settings, load_judge, shipped};
use orderlens::domain::decision::{ActionKind, Decision, DecisionId};
use orderlens::domain::entity::{EntityKey, EntityRef, IdentityKey};
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::feedback::{
    OperatorChoice, Outcome, OutcomeKind, OutcomeSource, OverrideReason,
};
use orderlens::domain::record::{
    GraphActivated, ModelActivated, ReceivedEvent, Record, ScoredOrder, StrategyActivated,
};
use orderlens::domain::scramble::{SEED_STEP, scramble};
use orderlens::domain::strategy_version::Signature;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::Journal;
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::log::submit_when_room;
use orderlens::store::records;
use orderlens::store::records::follow::catch_up;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::judge_order::{Judge, Stamp};
use orderlens::workflow::start_engine::EngineSettings;
use orderlens::workflow::state::State;
use uuid::Uuid;

use crate::placed::request;

/// Orders that are judged; the others are theirs beside them.
const N_JUDGED: usize = 10_000;
const ORDERS_PER_DAY: u32 = 500;
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
/// One of so many stopped orders is never chosen about.
const FORGOTTEN: u64 = 2;
/// One of so many released orders was asked about with an explanation.
const EXPLAINED: u64 = 8;
/// One of so many orders is followed by an outcome.
const WITH_OUTCOME: u64 = 50;
/// How soon people choose, at the latest.
const CHOICE_WITHIN: Span = Span::hours(12);
const OPERATORS: u64 = 12;
/// What is in the folder; a change of it makes the folders anew.
const FORMAT: &str = "console-2";
const MARK: &str = "complete";

/// Facts that happen later than what caused them, by when they happen.
type Later = BTreeMap<(Timestamp, Box<str>), Fact>;

/// A folder that is made.
pub(crate) struct Made {
    pub(crate) folder: PathBuf,
    pub(crate) engine: EngineSettings,
    pub(crate) judge: Judge,
    pub(crate) n_decisions: u64,
}

/// The folder with so many decisions: the one of before when it is still right.
pub(crate) fn folder_of(n_decisions: u64) -> Made {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let folder = parent.join(format!("console-{n_decisions}"));
    let mut settings = shipped().expect("the shipped settings are tested");
    folder.clone_into(&mut settings.paths.data);
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let engine = engine_settings(&settings);
    let mark = format!("{FORMAT} {} {}", judge.bundle().hash(), judge.strategy().strategy.hash);
    let made = Made { folder, engine, judge, n_decisions };
    if fs::read_to_string(made.folder.join(MARK)).is_ok_and(|found| found == mark) {
        return made;
    }
    if made.folder.exists() {
        fs::remove_dir_all(&made.folder).expect("what was half made goes");
    }
    made.fill();
    fs::write(made.folder.join(MARK), mark).expect("the disk has room");
    made
}

impl Made {
    /// The id of the `n`th decision of the folder.
    pub(crate) fn decision_id(n: u64) -> DecisionId {
        // Ids of the service rise with time, and so do these.
        DecisionId(Uuid::from_u128((u128::from(n + 1) << 80) | (7 << 76) | (0b10 << 62)))
    }

    /// The id of a decision that was asked for with an explanation, drawn by a number.
    pub(crate) fn explained(&self, drawn: u64) -> DecisionId {
        Self::decision_id(drawn % self.n_decisions / EXPLAINED * EXPLAINED)
    }

    /// Bytes of a part of the folder, or of all of it.
    pub(crate) fn bytes(&self, part: &str) -> u64 {
        size_of(&self.folder.join(part))
    }

    fn fill(&self) {
        let started = Instant::now();
        let dir = self.engine.data_dir.join("journal");
        let (journal, _) = Journal::open(&dir, self.engine.journal).expect("an empty folder");
        for record in self.activations() {
            write_to(&journal, &record);
        }
        let judged = self.judged();
        println!("{:8.1} s  judging {} orders", started.elapsed().as_secs_f64(), judged.len());
        let started = Instant::now();
        self.write_all(&journal, &judged);
        drop(judged);
        journal.close().expect("the disk took everything");
        println!("{:8.1} s  writing the journal", started.elapsed().as_secs_f64());
        let started = Instant::now();
        self.fill_records();
        println!("{:8.1} s  filling the records", started.elapsed().as_secs_f64());
    }

    fn activations(&self) -> [Record; 3] {
        let strategy = self.judge.strategy();
        let signature = || Signature { by: "".into(), at: START, note: "".into() };
        let settings = self.engine.graph.to_json().into_boxed_str();
        [
            Record::GraphActivated(GraphActivated { settings, at: START }),
            Record::StrategyActivated(StrategyActivated {
                name: strategy.strategy.name.clone(),
                hash: strategy.strategy.hash.clone(),
                toml: (*strategy.toml).into(),
                signature: signature(),
                staged_percent: None,
            }),
            Record::ModelActivated(ModelActivated {
                name: self.judge.bundle().full_name(),
                hash: self.judge.bundle().hash().into(),
                signature: signature(),
                report_hash: "".into(),
            }),
        ]
    }

    /// The orders of a marketplace, judged as they come.
    fn judged(&self) -> Vec<ScoredOrder> {
        let n_judged = usize::try_from(self.n_decisions).expect("few").min(N_JUDGED);
        let days = u32::try_from(n_judged).expect("few") / ORDERS_PER_DAY + 2;
        let settings = SimulationSettings::new(3, START, days, ORDERS_PER_DAY);
        let identity = IdentityKey::from_secret(b"the secret of a bench");
        let rule = BackgroundRule { every_approved: 0, ..self.engine.background };
        let mut state = State::empty(rule);
        let mut judged = Vec::with_capacity(n_judged);
        let progress = bar(n_judged as u64, "orders");
        let mut n_prices = 0_usize;
        for told in Simulation::new(settings, identity) {
            let event = told.event;
            let received_time = event.known_at();
            n_prices += usize::from(matches!(event.fact, Fact::MarketPrice(_)));
            if matches!(event.fact, Fact::MarketPrice(_)) && !n_prices.is_multiple_of(PRICE_STEP) {
                continue;
            }
            let Some(request) = request(&event) else {
                state.fold(&Record::Event(ReceivedEvent { event, received_time }));
                continue;
            };
            let decision_id = Self::decision_id(judged.len() as u64);
            let stamp = Stamp { decision_id, received_time };
            let decision = self.judge.judge(&mut state, &request, &stamp, || 0).into();
            let scored = ScoredOrder { request, decision };
            state.fold(&Record::Decision(Arc::new(scored.clone())));
            judged.push(scored);
            progress.inc(1);
            if judged.len() == n_judged {
                break;
            }
        }
        progress.finish_and_clear();
        judged
    }

    /// Writes every judged order once per marketplace, and what follows in its time.
    fn write_all(&self, journal: &Journal, judged: &[ScoredOrder]) {
        let n_rounds = self.n_decisions.div_ceil(judged.len() as u64);
        let progress = bar(self.n_decisions, "decisions");
        let mut later = Later::new();
        let mut n = 0;
        for (at, scored) in judged.iter().enumerate() {
            let now = scored.decision.times.received_time;
            let next = judged.get(at + 1).map_or(now, |next| next.decision.times.received_time);
            for round in 0..n_rounds {
                if n == self.n_decisions {
                    break;
                }
                let gap = (next - now).0.max(0);
                let shift = Span(gap * round.cast_signed() / n_rounds.cast_signed());
                let copy = beside(scored, (n, round), shift);
                while let Some(first) = later.first_entry()
                    && first.key().0 <= copy.decision.times.received_time
                {
                    let ((event_time, event_id), fact) = first.remove_entry();
                    let event = Event { event_id, event_time, ingest_time: None, fact };
                    let received = ReceivedEvent { event, received_time: event_time };
                    write_to(journal, &Record::Event(received));
                }
                what_follows(&copy, n, &mut later);
                write_to(journal, &Record::Decision(Arc::new(copy)));
                n += 1;
                progress.set_position(n);
            }
        }
        progress.finish_and_clear();
    }

    fn fill_records(&self) {
        let reader = JournalReader::open(&self.engine.data_dir.join("journal")).expect("a journal");
        let end = reader.durable_position();
        let path = self.engine.data_dir.join("records.sqlite");
        let (mut writer, answers, _) = records::open(&path, end).expect("an empty folder");
        catch_up(&reader, &mut writer, 20 * self.engine.records_batch_max)
            .expect("a whole journal");
        drop(answers);
    }
}

/// The order as another marketplace would have it, and the answer to it.
fn beside(scored: &ScoredOrder, (n, round): (u64, u64), shift: Span) -> ScoredOrder {
    let mut copy = scored.clone();
    let rename = |id: &str| format!("{id}-{round}").into_boxed_str();
    let request = &mut copy.request;
    request.request_id = rename(&request.request_id);
    request.event_time = request.event_time + shift;
    request.order.key.order_id = rename(&request.order.key.order_id);
    for entity in &mut request.order.entities {
        become_other(entity, round);
    }
    let decision = Arc::make_mut(&mut copy.decision);
    decision.decision_id = Made::decision_id(n);
    decision.request_id = copy.request.request_id.clone();
    decision.order = copy.request.order.key.clone();
    decision.times.event_time = decision.times.event_time + shift;
    decision.times.received_time = decision.times.received_time + shift;
    for node in &mut decision.evidence.nodes {
        become_other(&mut node.entity, round);
    }
    let is_released = decision.actions.first().is_none_or(|first| first.action.is_release());
    if is_released && !n.is_multiple_of(EXPLAINED) {
        shorten(decision);
        copy.request.max_contributions = 0;
    }
    copy
}

/// Leaves out what explains; sums that are told stay as they are.
fn shorten(decision: &mut Decision) {
    for risk in &mut decision.risks {
        risk.contributions.clear();
        risk.groups.clear();
        risk.entities.clear();
    }
    decision.impacts.truncate(1);
    decision.missing_inputs.clear();
}

/// People and their things are others in another marketplace, goods and shops are the same.
fn become_other(entity: &mut EntityRef, round: u64) {
    if let EntityKey::Hashed(hash) = &mut entity.key {
        // Odd, so no two marketplaces share a pseudonym by it.
        let step = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128;
        *hash = hash.wrapping_add(step.wrapping_mul(round.into()));
    }
}

/// What people choose about an order, and what the world does later.
fn what_follows(scored: &ScoredOrder, n: u64, later: &mut Later) {
    let decision = &scored.decision;
    let now = decision.times.received_time;
    let drawn = scramble((n + 1).wrapping_mul(SEED_STEP));
    let first = decision.actions.first().map_or(ActionKind::Approve, |it| it.action);
    if !first.is_release() && !drawn.is_multiple_of(FORGOTTEN) {
        let waits = i64::try_from(drawn >> 16).unwrap_or(0) % CHOICE_WITHIN.0;
        let opened_at = now + Span(waits);
        let takes = Span(Span::SECOND.0 * (20 + i64::try_from(drawn % 180).unwrap_or(0)));
        let (at, choice_id) = (opened_at + takes, format!("choice-{n}").into_boxed_str());
        let agrees = !(drawn >> 8).is_multiple_of(5);
        let choice = OperatorChoice {
            choice_id: choice_id.clone(),
            decision_id: decision.decision_id,
            operator_id: format!("operator-{}", (drawn >> 32) % OPERATORS).into(),
            action: if agrees { first } else { ActionKind::Approve },
            chosen_rank: agrees.then_some(1),
            override_reason: (!agrees).then_some(OverrideReason::KnownCustomer),
            note: None,
            opened_at: Some(opened_at),
            decided_at: at,
            review: None,
        };
        later.insert((at, format!("choice/{choice_id}").into()), Fact::Choice(choice));
    }
    if drawn.is_multiple_of(WITH_OUTCOME) {
        let at = now + Span::days(i64::try_from(drawn % 9).unwrap_or(0) + 1);
        let is_bad = (drawn >> 40).is_multiple_of(10);
        let outcome_id = format!("outcome-{n}").into_boxed_str();
        let kind = if is_bad { OutcomeKind::ChargebackOpened } else { OutcomeKind::DeliveredOk };
        let outcome = Outcome {
            outcome_id: outcome_id.clone(),
            decision_id: Some(decision.decision_id),
            order: Some(decision.order.clone()),
            kind,
            amount: scored.request.order.amount,
            occurred_at: at,
            source: if is_bad { OutcomeSource::Network } else { OutcomeSource::Carrier },
            source_ref: None,
            retracts: None,
            told_by: None,
        };
        later.insert((at, format!("outcome/{outcome_id}").into()), Fact::Outcome(outcome));
    }
}

/// Writes a record that nobody waits for; closing the journal makes it durable.
fn write_to(journal: &Journal, record: &Record) {
    submit_when_room(&journal.writer(), record, |_| {}).expect("the disk has room");
}

fn size_of(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |file| file.len());
    };
    entries.filter_map(Result::ok).map(|entry| size_of(&entry.path())).sum()
}
