//! The population a bundle was trained on: what new orders are compared with.
//!
//! Every feature is cut into a handful of cells, missing first. Features are
//! joined to a tree in which each is counted together with one other (Chow and
//! Liu 1968): the best description of all joint patterns that pairs can give.

use serde::{Deserialize, Serialize};

use crate::model::manifest::Manifest;
use crate::model::parts::{Misfit, Part};

/// Most borders between the cells of a feature.
pub const CELL_BORDERS_MAX: usize = 7;
/// Most cells of a feature: missing, then one more than borders.
pub const CELLS_MAX: usize = CELL_BORDERS_MAX + 2;

/// A feature whose distribution moved by this much while the bundle was trained goes on
/// moving, such as the age of a shop: a new value of it says nothing about an order.
pub const TREND_MAX: f64 = 0.1;

/// What the rows of a training set looked like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Rows counted.
    pub n_rows: u64,
    /// One per feature of the bundle, in its order.
    pub features: Vec<FeatureCounts>,
    /// One per head of the bundle, in its order: raw scores of the latest rows.
    pub scores: Vec<ScoreCounts>,
    /// Surprise that few later rows exceed, nats; see `unlike_share`.
    pub surprise_max: f64,
    /// Share of the latest quarter of the rows above `surprise_max`, had only the earlier
    /// ones been counted.
    pub unlike_share: f64,
}

/// One feature's values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureCounts {
    /// Ascending; cell k + 1 holds values up to border k, the last one those above.
    pub borders: Vec<f32>,
    /// Smallest and largest value; `None` when it was always missing.
    pub range: Option<(f32, f32)>,
    /// Rows per cell, missing first.
    pub counts: Vec<u32>,
    /// Stability index between the earlier and the latest quarter of the rows, nats; 0
    /// when chance explains it.
    pub trend: f64,
    /// Position of the feature it is counted together with; the root has none.
    pub parent: Option<u16>,
    /// Rows per pair of cells, `parent cell · own cells + own cell`; empty at the root.
    pub joint: Vec<u32>,
}

/// One head's raw scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreCounts {
    /// Ascending; cell k holds scores up to border k, the last one those above.
    pub borders: Vec<f64>,
    /// Rows per cell.
    pub counts: Vec<u32>,
}

impl Part for Population {
    const NAME: &'static str = "population";

    fn check(&self, manifest: &Manifest) -> Result<(), Misfit> {
        let same = |what: &str, found: usize, expected: usize| {
            let text = || format!("it counts {found} {what}, the bundle has {expected}");
            if found == expected { Ok(()) } else { Err(Misfit(text())) }
        };
        same("features", self.features.len(), manifest.features.len())?;
        same("heads", self.scores.len(), manifest.heads.len())?;
        match self.features.iter().position(|feature| CELL_BORDERS_MAX < feature.borders.len()) {
            Some(at) => {
                Err(Misfit(format!("feature {at} has more than {CELL_BORDERS_MAX} borders")))
            }
            None => Ok(()),
        }
    }
}

impl FeatureCounts {
    /// True when the feature stood still while the bundle was trained: see [`TREND_MAX`].
    pub fn is_steady(&self) -> bool {
        self.trend < TREND_MAX
    }

    /// The cell of a value: 0 for NaN.
    pub fn cell(&self, value: f32) -> usize {
        if value.is_nan() {
            return 0;
        }
        1 + self.borders.partition_point(|&border| border < value)
    }
}

impl ScoreCounts {
    /// The cell of a raw score.
    pub fn cell(&self, raw: f64) -> usize {
        self.borders.partition_point(|&border| border < raw)
    }
}
