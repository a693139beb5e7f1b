//! Reads a CatBoost model from its JSON: for parity tests only.

use std::fs;

use orderlens::model::binning::Binning;
use orderlens::model::ensemble::{Ensemble, MissingSide, RankedEnsemble, Split, Tree};
use serde::Deserialize;

#[derive(Deserialize)]
struct Model {
    oblivious_trees: Vec<CatTree>,
    scale_and_bias: (f64, Vec<f64>),
    #[serde(rename = "features_info")]
    features: Features,
}

#[derive(Deserialize)]
struct Features {
    float_features: Vec<FloatFeature>,
}

#[derive(Deserialize)]
struct FloatFeature {
    borders: Option<Vec<f32>>,
    nan_value_treatment: String,
}

#[derive(Deserialize)]
struct CatTree {
    leaf_values: Vec<f32>,
    leaf_weights: Vec<f32>,
    splits: Vec<CatSplit>,
}

#[derive(Deserialize)]
struct CatSplit {
    float_feature_index: u16,
    border: f32,
}

/// The trees of a model with float features only.
pub(crate) fn read(path: &str) -> RankedEnsemble {
    let model: Model = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let (scale, bias) = model.scale_and_bias;
    assert!((scale - 1.0).abs() < f64::EPSILON, "scaled models are not read");
    let features = model.features.float_features;
    let borders = features.iter().map(|feature| feature.borders.clone().unwrap_or_default());
    let binning = Binning::new(borders.collect()).unwrap();
    let split = |split: &CatSplit| {
        let feature = usize::from(split.float_feature_index);
        let same = |border: &f32| border.to_bits() == split.border.to_bits();
        let border = binning.borders(feature).iter().position(same).unwrap();
        let is_above = features[feature].nan_value_treatment == "AsTrue";
        let missing = if is_above { MissingSide::Above } else { MissingSide::Below };
        let border = u8::try_from(border).unwrap();
        Split { feature: split.float_feature_index, border, missing }
    };
    let tree = |tree: &CatTree| {
        let splits = tree.splits.iter().map(split).collect();
        Tree::new(splits, &tree.leaf_values, &tree.leaf_weights).unwrap()
    };
    let trees = model.oblivious_trees.iter().map(tree).collect();
    RankedEnsemble { ensemble: Ensemble::new(bias[0], trees), binning }
}
