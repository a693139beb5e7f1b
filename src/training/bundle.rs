//! From a training set to a bundle: screen, fit, calibrate, prune, describe.

use linfa::ParamGuard;

use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Span;
use crate::model::bundle::Bundle;
use crate::training::boost::TreeDone;
use crate::training::columns::Columns;
use crate::training::error::{FitError, SkippedHead};
use crate::training::head::{HeadFit, count_labels};
use crate::training::join::join;
use crate::training::params::{ObliviousParams, ObliviousValidParams, ParamsError};
use crate::training::parts::Cut;
use crate::training::screen::screen;
use crate::training::set::{HeadTarget, TrainingSet};
use crate::training::slices::SliceSpec;

/// How to make a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct BundleParams {
    /// Name of the bundle, `risk`.
    pub name: Box<str>,
    /// Version of the bundle.
    pub version: Box<str>,
    /// Where the rows come from.
    pub origin: RowOrigin,
    /// Settings of the trees. The loss follows from the head's kind; `stop_share` must
    /// be above 0.
    pub trees: ObliviousParams,
    /// Most features of the bundle, chosen by a quick first fit; `None` keeps all.
    pub features_max: Option<usize>,
    /// Share of each head's rows, the latest ones, that calibrates and reports; above 0,
    /// at most 0.5.
    pub report_share: f64,
    /// Time after which labels are known; as much is left free before the report, as far
    /// as a tenth of the window allows.
    pub label_delay: Span,
    /// What to do once the number of trees is known.
    pub refit: Refit,
    /// Parts of the orders that the card reports by themselves; empty means the order
    /// amount in quarters, where the source has one.
    pub slices: Vec<SliceSpec>,
    /// Fewest labeled rows of a head.
    pub n_rows_min: u64,
    /// Fewest rows of the rarer label of a probability head.
    pub n_rare_min: u64,
}

/// Where training rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrigin {
    /// Observed orders.
    Observed,
    /// A simulator: no claim about real orders follows.
    Synthetic,
}

/// What to do once early stopping has found the number of trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refit {
    /// Keep the trees that the held-out rows did not see: calibration is exact.
    KeepBest,
    /// Fit again on all rows: the latest ones count, calibration is carried over.
    AllRows,
}

/// What `fit_bundle` is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Borders are found; columns that vary can be used.
    Ranked {
        /// Columns offered.
        n_features: usize,
        /// Columns that vary.
        n_varying: usize,
    },
    /// The quick first fit chose these many features.
    Screened {
        /// Features kept.
        n_features: usize,
    },
    /// A head begins.
    HeadStarted {
        /// Which head.
        head: HeadId,
        /// Its labeled rows.
        n_rows: u64,
        /// Rows labeled 1; 0 for value heads.
        n_positive: u64,
    },
    /// A head got a tree.
    Tree {
        /// Which head.
        head: HeadId,
        /// How far it is.
        done: TreeDone,
    },
    /// A head has too few labels and is left out.
    HeadSkipped(SkippedHead),
}

impl Default for BundleParams {
    fn default() -> Self {
        Self {
            name: "risk".into(),
            version: "1".into(),
            origin: RowOrigin::Observed,
            trees: ObliviousParams::default(),
            features_max: None,
            report_share: 0.15,
            label_delay: Span(0),
            refit: Refit::AllRows,
            slices: Vec::new(),
            n_rows_min: 500,
            n_rare_min: 30,
        }
    }
}

impl BundleParams {
    /// How each head's rows are cut.
    pub(crate) fn cut(&self, trees: &ObliviousValidParams) -> Cut {
        let stop_share = trees.settings().stop_share;
        Cut { stop_share, report_share: self.report_share, gap: self.label_delay }
    }
}

/// Fits every head that has enough labels and joins them to a bundle.
///
/// # Errors
/// [`FitError::NoHead`] when no head has enough labels; the other variants for settings
/// or sets that cannot be used.
pub fn fit_bundle(
    set: &TrainingSet,
    params: &BundleParams,
    progress: &mut dyn FnMut(Progress),
) -> Result<Bundle, FitError> {
    set.check()?;
    let trees = params.trees.check_ref()?;
    if trees.settings().stop_share <= 0.0 {
        let allowed = "above 0: later rows decide when to stop";
        return Err(ParamsError { name: "stop_share", value: 0.0, allowed }.into());
    }
    if !(0.0 < params.report_share && params.report_share <= 0.5) {
        let (value, allowed) = (params.report_share, "above 0 and at most 0.5");
        return Err(ParamsError { name: "report_share", value, allowed }.into());
    }
    let (n_rows, n_columns) = set.features.dim();
    if usize::from(u16::MAX) < n_columns {
        return Err(FitError::TooManyFeatures(n_columns));
    }
    if u32::try_from(n_rows).is_err() {
        return Err(FitError::TooManyRows(n_rows));
    }
    let (targets, skipped) = trainable_heads(set, params, progress)?;
    let (borders_max, n_threads) = (trees.settings().n_borders_max, trees.settings().n_threads);
    let columns = Columns::new(set.features.view(), borders_max as usize, n_threads as usize)?;
    let varying = columns.varying();
    progress(Progress::Ranked { n_features: n_columns, n_varying: varying.len() });
    let features = screen(set, &columns, varying, &targets, params, trees)?;
    progress(Progress::Screened { n_features: features.len() });

    let mut fitted = Vec::with_capacity(targets.len());
    for target in targets {
        let fit = HeadFit { set, columns: &columns, features: &features, target };
        fitted.push(fit.run(trees, params, progress)?);
    }
    join(set, params, &columns, fitted, &skipped)
}

impl BundleParams {
    /// True when a head has labels enough to be learned from.
    pub(crate) fn has_enough(&self, target: &HeadTarget) -> bool {
        let (n_rows, n_rare) = count_rare(target);
        self.n_rows_min <= n_rows && self.n_rare_min <= n_rare
    }
}

/// Labeled rows, and those of the rarer label (all of them for value heads).
fn count_rare(target: &HeadTarget) -> (u64, u64) {
    let (n_rows, n_positive) = count_labels(target);
    let n_rare = match target.kind {
        HeadKind::Risk | HeadKind::ImpactProbability => n_positive.min(n_rows - n_positive),
        HeadKind::ImpactValue => n_rows,
    };
    (n_rows, n_rare)
}

/// Heads with enough labels, and the others.
fn trainable_heads<'a>(
    set: &'a TrainingSet,
    params: &BundleParams,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Vec<&'a HeadTarget>, Vec<SkippedHead>), FitError> {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for target in &set.heads {
        let (n_rows, n_rare) = count_rare(target);
        if params.has_enough(target) {
            targets.push(target);
            continue;
        }
        let (n_rows_min, n_rare_min) = (params.n_rows_min, params.n_rare_min);
        let head = target.id.clone();
        let skip = SkippedHead { head, n_rows, n_rare, n_rows_min, n_rare_min };
        progress(Progress::HeadSkipped(skip.clone()));
        skipped.push(skip);
    }
    if targets.is_empty() { Err(FitError::NoHead(skipped)) } else { Ok((targets, skipped)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use ndarray::Array2;
    use rand::Rng;

    use super::*;
    use crate::domain::feature::{CatalogSchema, FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
    use crate::domain::text::Text;
    use crate::domain::time::Timestamp;
    use crate::model::artifact::Error;
    use crate::model::calibration::CalibrationMap;
    use crate::model::manifest::FORMAT_VERSION;
    use crate::training::params::ObliviousSettings;
    use crate::training::sample::generator;

    pub(crate) fn plain_spec(id: &str) -> FeatureSpec {
        FeatureSpec {
            id: id.into(),
            group: FeatureGroup::Order,
            unit: FeatureUnit::Declared,
            monotone: Monotone::Free,
            is_changeable: false,
            is_graph: false,
            entity: None,
            counterpart: None,
            name: Text::new(id, id),
        }
    }

    fn head(id: &str, kind: HeadKind, values: Vec<f32>) -> HeadTarget {
        HeadTarget { id: HeadId(id.into()), kind, values }
    }

    /// Label: `x0 · x1 > 0` with noise; x2 is constant, x3 says nothing; x0 is
    /// missing in every tenth row.
    fn simulate(n_rows: usize) -> TrainingSet {
        let mut rng = generator(11, 0);
        let mut features = Array2::from_shape_fn((n_rows, 4), |(_, column)| {
            if column == 2 { 1.0 } else { rng.gen_range(-1.0_f32..1.0) }
        });
        let mut label = |row: ndarray::ArrayView1<'_, f32>| {
            let is_bad = 0.0 < row[0] * row[1];
            f32::from(u8::from(is_bad != (rng.r#gen::<f64>() < 0.1)))
        };
        let labels: Vec<f32> = features.outer_iter().map(&mut label).collect();
        let values = features.outer_iter().map(|row| 3.0 * row[1] + 1.0).collect();
        features.column_mut(0).iter_mut().step_by(10).for_each(|value| *value = f32::NAN);
        TrainingSet {
            features,
            specs: ["x0", "x1", "x2", "x3"].map(plain_spec).into(),
            schema: CatalogSchema::default(),
            times: (0_i64..).take(n_rows).map(|i| Timestamp(i * 1_000_000)).collect(),
            weights: vec![1.0; n_rows],
            heads: vec![
                head("fake_order", HeadKind::Risk, labels),
                head("return_cost", HeadKind::ImpactValue, values),
                head("rare", HeadKind::Risk, vec![0.0; n_rows]),
            ],
        }
    }

    fn params(n_threads: u32) -> BundleParams {
        let settings =
            ObliviousSettings { n_trees_max: 60, depth: 4, n_threads, ..Default::default() };
        BundleParams { trees: ObliviousParams::new(settings), ..Default::default() }
    }

    #[test]
    fn a_bundle_learns_what_the_rows_say_and_names_what_it_left_out() {
        let set = simulate(6_000);
        let mut skipped = Vec::new();
        let bundle = fit_bundle(&set, &params(2), &mut |step| {
            if let Progress::HeadSkipped(head) = step {
                skipped.push(head.head.to_string());
            }
        })
        .unwrap();
        assert_eq!(skipped, ["rare"]);
        assert!(bundle.card().contains("Left out: head rare"));
        let used: Vec<&str> = bundle.manifest().features.iter().map(|spec| &*spec.id).collect();
        assert!(!used.contains(&"x2"), "{used:?}");
        let auc = &bundle.manifest().heads[0].metrics[0];
        assert!(&*auc.name == "auc" && 0.8 < auc.value, "{auc:?}");
        let figures = &bundle.manifest().heads[1].metrics;
        let r2 = figures.iter().find(|metric| &*metric.name == "r2").unwrap();
        assert!(0.95 < r2.value, "{r2:?}");
        let bad = bundle.score(&[0.8, 0.8, 0.0]);
        let good = bundle.score(&[0.8, -0.8, 0.0]);
        assert!(0.7 < bad[0].calibrated && good[0].calibrated < 0.3);
        assert!((good[1].calibrated + 1.4).abs() < 0.3, "{:?}", good[1]);
    }

    /// One of 6,000 amounts is as large as all the others together, and says nothing.
    #[test]
    fn amounts_that_are_often_zero_are_not_ruled_by_the_largest_of_them() {
        let mut set = simulate(6_000);
        let mut rng = generator(12, 0);
        let expected = |row: usize| if 0.0 < set.features[[row, 1]] { 8.0 } else { 2.0 };
        let amount = |row| if rng.r#gen::<f64>() < 0.25 { 4.0 * expected(row) } else { 0.0 };
        let mut amounts: Vec<f32> = (0..6_000).map(amount).collect();
        amounts[700] = 30_000.0;
        set.heads = vec![head("returned_amount", HeadKind::ImpactValue, amounts)];
        let bundle = fit_bundle(&set, &params(2), &mut |_| {}).unwrap();
        assert_eq!(bundle.heads()[0].calibration().map, CalibrationMap::LogValue);
        let position = bundle.manifest().features.iter().position(|spec| &*spec.id == "x1");
        let mut vector = vec![0.1; bundle.manifest().features.len()];
        for (x1, expected) in [(0.5, 8.0), (-0.5, 2.0)] {
            vector[position.unwrap()] = x1;
            let score = &bundle.score(&vector)[0];
            let sum = score.base + score.contributions.iter().sum::<f64>();
            assert!(
                (sum - score.raw).abs() < 1e-9 && (score.raw.exp() - score.calibrated).abs() < 1e-9
            );
            assert!((expected / 2.0..2.0 * expected).contains(&score.calibrated), "{score:?}");
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_the_bundle() {
        let set = simulate(2_000);
        let hash = |n_threads| {
            fit_bundle(&set, &params(n_threads), &mut |_| {}).unwrap().hash().to_owned()
        };
        assert_eq!(hash(1), hash(2));
        assert_eq!(hash(1), hash(3));
    }

    #[test]
    fn a_bundle_reads_back_and_a_changed_file_is_refused() {
        let bundle = fit_bundle(&simulate(2_000), &params(1), &mut |_| {}).unwrap();
        let folder = tempfile::tempdir().unwrap();
        bundle.save(folder.path()).unwrap();
        let picture = "plots/reliability-fake_order.svg";
        assert!(bundle.card().contains(&format!("]({picture})")));
        assert!(folder.path().join(picture).is_file());
        let read = Bundle::load(folder.path()).unwrap();
        assert_eq!(read.hash(), bundle.hash());
        assert_eq!(read.manifest(), bundle.manifest());
        assert_eq!(read.parts(), bundle.parts());
        let vector = [0.3, f32::NAN, -0.2];
        assert_eq!(read.score(&vector), bundle.score(&vector));

        for name in [&*bundle.manifest().heads[0].file, "background.json"] {
            let file = folder.path().join(name);
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, format!("{text} ")).unwrap();
            let Err(Error::Checksum { path, .. }) = Bundle::load(folder.path()) else {
                panic!("a changed {name} must be refused");
            };
            assert_eq!(path, file);
            std::fs::write(&file, text).unwrap();
        }
    }

    #[test]
    fn a_bundle_of_another_format_is_refused_before_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for found in [FORMAT_VERSION - 1, FORMAT_VERSION + 1] {
            let manifest = format!(r#"{{"format_version":{found},"unheard_of":[]}}"#);
            std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
            let told = Bundle::load(folder.path()).unwrap_err().to_string();
            let expected = format!(
                "is of bundle format {found}, this program reads {FORMAT_VERSION}: train it again with \
                 `orderlens train`"
            );
            assert!(told.ends_with(&expected), "{told}");
        }
    }

    #[test]
    fn a_constrained_feature_never_moves_the_risk_against_its_direction() {
        let mut set = simulate(3_000);
        set.specs[1].monotone = Monotone::Increasing;
        set.heads.truncate(1);
        let bundle = fit_bundle(&set, &params(2), &mut |_| {}).unwrap();
        let position = bundle.manifest().features.iter().position(|spec| &*spec.id == "x1");
        let Some(position) = position else { return };
        for x0 in [-0.9, -0.2, 0.4, f32::NAN] {
            let mut last = f64::NEG_INFINITY;
            for step in -50_i16..=50 {
                let mut vector = vec![x0; bundle.manifest().features.len()];
                vector[position] = f32::from(step) / 50.0;
                let raw = bundle.score(&vector)[0].raw;
                assert!(last <= raw);
                last = raw;
            }
        }
    }
}
