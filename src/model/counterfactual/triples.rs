//! Interactions of three levers, tree by tree.

use crate::model::counterfactual::cubes::{Cube, Cubes, Part, Segment};
use crate::model::counterfactual::singles::NEVER;

/// Trees that ask about three levers, by triple.
#[derive(Debug)]
pub(super) struct Triples {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    levers: [usize; 3],
    cube: usize,
    parts: [u8; 3],
}

/// A lever's part of a tree with one of its segments.
type Piece<'c> = (&'c Part, Segment);

impl Triples {
    pub(super) fn new(cubes: &Cubes<'_>) -> Self {
        let mut entries = Vec::new();
        for (cube, tree) in cubes.cubes.iter().enumerate() {
            let parts = cubes.parts(tree);
            let n_parts = u8::try_from(parts.len()).unwrap_or(0);
            let of = |parts_of: [u8; 3]| {
                let levers = parts_of.map(|part| parts[usize::from(part)].lever);
                Entry { levers, cube, parts: parts_of }
            };
            let pairs = (0..n_parts).flat_map(|i| (i + 1..n_parts).map(move |j| (i, j)));
            entries.extend(pairs.flat_map(|(i, j)| (j + 1..n_parts).map(move |k| of([i, j, k]))));
        }
        entries.sort_by_key(|entry| entry.levers);
        Self { entries }
    }

    /// The trees of a triple of ascending levers.
    pub(super) fn of(&self, levers: [usize; 3]) -> Trees<'_> {
        let start = self.entries.partition_point(|entry| entry.levers < levers);
        let n = self.entries[start..].partition_point(|entry| entry.levers == levers);
        Trees(&self.entries[start..start + n])
    }
}

/// The trees of one triple.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trees<'t>(&'t [Entry]);

impl Trees<'_> {
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// No three settings interact less: the sum of the trees' minima.
    pub(super) fn lowest(self, cubes: &Cubes<'_>) -> i64 {
        self.0.iter().map(|entry| entry.lowest(cubes)).sum()
    }

    /// Adds the interaction of two settings with every setting of the third lever.
    pub(super) fn add_line(self, cubes: &Cubes<'_>, (a, b): (u8, u8), line: &mut [i64]) {
        for entry in self.0 {
            let cube = &cubes.cubes[entry.cube];
            let [first, second, third] = entry.of(cubes);
            let (at_a, at_b) = (at(cubes, first, a), at(cubes, second, b));
            let segments = cubes.segments(third);
            let ends = segments.iter().skip(1).map(|next| usize::from(next.start));
            for (&segment, end) in segments.iter().zip(ends.chain([line.len()])) {
                let pieces = [(first, at_a), (second, at_b), (third, segment)];
                let value = interaction(cubes, cube, pieces);
                line[usize::from(segment.start)..end].iter_mut().for_each(|cell| *cell += value);
            }
        }
    }
}

/// The segment that a setting is in.
fn at(cubes: &Cubes<'_>, part: &Part, setting: u8) -> Segment {
    let segments = cubes.segments(part);
    segments[segments.partition_point(|segment| segment.start <= setting) - 1]
}

impl Entry {
    fn of<'c>(&self, cubes: &'c Cubes<'_>) -> [&'c Part; 3] {
        let parts = cubes.parts(&cubes.cubes[self.cube]);
        self.parts.map(|part| &parts[usize::from(part)])
    }

    fn lowest(&self, cubes: &Cubes<'_>) -> i64 {
        let cube = &cubes.cubes[self.cube];
        let [a, b, c] = self.of(cubes);
        let mut lowest = NEVER;
        for &at_a in cubes.segments(a) {
            for &at_b in cubes.segments(b) {
                let pieces = |at_c| [(a, at_a), (b, at_b), (c, at_c)];
                let values = cubes.segments(c).iter().map(|&at_c| pieces(at_c));
                lowest = values.map(|it| interaction(cubes, cube, it)).fold(lowest, i64::min);
            }
        }
        lowest
    }
}

/// What three settings do beyond their singles and pairs: inclusion and exclusion.
fn interaction(cubes: &Cubes<'_>, cube: &Cube, pieces: [Piece<'_>; 3]) -> i64 {
    let mut sum = 0;
    for set in 0_u8..8 {
        let chosen = (0_u8..).zip(pieces).filter(|(at, _)| set >> at & 1 == 1);
        let bits = chosen.fold(cube.bits, |bits, (_, (part, segment))| part.put(bits, segment));
        let value = cubes.value(cube, bits);
        sum += if set.count_ones() % 2 == 1 { value } else { -value };
    }
    sum
}
