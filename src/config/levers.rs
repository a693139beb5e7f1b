//! The levers of a strategy text, and the text with some of them moved.
//!
//! What a number may be is read from the schema of the file, and only the digits of a
//! moved number change: comments, order and everything else stay as people wrote them.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use toml::de::DeTable;

use crate::config::mistake::{Mistake, Source};
use crate::config::reader::number_of;
use crate::config::strategy::DEFAULT;
use crate::config::strategy_schema::schema;
use crate::decision::messages::message;
use crate::decision::reasons::risk_name;
use crate::domain::head::HeadId;
use crate::domain::lever::{Lever, LeverGroup, LeverUnit};
use crate::domain::near::nearest;
use crate::domain::strategy_version::StrategyMistake;
use crate::domain::text::Text;

/// Tables whose numbers are levers.
const WEIGHTS: &str = "weights";
const RISKS: &str = "risks";
const FLAT: [&str; 2] = ["money", "reviewers"];
/// A step is refined at most so often by ten, to reach the value that stands in the file.
const N_REFINEMENTS: u32 = 6;

/// The levers of a strategy text: themes, then risks, money and reviewers, each as the file
/// has them. What is missing or no number is left out; the check of the strategy names it.
///
/// # Errors
/// The lines that are not TOML.
pub fn levers(toml: &str) -> Result<Vec<Lever>, Vec<StrategyMistake>> {
    Ok(placed(toml)?.into_iter().map(|placed| placed.lever).collect())
}

/// The text with other numbers under some keys of levers, and not one other byte changed.
///
/// A number that the file has already stays as it is written. Another one gets at least as
/// many decimals as the file wrote, so that moving it back gives the same bytes, unless the
/// move needed more decimals. Whether the numbers go together (`below`) tells the check of
/// the strategy.
///
/// # Errors
/// The lines that are not TOML; else every key that is no lever or named twice, and every
/// number that is none or out of its range.
pub fn with_levers(toml: &str, changes: &[(&str, f64)]) -> Result<String, Vec<StrategyMistake>> {
    let placed = placed(toml)?;
    let source = Source::new("strategy", toml);
    let (mut edits, mut mistakes, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for &(key, value) in changes {
        let Some(PlacedLever { lever, span }) = placed.iter().find(|it| *it.lever.key == *key)
        else {
            mistakes.push(unknown(&source, &placed, key));
            continue;
        };
        let fault = if !seen.insert(key) {
            "is given twice".to_owned()
        } else if value < lever.min {
            format!("must be at least {}", lever.min)
        } else if lever.max < value {
            format!("must be at most {}", lever.max)
        } else if value.is_nan() {
            "is not a number".to_owned()
        } else {
            // Zero has two signs, and people write one of them.
            edits.push((span.clone(), lever.value, value + 0.0));
            continue;
        };
        mistakes.push(source.mistake(key, format!("{key} = {value} {fault}"), span.clone(), ""));
    }
    if !mistakes.is_empty() {
        return Err(mistakes.iter().map(Mistake::as_domain).collect());
    }
    edits.sort_by_key(|(span, _, _)| span.start);
    let mut text = toml.to_owned();
    for (span, before, value) in edits.into_iter().rev() {
        if before.to_bits() != value.to_bits() {
            let written = spelled(value, &toml[span.clone()]);
            text.replace_range(span, &written);
        }
    }
    Ok(text)
}

/// A lever and the bytes of its number.
pub(super) struct PlacedLever {
    pub(super) lever: Lever,
    pub(super) span: Range<usize>,
}

pub(super) fn placed(toml: &str) -> Result<Vec<PlacedLever>, Vec<StrategyMistake>> {
    let (root, broken) = DeTable::parse_recoverable(toml);
    if !broken.is_empty() {
        let source = Source::new("strategy", toml);
        let told = broken.iter().map(|error| {
            let span = error.span().unwrap_or(0..0);
            source.mistake("", error.message().to_owned(), span, "not TOML").as_domain()
        });
        return Err(told.collect());
    }
    let root = root.get_ref();
    let table = |name| root.get(name).and_then(|value| value.get_ref().as_table());
    let schema = schema();
    let of_file = &schema["properties"];
    let mut found = Vec::new();
    if let Some(weights) = table(WEIGHTS) {
        found.extend(numbers(weights, &of_file[WEIGHTS], &Place::Theme));
    }
    if let Some(risks) = table(RISKS) {
        let mut heads: Vec<_> = risks.iter().collect();
        heads.sort_by_key(|(head, _)| head.span().start);
        for (head, entry) in heads {
            let Some(entry) = entry.get_ref().as_table() else { continue };
            let place = Place::Risk(head.get_ref());
            found.extend(numbers(entry, &of_file[RISKS]["additionalProperties"], &place));
        }
    }
    for name in FLAT {
        let entries = table(name).map(|table| numbers(table, &of_file[name], &Place::Flat(name)));
        found.extend(entries.into_iter().flatten());
    }
    Ok(found)
}

/// The table that a number stands in.
enum Place<'a> {
    Theme,
    Risk(&'a str),
    Flat(&'a str),
}

/// The numbers of one table that its schema bounds, by place in the file.
fn numbers(table: &DeTable<'_>, schema: &Value, place: &Place<'_>) -> Vec<PlacedLever> {
    let mut found: Vec<PlacedLever> = table
        .iter()
        .filter_map(|(name, value)| {
            let name: &str = name.get_ref();
            let bounds = &schema["properties"][name];
            let range = (bounds["minimum"].as_f64()?, bounds["maximum"].as_f64()?);
            let number = number_of(value.get_ref()).filter(|number| number.is_finite())?;
            Some(PlacedLever { lever: lever(place, name, number, range), span: value.span() })
        })
        .collect();
    found.sort_by_key(|it| it.span.start);
    found
}

fn lever(place: &Place<'_>, name: &str, value: f64, (min, max): (f64, f64)) -> Lever {
    let (path, title) = match place {
        Place::Theme => {
            let theme = message("theme", name, &[]);
            (WEIGHTS.to_owned(), message("lever", "theme_weight", &[("theme", &theme)]))
        }
        Place::Risk(head) => {
            let risk = title_of(head);
            (format!("{RISKS}.{head}"), message("lever", name, &[("risk", &risk)]))
        }
        Place::Flat(table) => ((*table).to_owned(), message("lever", name, &[])),
    };
    let (group, unit, step) = kind(place, name);
    let below = (name == "review_above").then(|| format!("{path}.decline_above").into());
    Lever {
        key: format!("{path}.{name}").into(),
        group,
        title,
        value,
        min,
        max,
        step: refined(step, value - min),
        unit,
        below,
    }
}

fn title_of(head: &str) -> Text {
    let risk = if head == DEFAULT {
        message("lever", "other_risks", &[])
    } else {
        risk_name(&HeadId(head.into()))
    };
    let mut letters = risk.en.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Text::new(first + letters.as_str(), risk.zh)
}

/// What a number is about, what it counts, and its usual step.
fn kind(place: &Place<'_>, name: &str) -> (LeverGroup, LeverUnit, f64) {
    let is_risk = matches!(place, Place::Risk(_));
    match name {
        "review_minute_minor" => (LeverGroup::Review, LeverUnit::Minor, 10.0),
        "hours_per_day" => (LeverGroup::Review, LeverUnit::Hours, 0.5),
        "random_share" | "blind_share" => (LeverGroup::Review, LeverUnit::Share, 0.01),
        "price_index_alarm" => (LeverGroup::Threshold, LeverUnit::Factor, 0.05),
        "review_above" | "decline_above" => (LeverGroup::Threshold, LeverUnit::Share, 0.01),
        "delay_hour_minor" => (LeverGroup::Money, LeverUnit::Minor, 10.0),
        "weight" if is_risk => (LeverGroup::Weight, LeverUnit::Factor, 0.05),
        _ if matches!(place, Place::Theme) => (LeverGroup::Weight, LeverUnit::Factor, 0.05),
        _ if name.ends_with("_minor") => (LeverGroup::Money, LeverUnit::Minor, 100.0),
        _ => (LeverGroup::Money, LeverUnit::Share, 0.01),
    }
}

/// The step, or a tenth of it and so on, until a whole number of them leads to the value.
fn refined(usual: f64, above_min: f64) -> f64 {
    let is_whole = |steps: f64| (steps - steps.round()).abs() < 1e-6;
    let steps = (0..=N_REFINEMENTS).map(|n| usual / 10_f64.powi(n.cast_signed()));
    let mut steps = steps.filter(|step| is_whole(above_min / step));
    steps.next().unwrap_or(usual)
}

/// The shortest number that reads as the value, with at least the decimals of the old one.
pub(super) fn spelled(value: f64, old: &str) -> String {
    let n_decimals = |text: &str| text.split_once('.').map_or(0, |(_, rest)| rest.len());
    let mut text = value.to_string();
    // An exponent has no decimals that could be kept.
    let wanted = if old.contains(['e', 'E']) { 0 } else { n_decimals(old) };
    if n_decimals(&text) == 0 && wanted != 0 {
        text.push('.');
    }
    let missing = wanted.saturating_sub(n_decimals(&text));
    text.extend(std::iter::repeat_n('0', missing));
    text
}

fn unknown(source: &Source, placed: &[PlacedLever], key: &str) -> Mistake {
    let near = nearest(key, placed.iter().map(|it| &*it.lever.key));
    source
        .mistake(key, format!("{key} is not a lever of this strategy"), 0..0, "")
        .suggest(near.map(|near| format!("did you mean `{near}`?")))
}
