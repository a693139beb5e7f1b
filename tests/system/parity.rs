//! Attribution equals what `CatBoost` and the `shap` library say.
//!
//! `benches/peers/parity.py` wrote the model, the rows (synthetic, with missing values)
//! and the expected values.

use std::fs;

use orderlens::model::background::Background;
use orderlens::model::engine::{Engine, Scratch};
use orderlens::model::game::Game;

use crate::catboost;

/// Of every contribution and of the base.
const DIFFERENCE_MAX: f64 = 1e-6;

/// Rows of numbers; an empty cell is unknown.
fn table(name: &str) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(format!("tests/parity/{name}.csv")).unwrap();
    let cell = |cell: &str| if cell.is_empty() { f64::NAN } else { cell.parse().unwrap() };
    text.lines().map(|line| line.split(',').map(cell).collect()).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "features are f32")]
fn values_of(row: &[f64]) -> Vec<f32> {
    row.iter().map(|&value| value as f32).collect()
}

/// Every expected row holds a contribution per feature, then the base.
fn check(game: Game<'_>, expected: &str) {
    let model = catboost::read("tests/parity/model.json");
    let engine = Engine::compile(&model.binning, &[&model.ensemble], game);
    let (rows, expected) = (table("rows"), table(expected));
    assert_eq!((rows.len(), expected.len()), (1_000, 1_000));
    let scale = engine.scale(0);
    let mut scratch = Scratch::default();
    let mut largest = 0.0_f64;
    for (row, expected) in rows.iter().zip(&expected) {
        engine.explain(&values_of(row), &mut scratch);
        let steps = scratch.contributions(0).iter().copied().chain([engine.base(0)]);
        let ours: Vec<f64> = steps.map(|steps| scale.to_value(steps.into())).collect();
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(expected) {
            largest = largest.max((ours - expected).abs());
        }
    }
    assert!(largest <= DIFFERENCE_MAX, "{largest:e}");
}

#[test]
fn path_dependent_attribution_is_that_of_catboost() {
    check(Game::PathDependent, "path_dependent");
}

#[test]
fn interventional_attribution_is_that_of_shap() {
    let model = catboost::read("tests/parity/model.json");
    let (mut ranks, mut row_ranks) = (Vec::new(), Vec::new());
    for row in table("background") {
        model.binning.ranks_into(&values_of(&row), &mut row_ranks);
        ranks.extend_from_slice(&row_ranks);
    }
    let background = Background::new("parity", model.binning.n_features(), ranks).unwrap();
    check(Game::Interventional(&background), "interventional");
}
