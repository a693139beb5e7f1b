//! What does exact attribution cost over a bare score, and how does it grow?
//!
//! Budget: score + attribution of one order ≤ 2.0 µs and ≤ 3.5 × the bare score, at
//! 300 trees of depth 6 over 48 features, batch of one, one core; five risk heads and
//! four impact heads of 300 trees together ≤ 15 µs. Beyond 64 features a look-up takes
//! one more byte shuffle per 16 features; beyond 255 it is scalar.

use divan::{Bencher, black_box};
use orderlens::model::background::Background;
use orderlens::model::binning::Binning;
use orderlens::model::engine::{Engine, Instructions, Scratch};
use orderlens::model::ensemble::{Ensemble, MissingSide, Split, Tree};
use orderlens::model::game::Game;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_FEATURES: u16 = 48;
const N_TREES: usize = 300;
const N_BORDERS: u8 = 64;
const N_ORDERS: usize = 1_024;
const N_BACKGROUND: usize = 1_024;

struct Inputs {
    binning: Binning,
    heads: Vec<Ensemble>,
    background: Background,
    orders: Vec<Vec<f32>>,
}

/// Random heads, background and orders; a tenth of the values are missing.
fn inputs(n_heads: usize, n_trees: usize, n_features: u16) -> Inputs {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let heads = (0..n_heads).map(|_| {
        let trees = (0..n_trees).filter_map(|_| tree(&mut rng, n_features)).collect();
        Ensemble::new(-3.0, trees)
    });
    let heads = heads.collect();
    let borders = || (0..N_BORDERS).map(|i| f32::from(i) / f32::from(N_BORDERS)).collect();
    let binning = Binning::new((0..n_features).map(|_| borders()).collect()).unwrap_or_default();
    let mut orders = |n: usize| -> Vec<Vec<f32>> {
        let mut value = || if rng.gen_bool(0.1) { f32::NAN } else { rng.r#gen() };
        (0..n).map(|_| (0..n_features).map(|_| value()).collect()).collect()
    };
    let (mut ranks, mut row) = (Vec::new(), Vec::new());
    for order in orders(N_BACKGROUND) {
        binning.ranks_into(&order, &mut row);
        ranks.extend_from_slice(&row);
    }
    let background = Background::new("bench", n_features.into(), ranks);
    let background = background.unwrap_or_else(|error| unreachable_background(&error));
    Inputs { orders: orders(N_ORDERS), binning, heads, background }
}

fn tree(rng: &mut ChaCha8Rng, n_features: u16) -> Option<Tree> {
    let split = |rng: &mut ChaCha8Rng| Split {
        feature: rng.gen_range(0..n_features),
        border: rng.gen_range(0..N_BORDERS),
        missing: if rng.r#gen() { MissingSide::Above } else { MissingSide::Below },
    };
    let splits = (0..6).map(|_| split(rng)).collect();
    let leaves: Vec<f32> = (0..64).map(|_| rng.gen_range(-0.1..0.1)).collect();
    let covers: Vec<f32> = (0..64).map(|_| rng.gen_range(1.0..999.0)).collect();
    Tree::new(splits, &leaves, &covers).ok()
}

#[expect(clippy::panic, reason = "a bench without its inputs must stop")]
fn unreachable_background(error: &dyn std::fmt::Display) -> ! {
    panic!("{error}")
}

impl Inputs {
    fn ensembles(&self) -> Vec<&Ensemble> {
        self.heads.iter().collect()
    }

    fn engine(&self) -> Engine {
        let game = Game::Interventional(&self.background);
        Engine::compile(&self.binning, &self.ensembles(), game)
    }

    /// Times a call on one order after the other.
    fn each_order(&self, bencher: Bencher<'_, '_>, mut call: impl FnMut(&[f32])) {
        let mut next = 0;
        bencher.bench_local(|| {
            next = (next + 1) % N_ORDERS;
            call(black_box(&self.orders[next]));
        });
    }
}

fn main() {
    divan::main();
}

/// The bare score of one head, ranks included.
#[divan::bench(args = [75, N_TREES, 1200], sample_size = 256)]
fn score(bencher: Bencher<'_, '_>, n_trees: usize) {
    let inputs = inputs(1, n_trees, N_FEATURES);
    let (engine, mut scratch) = (inputs.engine(), Scratch::default());
    inputs.each_order(bencher, |order| engine.score(order, &mut scratch));
}

/// Score and exact attribution of one head, ranks included.
#[divan::bench(args = [75, N_TREES, 1200], sample_size = 256)]
fn explain(bencher: Bencher<'_, '_>, n_trees: usize) {
    let inputs = inputs(1, n_trees, N_FEATURES);
    let (engine, mut scratch) = (inputs.engine(), Scratch::default());
    inputs.each_order(bencher, |order| engine.explain(order, &mut scratch));
}

/// The same without vector instructions.
#[divan::bench(sample_size = 256)]
fn explain_scalar(bencher: Bencher<'_, '_>) {
    let inputs = inputs(1, N_TREES, N_FEATURES);
    let game = Game::Interventional(&inputs.background);
    let scalar = Instructions::scalar();
    let engine = Engine::compile_with(scalar, &inputs.binning, &inputs.ensembles(), game);
    let mut scratch = Scratch::default();
    inputs.each_order(bencher, |order| engine.explain(order, &mut scratch));
}

/// Five risk heads and four impact heads.
#[divan::bench(sample_size = 64)]
fn explain_nine_heads(bencher: Bencher<'_, '_>) {
    let inputs = inputs(9, N_TREES, N_FEATURES);
    let (engine, mut scratch) = (inputs.engine(), Scratch::default());
    inputs.each_order(bencher, |order| engine.explain(order, &mut scratch));
}

/// What more features cost.
#[divan::bench(args = [16, 48, 63, 64, 128, 255, 256, 1024], sample_size = 64)]
fn explain_by_features(bencher: Bencher<'_, '_>, n_features: u16) {
    let inputs = inputs(1, N_TREES, n_features);
    let (engine, mut scratch) = (inputs.engine(), Scratch::default());
    inputs.each_order(bencher, |order| engine.explain(order, &mut scratch));
}

/// What a new background costs, off the path of any order.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>) {
    let inputs = inputs(1, N_TREES, N_FEATURES);
    bencher.bench_local(|| black_box(&inputs).engine());
}
