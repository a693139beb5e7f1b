//! Small inputs for the tests of this folder.

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::config::mistake::ConfigErrors;
use crate::domain::feature::FeatureSpec;
use crate::model::manifest::Manifest;

/// The smallest strategy with every section.
pub(crate) const MINIMAL: &str = include_str!("minimal_strategy.toml");

/// The features of the shipped bundle.
pub(crate) fn shipped_features() -> Vec<FeatureSpec> {
    let manifest = include_str!("../../models/marketplace/1/manifest.json");
    serde_json::from_str::<Manifest>(manifest).unwrap().features
}

/// A feature of this build that the shipped bundle does not read.
pub(crate) fn unread_feature() -> FeatureSpec {
    let like = shipped_features().into_iter().find(|spec| &*spec.id == "sku_stock_units_max");
    FeatureSpec { id: "sku_stock_cover_days_max".into(), ..like.unwrap() }
}

/// Mistakes as a terminal shows them.
pub(crate) fn rendered(errors: &ConfigErrors) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_context_lines(1)
        .render_report(&mut out, errors)
        .unwrap();
    out
}
