//! How much does exact attribution cost over a bare score?
//!
//! Budget: score + attribution of one order ≤ 2.0 µs and ≤ 3.5 × the bare score, at
//! 300 trees of depth 6 over 48 features, batch of one, one core.

use divan::{Bencher, black_box};
use orderlens::model::attribution::AttributionTables;
use orderlens::model::binning::Binning;
use orderlens::model::ensemble::{Ensemble, MissingSide, Split, Tree};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_FEATURES: usize = 48;
const N_BORDERS: u8 = 64;
const N_ORDERS: usize = 1_024;

struct Inputs {
    binning: Binning,
    tables: AttributionTables,
    orders: Vec<Vec<f32>>,
}

fn inputs(n_trees: usize) -> Inputs {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut tree = || {
        let split = |rng: &mut ChaCha8Rng| Split {
            feature: rng.gen_range(0..48),
            border: rng.gen_range(0..N_BORDERS),
            missing: if rng.r#gen() { MissingSide::Above } else { MissingSide::Below },
        };
        let splits = (0..6).map(|_| split(&mut rng)).collect();
        let leaves: Vec<f32> = (0..64).map(|_| rng.gen_range(-0.1..0.1)).collect();
        let covers: Vec<f32> = (0..64).map(|_| rng.gen_range(1.0..999.0)).collect();
        Tree::new(splits, &leaves, &covers)
    };
    let trees = (0..n_trees).filter_map(|_| tree().ok()).collect();
    let borders = || (0..N_BORDERS).map(|i| f32::from(i) / f32::from(N_BORDERS)).collect();
    let binning = Binning::new((0..N_FEATURES).map(|_| borders()).collect()).unwrap_or_default();
    let mut value = || if rng.gen_bool(0.1) { f32::NAN } else { rng.r#gen() };
    let mut order = || (0..N_FEATURES).map(|_| value()).collect();
    let orders = (0..N_ORDERS).map(|_| order()).collect();
    let tables = AttributionTables::compile(&Ensemble::new(-3.0, trees), N_FEATURES);
    Inputs { binning, tables, orders }
}

fn main() {
    divan::main();
}

/// Ranks of one order: shared by all heads of a bundle.
#[divan::bench(sample_size = 64)]
fn ranks(bencher: Bencher<'_, '_>) {
    let inputs = inputs(1);
    let (mut ranks, mut next) = (Vec::new(), 0);
    bencher.bench_local(|| {
        next = (next + 1) % N_ORDERS;
        inputs.binning.ranks_into(black_box(&inputs.orders[next]), &mut ranks);
        ranks[0]
    });
}

/// Ranks and the bare score of one head.
#[divan::bench(args = [75, 300, 1200], sample_size = 64)]
fn score(bencher: Bencher<'_, '_>, n_trees: usize) {
    let inputs = inputs(n_trees);
    let (mut ranks, mut next) = (Vec::new(), 0);
    bencher.bench_local(|| {
        next = (next + 1) % N_ORDERS;
        inputs.binning.ranks_into(black_box(&inputs.orders[next]), &mut ranks);
        inputs.tables.raw(&ranks)
    });
}

/// Ranks, score and exact attribution of one head.
#[divan::bench(args = [75, 300, 1200], sample_size = 64)]
fn score_with_attribution(bencher: Bencher<'_, '_>, n_trees: usize) {
    let inputs = inputs(n_trees);
    let (mut ranks, mut contributions, mut next) = (Vec::new(), Vec::new(), 0);
    bencher.bench_local(|| {
        next = (next + 1) % N_ORDERS;
        inputs.binning.ranks_into(black_box(&inputs.orders[next]), &mut ranks);
        inputs.tables.explain(&ranks, &mut contributions)
    });
}

/// What loading a head costs: 300 trees into tables.
#[divan::bench(sample_count = 10)]
fn compile(bencher: Bencher<'_, '_>) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let split = |rng: &mut ChaCha8Rng| Split {
        feature: rng.gen_range(0..48),
        border: 0,
        missing: MissingSide::Below,
    };
    let mut tree = || Tree::new((0..6).map(|_| split(&mut rng)).collect(), &[0.1; 64], &[1.0; 64]);
    let trees = (0..300).filter_map(|_| tree().ok()).collect();
    let ensemble = Ensemble::new(0.0, trees);
    bencher.bench_local(|| AttributionTables::compile(black_box(&ensemble), N_FEATURES));
}
