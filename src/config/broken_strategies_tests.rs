//! Broken strategy files, each with what is told about it and where.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::config::fixtures::{MINIMAL, shipped_features, unread_feature};
use crate::config::mistake::{ConfigErrors, Mistake};
use crate::config::rule_names::RuleFeatures;
use crate::config::strategy;
use crate::decision::strategy::Strategy;

/// The committed files, by name.
fn files() -> BTreeMap<String, String> {
    let folder = std::fs::read_dir("src/config/broken_strategies").unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let file = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.map(file).collect()
}

fn parse(toml: &str) -> Result<Strategy, ConfigErrors> {
    let (read, possible) = (shipped_features(), [unread_feature()]);
    strategy::parse("strategy.toml", toml, RuleFeatures { read: &read, possible: &possible })
}

/// Line and column of a byte, both from 1.
fn position(text: &str, at: usize) -> String {
    let before = &text[..at];
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{}:{column}", before.matches('\n').count() + 1)
}

/// Message and suggestion, then each place with what stands there.
fn told(text: &str, mistake: &Mistake) -> String {
    let mut out = format!("  {}", mistake.message);
    if let Some(suggestion) = &mistake.suggestion {
        write!(out, " | {suggestion}").unwrap();
    }
    for (span, label) in &mistake.labels {
        let (from, to) = (position(text, span.start), position(text, span.end));
        let part = text[span.clone()].lines().next().unwrap_or_default();
        write!(out, "\n    {from} to {to} {label}: {part}").unwrap();
    }
    out
}

#[test]
fn each_broken_file_tells_what_is_wrong_and_where() {
    let files = files();
    assert!(20 <= files.len());
    let mut out = String::new();
    for (name, text) in files {
        let errors = parse(&text).unwrap_err();
        writeln!(out, "{name}").unwrap();
        for mistake in &errors.mistakes {
            writeln!(out, "{}", told(&text, mistake)).unwrap();
        }
    }
    insta::assert_snapshot!("broken_strategies", out);
}

#[test]
fn the_file_that_they_are_variants_of_has_no_mistakes() {
    let strategy = parse(MINIMAL).unwrap();
    assert_eq!(strategy.rules.rules.len(), 1);
    assert_eq!(*strategy.rules.features, ["sku_stock_units_max".into()]);
}

#[test]
fn a_mistake_in_a_rule_is_shown_at_its_place() {
    let text = &files()["rule_three_mistakes"];
    let errors = parse(text).unwrap_err();
    insta::assert_snapshot!("rule_mistakes", crate::config::fixtures::rendered(&errors));
}

#[test]
fn a_feature_that_is_asked_for_with_has_need_not_be_read() {
    let when = "has(sku.stock_cover_days_max) && sku.stock_cover_days_max < 5.0";
    let text = MINIMAL.replace("sku.stock_units_max < 5", when);
    assert!(parse(&text).is_ok());
}
