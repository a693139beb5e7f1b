//! C: evidence that may be looked at as often as one likes.

use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::rare_events::{EventBet, Events};
use orderlens::experiment::relative::ln_ratio;
use orderlens::experiment::sequence::Mixture;
use orderlens::experiment::shares::Count;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::differences::{Units, count};
use crate::gate::{Row, Suite, median, share};
use crate::rings::sizes;

const N_RUNS: u32 = 2_000;
const N_LOOKS: u32 = 200;
/// Units that come to an arm between two looks.
const UNITS_PER_LOOK: u32 = 100;
const ALPHA: f64 = 0.05;
const FALSE_FINDINGS: (f64, f64) = (0.0, 0.05);
/// Orders of both arms that an effect has to be found within, and those between two looks.
const ORDERS_MAX: u32 = 60_000;
const PER_LOOK: u32 = 100;
const BET: EventBet = EventBet { prior: (0.5, 0.5), treatment_share: 0.5 };

/// Ways to find an effect, each with its place among the figures.
const SEQUENCE: usize = 0;
const T_TEST: usize = 1;
const RELATIVE: usize = 2;
const GUARD: usize = 3;
const EVENTS_ALONE: usize = 4;
const LN_RATIO: usize = 5;

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, units) in [
        ("money", Units::Gamma),
        ("10 % event", Units::Event(0.1)),
        ("1 % event", Units::Event(0.01)),
        (".3 % event", Units::Event(0.003)),
        ("rare losses", Units::Loss),
    ] {
        let found = suite.measure(name, |dice| false_findings(units, dice));
        let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
        let mut gate = |at: usize, what: &str| {
            let name = format!("C-1 false findings, {name}{what}");
            rows.push(Row::gate(name, column(at), FALSE_FINDINGS));
        };
        gate(SEQUENCE, "");
        if matches!(units, Units::Event(_)) {
            gate(GUARD, ", guard");
            gate(EVENTS_ALONE, ", events alone");
            gate(LN_RATIO, ", log ratio");
        }
        let mut mutant = |at: usize, what: &str| {
            rows.push(Row::mutant(format!("{what}, {name}"), column(at), FALSE_FINDINGS));
        };
        mutant(T_TEST, "t-test at every look");
        // With a tenth of events the control is far enough from zero for the delta method.
        if matches!(name, "1 % event" | ".3 % event" | "rare losses") {
            mutant(RELATIVE, "relative sequence");
        }
    }
    rows.extend(in_rings(suite));
    rows.extend(power(suite));
    rows.push(power_of_ratios(suite));
    rows
}

/// Shares of experiments without an effect that find one, by each way.
fn false_findings(units: Units, dice: &mut ChaCha8Rng) -> [f64; 6] {
    let mixture = Mixture::new(ALPHA, 5_000.0);
    let guard = EventBet::guard(0.5);
    let mut n_found = [0_u32; 6];
    for _ in 0..N_RUNS {
        let mut arms = [Moments::default(); 2];
        let mut is_found = [false; 6];
        for look in 1..=u64::from(N_LOOKS) {
            for arm in &mut arms {
                let more = units.draw(UNITS_PER_LOOK, dice);
                *arm = if arm.n > 0.0 { arm.joined(&more) } else { more };
            }
            let [control, treatment] = arms.map(n_events);
            let events = Events { treatment, control };
            is_found[GUARD] |= guard.is_harm(events, ALPHA);
            is_found[EVENTS_ALONE] |= -ALPHA.ln() <= BET.ln_evidence(events);
            let counts = [control, treatment]
                .map(|count| Count { count, of: look * u64::from(UNITS_PER_LOOK) });
            let ratio = ln_ratio(counts[0], counts[1]);
            is_found[LN_RATIO] |= ratio.is_ok_and(|it| mixture.p(&it) <= ALPHA);
            let Ok(difference) = Difference::new(units.metric(), &arms[0], &arms[1]) else {
                continue;
            };
            is_found[SEQUENCE] |= mixture.p(&difference) <= ALPHA;
            is_found[T_TEST] |= difference.p() <= ALPHA;
            let relative = relative(units.metric(), &arms, difference);
            is_found[RELATIVE] |= mixture.p(&relative) <= ALPHA;
        }
        for (n, is_found) in n_found.iter_mut().zip(is_found) {
            *n += u32::from(is_found);
        }
    }
    n_found.map(|n| f64::from(n) / f64::from(N_RUNS))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of events, or of units of money where nobody counts"
)]
fn n_events(arm: Moments) -> u64 {
    (arm.mean * arm.n).round() as u64
}

/// The relative effect with the error that the delta method gives it.
fn relative(metric: Metric, arms: &[Moments; 2], difference: Difference) -> Difference {
    let [(c, spread_c), (x, spread_x)] =
        [&arms[0], &arms[1]].map(|it| metric.mean_and_variance(it));
    let variance = spread_x / (c * c) + x * x * spread_c / (c * c * c * c);
    Difference { effect: x / c - 1.0, standard_error: variance.sqrt(), ..difference }
}

/// C-1r: arms are drawn by ring, and what happens to one order of a ring happens to most.
fn in_rings(suite: &Suite<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for n_rings in [200, 1_000, 4_000] {
        let found = suite.measure(&format!("rings {n_rings}"), |dice| {
            let mut n_found = [0_u32; 3];
            for _ in 0..N_RUNS {
                for (n, is_found) in n_found.iter_mut().zip(ring_experiment(n_rings, dice)) {
                    *n += u32::from(is_found);
                }
            }
            n_found.map(|n| f64::from(n) / f64::from(N_RUNS))
        });
        let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
        let of = |what: &str| format!("{what}, {n_rings} rings");
        rows.push(Row::gate(of("C-1r first events"), column(0), FALSE_FINDINGS));
        rows.push(Row::gate(of("C-1r sums by ring"), column(1), FALSE_FINDINGS));
        rows.push(Row::mutant(of("every event by order"), column(2), FALSE_FINDINGS));
    }
    rows
}

/// Whether an effect that is not there is found by first events, by sums and by every event.
fn ring_experiment(n_rings: usize, dice: &mut ChaCha8Rng) -> [bool; 3] {
    const N_LOOKS: usize = 40;
    /// Rings where it happens, and how often it does there: 2 % of all orders.
    const AFFECTED: f64 = 0.025;
    const WITHIN: f64 = 0.8;
    const RINGS_EFFECTIVE_MIN: f64 = 30.0;
    let sizes = sizes(n_rings, dice);
    // Orders and events by look.
    let mut told = vec![Vec::new(); N_LOOKS];
    let arms: Vec<bool> = sizes.iter().map(|_| dice.r#gen()).collect();
    for (ring, size) in sizes.iter().enumerate() {
        let is_affected = dice.gen_bool(AFFECTED);
        for _ in 0..*size {
            let is_event = is_affected && dice.gen_bool(WITHIN);
            told[dice.gen_range(0..N_LOOKS)].push((ring, is_event));
        }
    }
    let (mixture, guard) = (Mixture::new(ALPHA, n_rings as f64), EventBet::guard(0.5));
    let mut seen = vec![(0.0, 0.0); n_rings];
    let (mut first, mut every) = (Events::default(), Events::default());
    let mut is_found = [false; 3];
    for orders in told {
        for (ring, is_event) in orders {
            let (n_events, n_orders) = &mut seen[ring];
            *n_orders += 1.0;
            if is_event {
                *by_arm(&mut every)[usize::from(arms[ring])] += 1;
                if *n_events == 0.0 {
                    *by_arm(&mut first)[usize::from(arms[ring])] += 1;
                }
                *n_events += 1.0;
            }
        }
        is_found[0] |= guard.is_harm(first, ALPHA);
        is_found[2] |= guard.is_harm(every, ALPHA);
        let mut sums = [Moments::default(); 2];
        let (mut n, mut squares) = (0.0, 0.0);
        for ((events, orders), is_treated) in seen.iter().zip(&arms) {
            if 0.0 < *orders {
                sums[usize::from(*is_treated)].add(*events, *orders);
                n += orders;
                squares += orders * orders;
            }
        }
        let is_enough = RINGS_EFFECTIVE_MIN <= n * n / squares;
        let difference = Difference::new(Metric::Ratio, &sums[0], &sums[1]);
        is_found[1] |= is_enough && difference.is_ok_and(|it| mixture.p(&it) <= ALPHA);
    }
    is_found
}

/// Control, then treatment.
fn by_arm(events: &mut Events) -> [&mut u64; 2] {
    [&mut events.control, &mut events.treatment]
}

/// C-2 and C-3: a guard that never stops anything would keep all of the above.
fn power(suite: &Suite<'_>) -> Vec<Row> {
    let guard = EventBet::guard(0.5);
    let mut rows = Vec::new();
    for (name, chances, bound) in
        [("C-2 .3 to .6 %", [0.003, 0.006], 0.95), ("C-3 1 to 1.3 %", [0.01, 0.013], 0.75)]
    {
        let found = suite.measure(name, |dice| {
            let stops: Vec<f64> =
                (0..N_RUNS).map(|_| orders_until_stop(&guard, chances, dice)).collect();
            let n_stopped = stops.iter().filter(|it| it.is_finite()).count();
            let stopped = n_stopped as f64 / f64::from(N_RUNS);
            (stopped, median(stops))
        });
        let stopped = found.iter().map(|it| it.0).collect();
        rows.push(Row::gate(format!("{name}: harm stopped"), stopped, (bound, 1.0)));
        if bound > 0.9 {
            let orders = found.iter().map(|it| it.1).collect();
            rows.push(Row::gate(format!("{name}: orders until then"), orders, (0.0, 13_000.0)));
        }
    }
    rows
}

/// Share of experiments where the log ratio finds .3 to .6 % within as many orders: one that
/// waits for ever would find nothing false either.
fn power_of_ratios(suite: &Suite<'_>) -> Row {
    let mixture = Mixture::new(ALPHA, 5_000.0);
    let found = suite.measure("log ratio, .3 to .6 %", |dice| {
        share(N_RUNS / 4, || {
            let mut counts = [Count { count: 0, of: 0 }; 2];
            (0..ORDERS_MAX / PER_LOOK).any(|_| {
                for (arm, chance) in counts.iter_mut().zip([0.003, 0.006]) {
                    arm.count += count(PER_LOOK / 2, chance, dice);
                    arm.of += u64::from(PER_LOOK / 2);
                }
                ln_ratio(counts[0], counts[1]).is_ok_and(|it| mixture.p(&it) <= ALPHA)
            })
        })
    });
    Row::gate("C-1 log ratio finds .3 to .6 % by 60,000 orders", found, (0.95, 1.0))
}

/// Orders until the guard stops a treatment, half of them in each arm; infinite when it does not.
fn orders_until_stop(guard: &EventBet, chances: [f64; 2], dice: &mut ChaCha8Rng) -> f64 {
    let mut events = Events::default();
    for look in 1..=ORDERS_MAX / PER_LOOK {
        events.control += count(PER_LOOK / 2, chances[0], dice);
        events.treatment += count(PER_LOOK / 2, chances[1], dice);
        if guard.is_harm(events, ALPHA) {
            return f64::from(look * PER_LOOK);
        }
    }
    f64::INFINITY
}
