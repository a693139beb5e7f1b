//! Files that people edit: mappings, strategies with rules, the service file.

use std::fs;
use std::ops::Range;

use orderlens::cli::rule_features::FeatureLists;
use orderlens::config::mistake::ConfigErrors;
use orderlens::config::{EMBEDDED_SERVICE, EMBEDDED_STRATEGY, service, strategy};
use orderlens::import::mapping::Mapping;

use super::{Said, Target, mutate};

const MINIMAL_STRATEGY: &str = include_str!("../../../src/config/minimal_strategy.toml");
const MAPPINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/mappings");

pub(crate) fn targets() -> Vec<Target> {
    let features = FeatureLists::of_build();
    vec![
        Target {
            cost: 20,
            ..text(
                "strategy",
                &[MINIMAL_STRATEGY, EMBEDDED_STRATEGY].map(str::to_owned),
                move |text| match strategy::parse("strategy.toml", text, features.as_known()) {
                    Ok(strategy) => Said::accepted(&strategy.rules.places(&[]).len().to_string()),
                    Err(errors) => refused(text, &errors),
                },
            )
        },
        Target {
            cost: 4,
            ..text("mapping", &mappings(), |text| match Mapping::parse("mapping.toml", text) {
                Ok(mapping) => Said::accepted(&mapping.columns().count().to_string()),
                Err(errors) => {
                    assert!(!errors.mistakes().is_empty(), "refused without a reason");
                    for mistake in errors.mistakes() {
                        is_inside(text, &mistake.span);
                    }
                    Said::refused(&errors.to_string())
                }
            })
        },
        Target {
            cost: 4,
            ..text("service", &[EMBEDDED_SERVICE.to_owned()], |text| {
                match service::parse("s.toml", text) {
                    Ok(settings) => {
                        Said::accepted(&format!("{:?}", settings.console.listen.is_some()))
                    }
                    Err(errors) => refused(text, &errors),
                }
            })
        },
    ]
}

fn refused(text: &str, errors: &ConfigErrors) -> Said {
    assert!(!errors.mistakes.is_empty(), "refused without a reason");
    let spans = errors.mistakes.iter().flat_map(|it| &it.labels);
    for (span, _) in spans {
        is_inside(text, span);
    }
    let messages: Vec<&str> = errors.mistakes.iter().map(|it| it.message.as_str()).collect();
    Said::refused(&messages.join("; "))
}

/// A mistake must point at whole characters of the text, or showing it panics.
fn is_inside(text: &str, span: &Range<usize>) {
    assert!(text.get(span.clone()).is_some(), "{span:?} of {} bytes", text.len());
}

/// The shipped mapping files, by name.
fn mappings() -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(MAPPINGS).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn text(name: &'static str, seeds: &[String], read: impl Fn(&str) -> Said + 'static) -> Target {
    Target {
        name,
        seeds: seeds.iter().map(|it| it.as_bytes().to_vec()).collect(),
        damage: Box::new(|dice, raw, other| {
            let (words, lent) = (String::from_utf8_lossy(&raw), String::from_utf8_lossy(other));
            mutate::text(dice, words.into_owned(), &lent).into_bytes()
        }),
        // The files are read as text before; what is not UTF-8 does not come this far.
        read: Box::new(move |raw| read(&String::from_utf8_lossy(raw))),
        cost: 1,
    }
}
