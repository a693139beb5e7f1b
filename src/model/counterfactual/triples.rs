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

    /// Work of [`Trees::lowest`]: values looked up.
    pub(super) fn work(self, cubes: &Cubes<'_>) -> u64 {
        let of_entry = |entry: &Entry| {
            let n_segments = entry.of(cubes).map(|part| cubes.segments(part).len() as u64);
            4 * n_segments.into_iter().product::<u64>()
        };
        self.0.iter().map(of_entry).sum()
    }

    /// Adds the interaction of two settings with every setting of the third lever.
    pub(super) fn add_line(self, cubes: &Cubes<'_>, (a, b): (u8, u8), line: &mut [i64]) {
        for entry in self.0 {
            let cube = &cubes.cubes[entry.cube];
            let [first, second, third] = entry.of(cubes);
            let pair = [(first, at(cubes, first, a)), (second, at(cubes, second, b))];
            let without = of_two(cubes, cube, cube.bits, pair);
            let segments = cubes.segments(third);
            let ends = segments.iter().skip(1).map(|next| usize::from(next.start));
            for (&segment, end) in segments.iter().zip(ends.chain([line.len()])) {
                let with = of_two(cubes, cube, third.put(cube.bits, segment), pair);
                let cells = &mut line[usize::from(segment.start)..end];
                for cell in cells {
                    *cell += with - without;
                }
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
                let pair = [(a, at_a), (b, at_b)];
                let without = of_two(cubes, cube, cube.bits, pair);
                for &at_c in cubes.segments(c) {
                    let with = of_two(cubes, cube, c.put(cube.bits, at_c), pair);
                    lowest = lowest.min(with - without);
                }
            }
        }
        lowest
    }
}

/// What two settings do together beyond each alone, from a leaf number. With a third setting
/// in it, less the same without: what three do beyond their singles and pairs.
fn of_two(cubes: &Cubes<'_>, cube: &Cube, bits: u8, [a, b]: [Piece<'_>; 2]) -> i64 {
    let (with_a, with_b) = (a.0.put(bits, a.1), b.0.put(bits, b.1));
    let value = |bits| cubes.value(cube, bits);
    value(b.0.put(with_a, b.1)) - value(with_a) - value(with_b) + value(bits)
}
