//! Coalition games: what a tree is worth when only some features are known.
//!
//! A feature that a tree asks twice is one player. The value of a coalition at a
//! leaf is the mean leaf over what the other features might have been; the two
//! games differ in where that comes from.

use crate::model::background::Background;
use crate::model::ensemble::{DEPTH_MAX, Tree};

/// Where the features outside of a coalition come from.
#[derive(Clone, Copy, Debug)]
pub enum Game<'a> {
    /// From the rows of a background, together: the interventional game (Janzing et al. 2020).
    Interventional(&'a Background),
    /// Each branch by its training weight, the last split as root: `TreeSHAP` (Lundberg
    /// et al. 2018) as `CatBoost` has it.
    PathDependent,
}

/// Which player owns which level of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    /// The feature of each player, in the order of the splits.
    pub(crate) players: Vec<u16>,
    /// Position in `players` of the feature of each level.
    owner: Vec<usize>,
}

impl Levels {
    pub(crate) fn new(tree: &Tree) -> Self {
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

    /// The leaf bits that the players of a coalition decide.
    fn bits(&self, coalition: usize) -> usize {
        let levels = self.owner.iter().enumerate();
        levels.fold(0, |bits, (level, owner)| bits | (coalition >> owner & 1) << level)
    }
}

/// The value of every coalition at every leaf of one tree.
#[derive(Clone, Debug)]
pub(crate) struct CoalitionValues {
    n_players: usize,
    n_leaves: usize,
    /// `[coalition][leaf]`; a coalition is a set of bits, one per player.
    values: Vec<f64>,
}

impl CoalitionValues {
    /// The interventional game: `v(S, b) = Σ_c p(c) · leaf[b on S, c elsewhere]`, with
    /// `counts[c]` background rows in leaf c.
    pub(crate) fn interventional(tree: &Tree, levels: &Levels, counts: &[u32]) -> Self {
        let leaves = tree.leaves();
        let n_rows = counts.iter().map(|&count| f64::from(count)).sum::<f64>().max(1.0);
        let mut shares = vec![0.0; leaves.len()];
        Self::fill(leaves.len(), levels, |known, row| {
            shares.fill(0.0);
            for (leaf, &count) in counts.iter().enumerate() {
                shares[leaf & !known] += f64::from(count) / n_rows;
            }
            for at in within(known, leaves.len()) {
                row[at] = mean_leaf(leaves, &shares, at);
            }
        })
    }

    /// The path-dependent game.
    pub(crate) fn path_dependent(tree: &Tree, levels: &Levels) -> Self {
        let averages = averages(tree);
        let n_levels = tree.splits().len();
        Self::fill(tree.leaves().len(), levels, |known, row| {
            for at in within(known, row.len()) {
                row[at] = averages[ternary(known, at, n_levels)];
            }
        })
    }

    /// The value without any player: the same at every leaf.
    pub(crate) fn of_nobody(&self) -> f64 {
        self.values[0]
    }

    /// Shapley (1953): mean marginal value over all orders in which players can join.
    pub(crate) fn shapley(&self, leaf: usize, player: usize) -> f64 {
        let value = |coalition: usize| self.values[coalition * self.n_leaves + leaf];
        let member = 1 << player;
        let without = (0..1_usize << self.n_players).filter(|set| set & member == 0);
        without
            .map(|set| {
                let gain = value(set | member) - value(set);
                gain * join_weight(self.n_players, set.count_ones())
            })
            .sum()
    }

    /// `values_of(known bits, row)` fills in, of a row of zeros, the leaves whose other bits
    /// are 0; leaves that agree on the known bits share a value.
    fn fill(
        n_leaves: usize,
        levels: &Levels,
        mut values_of: impl FnMut(usize, &mut [f64]),
    ) -> Self {
        let n_players = levels.players.len();
        let mut values = vec![0.0; n_leaves << n_players];
        for (coalition, row) in values.chunks_exact_mut(n_leaves).enumerate() {
            let known = levels.bits(coalition);
            values_of(known, row);
            for leaf in 0..n_leaves {
                row[leaf] = row[leaf & known];
            }
        }
        Self { n_players, n_leaves, values }
    }
}

/// The leaves whose bits are all among the known ones.
fn within(known: usize, n_leaves: usize) -> impl Iterator<Item = usize> {
    (0..n_leaves).filter(move |leaf| leaf & !known == 0)
}

/// The mean leaf when the known bits are those of `at` and the others are shared out.
fn mean_leaf(leaves: &[f64], shares: &[f64], at: usize) -> f64 {
    let others = shares.iter().enumerate().filter(|(_, share)| 0.0 < **share);
    others.map(|(other, share)| share * leaves[at | other]).sum()
}

/// The place among [`averages`] of the known bits of a leaf.
fn ternary(known: usize, leaf: usize, n_levels: usize) -> usize {
    (0..n_levels).rev().fold(0, |index, level| {
        3 * index + if known >> level & 1 == 1 { leaf >> level & 1 } else { 2 }
    })
}

/// Expected leaf value for every way to fix or average the levels of a tree.
///
/// Indexed in base 3, level k at digit k: 0 and 1 fix the answer, 2 averages it. Built
/// from the deepest level (the first split) up to the root (the last one).
fn averages(tree: &Tree) -> Vec<f64> {
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
    values
}

/// `|S|! (n − |S| − 1)! / n!`
fn join_weight(n_players: usize, n_joined: u32) -> f64 {
    const FACTORIAL: [f64; DEPTH_MAX + 1] = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0];
    let n_joined = n_joined as usize;
    FACTORIAL[n_joined] * FACTORIAL[n_players - n_joined - 1] / FACTORIAL[n_players]
}
