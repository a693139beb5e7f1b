//! Is an order unlike the training data? Surprise, feature by feature.
//!
//! The surprise of an order is `−ln` of its probability under the population's
//! tree, less what the average training row has. Each feature adds a term of its
//! own, so the largest terms are the reasons. One table look-up per feature. Features
//! that already moved while the bundle was trained say nothing and add nothing.

use crate::domain::unlike::UnlikeKind;
use crate::model::population::{CELL_BORDERS_MAX, CELLS_MAX, FeatureCounts, Population};

/// Added to every count, so that what was never seen is rare and not impossible
/// (Krichevsky and Trofimov 1981).
const PRIOR: f64 = 0.5;
/// Most ranges that a value beyond the seen range is counted to lie beyond it.
const RANGES_MAX: f32 = 9.0;
/// Most reasons of an order.
const FINDINGS_MAX: usize = 3;
/// A smaller term is not worth a reason, nats.
const FINDING_MIN: f32 = 2.0;

/// The population as tables.
#[derive(Clone, Debug)]
pub struct UnlikeTables {
    features: Vec<FeatureTable>,
    /// Surprise of a value outside the seen range, nats: one row more in `n + 1`.
    unseen: f32,
    surprise_max: f32,
}

#[derive(Clone, Debug)]
struct FeatureTable {
    /// Padded with infinity, which no value is above.
    borders: [f32; CELL_BORDERS_MAX],
    low: f32,
    high: f32,
    was_missing: bool,
    parent: usize,
    is_root: bool,
    /// Surprise above the average, by the parent's cell and the own one.
    excess: [[f32; CELLS_MAX]; CELLS_MAX],
}

/// What was found about one order.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlikeness {
    /// True when the order stands out.
    pub is_unlike: bool,
    /// Surprise above that of the average training row, nats.
    pub surprise: f64,
    /// Surprise from which an order stands out, nats.
    pub surprise_max: f64,
    /// The largest terms, largest first; empty unless `is_unlike`.
    pub findings: Vec<Finding>,
}

/// One unusual value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// In which way.
    pub kind: UnlikeKind,
    /// Position of the feature.
    pub feature: usize,
    /// Position of the feature that makes it unusual.
    pub beside: Option<usize>,
    /// Its share of the surprise, nats.
    pub surprise: f64,
}

impl UnlikeTables {
    /// Turns counts into surprises.
    pub fn compile(population: &Population) -> Self {
        let table = |counts| FeatureTable::new(counts, &population.features);
        Self {
            features: population.features.iter().map(table).collect(),
            unseen: narrow((population.n_rows as f64 + 1.0).ln()),
            surprise_max: narrow(population.surprise_max),
        }
    }

    /// How unlike the training data an order is; shape `[n_features]`, NaN = unknown.
    ///
    /// It is unlike when its surprise is above the population's cut, when a value lies
    /// beyond the seen range by more than that range, or when a value is missing that
    /// never was.
    pub fn assess(&self, values: &[f32]) -> Unlikeness {
        let mut surprise = 0.0;
        let mut is_alien = false;
        for (value, feature) in values.iter().zip(&self.features) {
            surprise += self.term(*value, feature, values);
            is_alien |= feature.is_alien(*value);
        }
        let is_unlike = is_alien || self.surprise_max < surprise;
        Unlikeness {
            is_unlike,
            surprise: surprise.into(),
            surprise_max: self.surprise_max.into(),
            findings: if is_unlike { self.findings(values) } else { Vec::new() },
        }
    }

    /// The surprise alone, nats; what a population's cut is made from.
    pub fn surprise(&self, values: &[f32]) -> f32 {
        values.iter().zip(&self.features).map(|(value, it)| self.term(*value, it, values)).sum()
    }

    fn term(&self, value: f32, feature: &FeatureTable, values: &[f32]) -> f32 {
        let beyond = feature.ranges_beyond(value);
        if 0.0 < beyond {
            return self.unseen * (1.0 + beyond.min(RANGES_MAX));
        }
        let parent = match self.features.get(feature.parent) {
            Some(parent) if !feature.is_root => {
                parent.cell(values.get(feature.parent).copied().unwrap_or(f32::NAN))
            }
            Some(_) | None => 0,
        };
        feature.excess[parent][feature.cell(value)]
    }

    /// Values that are new by themselves first, then the largest terms.
    fn findings(&self, values: &[f32]) -> Vec<Finding> {
        let mut found: Vec<(bool, Finding)> = Vec::new();
        for (at, (&value, feature)) in values.iter().zip(&self.features).enumerate() {
            let term = self.term(value, feature, values);
            let is_alien = feature.is_alien(value);
            if FINDING_MIN < term || is_alien {
                found.push((is_alien, feature.finding(at, value, term)));
            }
        }
        found.sort_by(|(a_alien, a), (b_alien, b)| {
            b_alien.cmp(a_alien).then(b.surprise.total_cmp(&a.surprise))
        });
        found.truncate(FINDINGS_MAX);
        found.into_iter().map(|(_, finding)| finding).collect()
    }
}

impl FeatureTable {
    fn new(counts: &FeatureCounts, all: &[FeatureCounts]) -> Self {
        let mut borders = [f32::INFINITY; CELL_BORDERS_MAX];
        if !counts.is_steady() {
            return Self {
                borders,
                low: f32::NEG_INFINITY,
                high: f32::INFINITY,
                was_missing: true,
                parent: 0,
                is_root: true,
                excess: [[0.0; CELLS_MAX]; CELLS_MAX],
            };
        }
        for (slot, border) in borders.iter_mut().zip(&counts.borders) {
            *slot = *border;
        }
        let (low, high) = counts.range.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        let parent = counts.parent.map(usize::from).filter(|parent| *parent < all.len());
        Self {
            borders,
            low,
            high,
            was_missing: counts.counts.first().is_some_and(|n| 0 < *n),
            parent: parent.unwrap_or(0),
            is_root: parent.is_none(),
            excess: excess(counts, parent.map(|parent| &all[parent])),
        }
    }

    fn cell(&self, value: f32) -> usize {
        if value.is_nan() {
            return 0;
        }
        1 + self.borders.iter().map(|border| usize::from(*border < value)).sum::<usize>()
    }

    /// How many seen ranges a value lies outside the seen range; 0 inside and for NaN.
    fn ranges_beyond(&self, value: f32) -> f32 {
        let distance = (self.low - value).max(value - self.high);
        if distance <= 0.0 || distance.is_nan() {
            return 0.0;
        }
        let range = self.high - self.low;
        if 0.0 < range { distance / range } else { 1.0 }
    }

    /// True for a value that says by itself that something is new.
    fn is_alien(&self, value: f32) -> bool {
        (value.is_nan() && !self.was_missing) || 1.0 < self.ranges_beyond(value)
    }

    fn finding(&self, at: usize, value: f32, term: f32) -> Finding {
        let kind = if value < self.low {
            UnlikeKind::BelowRange
        } else if self.high < value {
            UnlikeKind::AboveRange
        } else if value.is_nan() && !self.was_missing {
            UnlikeKind::NeverMissing
        } else if self.is_root {
            UnlikeKind::Rare
        } else {
            UnlikeKind::RareTogether
        };
        let beside = (kind == UnlikeKind::RareTogether).then_some(self.parent);
        Finding { kind, feature: at, beside, surprise: term.into() }
    }
}

/// `−ln` of each cell's share beside each cell of the parent, less the mean over rows.
fn excess(counts: &FeatureCounts, parent: Option<&FeatureCounts>) -> [[f32; CELLS_MAX]; CELLS_MAX] {
    let table = if parent.is_some() { &counts.joint } else { &counts.counts };
    let n_own = (counts.borders.len() + 2).min(CELLS_MAX);
    let n_lines = parent.map_or(1, |parent| parent.borders.len() + 2);
    let at =
        |line: usize, own: usize| f64::from(table.get(line * n_own + own).copied().unwrap_or(0));
    let mut surprises = [[0.0; CELLS_MAX]; CELLS_MAX];
    let (mut sum, mut n_rows) = (0.0, 0.0);
    for (line, cells) in surprises.iter_mut().enumerate().take(n_lines) {
        let total: f64 = (0..n_own).map(|own| at(line, own)).sum();
        for (own, slot) in cells.iter_mut().enumerate().take(n_own) {
            *slot = ((total + PRIOR * n_own as f64) / (at(line, own) + PRIOR)).ln();
            sum += at(line, own) * *slot;
        }
        n_rows += total;
    }
    let mean = sum / f64::max(n_rows, 1.0);
    surprises.map(|cells| cells.map(|surprise| narrow(surprise - mean)))
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits of a surprise are enough")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature 0 is 0 or 1; feature 1 is 10 beside 0 and 20 beside 1, with few exceptions.
    fn tables() -> UnlikeTables {
        let root = FeatureCounts {
            borders: vec![0.0],
            range: Some((0.0, 1.0)),
            counts: vec![0, 600, 400],
            trend: 0.0,
            parent: None,
            joint: vec![],
        };
        let child = FeatureCounts {
            borders: vec![10.0],
            range: Some((10.0, 20.0)),
            counts: vec![5, 600, 395],
            trend: 0.0,
            parent: Some(0),
            joint: vec![0, 0, 0, 3, 597, 0, 2, 3, 395],
        };
        // Grows all the time, as the age of a shop does.
        let trending = FeatureCounts { trend: 3.0, ..root.clone() };
        UnlikeTables::compile(&Population {
            n_rows: 1_000,
            features: vec![root, child, trending],
            scores: vec![],
            surprise_max: 3.0,
            unlike_share: 0.01,
        })
    }

    fn check([a, b]: [f32; 2], expected: Option<(usize, UnlikeKind)>) {
        let values = [a, b, 1e6];
        let found = tables().assess(&values);
        assert_eq!(found.is_unlike, expected.is_some(), "{values:?}: {found:?}");
        let first = found.findings.first().map(|finding| (finding.feature, finding.kind));
        assert_eq!(first, expected, "{values:?}: {found:?}");
    }

    #[test]
    fn usual_orders_pass_and_unusual_ones_say_why() {
        check([0.0, 10.0], None);
        check([1.0, 20.0], None);
        check([1.0, 10.0], Some((1, UnlikeKind::RareTogether)));
        check([0.0, 20.0], Some((1, UnlikeKind::RareTogether)));
        check([1.0, f32::NAN], Some((1, UnlikeKind::RareTogether)));
        check([f32::NAN, 10.0], Some((0, UnlikeKind::NeverMissing)));
        check([1.0, 900.0], Some((1, UnlikeKind::AboveRange)));
        check([-40.0, 10.0], Some((0, UnlikeKind::BelowRange)));
    }

    #[test]
    fn the_average_training_row_has_no_surprise() {
        let tables = tables();
        let rows = [([0.0, 10.0], 597.0), ([0.0, f32::NAN], 3.0), ([1.0, f32::NAN], 2.0)];
        let rows = rows.into_iter().chain([([1.0, 10.0], 3.0), ([1.0, 20.0], 395.0)]);
        let total: f32 = rows.map(|(values, n)| n * tables.surprise(&values)).sum();
        assert!((total / 1_000.0).abs() < 1e-3, "{total}");
    }

    #[test]
    fn a_value_further_out_is_more_surprising() {
        let tables = tables();
        let surprises = [20.5, 30.0, 60.0].map(|value| tables.surprise(&[1.0, value]));
        assert!(surprises[0] < surprises[1] && surprises[1] < surprises[2], "{surprises:?}");
    }
}
