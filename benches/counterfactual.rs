//! How long does the smallest change take to find, and is it proven?
//!
//! A head of at most 300 trees of depth 6 over 48 features is trained on made-up
//! orders with interactions; 500 other orders are asked about, with 20 levers. Per
//! order: ranks, levers and search, the least of five runs. Each answer is scored
//! again by the bundle's own engine. Budget: p50 ≤ 0.2 ms, p99 ≤ 2 ms.
//!
//! Run: `cargo bench --bench counterfactual`; with `-- --export FOLDER` it also
//! writes the model, the orders and the answers for
//! `benches/peers/counterfactual.py`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may panic and prints")]

use std::path::Path;
use std::time::Instant;

use ndarray::Array2;
use orderlens::domain::feature::{CatalogSchema, FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
use orderlens::domain::head::{HeadId, HeadKind};
use orderlens::domain::text::Text;
use orderlens::domain::time::Timestamp;
use orderlens::model::bundle::Bundle;
use orderlens::model::counterfactual::answer::{Change, Found, Proof};
use orderlens::model::counterfactual::feature_levers::{Present, Way, feature_levers};
use orderlens::model::counterfactual::lever::Levers;
use orderlens::model::counterfactual::plausibility::Plausibility;
use orderlens::model::counterfactual::question::{Goal, Limits, Question};
use orderlens::model::counterfactual::search::smallest_changes;
use orderlens::model::counterfactual::search_forest::SearchForest;
use orderlens::training::bundle::{BundleParams, fit_bundle};
use orderlens::training::params::{ObliviousParams, ObliviousSettings};
use orderlens::training::set::{HeadTarget, TrainingSet};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_FEATURES: usize = 48;
const N_LEVERS: u16 = 20;
const N_TRAINING: usize = 30_000;
const N_POOL: usize = 5_000;
const N_ORDERS: usize = 500;
const N_RUNS: usize = 5;
/// Percent of the orders that the threshold lets pass.
const PASS_PERCENT: usize = 90;

fn main() {
    let bundle = train();
    let bench = Bench::new(&bundle);
    println!(
        "{} trees, {} features, {N_ORDERS} orders, {N_LEVERS} levers, threshold at raw {:.3}",
        bundle.heads()[0].ensemble().trees().len(),
        bench.n_features(),
        bench.forest.raw(bench.threshold),
    );
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  one/two/three/none",
        "levers, distance", "p50 us", "p99 us", "worst us", "valid %", "seen %", "proven %"
    );
    let mut near = Vec::new();
    for (name, first) in [("strong", 0), ("weak", bench.n_features() - N_LEVERS)] {
        for (distance, logits) in [("near", 0.0), ("1 log-odds", 1.0), ("2 log-odds", 2.0)] {
            let cases = bench.run(first, logits);
            report(&format!("{name}, {distance}"), &bench, &cases);
            near.push(cases);
        }
    }
    let mut arguments = std::env::args().skip_while(|argument| argument != "--export");
    if let Some(folder) = arguments.nth(1) {
        export(Path::new(&folder), &bench, &near[1]);
    }
}

/// Features that share a cause in groups of four; every fourth is a count.
fn features(n_rows: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut matrix = Array2::zeros((n_rows, N_FEATURES));
    for mut row in matrix.outer_iter_mut() {
        let mut cause = 0.0;
        for (at, value) in row.iter_mut().enumerate() {
            if at % 4 == 0 {
                cause = normal(&mut rng);
            }
            let own = 0.6 * cause + 0.8 * normal(&mut rng);
            *value = if at % 4 == 3 { (2.0 * own.exp()).floor().min(40.0) } else { own };
        }
    }
    matrix
}

/// Nearly normal: the sum of twelve uniform draws.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.gen_range(-0.5_f32..0.5)).sum()
}

/// The strong features come first; neighbors interact.
fn log_odds(row: ndarray::ArrayView1<'_, f32>) -> f64 {
    let bend = |value: f32| f64::from(value.clamp(-3.0, 6.0)).tanh();
    let terms = (0..N_FEATURES - 1).map(|at| {
        let strength = 1.6 / (1.0 + at as f64 / 12.0);
        let sign = if at % 3 == 0 { -1.0 } else { 1.0 };
        strength * (sign * 0.5 * bend(row[at]) + bend(row[at]) * bend(row[at + 1]))
    });
    terms.sum::<f64>() - 3.5
}

fn train() -> Bundle {
    let features = features(N_TRAINING, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let label =
        |row| f32::from(u8::from(rng.r#gen::<f64>() < 1.0 / (1.0 + (-log_odds(row)).exp())));
    let labels = features.outer_iter().map(label).collect();
    let set = TrainingSet {
        features,
        specs: (0..N_FEATURES).map(spec).collect(),
        schema: CatalogSchema::default(),
        times: (0_i64..).take(N_TRAINING).map(|row| Timestamp(row * 1_000_000)).collect(),
        weights: vec![1.0; N_TRAINING],
        heads: vec![HeadTarget {
            id: HeadId("fake_order".into()),
            kind: HeadKind::Risk,
            values: labels,
        }],
    };
    let settings =
        ObliviousSettings { learning_rate: 0.03, patience: 300, ..ObliviousSettings::default() };
    let params = BundleParams { trees: ObliviousParams::new(settings), ..BundleParams::default() };
    fit_bundle(&set, &params, &mut |_| {}).unwrap()
}

fn spec(at: usize) -> FeatureSpec {
    let name = format!("x{at:02}");
    FeatureSpec {
        id: name.as_str().into(),
        group: FeatureGroup::Order,
        unit: FeatureUnit::Declared,
        monotone: Monotone::Free,
        is_changeable: true,
        is_graph: false,
        entity: None,
        counterpart: None,
        name: Text::new(&name, &name),
    }
}

struct Bench<'a> {
    bundle: &'a Bundle,
    forest: SearchForest,
    plausibility: &'a Plausibility,
    threshold: i64,
    /// Orders that the model has not seen, nearest to the threshold first.
    orders: Vec<Order>,
}

struct Order {
    values: Vec<f32>,
    ranks: Vec<u8>,
    margin: i64,
}

struct Case<'a> {
    order: &'a Order,
    goal: Goal,
    levers: Levers,
    found: Found,
    micros: f64,
}

impl<'a> Bench<'a> {
    fn new(bundle: &'a Bundle) -> Self {
        let n_features = bundle.manifest().features.len();
        let forest = SearchForest::compile(bundle.heads()[0].ensemble(), n_features);
        let order = |row: ndarray::ArrayView1<'_, f32>| {
            let (values, mut ranks) = (kept(bundle, row), Vec::new());
            bundle.manifest().binning.ranks_into(&values, &mut ranks);
            Order { margin: forest.margin(&ranks), values, ranks }
        };
        let mut orders: Vec<Order> = features(N_POOL, 3).outer_iter().map(order).collect();
        orders.sort_by_key(|order| order.margin);
        let threshold = orders[N_POOL * PASS_PERCENT / 100].margin;
        orders.sort_by_key(|order| (order.margin - threshold).abs());
        orders.truncate(N_ORDERS);
        let plausibility = &bundle.parts().plausibility;
        Self { bundle, forest, plausibility, threshold, orders }
    }

    fn n_features(&self) -> u16 {
        u16::try_from(self.forest.n_features()).unwrap()
    }

    /// Asks each order for the other side of the threshold, `logits` beyond it.
    fn run(&self, first: u16, logits: f64) -> Vec<Case<'_>> {
        let beyond = self.forest.steps(logits).max(1);
        let goal_of = |order: &Order| {
            if self.threshold <= order.margin {
                Goal::AtMost(self.threshold - beyond)
            } else {
                Goal::AtLeast(self.threshold + beyond - 1)
            }
        };
        self.orders.iter().map(|order| self.ask(order, goal_of(order), first)).collect()
    }

    fn ask<'o>(&self, order: &'o Order, goal: Goal, first: u16) -> Case<'o> {
        let mut micros = f64::INFINITY;
        let mut last = None;
        for _ in 0..N_RUNS {
            let started = Instant::now();
            let mut ranks = Vec::new();
            self.bundle.manifest().binning.ranks_into(&order.values, &mut ranks);
            let present = Present { values: &order.values, ranks: &ranks };
            let features = (first..first + N_LEVERS).map(|at| (at, Way::Either));
            let levers = feature_levers(&self.forest, self.plausibility, present, features);
            let limits = Limits::default();
            let question = Question {
                ranks: &ranks,
                levers: &levers,
                plausibility: self.plausibility,
                goal,
                limits,
            };
            let found = smallest_changes(&self.forest, &question);
            micros = micros.min(started.elapsed().as_secs_f64() * 1e6);
            last = Some((levers, found));
        }
        let (levers, found) = last.unwrap();
        Case { order, goal, levers, found, micros }
    }

    /// Scored again by the engine, from the changed values.
    fn is_valid(&self, case: &Case<'_>, change: &Change) -> bool {
        let raw = self.bundle.score(&changed(case, change))[0].raw;
        case.goal.is_met(self.forest.steps(raw)) && self.forest.steps(raw) == change.margin
    }

    /// Every changed value occurred, with the final value of every other feature.
    fn is_seen(&self, case: &Case<'_>, change: &Change) -> bool {
        let (values, mut ranks) = (changed(case, change), Vec::new());
        self.bundle.manifest().binning.ranks_into(&values, &mut ranks);
        let mut moved =
            (0_u16..).zip(&ranks).filter(|(at, rank)| case.order.ranks[usize::from(*at)] != **rank);
        let with_all = |(at, rank): (u16, &u8)| {
            let mut others = (0_u16..).zip(&ranks);
            others.all(|(other, of)| self.plausibility.is_seen_together((at, *rank), (other, *of)))
        };
        moved.all(with_all)
    }
}

/// The values of the features that the model uses.
fn kept(bundle: &Bundle, row: ndarray::ArrayView1<'_, f32>) -> Vec<f32> {
    let position = |spec: &FeatureSpec| spec.id[1..].parse::<usize>().unwrap();
    bundle.manifest().features.iter().map(|spec| row[position(spec)]).collect()
}

fn changed(case: &Case<'_>, change: &Change) -> Vec<f32> {
    let mut values = case.order.values.clone();
    for choice in &change.choices {
        let setting = &case.levers.settings(choice.lever)[choice.setting];
        for step in case.levers.moves(setting) {
            values[usize::from(step.feature)] = step.value;
        }
    }
    values
}

fn report(name: &str, bench: &Bench<'_>, cases: &[Case<'_>]) {
    let mut micros: Vec<f64> = cases.iter().map(|case| case.micros).collect();
    micros.sort_by(f64::total_cmp);
    let at = |percent: usize| micros[((micros.len() - 1) * percent).div_ceil(100)];
    let answers =
        || cases.iter().flat_map(|case| case.found.answers.iter().map(move |it| (case, it)));
    let n_answers = answers().count();
    let percent = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
    let n_valid = answers().filter(|(case, change)| bench.is_valid(case, change)).count();
    let n_seen = answers().filter(|(case, change)| bench.is_seen(case, change)).count();
    let n_proven = cases.iter().filter(|case| case.found.proof == Proof::Complete).count();
    let mut mix = [0; 4];
    for case in cases {
        mix[case.found.answers.first().map_or(0, |change| change.choices.len())] += 1;
    }
    println!(
        "{name:<26} {:>9.1} {:>9.1} {:>9.1} {:>8.1} {:>8.1} {:>8.1}  {}/{}/{}/{}",
        at(50),
        at(99),
        at(100),
        percent(n_valid, n_answers),
        percent(n_seen, n_answers),
        percent(n_proven, cases.len()),
        mix[1],
        mix[2],
        mix[3],
        mix[0],
    );
}

/// Writes what another tool needs to answer the same questions about the same model.
fn export(folder: &Path, bench: &Bench<'_>, cases: &[Case<'_>]) {
    std::fs::create_dir_all(folder.join("heads")).unwrap();
    bench.bundle.save(folder).unwrap();
    let case = |case: &Case<'_>| {
        let best = case.found.answers.first();
        let (is_below, margin) = match case.goal {
            Goal::AtMost(most) => (true, most),
            Goal::AtLeast(least) => (false, least),
        };
        serde_json::json!({
            "values": case.order.values,
            "is_below": is_below,
            "raw": bench.forest.raw(margin),
            "changed": best.map(|change| changed(case, change)),
            "n_changed": best.map(|change| change.choices.len()),
            "cost": best.map(|change| f64::from(change.cost) / 1_000.0),
            "proof": format!("{:?}", case.found.proof).to_lowercase(),
            "micros": case.micros,
        })
    };
    let rows = features(N_TRAINING, 1);
    let training: Vec<Vec<f32>> =
        rows.outer_iter().take(4_000).map(|row| kept(bench.bundle, row)).collect();
    let scales: Vec<f32> = bench.plausibility.features.iter().map(|seen| seen.scale).collect();
    let all = serde_json::json!({
        "n_levers": N_LEVERS,
        "scales": scales,
        "training": training,
        "orders": cases.iter().map(case).collect::<Vec<_>>(),
    });
    std::fs::write(folder.join("questions.json"), all.to_string()).unwrap();
}
