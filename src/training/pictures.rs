//! The pictures of a head: reliability, importance, scores, precision-recall.

use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadId, HeadKind};
use crate::model::card::Picture;
use crate::plot::charts::{
    Distribution, ReliabilityPoint, bars, distributions, precision_recall, reliability,
};
use crate::training::evaluate::{HeadReport, Pair, ReliabilityBin, ScoredRow, counted_pairs};

/// Bins of a distribution.
const SCORE_BINS: usize = 40;
/// Share of the values beyond either end of a distribution; they count in the end bins.
const TAIL_SHARE: f64 = 0.005;

/// What the pictures of one head are drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadPictures<'a> {
    pub(crate) head: &'a HeadId,
    pub(crate) kind: HeadKind,
    /// What contributions are counted in.
    pub(crate) raw_unit: &'static str,
    pub(crate) pairs: &'a [Pair],
    pub(crate) reliability: &'a [ReliabilityBin],
    /// Names of features with their mean |contribution|, largest first.
    pub(crate) leading: &'a [(String, f64)],
}

/// Mean |contribution| to a head.
#[derive(Clone, Copy, Debug)]
pub struct Importance<'a> {
    /// One per feature of the bundle, in the order of its features.
    pub means: &'a [f64],
    /// What they are counted in.
    pub unit: &'static str,
}

/// The pictures of a head in a report.
pub fn report_pictures(
    rows: &[ScoredRow],
    report: &HeadReport,
    (specs, importance): (&[FeatureSpec], Importance<'_>),
) -> Vec<Picture> {
    let pairs = counted_pairs(rows, &report.head);
    let pictures = HeadPictures {
        head: &report.head,
        kind: report.kind,
        raw_unit: importance.unit,
        pairs: &pairs,
        reliability: &report.reliability,
        leading: &leading(specs, importance.means),
    };
    pictures.draw()
}

/// Features that move the head, largest mean |contribution| first.
pub(crate) fn leading(specs: &[FeatureSpec], importance: &[f64]) -> Vec<(String, f64)> {
    let named = specs.iter().zip(importance).filter(|(_, mean)| 0.0 < **mean);
    let mut leading: Vec<(String, f64)> =
        named.map(|(spec, &mean)| (spec.name.en.clone(), mean)).collect();
    // A stable sort: equal features stay in catalog order.
    leading.sort_by(|a, b| b.1.total_cmp(&a.1));
    leading
}

impl HeadPictures<'_> {
    /// Every picture that has something to show.
    pub(crate) fn draw(&self) -> Vec<Picture> {
        if self.pairs.is_empty() {
            return Vec::new();
        }
        let mut pictures = vec![self.reliability(), self.importance(), self.scores()];
        let n_positive = self.pairs.iter().filter(|pair| pair.is_positive()).count();
        match self.kind {
            HeadKind::Risk | HeadKind::ImpactProbability if 0 < n_positive => {
                pictures.insert(1, self.precision_recall(n_positive));
            }
            HeadKind::Risk | HeadKind::ImpactProbability | HeadKind::ImpactValue => {}
        }
        pictures
    }

    fn reliability(&self) -> Picture {
        let points: Vec<ReliabilityPoint> = self
            .reliability
            .iter()
            .map(|bin| ReliabilityPoint {
                predicted: bin.mean_predicted,
                observed: bin.mean_observed,
                low: bin.low,
                high: bin.high,
            })
            .collect();
        let unit = self.unit("probability");
        self.picture("reliability", |title| reliability(title, unit, &points))
    }

    fn precision_recall(&self, n_positive: usize) -> Picture {
        let curve = curve(self.pairs, n_positive as f64);
        let base_rate = n_positive as f64 / self.pairs.len() as f64;
        self.picture("precision and recall", |title| precision_recall(title, &curve, base_rate))
    }

    fn importance(&self) -> Picture {
        let label = format!("mean |contribution| ({})", self.raw_unit);
        self.picture("importance", |title| bars(title, &label, self.leading))
    }

    fn scores(&self) -> Picture {
        let (names, groups) = match self.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => {
                let raw = |is_positive: bool| -> Vec<f64> {
                    let wanted = self.pairs.iter().filter(|it| it.is_positive() == is_positive);
                    wanted.map(|pair| pair.raw).collect()
                };
                (["label 0", "label 1"], [raw(false), raw(true)])
            }
            HeadKind::ImpactValue => {
                let values =
                    |of: fn(&Pair) -> f64| -> Vec<f64> { self.pairs.iter().map(of).collect() };
                (["predicted", "observed"], [values(|it| it.shown), values(|it| it.target)])
            }
        };
        let range = range(groups.iter().flatten().copied().collect());
        let shares = names.iter().zip(&groups).map(|(name, values)| Distribution {
            name: (*name).to_owned(),
            shares: shares(values, range),
        });
        let shares: Vec<Distribution> = shares.collect();
        let label = match self.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => "raw score (log-odds)",
            HeadKind::ImpactValue => "value (the head's unit)",
        };
        self.picture("scores", |title| distributions(title, label, range, &shares))
    }

    fn unit(&self, of_probability: &'static str) -> &'static str {
        match self.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => of_probability,
            HeadKind::ImpactValue => "the head's unit",
        }
    }

    fn picture(&self, what: &str, draw: impl FnOnce(&str) -> String) -> Picture {
        let title = format!("{}: {what}", self.head);
        let file = format!("{}-{}.svg", what.replace(' ', "-"), self.head);
        Picture { svg: draw(&title), title, file }
    }
}

/// Recall and precision after each distinct score that finds positives, best score first.
fn curve(pairs: &[Pair], n_positive: f64) -> Vec<(f64, f64)> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| b.raw.total_cmp(&a.raw));
    let (mut n_found, mut n_seen) = (0_usize, 0_usize);
    let mut curve = Vec::new();
    for tied in sorted.chunk_by(|a, b| a.raw.total_cmp(&b.raw).is_eq()) {
        let n_new = tied.iter().filter(|pair| pair.is_positive()).count();
        n_found += n_new;
        n_seen += tied.len();
        if 0 < n_new {
            curve.push((n_found as f64 / n_positive, n_found as f64 / n_seen as f64));
        }
    }
    curve
}

/// From the 0.5 % to the 99.5 % quantile of values that are not empty.
fn range(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let n_tail = crate::training::sample::share_of(values.len(), TAIL_SHARE).saturating_sub(1);
    let low = values.get(n_tail).copied().unwrap_or(0.0);
    let high = values.iter().rev().nth(n_tail).copied().unwrap_or(1.0);
    if low < high { (low, high) } else { (low - 0.5, low + 0.5) }
}

/// Share of the values in each bin of the range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped between 0 and the number of bins"
)]
fn shares(values: &[f64], (low, high): (f64, f64)) -> Vec<f64> {
    let mut counts = vec![0.0; SCORE_BINS];
    for value in values {
        let at = (value - low) / (high - low) * SCORE_BINS as f64;
        counts[at.clamp(0.0, SCORE_BINS as f64 - 1.0) as usize] += 1.0;
    }
    let n = values.len().max(1) as f64;
    counts.into_iter().map(|count: f64| count / n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(raw: f64, target: f64) -> Pair {
        Pair { shown: 1.0 / (1.0 + (-raw).exp()), raw, target }
    }

    #[test]
    fn the_curve_has_a_point_for_every_score_that_finds_something() {
        let pairs = [pair(3.0, 1.0), pair(2.0, 0.0), pair(1.0, 1.0), pair(1.0, 0.0)];
        assert_eq!(curve(&pairs, 2.0), [(0.5, 1.0), (1.0, 0.5)]);
    }

    #[test]
    fn every_value_is_in_one_bin_and_outliers_in_the_last() {
        let mut values: Vec<f64> = (0..999).map(f64::from).collect();
        values.push(1e9);
        let range = range(values.clone());
        assert!(range.1 < 1_000.0, "{range:?}");
        let shares = shares(&values, range);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_probability_head_has_four_pictures_and_a_value_head_three() {
        let pairs: Vec<Pair> = (0..50).map(|i| pair(f64::from(i), f64::from(i % 2))).collect();
        let bin =
            ReliabilityBin { n: 50, mean_predicted: 0.5, mean_observed: 0.5, low: 0.4, high: 0.6 };
        let head = HeadId("fake_order".into());
        let files = |kind| {
            let leading = [("age".to_owned(), 0.5)];
            let reliability = [bin];
            let drawn = HeadPictures {
                head: &head,
                kind,
                raw_unit: "log-odds",
                pairs: &pairs,
                reliability: &reliability,
                leading: &leading,
            };
            drawn.draw().into_iter().map(|picture| picture.file).collect::<Vec<_>>()
        };
        let expected = ["reliability", "precision-and-recall", "importance", "scores"]
            .map(|what| format!("{what}-fake_order.svg"));
        assert_eq!(files(HeadKind::Risk), expected);
        assert_eq!(files(HeadKind::ImpactValue).len(), 3);
    }
}
