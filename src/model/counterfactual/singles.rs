//! What each setting does alone: exact shifts for all settings in one pass.

use crate::model::counterfactual::cubes::Cubes;

/// Above every shift that can occur, and far from overflow in sums of a few.
pub(super) const NEVER: i64 = 1 << 40;

/// Shift of the score by every setting of every lever, times the sign of the goal.
#[derive(Debug)]
pub(super) struct Singles {
    starts: Vec<usize>,
    shifts: Vec<i64>,
}

impl Singles {
    /// A tree is a step function of each lever: only its steps are added up.
    pub(super) fn new(cubes: &Cubes<'_>) -> Self {
        let mut starts = vec![0];
        for n in &cubes.n_settings {
            starts.push(starts.last().copied().unwrap_or(0) + n);
        }
        let n_shifts = starts.last().copied().unwrap_or(0);
        let mut singles = Self { starts, shifts: vec![0; n_shifts] };
        for cube in &cubes.cubes {
            let present = cubes.value(cube, cube.bits);
            for part in cubes.parts(cube) {
                let first = singles.starts[part.lever];
                let mut before = present;
                for &segment in cubes.segments(part) {
                    let value = cubes.value(cube, part.put(cube.bits, segment));
                    singles.shifts[first + usize::from(segment.start)] += value - before;
                    before = value;
                }
            }
        }
        for lever in 0..cubes.n_settings.len() {
            let mut sum = 0;
            for shift in &mut singles.shifts[singles.starts[lever]..singles.starts[lever + 1]] {
                sum += *shift;
                *shift = sum;
            }
        }
        singles
    }

    /// Shifts by setting.
    pub(super) fn of(&self, lever: usize) -> &[i64] {
        &self.shifts[self.starts[lever]..self.starts[lever + 1]]
    }
}
