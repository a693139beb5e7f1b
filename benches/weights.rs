//! What does a weight of the strategy cost an order?
//!
//! `cargo bench --bench weights`: after some days of a synthetic marketplace each order is
//! judged by the shipped strategy (all weights 1) and by the same with `address = 1.5`, in
//! turn, in one process. Shown are the times of a whole judgment (features, scores,
//! contributions, decision) and the ratio of the two, order by order, for the orders that both
//! release: one that a weight makes suspicious is explained further, which takes its time.
//! Budget: nothing measurable; the quartiles of the ratio enclose 1.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

#[path = "shared/placed.rs"]
mod placed;

use std::sync::Arc;
use std::time::Instant;

use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::domain::decision::{ActionKind, Decision, DecisionId};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::record::{ReceivedEvent, Record, ScoreRequest};
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::judge_order::{Judge, Stamp};
use orderlens::workflow::state::State;
use uuid::Uuid;

use crate::placed::request;

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// Orders that only fill the graph, then orders that are timed.
const N_BEFORE: u32 = 4_000;
const N_TIMED: usize = 1_000;
/// Each order is judged so often by either strategy.
const ROUNDS: usize = 9;

fn main() {
    let settings = shipped().expect("the shipped settings are tested");
    let plain = load_judge(&settings).expect("run it where the shipped bundle is");
    let toml = EMBEDDED_STRATEGY.replace("address = 1.0", "address = 1.5");
    assert_ne!(toml, EMBEDDED_STRATEGY, "the strategy has other words");
    let strategy = reader(&plain)(&toml).expect("a strategy without mistakes");
    let weighted = plain.with_strategy(Arc::new(strategy));
    let background = engine_settings(&settings).background;
    let mut state = State::empty(BackgroundRule { every_approved: 0, ..background });
    let identity = IdentityKey::from_secret(b"the secret of a bench");
    let (mut n_orders, mut times) = (0, Vec::new());
    for told in Simulation::new(SimulationSettings::new(3, START, 30, 400), identity) {
        let event = told.event;
        if let Some(request) = request(&event) {
            n_orders += 1;
            if N_BEFORE < n_orders {
                times.extend(time_both(&mut state, [&plain, &weighted], &request));
            }
        }
        if times.len() == N_TIMED {
            break;
        }
        let received_time = event.known_at();
        state.fold(&Record::Event(ReceivedEvent { event, received_time }));
    }
    let column = |of: fn(&[f64; 2]) -> f64| -> Vec<f64> {
        let mut column: Vec<f64> = times.iter().map(of).collect();
        column.sort_by(f64::total_cmp);
        column
    };
    let quartile = |column: &[f64], n: usize| column[n * (column.len() - 1) / 4];
    let (ones, others) = (column(|it| it[0]), column(|it| it[1]));
    let ratios = column(|it| it[1] / it[0]);
    println!(
        "{} released orders: {:.1} µs at the median with weights of 1, {:.1} µs with a weight of 1.5",
        times.len(),
        quartile(&ones, 2),
        quartile(&others, 2)
    );
    println!(
        "ratio by order: quartiles {:.4} {:.4} {:.4}",
        quartile(&ratios, 1),
        quartile(&ratios, 2),
        quartile(&ratios, 3)
    );
}

/// Median microseconds of both judges; `None` unless both release the order.
fn time_both(state: &mut State, judges: [&Judge; 2], request: &ScoreRequest) -> Option<[f64; 2]> {
    let decision_id = DecisionId(Uuid::from_u128(1));
    let stamp = Stamp { decision_id, received_time: request.event_time };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        // Who comes second finds the caches warm: they take turns.
        for at in [round % 2, 1 - round % 2] {
            let started = Instant::now();
            let decision = judges[at].judge(state, request, &stamp, || 0);
            times[at].push(started.elapsed().as_secs_f64() * 1e6);
            if !is_released(&decision) {
                return None;
            }
        }
    }
    Some(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    }))
}

fn is_released(decision: &Decision) -> bool {
    let first = decision.actions.first().map(|it| it.action);
    matches!(first, Some(ActionKind::Approve | ActionKind::Expedite))
}
