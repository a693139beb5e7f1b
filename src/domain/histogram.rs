//! Values counted in cells with fixed ends.

/// How many values fell into which cell, and their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    ends: &'static [f64],
    counts: Box<[u64]>,
    sum: f64,
}

impl Histogram {
    /// An empty one with these ascending upper ends; what is above all of them has a cell, too.
    pub fn new(ends: &'static [f64]) -> Self {
        Self { ends, counts: vec![0; ends.len() + 1].into(), sum: 0.0 }
    }

    /// One that was counted elsewhere: a count per cell, the open one last. Counts that are
    /// missing are 0.
    pub fn of_cells(ends: &'static [f64], mut counts: Vec<u64>, sum: f64) -> Self {
        counts.resize(ends.len() + 1, 0);
        Self { ends, counts: counts.into(), sum }
    }

    /// Takes in a value; one that is no number is left out.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.counts[self.ends.partition_point(|end| *end < value)] += 1;
        self.sum += value;
    }

    /// The upper end of each cell with its count; the last end is infinite.
    pub fn cells(&self) -> impl Iterator<Item = (f64, u64)> {
        let ends = self.ends.iter().copied().chain([f64::INFINITY]);
        ends.zip(self.counts.iter().copied())
    }

    /// How many values there are.
    pub fn n(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_belongs_to_the_cell_below_it() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [-1.0, 1.0, 1.5, 2.0, 2.5, f64::NAN] {
            histogram.add(value);
        }
        let cells: Vec<_> = histogram.cells().collect();
        assert_eq!(cells, [(1.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(histogram.n(), 5);
        assert!((histogram.sum() - 6.0).abs() < 1e-12);
    }
}
