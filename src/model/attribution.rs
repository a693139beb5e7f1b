//! Exact Shapley values as table rows: attribution at the price of a lookup.
//!
//! Every path of an oblivious tree asks the same questions, so a leaf number
//! decides the tree's whole attribution. Compiling computes it for all leaves
//! once; scoring adds one row per tree.
//!
//! The game is the path-dependent one of `TreeSHAP` (Lundberg et al. 2018) with the
//! last split as root, as in `CatBoost`: features outside the coalition are averaged
//! by the training weights of the branches. A feature that a tree asks twice is one
//! player.

use crate::model::binning::RANK_MISSING;
use crate::model::ensemble::{DEPTH_MAX, Ensemble, MissingSide, Split, Tree};

/// Values per table row: the leaf, six players, padding to a cache line.
const ROW_LEN: usize = 8;

/// Largest allowed |base + Σ contributions − raw|.
pub const RESIDUAL_MAX: f64 = 1e-9;

/// An ensemble compiled for scoring with exact attribution.
#[derive(Clone, Debug)]
pub struct AttributionTables {
    base: f64,
    bias: f64,
    n_features: usize,
    trees: Vec<CompiledTree>,
    /// Rows of all trees: leaf value, then one Shapley value per player.
    rows: Vec<[f64; ROW_LEN]>,
}

#[derive(Clone, Debug)]
struct CompiledTree {
    questions: [Question; DEPTH_MAX],
    players: [u16; DEPTH_MAX],
    n_players: u8,
    first_row: u32,
}

/// `rank − offset > threshold` in wrapping bytes; rank 0 (missing) minus 1 is 255.
#[derive(Clone, Copy, Debug)]
struct Question {
    feature: u16,
    offset: u8,
    threshold: u8,
}

impl Question {
    /// Pads trees that are less deep: no byte is above 255.
    const NEVER: Self = Self { feature: 0, offset: 0, threshold: u8::MAX };

    fn new(split: Split) -> Self {
        let (offset, threshold) = match split.missing {
            MissingSide::Below => (0, split.border.saturating_add(1)),
            MissingSide::Above => (1, split.border),
        };
        Self { feature: split.feature, offset, threshold }
    }
}

impl AttributionTables {
    /// Builds the tables; `O(3^depth + 2^depth · 2^players · depth)` per tree.
    pub fn compile(ensemble: &Ensemble, n_features: usize) -> Self {
        let mut tables = Self {
            base: ensemble.bias(),
            bias: ensemble.bias(),
            n_features,
            trees: Vec::with_capacity(ensemble.trees().len()),
            rows: Vec::new(),
        };
        for tree in ensemble.trees() {
            tables.push(tree);
        }
        tables
    }

    /// Score of the average order: bias plus the cover-weighted mean of every tree.
    pub fn base(&self) -> f64 {
        self.base
    }

    /// The raw score alone.
    pub fn raw(&self, ranks: &[u8]) -> f64 {
        let mut raw = self.bias;
        for tree in &self.trees {
            raw += self.rows[tree.row(ranks)][0];
        }
        raw
    }

    /// The raw score; `contributions` becomes one Shapley value per feature.
    pub fn explain(&self, ranks: &[u8], contributions: &mut Vec<f64>) -> f64 {
        contributions.clear();
        contributions.resize(self.n_features, 0.0);
        let mut raw = self.bias;
        for tree in &self.trees {
            let row = &self.rows[tree.row(ranks)];
            raw += row[0];
            let players = &tree.players[..usize::from(tree.n_players)];
            for (&player, &value) in players.iter().zip(&row[1..]) {
                if let Some(contribution) = contributions.get_mut(usize::from(player)) {
                    *contribution += value;
                }
            }
        }
        raw
    }

    /// Largest |base + Σ contributions − raw| over `n_vectors` pseudo-random vectors
    /// of ranks, missing ones included.
    pub fn largest_residual(&self, n_vectors: u32) -> f64 {
        let mut largest = 0.0_f64;
        let mut contributions = Vec::new();
        let mut ranks = vec![RANK_MISSING; self.n_features];
        let mut state = 0_u64;
        for _ in 0..n_vectors {
            for rank in &mut ranks {
                state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                *rank = split_mix(state).to_le_bytes()[0];
            }
            let raw = self.explain(&ranks, &mut contributions);
            let sum = self.base + contributions.iter().sum::<f64>();
            largest = largest.max((sum - raw).abs());
        }
        largest
    }

    fn push(&mut self, tree: &Tree) {
        let levels = Levels::new(tree);
        let game = Game::new(tree);
        let full = game.value(&levels, 0, 0);
        self.base += full;
        let mut compiled = CompiledTree {
            questions: [Question::NEVER; DEPTH_MAX],
            players: [0; DEPTH_MAX],
            n_players: u8::try_from(levels.players.len()).unwrap_or(0),
            first_row: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
        };
        for (question, &split) in compiled.questions.iter_mut().zip(tree.splits()) {
            *question = Question::new(split);
        }
        for (slot, &player) in compiled.players.iter_mut().zip(&levels.players) {
            *slot = player;
        }
        for (leaf, &value) in tree.leaves().iter().enumerate() {
            let mut row = [0.0; ROW_LEN];
            row[0] = value;
            shapley_values(&game, &levels, leaf, &mut row[1..]);
            self.rows.push(row);
        }
        self.trees.push(compiled);
    }
}

impl CompiledTree {
    #[inline]
    fn row(&self, ranks: &[u8]) -> usize {
        let mut leaf = 0;
        for (level, question) in self.questions.iter().enumerate() {
            let rank = ranks.get(usize::from(question.feature)).copied().unwrap_or(RANK_MISSING);
            let is_above = question.threshold < rank.wrapping_sub(question.offset);
            leaf |= usize::from(is_above) << level;
        }
        self.first_row as usize + leaf
    }
}

/// Which player owns which level of a tree.
struct Levels {
    players: Vec<u16>,
    /// Position in `players` of the feature of each level.
    owner: Vec<usize>,
}

impl Levels {
    fn new(tree: &Tree) -> Self {
        let (mut players, mut owner) = (Vec::new(), Vec::new());
        for split in tree.splits() {
            let known = players.iter().position(|&player| player == split.feature);
            owner.push(known.unwrap_or(players.len()));
            if known.is_none() {
                players.push(split.feature);
            }
        }
        Self { players, owner }
    }
}

/// Expected leaf value for every way to fix or average the levels of a tree.
///
/// Indexed in base 3, level k at digit k: 0 and 1 fix the answer, 2 averages it.
struct Game {
    values: Vec<f64>,
}

impl Game {
    /// From the deepest level (the first split) up to the root (the last one).
    fn new(tree: &Tree) -> Self {
        let mut values = tree.leaves().to_vec();
        let mut covers = tree.covers().to_vec();
        let mut span = 1;
        for _ in tree.splits() {
            let mut next = Vec::with_capacity(values.len() / 2 * 3);
            for (pair, cover) in values.chunks_exact(2 * span).zip(covers.chunks_exact(2)) {
                let (below, above) = pair.split_at(span);
                let total = cover[0] + cover[1];
                // A branch no training row took has no average: it counts as 0.
                let share = |part: f64| if total <= 0.0 { 0.0 } else { part / total };
                let (share_below, share_above) = (share(cover[0]), share(cover[1]));
                next.extend_from_slice(below);
                next.extend_from_slice(above);
                let average = |(b, a): (&f64, &f64)| share_below * b + share_above * a;
                next.extend(below.iter().zip(above).map(average));
            }
            covers = covers.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
            values = next;
            span *= 3;
        }
        Self { values }
    }

    /// Value of the coalition (a bit set of players) at one leaf.
    fn value(&self, levels: &Levels, leaf: usize, coalition: usize) -> f64 {
        let (mut index, mut place) = (0, 1);
        for (level, &owner) in levels.owner.iter().enumerate() {
            let is_member = coalition >> owner & 1 == 1;
            index += place * if is_member { leaf >> level & 1 } else { 2 };
            place *= 3;
        }
        self.values[index]
    }
}

/// Shapley (1953): mean marginal value over all orders in which players can join.
fn shapley_values(game: &Game, levels: &Levels, leaf: usize, out: &mut [f64]) {
    let n_players = levels.players.len();
    let value_of: Vec<f64> =
        (0..1 << n_players).map(|coalition| game.value(levels, leaf, coalition)).collect();
    for (player, slot) in out.iter_mut().enumerate().take(n_players) {
        let member = 1 << player;
        *slot = (0..1_usize << n_players)
            .filter(|coalition| coalition & member == 0)
            .map(|coalition| {
                let gain = value_of[coalition | member] - value_of[coalition];
                gain * join_weight(n_players, coalition.count_ones())
            })
            .sum();
    }
}

/// `|S|! (n − |S| − 1)! / n!`
fn join_weight(n_players: usize, n_joined: u32) -> f64 {
    const FACTORIAL: [f64; DEPTH_MAX + 1] = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0];
    let n_joined = n_joined as usize;
    FACTORIAL[n_joined] * FACTORIAL[n_players - n_joined - 1] / FACTORIAL[n_players]
}

/// The output step of `SplitMix64` (Steele, Lea, Flood 2014).
fn split_mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const N_FEATURES: usize = 4;

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

    fn brute_force(ensemble: &Ensemble, ranks: &[u8]) -> (f64, Vec<f64>) {
        let value = |members: usize| -> f64 {
            let of_tree = |tree: &Tree| expectation(tree, ranks, members, tree.splits().len(), 0);
            ensemble.bias() + ensemble.trees().iter().map(of_tree).sum::<f64>()
        };
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let shapley = |player: usize| {
            let others = (0..1_usize << N_FEATURES).filter(|s| s >> player & 1 == 0);
            others
                .map(|s| {
                    let size = s.count_ones() as usize;
                    let weight = factorial(size) * factorial(N_FEATURES - size - 1);
                    weight / factorial(N_FEATURES) * (value(s | 1 << player) - value(s))
                })
                .sum()
        };
        (value(0), (0..N_FEATURES).map(shapley).collect())
    }

    prop_compose! {
        fn any_split()(feature in 0..4_u16, border in 0..4_u8, above: bool) -> Split {
            let missing = if above { MissingSide::Above } else { MissingSide::Below };
            Split { feature, border, missing }
        }
    }

    fn any_tree() -> impl Strategy<Value = Tree> {
        prop::collection::vec(any_split(), 0..=DEPTH_MAX).prop_flat_map(|splits| {
            let n = 1 << splits.len();
            let leaves = prop::collection::vec(-2.0_f32..2.0, n);
            let covers = prop::collection::vec(prop_oneof![Just(0.0_f32), 0.5_f32..90.0], n);
            (Just(splits), leaves, covers)
                .prop_map(|(splits, leaves, covers)| Tree::new(splits, &leaves, &covers).unwrap())
        })
    }

    fn any_ensemble() -> impl Strategy<Value = Ensemble> {
        (-3.0..3.0, prop::collection::vec(any_tree(), 0..4))
            .prop_map(|(bias, trees)| Ensemble::new(bias, trees))
    }

    proptest! {
        #[test]
        fn contributions_equal_brute_force_shapley_values(
            ensemble in any_ensemble(),
            ranks in prop::collection::vec(0_u8..6, N_FEATURES),
        ) {
            let tables = AttributionTables::compile(&ensemble, N_FEATURES);
            let mut contributions = Vec::new();
            tables.explain(&ranks, &mut contributions);
            let (base, expected) = brute_force(&ensemble, &ranks);
            prop_assert!((tables.base() - base).abs() < 1e-12);
            for (ours, theirs) in contributions.iter().zip(&expected) {
                prop_assert!((ours - theirs).abs() < 1e-12, "{ours} is not {theirs}");
            }
        }

        #[test]
        fn contributions_sum_to_the_score(
            ensemble in any_ensemble(),
            ranks in prop::collection::vec(any::<u8>(), N_FEATURES),
        ) {
            let tables = AttributionTables::compile(&ensemble, N_FEATURES);
            let mut contributions = Vec::new();
            let raw = tables.explain(&ranks, &mut contributions);
            prop_assert_eq!(raw.to_bits(), ensemble.raw(&ranks).to_bits());
            prop_assert_eq!(raw.to_bits(), tables.raw(&ranks).to_bits());
            let sum = tables.base() + contributions.iter().sum::<f64>();
            prop_assert!((sum - raw).abs() <= RESIDUAL_MAX);
            prop_assert!(tables.largest_residual(64) <= RESIDUAL_MAX);
        }
    }
}
