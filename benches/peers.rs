//! How accurate and fast are our trees on matrices that other boosters get too?
//!
//! `benches/peers/accuracy.py` asks, once per task: it writes the matrices, runs
//! `cargo bench --bench peers -- CONFIG.json` and compares. Budget: area under the curve
//! and average precision ≥ the best of XGBoost, LightGBM and CatBoost − 0.002; time ≤
//! the fastest CatBoost setting of equal trees and depth on the same two cores.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use linfa::ParamGuard;
use linfa::dataset::Dataset;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2, Ix1};
use orderlens::training::params::{ObliviousParams, ObliviousSettings};
use serde::Deserialize;

/// One fit, as the script asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Rows to learn from, in time order: little-endian `f32`, row by row.
    train: PathBuf,
    /// One 0 or 1 per training row, as `f32`.
    labels: PathBuf,
    /// Rows to score, laid out like `train`.
    test: PathBuf,
    /// Columns of both matrices.
    n_features: usize,
    /// Where raw scores go, as `f64`, one per test row.
    output: PathBuf,
    /// Fits of which the fastest is reported.
    n_fits: u32,
    /// Most trees.
    n_trees_max: u32,
    /// Step of each tree.
    learning_rate: f64,
    /// Share of the latest rows that decides when to stop; 0 grows all trees.
    stop_share: f64,
    /// Trees without progress before it stops.
    patience: u32,
    /// Share of the rows that a tree sees.
    row_share: f64,
    /// Share of the features that a tree may use.
    feature_share: f64,
    /// Seed of both samples.
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`; without a configuration there is nothing to measure.
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(path) = path else {
        return say("usage: cargo bench --bench peers -- CONFIG.json (see benches/peers/run.sh)");
    };
    let config: Config = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let (train, test) = (matrix(&config, &config.train)?, matrix(&config, &config.test)?);
    let labels = Array1::from_vec(floats(&config.labels)?);
    let dataset: Dataset<f32, f32, Ix1> = Dataset::new(train, labels);
    let params = params(&config).check()?;
    let mut seconds = f64::INFINITY;
    let mut fitted = None;
    for _ in 0..config.n_fits.max(1) {
        let start = Instant::now();
        let model = params.fit(&dataset)?;
        seconds = seconds.min(start.elapsed().as_secs_f64());
        fitted = Some(model);
    }
    let Some(model) = fitted else { return Ok(()) };
    let scores: Array1<f64> = model.predict(&test);
    std::fs::write(
        &config.output,
        scores.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<_>>(),
    )?;
    let n_trees = model.ensemble.trees().len();
    say(&serde_json::json!({ "seconds": seconds, "n_trees": n_trees }).to_string())
}

fn params(config: &Config) -> ObliviousParams {
    ObliviousParams::new(ObliviousSettings {
        n_trees_max: config.n_trees_max,
        learning_rate: config.learning_rate,
        stop_share: config.stop_share,
        patience: config.patience,
        row_share: config.row_share,
        feature_share: config.feature_share,
        seed: config.seed,
        ..ObliviousSettings::default()
    })
}

fn matrix(config: &Config, path: &Path) -> Result<Array2<f32>, Box<dyn Error>> {
    let cells = floats(path)?;
    let n_rows = cells.len() / config.n_features.max(1);
    Ok(Array2::from_shape_vec((n_rows, config.n_features), cells)?)
}

fn floats(path: &Path) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    let (cells, _) = bytes.as_chunks::<4>();
    Ok(cells.iter().map(|cell| f32::from_le_bytes(*cell)).collect())
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
