//! Has the population moved? PSI per feature and score, each beside its noise.

use serde::Serialize;

use crate::domain::head::HeadId;
use crate::model::population::Population;

/// A shift below this is of no consequence (Siddiqi 2006).
pub const PSI_MOVED: f64 = 0.1;
/// A shift from this on asks for a new model (Siddiqi 2006).
pub const PSI_SHIFTED: f64 = 0.25;
/// Added to every count: an empty cell would make the index infinite.
const PRIOR: f64 = 0.5;
/// 99 % quantile of the standard normal distribution.
const Z_99: f64 = 2.326_347_874_040_841;

/// What became of one distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// No more than chance, or of no consequence.
    Stable,
    /// More than chance, but it already moved while the bundle was trained.
    Trending,
    /// More than chance, and 0.1 or more.
    Moved,
    /// More than chance, and 0.25 or more.
    Shifted,
}

impl Movement {
    /// The name used in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Trending => "trending",
            Self::Moved => "moved",
            Self::Shifted => "shifted",
        }
    }
}

/// How far one distribution moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// Feature id, or `score of <head>`.
    pub name: Box<str>,
    /// Population stability index, `Σ (p − q) ln(p / q)`, nats.
    pub psi: f64,
    /// What it is on average when nothing moves.
    pub noise_mean: f64,
    /// What it exceeds once in a hundred times when nothing moves.
    pub noise_max: f64,
    /// What follows.
    pub movement: Movement,
}

/// Counts a window against a population.
#[derive(Clone, Debug)]
pub struct Drift<'a> {
    population: &'a Population,
    features: Vec<Vec<u32>>,
    scores: Vec<Vec<u32>>,
}

impl<'a> Drift<'a> {
    /// An empty window.
    pub fn new(population: &'a Population) -> Self {
        let features = population.features.iter().map(|it| vec![0; it.borders.len() + 2]);
        let scores = population.scores.iter().map(|it| vec![0; it.borders.len() + 1]);
        Self { population, features: features.collect(), scores: scores.collect() }
    }

    /// Counts one order: its feature vector and the raw score of every head.
    pub fn add(&mut self, values: &[f32], raw: impl Iterator<Item = f64>) {
        let features = self.population.features.iter().zip(&mut self.features);
        for ((feature, counts), value) in features.zip(values) {
            add_one(counts, feature.cell(*value));
        }
        for ((score, counts), raw) in self.population.scores.iter().zip(&mut self.scores).zip(raw) {
            add_one(counts, score.cell(raw));
        }
    }

    /// Every shift, the largest above its noise first. `features` and `heads` name them
    /// in bundle order.
    pub fn shifts<'b>(
        &self,
        features: impl Iterator<Item = &'b str>,
        heads: impl Iterator<Item = &'b HeadId>,
    ) -> Vec<Shift> {
        let of_features = self.population.features.iter().zip(&self.features).zip(features);
        let of_features = of_features.map(|((before, now), name)| {
            let found = shift(name, &before.counts, now);
            let is_trend = !before.is_steady() && found.movement != Movement::Stable;
            let movement = if is_trend { Movement::Trending } else { found.movement };
            Shift { movement, ..found }
        });
        let of_scores = self.population.scores.iter().zip(&self.scores).zip(heads);
        let of_scores = of_scores
            .map(|((before, now), head)| shift(&format!("score of {head}"), &before.counts, now));
        let mut shifts: Vec<Shift> = of_features.chain(of_scores).collect();
        let excess = |shift: &Shift| shift.psi - shift.noise_max;
        shifts.sort_by(|a, b| {
            b.movement
                .cmp(&a.movement)
                .then(excess(b).total_cmp(&excess(a)))
                .then(a.name.cmp(&b.name))
        });
        shifts
    }
}

fn add_one(counts: &mut [u32], cell: usize) {
    if let Some(count) = counts.get_mut(cell) {
        *count = count.saturating_add(1);
    }
}

/// The index between two parts of the training rows; 0 when chance explains it.
pub(crate) fn trend(before: &[u32], now: &[u32]) -> f64 {
    let Shift { psi, noise_max, .. } = shift("", before, now);
    if noise_max < psi { psi } else { 0.0 }
}

/// The index and its noise. Without a shift it is distributed like chi-square with one
/// degree of freedom less than cells, times `1/n + 1/m` (Yurdakul and Naranjo 2020). Rows
/// are taken as independent; orders of one buyer are not, so the noise is a lower bound.
fn shift(name: &str, before: &[u32], now: &[u32]) -> Shift {
    let used: Vec<(f64, f64)> = before
        .iter()
        .zip(now)
        .filter(|(before, now)| 0 < **before || 0 < **now)
        .map(|(before, now)| (f64::from(*before), f64::from(*now)))
        .collect();
    let (n, m) = used.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    if n <= 0.0 || m <= 0.0 {
        let movement = Movement::Stable;
        return Shift { name: name.into(), psi: 0.0, noise_mean: 0.0, noise_max: 0.0, movement };
    }
    let cells = used.len() as f64;
    let share = |count: f64, total: f64| (count + PRIOR) / (total + PRIOR * cells);
    let psi = index(used.iter().map(|(before, now)| (share(*before, n), share(*now, m))));
    let scale = 1.0 / n + 1.0 / m;
    let noise_max = chi_square_99(cells - 1.0) * scale;
    let movement = match psi {
        _ if psi <= noise_max || psi < PSI_MOVED => Movement::Stable,
        _ if psi < PSI_SHIFTED => Movement::Moved,
        _ => Movement::Shifted,
    };
    Shift { name: name.into(), psi, noise_mean: (cells - 1.0) * scale, noise_max, movement }
}

/// The index when an empty cell's share is this floor and no others change: the convention of
/// Evidently, for comparison with its figures. Ours adds half a row to each cell instead, which
/// does not hang on a floor that somebody has to choose.
pub fn floored_index(before: &[u32], now: &[u32], floor: f64) -> f64 {
    let shares = |counts: &[u32]| {
        let n: f64 = counts.iter().copied().map(f64::from).sum();
        let share = |count: &u32| if *count == 0 { floor } else { f64::from(*count) / n };
        counts.iter().map(share).collect::<Vec<f64>>()
    };
    index(shares(before).into_iter().zip(shares(now)))
}

/// `Σ (p − q) ln(p / q)`, shares being above 0.
fn index(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    shares.map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

/// 99 % quantile of chi-square (Wilson and Hilferty 1931; within 2 % from 1 degree on).
fn chi_square_99(freedom: f64) -> f64 {
    if freedom <= 0.0 {
        return 0.0;
    }
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + Z_99 * spread.sqrt()).powi(3)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    #[test]
    fn the_index_is_that_of_the_definition() {
        let found = shift("x", &[500, 500], &[800, 200]);
        let expected = 0.3 * (0.8_f64 / 0.5).ln() + 0.3 * (0.5_f64 / 0.2).ln();
        assert!((found.psi - expected).abs() < 2e-3, "{found:?}");
        assert_eq!(found.movement, Movement::Shifted);
    }

    #[test]
    fn an_empty_cell_counts_as_the_floor_alone() {
        let expected = 0.1 * (1.0_f64 / 0.9).ln() + (0.1 - 1e-4) * (0.1_f64 / 1e-4).ln();
        assert!((floored_index(&[50, 0], &[9, 1], 1e-4) - expected).abs() < 1e-12);
    }

    #[test]
    fn chi_square_quantiles_are_those_of_the_tables() {
        for (freedom, table) in [(1.0, 6.635), (5.0, 15.086), (9.0, 21.666)] {
            assert!((chi_square_99(freedom) / table - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn without_a_shift_the_index_stays_inside_its_noise() {
        let mut rng = generator(4, 0);
        let mut counts = |n: u32| {
            let mut counts = [0_u32; 9];
            for _ in 0..n {
                counts[rng.gen_range(0..9)] += 1;
            }
            counts
        };
        let (mut sum, mut n_above) = (0.0, 0);
        for _ in 0..400 {
            let found = shift("x", &counts(2_000), &counts(500));
            sum += found.psi / found.noise_mean;
            n_above += i32::from(found.noise_max < found.psi);
        }
        assert!((sum / 400.0 - 1.0).abs() < 0.1, "{sum}");
        assert!(n_above <= 12, "{n_above} of 400");
    }

    #[test]
    fn few_rows_cannot_shift_anything() {
        assert_eq!(shift("x", &[40, 40], &[5, 1]).movement, Movement::Stable);
        assert_eq!(shift("x", &[4_000, 4_000], &[500, 100]).movement, Movement::Shifted);
        assert_eq!(shift("x", &[10, 0], &[0, 0]).movement, Movement::Stable);
    }
}
