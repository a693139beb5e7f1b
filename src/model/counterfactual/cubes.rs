//! The trees of a forest as functions of the levers, for one order.
//!
//! All but the lever's questions are answered by the order, so a tree is a small
//! cube: each lever that it asks about owns some bits of the leaf number. As the
//! settings of a lever are gone through in order those bits change rarely; a
//! [`Segment`] is a run of settings that give the same bits.

use crate::model::binning::RANK_MISSING;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::search_forest::{SearchForest, SearchTree};
use crate::model::counterfactual::setting_set::SettingSet;
use crate::model::ensemble::{DEPTH_MAX, MissingSide, Split};

/// The trees that ask about at least one lever.
#[derive(Debug)]
pub(super) struct Cubes<'a> {
    pub(super) cubes: Vec<Cube>,
    /// Number of settings by lever.
    pub(super) n_settings: Vec<usize>,
    parts: Vec<Part>,
    segments: Vec<Segment>,
    leaves: &'a [i32],
    sign: i64,
}

/// One tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cube {
    first_leaf: usize,
    /// Leaf number of the order as it is.
    pub(super) bits: u8,
    first_part: usize,
    n_parts: usize,
}

/// What one lever decides in one tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) lever: usize,
    /// Its bits of the leaf number.
    mask: u8,
    first: usize,
    last: usize,
}

/// Settings from `start` up to the next segment's give these bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) start: u8,
    bits: u8,
}

impl<'a> Cubes<'a> {
    pub(super) fn new(forest: &'a SearchForest, question: &Question<'_>) -> Self {
        let levers = question.levers;
        let above = Above::new(forest, question);
        let mut cubes = Self {
            cubes: Vec::with_capacity(forest.trees.len()),
            n_settings: (0..levers.n_levers()).map(|lever| levers.settings(lever).len()).collect(),
            parts: Vec::new(),
            segments: Vec::new(),
            leaves: &forest.leaves,
            sign: question.goal.sign(),
        };
        for tree in &forest.trees {
            cubes.push(tree, question.ranks, &above);
        }
        cubes
    }

    pub(super) fn parts(&self, cube: &Cube) -> &[Part] {
        &self.parts[cube.first_part..cube.first_part + cube.n_parts]
    }

    pub(super) fn segments(&self, part: &Part) -> &[Segment] {
        &self.segments[part.first..part.last]
    }

    /// The tree's value for a leaf number, times the sign of the goal.
    pub(super) fn value(&self, cube: &Cube, bits: u8) -> i64 {
        self.sign * i64::from(self.leaves[cube.first_leaf + usize::from(bits)])
    }

    fn push(&mut self, tree: &SearchTree, ranks: &[u8], above: &Above) {
        let first_part = self.parts.len();
        let mut bits = 0;
        let mut levers = 0_u64;
        // By level: the lever that owns it, if one does, and which settings answer yes.
        let mut owners = [(NOBODY, 0); DEPTH_MAX];
        for (level, split) in tree.splits.iter().enumerate() {
            bits |= u8::from(split.is_above(ranks[usize::from(split.feature)])) << level;
            if let Some(owner) = above.of(*split) {
                owners[level] = owner;
                levers |= 1 << owner.0;
            }
        }
        while let Ok(lever @ 0..64) = u8::try_from(levers.trailing_zeros()) {
            levers &= levers - 1;
            self.push_part(lever, &owners, above);
        }
        let n_parts = self.parts.len() - first_part;
        if 0 < n_parts {
            self.cubes.push(Cube { first_leaf: tree.first_leaf, bits, first_part, n_parts });
        }
    }

    fn push_part(&mut self, lever: u8, owners: &[(u8, usize); DEPTH_MAX], above: &Above) {
        let n_settings = self.n_settings[usize::from(lever)];
        let mut flips = SettingSet::default();
        let mut mask = 0;
        let own = owners.iter().enumerate().filter(|(_, (owner, _))| *owner == lever);
        for (level, &(_, set)) in own.clone() {
            flips.add_all(above.answers[set].flips);
            mask |= 1 << level;
        }
        let bits_at = |setting: u8| {
            let yes = own.clone().filter(|(_, (_, set))| above.answers[*set].yes.contains(setting));
            yes.fold(0, |bits, (level, _)| bits | 1 << level)
        };
        let first = self.segments.len();
        self.segments.push(Segment { start: 0, bits: bits_at(0) });
        flips.for_each(|start| {
            if usize::from(start) < n_settings {
                self.segments.push(Segment { start, bits: bits_at(start) });
            }
        });
        let last = self.segments.len();
        self.parts.push(Part { lever: usize::from(lever), mask, first, last });
    }
}

impl Part {
    /// A leaf number with this lever's bits replaced.
    pub(super) fn put(&self, bits: u8, segment: Segment) -> u8 {
        bits & !self.mask | segment.bits
    }
}

/// No lever has this number.
const NOBODY: u8 = u8::MAX;

/// For every border of a moved feature, the settings of its lever that lie above it.
struct Above {
    features: Vec<Option<MovedFeature>>,
    /// By feature, then by border; once more with the settings that leave no value, where
    /// there are such.
    answers: Vec<Answers>,
}

/// How the settings of a lever answer a question.
#[derive(Clone, Copy, Default)]
struct Answers {
    yes: SettingSet,
    /// Settings that answer otherwise than the one before.
    flips: SettingSet,
}

#[derive(Clone, Copy)]
struct MovedFeature {
    lever: u8,
    /// Where its answers begin, by the side that missing values take.
    below: usize,
    above: usize,
}

impl Above {
    fn new(forest: &SearchForest, question: &Question<'_>) -> Self {
        let mut above = Self { features: vec![None; forest.n_features()], answers: Vec::new() };
        for (feature, owner) in (0_u16..).zip(question.levers.owners(forest.n_features())) {
            let n_borders = forest.borders_of(feature).last().map_or(0, |last| *last + 1);
            if let Some(lever) = owner.filter(|_| 0 < n_borders) {
                let moved = above.push(question, lever, feature, usize::from(n_borders));
                above.features[usize::from(feature)] = Some(moved);
            }
        }
        for answers in &mut above.answers {
            answers.flips = answers.yes.flips();
        }
        above
    }

    /// A rank of at least `border + 2` is above a border: sums up the ranks from the top.
    fn push(
        &mut self,
        question: &Question<'_>,
        lever: u8,
        feature: u16,
        n_borders: usize,
    ) -> MovedFeature {
        let below = self.answers.len();
        let mut missing = SettingSet::default();
        self.answers.resize(below + n_borders, Answers::default());
        let answers = &mut self.answers[below..];
        let levers = question.levers;
        for (position, setting) in (0_u8..).zip(levers.settings(usize::from(lever))) {
            let step = levers.moves(setting).iter().find(|step| step.feature == feature);
            match step.map_or(question.ranks[usize::from(feature)], |step| step.rank) {
                RANK_MISSING => missing.insert(position),
                1 => {}
                rank => answers[usize::from(rank - 2).min(n_borders - 1)].yes.insert(position),
            }
        }
        for border in (1..n_borders).rev() {
            let higher = answers[border].yes;
            answers[border - 1].yes.add_all(higher);
        }
        if missing == SettingSet::default() {
            return MovedFeature { lever, below, above: below };
        }
        let above = self.answers.len();
        self.answers.extend_from_within(below..);
        for answers in &mut self.answers[above..] {
            answers.yes.add_all(missing);
        }
        MovedFeature { lever, below, above }
    }

    /// The lever that decides a question, and the position of how its settings answer.
    fn of(&self, split: Split) -> Option<(u8, usize)> {
        let moved = self.features[usize::from(split.feature)]?;
        let first = match split.missing {
            MissingSide::Below => moved.below,
            MissingSide::Above => moved.above,
        };
        Some((moved.lever, first + usize::from(split.border)))
    }
}
