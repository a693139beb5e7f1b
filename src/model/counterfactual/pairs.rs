//! Interactions of two levers: bounds for all pairs, exact grids for some.

use crate::model::counterfactual::cubes::{Cube, Cubes, Part};
use crate::model::counterfactual::singles::NEVER;

/// Interaction of two levers: what both do together beyond the sum of each alone.
#[derive(Debug)]
pub(super) struct Pairs {
    n_levers: usize,
    /// Trees that ask about both, by pair.
    entries: Vec<Entry>,
    /// By pair: where its entries begin; one more at the end.
    starts: Vec<usize>,
    /// By pair: no pair of settings interacts less.
    lowest: Vec<i64>,
    /// By pair: where its grid begins, once it was needed.
    grid_at: Vec<Option<usize>>,
    grids: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    pair: usize,
    cube: usize,
    parts: (u8, u8),
}

impl Pairs {
    /// Finds the trees of every pair and bounds its interaction by the sum of their minima.
    pub(super) fn new(cubes: &Cubes<'_>) -> Self {
        let n_levers = cubes.n_settings.len();
        let mut entries = Vec::new();
        for (at, cube) in cubes.cubes.iter().enumerate() {
            let parts = cubes.parts(cube);
            for (i, a) in (0_u8..).zip(parts) {
                let others = (0_u8..).zip(parts).skip(usize::from(i) + 1);
                entries.extend(others.map(|(j, b)| Entry {
                    pair: a.lever * n_levers + b.lever,
                    cube: at,
                    parts: (i, j),
                }));
            }
        }
        entries.sort_by_key(|entry| entry.pair);
        let n_pairs = n_levers * n_levers;
        let mut lowest = vec![0; n_pairs];
        let mut starts = vec![0; n_pairs + 1];
        for entry in &entries {
            lowest[entry.pair] += entry.lowest(cubes);
            starts[entry.pair + 1] += 1;
        }
        for pair in 0..n_pairs {
            starts[pair + 1] += starts[pair];
        }
        Self { n_levers, entries, starts, lowest, grid_at: vec![None; n_pairs], grids: Vec::new() }
    }

    /// No settings of two levers interact less; exact once their grid was made.
    pub(super) fn lowest(&self, a: usize, b: usize) -> i64 {
        self.lowest[a * self.n_levers + b]
    }

    /// Work of [`Pairs::grid`] in cells; 0 when it was made before.
    pub(super) fn work(&self, cubes: &Cubes<'_>, a: usize, b: usize) -> u64 {
        match self.grid_at[a * self.n_levers + b] {
            Some(_) => 0,
            None => (cubes.n_settings[a] * cubes.n_settings[b]) as u64,
        }
    }

    /// Interaction of every setting of `a` with every one of `b > a`, row by row.
    pub(super) fn grid(&mut self, cubes: &Cubes<'_>, a: usize, b: usize) -> &[i64] {
        let pair = a * self.n_levers + b;
        let (rows, columns) = (cubes.n_settings[a], cubes.n_settings[b]);
        let start =
            self.grid_at[pair].unwrap_or_else(|| self.make_grid(cubes, pair, columns, rows));
        &self.grids[start..start + rows * columns]
    }

    /// A grid that [`Pairs::grid`] made before; empty otherwise.
    pub(super) fn made(&self, cubes: &Cubes<'_>, a: usize, b: usize) -> &[i64] {
        let n = cubes.n_settings[a] * cubes.n_settings[b];
        self.grid_at[a * self.n_levers + b].map_or(&[], |start| &self.grids[start..start + n])
    }

    /// Each tree is constant on rectangles: their corners are added up, then summed over.
    fn make_grid(&mut self, cubes: &Cubes<'_>, pair: usize, columns: usize, rows: usize) -> usize {
        let start = self.grids.len();
        self.grids.resize(start + rows * columns, 0);
        let grid = &mut self.grids[start..];
        let mut above = Vec::new();
        for entry in &self.entries[self.starts[pair]..self.starts[pair + 1]] {
            let cube = &cubes.cubes[entry.cube];
            let (a, b) = entry.of(cubes);
            above.clear();
            above.resize(cubes.segments(b).len(), 0);
            for &row in cubes.segments(a) {
                let mut left = 0;
                for (&column, above) in cubes.segments(b).iter().zip(&mut above) {
                    let value = interaction(cubes, cube, (a, row), (b, column));
                    let gain = value - *above;
                    let corner = usize::from(row.start) * columns + usize::from(column.start);
                    grid[corner] += gain - left;
                    left = gain;
                    *above = value;
                }
            }
        }
        sum_over(grid, columns);
        self.grid_at[pair] = Some(start);
        self.lowest[pair] = grid.iter().copied().min().unwrap_or(NEVER);
        start
    }
}

/// From corners to cells: sums along rows, then down the columns.
fn sum_over(grid: &mut [i64], columns: usize) {
    let mut before: Vec<i64> = vec![0; columns];
    for row in grid.chunks_exact_mut(columns.max(1)) {
        let mut sum = 0;
        for (cell, before) in row.iter_mut().zip(&mut before) {
            sum += *cell;
            *cell = sum + *before;
            *before = *cell;
        }
    }
}

impl Entry {
    fn of<'c>(&self, cubes: &'c Cubes<'_>) -> (&'c Part, &'c Part) {
        let parts = cubes.parts(&cubes.cubes[self.cube]);
        (&parts[usize::from(self.parts.0)], &parts[usize::from(self.parts.1)])
    }

    fn lowest(&self, cubes: &Cubes<'_>) -> i64 {
        let cube = &cubes.cubes[self.cube];
        let (a, b) = self.of(cubes);
        let mut lowest = NEVER;
        for &row in cubes.segments(a) {
            for &column in cubes.segments(b) {
                lowest = lowest.min(interaction(cubes, cube, (a, row), (b, column)));
            }
        }
        lowest
    }
}

type Piece<'c> = (&'c Part, super::cubes::Segment);

fn interaction(cubes: &Cubes<'_>, cube: &Cube, a: Piece<'_>, b: Piece<'_>) -> i64 {
    let with_a = a.0.put(cube.bits, a.1);
    let with_b = b.0.put(cube.bits, b.1);
    let with_both = b.0.put(with_a, b.1);
    cubes.value(cube, with_both) - cubes.value(cube, with_a) - cubes.value(cube, with_b)
        + cubes.value(cube, cube.bits)
}
