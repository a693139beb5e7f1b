//! All heads of a bundle, compiled into one pass over the thresholds.
//!
//! An order's values become ranks once, the ranks become one leaf number per tree of
//! every head, and each leaf number picks a row with the leaf and its exact Shapley
//! values. All sums are of whole steps: `base + Σ contributions = score` exactly, the
//! same on any batch, thread and instruction set.

use crate::domain::scramble::{SEED_STEP, scramble};
use crate::model::background::Background;
use crate::model::binning::{Binning, RANK_MISSING};
use crate::model::ensemble::{DEPTH_MAX, Ensemble, Tree};
use crate::model::fixed::Scale;
use crate::model::forest::{Forest, Position};
use crate::model::game::Game;
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::Avx2;
use crate::model::ranker::Ranker;
use crate::model::tables::{HeadTables, RowsOfOrder};

/// Features up to which a byte names each.
pub(crate) const NARROW_MAX: usize = 255;
/// Ranks are padded to a multiple of this.
const RANKS_STEP: usize = 16;

/// Which instructions find ranks and leaves; the answers are the same.
#[derive(Clone, Copy, Debug)]
pub struct Instructions(Set);

#[derive(Clone, Copy, Debug)]
enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

/// Heads over one feature vector, compiled for one game.
#[derive(Clone, Debug)]
pub struct Engine {
    n_features: usize,
    instructions: Instructions,
    ranker: Ranker,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// At most [`NARROW_MAX`] features.
    Narrow(Heads<u8>),
    /// Any number: leaves are found without vector instructions.
    Wide(Heads<u16>),
}

#[derive(Clone, Debug)]
struct Heads<P> {
    forest: Forest<P>,
    tables: Vec<HeadTables>,
}

/// What scoring needs and leaves behind; kept by the caller, so that nothing is
/// allocated per order.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    ranks: Vec<u8>,
    leaves: Vec<u8>,
    rows: RowsOfOrder,
    raw: Vec<i32>,
    /// `[head][feature]`.
    contributions: Vec<i32>,
    n_features: usize,
}

impl Instructions {
    /// The fastest that this machine has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Self(Set::Avx2(avx2));
        }
        Self::scalar()
    }

    /// Those that every machine has.
    pub fn scalar() -> Self {
        Self(Set::Scalar)
    }

    fn ranks(self, ranker: &Ranker, values: &[f32], ranks: &mut [u8]) {
        match self.0 {
            Set::Scalar => ranker.fill(values, ranks),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(avx2) => avx2.ranks(ranker, values, ranks),
        }
    }

    /// The leaf number of every tree, from padded ranks.
    pub(crate) fn leaves(self, forest: &Forest<u8>, ranks: &[u8], leaves: &mut [u8]) {
        match self.0 {
            Set::Scalar => forest.fill(ranks, leaves),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(avx2) => avx2.leaves(forest, ranks, leaves),
        }
    }
}

impl Engine {
    /// Compiles ensembles that share their borders.
    ///
    /// Per tree, `O(4^depth)` for the game and `O(2^depth · 2^players · players)` for the
    /// Shapley values; the rows of a background are walked once for all heads.
    pub fn compile(binning: &Binning, ensembles: &[&Ensemble], game: Game<'_>) -> Self {
        Self::compile_with(Instructions::detect(), binning, ensembles, game)
    }

    /// Like [`Engine::compile`], with given instructions.
    pub fn compile_with(
        instructions: Instructions,
        binning: &Binning,
        ensembles: &[&Ensemble],
        game: Game<'_>,
    ) -> Self {
        let splits = ensembles.iter().flat_map(|ensemble| ensemble.trees()).flat_map(Tree::splits);
        let n_asked = splits.map(|split| usize::from(split.feature) + 1).max().unwrap_or(0);
        let n_features = binning.n_features().max(n_asked);
        let body = if n_features <= NARROW_MAX {
            let find = |forest: &Forest<u8>, ranks: &[u8], leaves: &mut [u8]| {
                instructions.leaves(forest, ranks, leaves);
            };
            Body::Narrow(Heads::new(ensembles, game, n_features, find))
        } else {
            Body::Wide(Heads::new(ensembles, game, n_features, Forest::<u16>::fill))
        };
        Self { n_features, instructions, ranker: Ranker::new(binning), body }
    }

    /// How many heads there are.
    pub fn n_heads(&self) -> usize {
        match &self.body {
            Body::Narrow(heads) => heads.tables.len(),
            Body::Wide(heads) => heads.tables.len(),
        }
    }

    /// The step of a head's numbers.
    pub fn scale(&self, head: usize) -> Scale {
        match &self.body {
            Body::Narrow(heads) => heads.tables[head].scale,
            Body::Wide(heads) => heads.tables[head].scale,
        }
    }

    /// Score of the average order of the game, in steps.
    pub fn base(&self, head: usize) -> i32 {
        match &self.body {
            Body::Narrow(heads) => heads.tables[head].base,
            Body::Wide(heads) => heads.tables[head].base,
        }
    }

    /// Scores one feature vector with every head; NaN = unknown. Read the answer with
    /// [`Scratch::raw`].
    pub fn score(&self, values: &[f32], scratch: &mut Scratch) {
        self.rank(values, scratch);
        self.score_ranked(scratch);
    }

    /// Scores and explains one feature vector with every head; NaN = unknown. Read the
    /// answer with [`Scratch::raw`] and [`Scratch::contributions`].
    pub fn explain(&self, values: &[f32], scratch: &mut Scratch) {
        self.rank(values, scratch);
        self.explain_ranked(scratch);
    }

    /// Like [`Engine::explain`], from ranks instead of values.
    pub fn explain_ranks(&self, ranks: &[u8], scratch: &mut Scratch) {
        self.make_room(scratch);
        scratch.ranks.fill(RANK_MISSING);
        for (slot, rank) in scratch.ranks.iter_mut().zip(ranks) {
            *slot = *rank;
        }
        self.explain_ranked(scratch);
    }

    /// Largest `|base + Σ contributions − raw|` in steps over pseudo-random orders, raw
    /// scores taken from the trees themselves: 0, or the engine must not be used.
    pub fn largest_residual(&self, ensembles: &[&Ensemble], n_orders: u32) -> i64 {
        let mut scratch = Scratch::default();
        let mut ranks = vec![RANK_MISSING; self.n_features];
        let mut state = 0_u64;
        let mut largest = 0;
        for _ in 0..n_orders {
            for rank in &mut ranks {
                state = state.wrapping_add(SEED_STEP);
                *rank = scramble(state).to_le_bytes()[0];
            }
            self.explain_ranks(&ranks, &mut scratch);
            for (head, ensemble) in ensembles.iter().enumerate() {
                let shifts = scratch.contributions(head).iter();
                let sum =
                    shifts.fold(i64::from(self.base(head)), |sum, &shift| sum + i64::from(shift));
                let raw = i64::from(ensemble.scale().to_steps(ensemble.raw(&ranks)));
                largest =
                    largest.max((sum - raw).abs()).max((i64::from(scratch.raw(head)) - raw).abs());
            }
        }
        largest
    }

    fn rank(&self, values: &[f32], scratch: &mut Scratch) {
        self.make_room(scratch);
        self.instructions.ranks(&self.ranker, values, &mut scratch.ranks);
    }

    fn score_ranked(&self, scratch: &mut Scratch) {
        let Scratch { ranks, leaves, raw, .. } = scratch;
        match &self.body {
            Body::Narrow(heads) => {
                self.instructions.leaves(&heads.forest, ranks, leaves);
                heads.score(leaves, raw);
            }
            Body::Wide(heads) => {
                heads.forest.fill(ranks, leaves);
                heads.score(leaves, raw);
            }
        }
    }

    fn explain_ranked(&self, scratch: &mut Scratch) {
        let Scratch { ranks, leaves, rows, raw, contributions, n_features } = scratch;
        let out = (raw.as_mut_slice(), contributions.as_mut_slice(), *n_features);
        match &self.body {
            Body::Narrow(heads) => {
                self.instructions.leaves(&heads.forest, ranks, leaves);
                heads.explain(leaves, rows, out);
            }
            Body::Wide(heads) => {
                heads.forest.fill(ranks, leaves);
                heads.explain(leaves, rows, out);
            }
        }
    }

    /// Sizes the buffers; free when they were used with an engine of this shape.
    fn make_room(&self, scratch: &mut Scratch) {
        let n_lanes = match &self.body {
            Body::Narrow(heads) => heads.forest.n_lanes(),
            Body::Wide(heads) => heads.forest.n_lanes(),
        };
        scratch.n_features = self.n_features;
        scratch.ranks.resize(padded(self.n_features), RANK_MISSING);
        scratch.leaves.resize(n_lanes, 0);
        scratch.raw.resize(self.n_heads(), 0);
        scratch.contributions.resize(self.n_heads() * self.n_features, 0);
    }
}

impl Scratch {
    /// The raw score of a head for the last order, in steps.
    pub fn raw(&self, head: usize) -> i32 {
        self.raw[head]
    }

    /// One contribution per feature of a head for the last order that was explained, in
    /// steps.
    pub fn contributions(&self, head: usize) -> &[i32] {
        let start = head * self.n_features;
        &self.contributions[start..start + self.n_features]
    }

    /// The same, padded as [`Instructions::leaves`] reads them.
    pub(crate) fn padded_ranks(&self) -> &[u8] {
        &self.ranks
    }

    /// The ranks of the last order.
    pub fn ranks(&self) -> &[u8] {
        &self.ranks[..self.n_features]
    }
}

impl<P: Position> Heads<P> {
    fn new(
        ensembles: &[&Ensemble],
        game: Game<'_>,
        n_features: usize,
        find: impl Fn(&Forest<P>, &[u8], &mut [u8]),
    ) -> Self {
        let forest = Forest::new(ensembles.iter().flat_map(|ensemble| ensemble.trees()));
        let counts = match game {
            Game::PathDependent => Vec::new(),
            Game::Interventional(background) => leaf_counts(&forest, background, n_features, find),
        };
        let mut first = 0;
        let tables = ensembles.iter().map(|ensemble| {
            let counts = &counts[first.min(counts.len())..];
            first += ensemble.trees().len() << DEPTH_MAX;
            HeadTables::new(ensemble, game, counts, n_features)
        });
        Self { tables: tables.collect(), forest }
    }

    fn score(&self, leaves: &[u8], raw: &mut [i32]) {
        let mut leaves = leaves;
        for (tables, raw) in self.tables.iter().zip(raw) {
            let (own, others) = leaves.split_at(tables.n_trees());
            *raw = tables.score(own);
            leaves = others;
        }
    }

    fn explain(
        &self,
        leaves: &[u8],
        rows: &mut RowsOfOrder,
        (raw, contributions, n_features): (&mut [i32], &mut [i32], usize),
    ) {
        let mut leaves = leaves;
        if let Some(first) = self.tables.first() {
            first.fetch(leaves);
        }
        let outputs = contributions.chunks_exact_mut(n_features.max(1));
        for (head, (raw, out)) in raw.iter_mut().zip(outputs).enumerate() {
            let tables = &self.tables[head];
            let (own, others) = leaves.split_at(tables.n_trees());
            let next = self.tables.get(head + 1).map(|tables| (tables, others));
            *raw = tables.explain(own, rows, out, next);
            leaves = others;
        }
    }
}

/// How many background rows end in each leaf, 64 per tree.
fn leaf_counts<P: Position>(
    forest: &Forest<P>,
    background: &Background,
    n_features: usize,
    find: impl Fn(&Forest<P>, &[u8], &mut [u8]),
) -> Vec<u32> {
    let mut counts = vec![0; forest.n_lanes() << DEPTH_MAX];
    let mut leaves = vec![0; forest.n_lanes()];
    let mut ranks = vec![RANK_MISSING; padded(n_features)];
    for row in background.rows() {
        for (slot, rank) in ranks.iter_mut().zip(row) {
            *slot = *rank;
        }
        find(forest, &ranks, &mut leaves);
        for (tree, &leaf) in leaves.iter().enumerate() {
            counts[(tree << DEPTH_MAX) + usize::from(leaf)] += 1;
        }
    }
    counts
}

fn padded(n_features: usize) -> usize {
    n_features.max(1).next_multiple_of(RANKS_STEP)
}
