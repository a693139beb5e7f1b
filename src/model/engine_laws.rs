//! Laws of the engine: exact sums, brute-force Shapley values, equal bits.

use proptest::prelude::*;

use crate::model::background::Background;
use crate::model::binning::{Binning, RANK_MISSING};
use crate::model::engine::{Engine, Instructions, Scratch};
use crate::model::ensemble::{DEPTH_MAX, Ensemble, MissingSide, Split, Tree};
use crate::model::game::Game;
use crate::model::plain_forest::PlainPair;

const N_FEATURES: usize = 4;
const N_BORDERS: u8 = 4;

/// Expectation of a node in the textbook form: follow members, average the rest.
fn expectation(tree: &Tree, ranks: &[u8], members: usize, level: usize, prefix: usize) -> f64 {
    let Some(below) = level.checked_sub(1) else {
        return tree.leaves()[prefix];
    };
    let split = tree.splits()[below];
    let child = |answer: usize| prefix | answer << below;
    let feature = usize::from(split.feature);
    if members >> feature & 1 == 1 {
        let answer = usize::from(split.is_above(ranks[feature]));
        return expectation(tree, ranks, members, below, child(answer));
    }
    let cover = |node: usize| -> f64 {
        (0..tree.covers().len())
            .filter(|leaf| leaf >> below == node >> below)
            .map(|leaf| tree.covers()[leaf])
            .sum()
    };
    let (n_below, n_above) = (cover(child(0)), cover(child(1)));
    if n_below + n_above <= 0.0 {
        return 0.0;
    }
    let value = |answer| expectation(tree, ranks, members, below, child(answer));
    (n_below * value(0) + n_above * value(1)) / (n_below + n_above)
}

/// Value of a coalition in the path-dependent game.
fn path_value(ensemble: &Ensemble, ranks: &[u8], members: usize) -> f64 {
    let of_tree = |tree: &Tree| expectation(tree, ranks, members, tree.splits().len(), 0);
    ensemble.bias() + ensemble.trees().iter().map(of_tree).sum::<f64>()
}

/// Value of a coalition in the interventional game: the mean score of the background's
/// rows, each with the members' values put in.
fn background_value(
    ensemble: &Ensemble,
    background: &Background,
    ranks: &[u8],
    members: usize,
) -> f64 {
    let mixed = |row: &[u8]| -> Vec<u8> {
        let pick = |at: usize| if members >> at & 1 == 1 { ranks[at] } else { row[at] };
        (0..row.len()).map(pick).collect()
    };
    let scores = background.rows().map(|row| ensemble.raw(&mixed(row)));
    scores.sum::<f64>() / background.n_rows() as f64
}

/// Shapley's formula over all subsets.
fn brute_force(value: impl Fn(usize) -> f64) -> Vec<f64> {
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    let shapley = |player: usize| {
        let others = (0..1_usize << N_FEATURES).filter(|set| set >> player & 1 == 0);
        others
            .map(|set| {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(N_FEATURES - size - 1);
                weight / factorial(N_FEATURES) * (value(set | 1 << player) - value(set))
            })
            .sum()
    };
    (0..N_FEATURES).map(shapley).collect()
}

fn any_split(n_features: u16) -> impl Strategy<Value = Split> {
    (0..n_features, 0..N_BORDERS, any::<bool>()).prop_map(|(feature, border, is_above)| {
        let missing = if is_above { MissingSide::Above } else { MissingSide::Below };
        Split { feature, border, missing }
    })
}

fn any_tree(n_features: u16) -> impl Strategy<Value = Tree> {
    prop::collection::vec(any_split(n_features), 0..=DEPTH_MAX).prop_flat_map(|splits| {
        let n = 1 << splits.len();
        let leaves = prop::collection::vec(-2.0_f32..2.0, n);
        let covers = prop::collection::vec(prop_oneof![Just(0.0_f32), 0.5_f32..90.0], n);
        (Just(splits), leaves, covers)
            .prop_map(|(splits, leaves, covers)| Tree::new(splits, &leaves, &covers).unwrap())
    })
}

fn any_ensemble(n_features: u16) -> impl Strategy<Value = Ensemble> {
    (-3.0..3.0, prop::collection::vec(any_tree(n_features), 0..8))
        .prop_map(|(bias, trees)| Ensemble::new(bias, trees))
}

fn any_ranks(n_features: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..=N_BORDERS + 1, n_features)
}

fn any_background(n_features: usize) -> impl Strategy<Value = Background> {
    prop::collection::vec(any_ranks(n_features), 1..20)
        .prop_map(move |rows| Background::new("test", n_features, rows.concat()).unwrap())
}

fn binning(n_features: usize) -> Binning {
    Binning::new(vec![(0..N_BORDERS).map(f32::from).collect(); n_features]).unwrap()
}

/// A value with this rank.
fn value_of(rank: u8) -> f32 {
    if rank == RANK_MISSING { f32::NAN } else { f32::from(rank) - 1.5 }
}

/// Base and contributions of the only head, in the unit of the score.
fn explain(engine: &Engine, ranks: &[u8]) -> (f64, Vec<f64>) {
    let mut scratch = Scratch::default();
    engine.explain_ranks(ranks, &mut scratch);
    let scale = engine.scale(0);
    let shifts = scratch.contributions(0).iter().map(|&shift| scale.to_value(shift.into()));
    (scale.to_value(engine.base(0).into()), shifts.collect())
}

/// Each tree rounds its mean, and each shift by a step or two.
fn tolerance(ensemble: &Ensemble) -> f64 {
    3.0 * (ensemble.trees().len() as f64 + 1.0) * ensemble.scale().step()
}

fn check(ensemble: &Ensemble, engine: &Engine, ranks: &[u8], value: impl Fn(usize) -> f64) {
    let (base, contributions) = explain(engine, ranks);
    let tolerance = tolerance(ensemble);
    assert!((base - value(0)).abs() <= tolerance, "{base} is not {}", value(0));
    for (ours, expected) in contributions.iter().zip(brute_force(value)) {
        assert!((ours - expected).abs() <= tolerance, "{ours} is not {expected}");
    }
}

proptest! {
    #[test]
    fn two_plain_ensembles_score_as_their_trees_do(
        // Beyond 255 features a byte names none.
        (n_features, low, high, ranks) in prop_oneof![Just(20_u16), Just(300)].prop_flat_map(|n| {
            (Just(n), any_ensemble(n), any_ensemble(n), any_ranks(usize::from(n)))
        }),
    ) {
        let pair = PlainPair::compile([&low, &high], usize::from(n_features));
        let mut padded = ranks.clone();
        padded.resize(ranks.len().next_multiple_of(16), RANK_MISSING);
        let (a, b) = pair.raw(&padded);
        prop_assert_eq!(a.to_bits(), low.raw(&ranks).to_bits());
        prop_assert_eq!(b.to_bits(), high.raw(&ranks).to_bits());
    }

    #[test]
    fn path_dependent_contributions_equal_brute_force_shapley_values(
        ensemble in any_ensemble(4),
        ranks in any_ranks(N_FEATURES),
    ) {
        let engine = Engine::compile(&binning(N_FEATURES), &[&ensemble], Game::PathDependent);
        check(&ensemble, &engine, &ranks, |members| path_value(&ensemble, &ranks, members));
    }

    #[test]
    fn interventional_contributions_equal_brute_force_shapley_values(
        ensemble in any_ensemble(4),
        background in any_background(N_FEATURES),
        ranks in any_ranks(N_FEATURES),
    ) {
        let game = Game::Interventional(&background);
        let engine = Engine::compile(&binning(N_FEATURES), &[&ensemble], game);
        let value = |members| background_value(&ensemble, &background, &ranks, members);
        check(&ensemble, &engine, &ranks, value);
    }

    #[test]
    fn base_and_contributions_are_the_score_to_the_last_step(
        ensembles in prop::collection::vec(any_ensemble(4), 1..5),
        background in any_background(N_FEATURES),
    ) {
        let ensembles: Vec<&Ensemble> = ensembles.iter().collect();
        for game in [Game::PathDependent, Game::Interventional(&background)] {
            let engine = Engine::compile(&binning(N_FEATURES), &ensembles, game);
            prop_assert_eq!(engine.largest_residual(&ensembles, 64), 0);
        }
    }

}

proptest! {
    // A case compiles up to 70 deep trees twice.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn vector_instructions_change_no_bit(
        n_features in prop_oneof![Just(7_usize), Just(16), Just(17), Just(64), Just(65), Just(255)],
        seed in any::<u64>(),
        n_trees in 0_usize..70,
    ) {
        let (ensemble, rows) = scattered(n_features, n_trees, seed);
        let background = Background::new("test", n_features, rows.concat()).unwrap();
        let game = Game::Interventional(&background);
        let compile = |instructions| {
            Engine::compile_with(instructions, &binning(n_features), &[&ensemble], game)
        };
        let (fast, plain) = (compile(Instructions::detect()), compile(Instructions::scalar()));
        let (mut by_fast, mut by_plain) = (Scratch::default(), Scratch::default());
        for row in &rows {
            let values: Vec<f32> = row.iter().map(|&rank| value_of(rank)).collect();
            fast.explain(&values, &mut by_fast);
            plain.explain(&values, &mut by_plain);
            prop_assert_eq!(by_fast.ranks(), by_plain.ranks());
            prop_assert_eq!(by_fast.raw(0), by_plain.raw(0));
            prop_assert_eq!(by_fast.contributions(0), by_plain.contributions(0));
            fast.score(&values, &mut by_fast);
            prop_assert_eq!(by_fast.raw(0), by_plain.raw(0));
        }
    }
}

/// A forest whose splits reach all features, and some rows; plain arithmetic, so that a
/// case is its seed.
fn scattered(n_features: usize, n_trees: usize, seed: u64) -> (Ensemble, Vec<Vec<u8>>) {
    let mut state = seed;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let byte = |n: usize| u8::try_from(n).unwrap();
    let trees = (0..n_trees).map(|_| {
        let split = |_| Split {
            feature: u16::try_from(draw(n_features)).unwrap(),
            border: byte(draw(N_BORDERS.into())),
            missing: if draw(2) == 0 { MissingSide::Below } else { MissingSide::Above },
        };
        let splits: Vec<Split> = (0..DEPTH_MAX).map(split).collect();
        let leaves: Vec<f32> = (0..64).map(|_| f32::from(byte(draw(256))) - 128.0).collect();
        Tree::new(splits, &leaves, &[1.0; 64]).unwrap()
    });
    let ensemble = Ensemble::new(0.5, trees.collect());
    let mut row = || (0..n_features).map(|_| byte(draw(usize::from(N_BORDERS) + 2))).collect();
    (ensemble, (0..9).map(|_| row()).collect())
}

#[test]
fn a_bundle_beyond_255_features_is_as_exact() {
    let (ensemble, rows) = scattered(300, 40, 5);
    let background = Background::new("test", 300, rows.concat()).unwrap();
    let game = Game::Interventional(&background);
    let engine = Engine::compile(&binning(300), &[&ensemble, &ensemble], game);
    assert_eq!(engine.largest_residual(&[&ensemble, &ensemble], 100), 0);
    let mut scratch = Scratch::default();
    engine.explain_ranks(&rows[0], &mut scratch);
    assert_eq!(scratch.contributions(0), scratch.contributions(1));
    assert!(scratch.contributions(1)[256..].iter().any(|&shift| shift != 0));
}

#[test]
fn buffers_of_a_larger_engine_leave_nothing_behind() {
    let mut scratch = Scratch::default();
    for n_features in [255, 20, 300, 20] {
        let (ensemble, rows) = scattered(n_features, 33, 8);
        let engine = Engine::compile(&binning(n_features), &[&ensemble], Game::PathDependent);
        engine.explain_ranks(&rows[0], &mut scratch);
        let mut fresh = Scratch::default();
        engine.explain_ranks(&rows[0], &mut fresh);
        assert_eq!(scratch.contributions(0), fresh.contributions(0));
    }
}

#[test]
fn a_head_of_more_trees_than_lie_side_by_side_is_as_exact() {
    let stump = |at: u16| {
        let split = Split { feature: at % 9, border: 1, missing: MissingSide::Below };
        Tree::new(vec![split], &[-1.0, f32::from(at)], &[1.0, 3.0]).unwrap()
    };
    let ensemble = Ensemble::new(0.5, (0..11_000).map(stump).collect());
    let engine = Engine::compile(&binning(9), &[&ensemble], Game::PathDependent);
    assert_eq!(engine.largest_residual(&[&ensemble], 20), 0);
}
