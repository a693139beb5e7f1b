//! Ten thousand damaged strategy files: none crashes the reader.
//!
//! What the reader accepts can judge an order.
//! Reading is a function of the text alone, so a file that is refused changes nothing.

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::fixtures::{
    MINIMAL, PLACED, Untouched, known_order, scores, shipped_features, unread_feature,
};
use crate::config::random_conditions::{condition, pick, wrong_condition};
use crate::config::rule_names::RuleFeatures;
use crate::config::{EMBEDDED_STRATEGY, strategy};
use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, decide, first_action};
use crate::decision::fixtures::NOBODY;
use crate::decision::strategy::Strategy;

const SEED: u64 = 2_026;
const N_FILES: usize = 10_000;
/// One file in so many is a damaged copy of the shipped one, which is five times as long.
const SHIPPED_EVERY: usize = 20;
/// Longest run of brackets.
const NESTING_MAX: usize = 2_000;
const ODD: [&str; 12] = [
    "\u{0}",
    "\u{7f}",
    "é",
    "中",
    "\u{1f600}",
    "\u{202e}",
    "e\u{301}",
    "\r",
    "\t",
    "\u{feff}",
    "\\",
    "\"",
];
const TOKENS: [&str; 16] = [
    "\n",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "#",
    ".",
    ",",
    "when = 'true'\n",
];
const NUMBERS: [&str; 7] = ["1e999", "-1", "99999999999999999999", "nan", "-inf", "0x1F", "1_0"];

/// A range of whole characters of the text, of so many bytes at most.
fn range(dice: &mut ChaCha8Rng, text: &str, bytes_max: usize) -> Range<usize> {
    let start = text.floor_char_boundary(dice.gen_range(0..=text.len()));
    let end = (start + dice.gen_range(0..=bytes_max)).min(text.len());
    start..text.floor_char_boundary(end).max(start)
}

fn damaged(dice: &mut ChaCha8Rng, mut text: String) -> String {
    match dice.gen_range(0..9) {
        0 => {
            let mut bytes = text.into_bytes();
            let at = dice.gen_range(0..bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.gen_range(0..8);
            }
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
        1 => text.replace_range(range(dice, &text, 60), ""),
        2 => {
            let part = text[range(dice, &text, 200)].to_owned();
            let at = range(dice, &text, 0).start;
            text.insert_str(at, &part);
        }
        3 => {
            let mut lines: Vec<&str> = text.lines().collect();
            let (a, b) = (dice.gen_range(0..lines.len()), dice.gen_range(0..lines.len()));
            lines.swap(a, b);
            text = lines.join("\n");
        }
        4 => {
            let bracket = pick(dice, &["[", "(", "{", "{a=", "!", "-", "a.", "[["]);
            let at = range(dice, &text, 0).start;
            text.insert_str(at, &bracket.repeat(dice.gen_range(0..NESTING_MAX)));
        }
        5 => {
            let digit = text.bytes().position(|byte| byte.is_ascii_digit());
            let at = digit.unwrap_or(0);
            text.replace_range(at..at, pick(dice, &NUMBERS));
        }
        6 => text.insert_str(range(dice, &text, 0).start, pick(dice, &ODD)),
        7 => text.insert_str(range(dice, &text, 0).start, pick(dice, &TOKENS)),
        _ => text.truncate(range(dice, &text, 0).start),
    }
    text
}

/// The text with another condition in its first rule, quoted in one of the ways of TOML.
fn with_condition(dice: &mut ChaCha8Rng, text: &str, condition: &str) -> String {
    let quoted = match dice.gen_range(0..4) {
        0 => format!("\"{}\"", condition.replace('\\', "\\\\").replace('"', "\\\"")),
        1 => format!("'''{condition}'''"),
        2 => format!("\"\"\"\n{condition}\"\"\""),
        _ => format!("'{condition}'"),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(line) = lines.iter_mut().find(|line| line.starts_with("when = '")) {
        *line = format!("when = {quoted}");
    }
    lines.join("\n")
}

fn fuzzed(dice: &mut ChaCha8Rng, n: usize) -> String {
    let mut text =
        if n.is_multiple_of(SHIPPED_EVERY) { EMBEDDED_STRATEGY } else { MINIMAL }.to_owned();
    if dice.gen_bool(0.6) {
        let mut condition =
            if dice.gen_bool(0.5) { condition(dice, 4) } else { wrong_condition(dice) };
        if dice.gen_bool(0.5) {
            condition = damaged(dice, condition);
        }
        text = with_condition(dice, &text, &condition);
    }
    let n_damages = [0, 0, 1, 1, 2, 4][dice.gen_range(0..6)];
    for _ in 0..n_damages {
        text = damaged(dice, text);
    }
    text
}

/// The accepted strategy judges an order, the same in both ways.
fn check_judging(strategy: &Strategy, text: &str) {
    let (order, features, scores) = (known_order(), shipped_features(), scores());
    let values = vec![1.5_f32; features.len()];
    let places = strategy.rules.places(&features);
    let input = DecideInput {
        scores: &scores,
        recalibrate: &Untouched,
        inputs: Inputs { specs: &[], values: &values },
        order: &order,
        event_time: PLACED,
        rule_places: &places,
        evidence: None,
        is_without_graph: false,
        confirmations: &NOBODY,
        room: None,
        actions_max: 3,
        contributions_max: 10,
    };
    let decided = decide(strategy, &input);
    let first = decided.actions.first().map(|first| first.action);
    assert_eq!(first_action(strategy, input.view(), &scores, &decided.risks), first, "{text}");
}

#[test]
fn no_damaged_file_crashes_the_reader_and_each_mistake_has_a_place() {
    println!("seed {SEED}");
    let (mut dice, features) = (ChaCha8Rng::seed_from_u64(SEED), shipped_features());
    let possible = [unread_feature()];
    let known = RuleFeatures { read: &features, possible: &possible };
    let (mut n_right, mut n_rule_mistakes) = (0, 0);
    for n in 0..N_FILES {
        let text = fuzzed(&mut dice, n);
        match strategy::parse("strategy.toml", &text, known) {
            Ok(strategy) => {
                n_right += 1;
                check_judging(&strategy, &text);
            }
            Err(errors) => {
                assert!(!errors.mistakes.is_empty(), "file {n}: {text}");
                for mistake in &errors.mistakes {
                    n_rule_mistakes += usize::from(mistake.key.starts_with("rules."));
                    let spans = mistake.labels.iter().map(|(span, _)| span);
                    let is_inside = |span: &Range<usize>| text.get(span.clone()).is_some();
                    assert!(spans.into_iter().all(is_inside), "file {n}: {mistake:?}: {text}");
                }
            }
        }
    }
    println!("{n_right} accepted, {n_rule_mistakes} mistakes in rules");
    // Both sides of the reader were reached, not only the parser of the file.
    assert!(1_000 < n_right && 1_000 < n_rule_mistakes, "{n_right} {n_rule_mistakes}");
}
