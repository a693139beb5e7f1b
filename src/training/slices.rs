//! Slices: parts of the orders for which figures are reported by themselves.
//!
//! A slice is declared by a feature and the values where it is cut. A figure that
//! holds over all orders can hide a part where it does not.

use serde::Serialize;

use crate::model::calibration::Z_90;

/// Feature that orders are sliced by when nothing is declared: in quarters of the
/// amount, since money is what mistakes cost.
pub const DEFAULT_FEATURE: &str = "order_amount";

/// How orders are sliced.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceSpec {
    /// Feature id.
    pub feature: Box<str>,
    /// Where its values are cut.
    pub cuts: Cuts,
}

/// Where a feature is cut.
#[derive(Clone, Debug, PartialEq)]
pub enum Cuts {
    /// At these values, ascending; a value on a cut is below it.
    At(Vec<f32>),
    /// In quarters of the judged orders; two halves for a yes/no feature.
    Quarters,
}

/// A declaration that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a slice such as order_amount=50,200 or order_amount")]
pub struct SliceError(pub String);

/// The slices of every judged order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slicing {
    names: Vec<String>,
    /// Per order, one slice number of each declaration.
    of_order: Vec<Vec<u32>>,
}

/// One order as a slice sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SliceRow {
    /// Position of the order among those judged.
    pub(crate) order_idx: usize,
    /// What was shown.
    pub(crate) shown: f64,
    /// Its interval.
    pub(crate) interval: (f64, f64),
    /// What happened.
    pub(crate) target: f64,
}

/// The figures of one slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SliceReport {
    /// `order_amount up to 50`.
    pub slice: String,
    /// Orders with a label.
    pub n: u64,
    /// Mean prediction.
    pub mean_predicted: f64,
    /// Share of positives, or mean value.
    pub mean_observed: f64,
    /// Share of the orders whose outcome was inside the interval.
    pub coverage: Coverage,
    /// Mean width of the interval.
    pub mean_width: f64,
}

/// How many outcomes were inside their interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// Share inside.
    pub share: f64,
    /// Lower end of its 90 % interval (Wilson 1927).
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl SliceSpec {
    /// Reads `order_amount=50,200`, or `order_amount` for quarters.
    ///
    /// # Errors
    /// [`SliceError`] when the cuts are not ascending numbers.
    pub fn parse(text: &str) -> Result<Self, SliceError> {
        let wrong = || SliceError(text.to_owned());
        let Some((feature, cuts)) = text.split_once('=') else {
            let feature = text.trim();
            let is_named = !feature.is_empty();
            let spec = Self { feature: feature.into(), cuts: Cuts::Quarters };
            return if is_named { Ok(spec) } else { Err(wrong()) };
        };
        let cuts: Result<Vec<f32>, _> = cuts.split(',').map(|cut| cut.trim().parse()).collect();
        let cuts = cuts.map_err(|_| wrong())?;
        let is_ascending = cuts.windows(2).all(|pair| pair[0] < pair[1]);
        if feature.is_empty() || !is_ascending || !cuts.iter().all(|cut| cut.is_finite()) {
            return Err(wrong());
        }
        Ok(Self { feature: feature.trim().into(), cuts: Cuts::At(cuts) })
    }
}

/// The declared slices; without any, the default one where its feature exists.
pub fn or_default(declared: &[SliceSpec], has: impl Fn(&str) -> bool) -> Vec<SliceSpec> {
    if declared.is_empty() && has(DEFAULT_FEATURE) {
        return vec![SliceSpec { feature: DEFAULT_FEATURE.into(), cuts: Cuts::Quarters }];
    }
    declared.to_vec()
}

impl Slicing {
    /// Adds a declaration; `values` are the feature's, one per judged order.
    pub fn add(&mut self, spec: &SliceSpec, values: &[f32]) {
        let cuts = match &spec.cuts {
            Cuts::At(cuts) => cuts.clone(),
            Cuts::Quarters => quarters(values),
        };
        let first = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(format!("{} not known", spec.feature));
        for at in 0..=cuts.len() {
            self.names.push(name(&spec.feature, &cuts, at));
        }
        self.of_order.resize(self.of_order.len().max(values.len()), Vec::new());
        for (slices, value) in self.of_order.iter_mut().zip(values) {
            let above = cuts.partition_point(|cut| cut < value);
            let part = if value.is_nan() { 0 } else { 1 + above };
            slices.push(first.saturating_add(u32::try_from(part).unwrap_or(0)));
        }
    }

    /// The figures of every slice that has orders, in order of declaration.
    pub(crate) fn reports(&self, rows: &[SliceRow]) -> Vec<SliceReport> {
        let mut parts: Vec<Vec<SliceRow>> = vec![Vec::new(); self.names.len()];
        for row in rows {
            for slice in self.of_order.get(row.order_idx).into_iter().flatten() {
                parts[*slice as usize].push(*row);
            }
        }
        let named = self.names.iter().zip(&parts).filter(|(_, part)| !part.is_empty());
        named.map(|(name, part)| report(name, part)).collect()
    }
}

/// Share of the rows whose outcome was inside the interval.
pub(crate) fn coverage(rows: &[SliceRow]) -> Coverage {
    let is_inside = |row: &&SliceRow| row.interval.0 <= row.target && row.target <= row.interval.1;
    let n = rows.len().max(1) as f64;
    let share = rows.iter().filter(is_inside).count() as f64 / n;
    let (low, high) = wilson(share, n);
    Coverage { share, low, high }
}

/// Mean width of the intervals.
pub(crate) fn mean_width(rows: &[SliceRow]) -> f64 {
    let width = |row: &SliceRow| row.interval.1 - row.interval.0;
    rows.iter().map(width).sum::<f64>() / rows.len().max(1) as f64
}

/// The 90 % score interval of a share of `n` (Wilson 1927).
pub(crate) fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = Z_90 * Z_90;
    let center = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let spread = share * (1.0 - share) / n + z2 / (4.0 * n * n);
    let half = Z_90 * spread.sqrt() / (1.0 + z2 / n);
    (center - half, center + half)
}

fn report(name: &str, rows: &[SliceRow]) -> SliceReport {
    let n = rows.len() as f64;
    SliceReport {
        slice: name.to_owned(),
        n: rows.len() as u64,
        mean_predicted: rows.iter().map(|row| row.shown).sum::<f64>() / n,
        mean_observed: rows.iter().map(|row| row.target).sum::<f64>() / n,
        coverage: coverage(rows),
        mean_width: mean_width(rows),
    }
}

fn quarters(values: &[f32]) -> Vec<f32> {
    let mut known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f32::total_cmp);
    let Some(&highest) = known.last() else { return Vec::new() };
    let mut cuts: Vec<f32> = (1..4).map(|quarter| known[known.len() * quarter / 4]).collect();
    cuts.dedup();
    cuts.retain(|cut| *cut < highest);
    cuts
}

fn name(feature: &str, cuts: &[f32], at: usize) -> String {
    match (at.checked_sub(1).and_then(|below| cuts.get(below)), cuts.get(at)) {
        (None, None) => format!("{feature} known"),
        (None, Some(high)) => format!("{feature} up to {high}"),
        (Some(low), None) => format!("{feature} above {low}"),
        (Some(low), Some(high)) => format!("{feature} above {low} up to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_read_and_a_wrong_one_refused() {
        let cuts = Cuts::At(vec![50.0, 200.0]);
        let spec = SliceSpec { feature: "order_amount".into(), cuts };
        assert_eq!(SliceSpec::parse("order_amount=50, 200"), Ok(spec));
        assert_eq!(SliceSpec::parse("x").map(|spec| spec.cuts), Ok(Cuts::Quarters));
        for text in ["", "=1", "x=", "x=2,1", "x=1,1", "x=NaN", "x=a"] {
            assert!(SliceSpec::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_order_is_in_one_slice_of_each_declaration() {
        let values = [10.0, 50.0, 51.0, f32::NAN];
        let mut slicing = Slicing::default();
        slicing.add(&SliceSpec::parse("a=50").unwrap(), &values);
        slicing.add(&SliceSpec::parse("b").unwrap(), &[0.0, 0.0, 1.0, 1.0]);
        let row = |order_idx: usize| SliceRow {
            order_idx,
            shown: 1.0,
            interval: (0.0, 2.0),
            target: order_idx as f64,
        };
        let reports = slicing.reports(&[row(0), row(1), row(2), row(3)]);
        let shown: Vec<(&str, u64, f64)> = reports
            .iter()
            .map(|report| (&*report.slice, report.n, report.coverage.share))
            .collect();
        let expected = [
            ("a not known", 1, 0.0),
            ("a up to 50", 2, 1.0),
            ("a above 50", 1, 1.0),
            ("b up to 0", 2, 1.0),
            ("b above 0", 2, 0.5),
        ];
        assert_eq!(shown, expected);
    }
}
