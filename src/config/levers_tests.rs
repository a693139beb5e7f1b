//! Laws of levers and of the texts in which they are moved.

use proptest::prelude::*;

use crate::config::EMBEDDED_STRATEGY;
use crate::config::fixtures::MINIMAL;
use crate::config::levers::{levers, placed, spelled, with_levers};
use crate::config::strategy_tests::parse;
use crate::domain::lever::Lever;

fn shipped() -> Vec<Lever> {
    levers(EMBEDDED_STRATEGY).unwrap()
}

fn value_in(toml: &str, key: &str) -> f64 {
    levers(toml).unwrap().into_iter().find(|lever| *lever.key == *key).unwrap().value
}

#[test]
fn the_shipped_strategy_has_these_levers() {
    let told: Vec<String> = shipped()
        .iter()
        .map(|it| {
            let Lever { key, group, title, value, min, max, step, unit, below } = it;
            let below = below.as_deref().map_or(String::new(), |key| format!(", below {key}"));
            format!(
                "{key} = {value} ({group:?}, {min}..{max} by {step} {unit:?}{below}): {} | {}",
                title.en, title.zh
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn every_title_is_in_the_catalogs_and_every_value_is_on_its_steps() {
    for lever in shipped().into_iter().chain(levers(MINIMAL).unwrap()) {
        let name = lever.key.rsplit('.').next().unwrap_or_default();
        assert_ne!(lever.title.en, name, "{lever:?}");
        assert_ne!(lever.title.zh, name, "{lever:?}");
        assert!(!lever.title.en.contains('{'), "{lever:?}");
        let steps = (lever.value - lever.min) / lever.step;
        assert!((steps - steps.round()).abs() < 1e-6, "{lever:?}");
        assert!(lever.min <= lever.value && lever.value <= lever.max, "{lever:?}");
        assert!(lever.value <= lever.slider_max(), "{lever:?}");
    }
}

/// What goes together is the one thing that a single lever cannot know.
#[test]
fn every_lever_reaches_its_ends_and_only_cut_points_can_cross() {
    for lever in shipped() {
        for (end, crossing) in [(lever.min, ".decline_above"), (lever.max, ".review_above")] {
            let text = with_levers(EMBEDDED_STRATEGY, &[(&lever.key, end)]).unwrap();
            assert_eq!(value_in(&text, &lever.key).to_bits(), end.to_bits());
            let errors = parse("strategy.toml", &text).err();
            let mistakes = errors.map_or_else(Vec::new, |errors| errors.mistakes);
            let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            let n_crossing = usize::from(lever.key.ends_with(crossing));
            assert_eq!(told.len(), n_crossing, "{} = {end}: {told:?}", lever.key);
            assert!(told.iter().all(|it| it.contains("is not below")), "{told:?}");
        }
    }
}

/// The reader has the same ends: a number just beyond is refused there as well.
#[test]
fn the_ends_are_those_of_the_reader() {
    for lever in shipped() {
        let placed = placed(EMBEDDED_STRATEGY).unwrap();
        let span = placed.into_iter().find(|it| it.lever.key == lever.key).unwrap().span;
        for beyond in [lever.min - 1e-3, lever.max * (1.0 + 1e-6)] {
            let mut text = EMBEDDED_STRATEGY.to_owned();
            text.replace_range(span.clone(), &beyond.to_string());
            let errors = parse("strategy.toml", &text).unwrap_err();
            assert_eq!(errors.mistakes[0].key, *lever.key, "{beyond}");
            assert!(with_levers(EMBEDDED_STRATEGY, &[(&lever.key, beyond)]).is_err());
        }
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let changes = [
        ("weights.netwrok", 1.0),
        ("exploration.rate", 0.1),
        ("weights.network", f64::NAN),
        ("weights.order", 11.0),
        ("money.margin_share", -0.5),
        ("money.complaint_minor", f64::INFINITY),
        ("weights.order", 2.0),
        ("weights.ip", 2.0),
    ];
    let mistakes = with_levers(EMBEDDED_STRATEGY, &changes).unwrap_err();
    let told: Vec<String> = mistakes
        .iter()
        .map(|it| format!("{}: {} {:?}", it.line, it.message, it.suggestion))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_broken_line_is_told_and_nothing_is_changed() {
    for broken in ["[weights\nnetwork = 1", "a = ", "weights = 1\n[weights]\n"] {
        assert!(!levers(broken).unwrap_err().is_empty(), "{broken}");
        assert_eq!(with_levers(broken, &[("weights.ip", 1.0)]), Err(levers(broken).unwrap_err()));
    }
    assert_eq!(levers("weights = 3\nrisks = { a = 1 }\n"), Ok(Vec::new()));
}

#[test]
fn numbers_keep_the_decimals_that_people_wrote() {
    for (old, value, written) in [
        ("1.0", 2.0, "2.0"),
        ("0.30", 0.4, "0.40"),
        ("12000", 15_000.0, "15000"),
        ("12000", 0.5, "0.5"),
        ("1.0", 1.05, "1.05"),
        ("1e3", 2_500.0, "2500"),
        ("1.5e3", 2_500.0, "2500"),
        ("1_000", 1e9, "1000000000"),
    ] {
        assert_eq!(spelled(value, old), written);
    }
}

/// Some levers, each with a place within its range.
fn moves() -> impl Strategy<Value = Vec<(Lever, f64)>> {
    let all = shipped();
    let n = all.len();
    proptest::sample::subsequence(all, 0..=n).prop_flat_map(|some| {
        let places = proptest::collection::vec(0.0..=1.0, some.len());
        (Just(some), places).prop_map(|(some, places)| some.into_iter().zip(places).collect())
    })
}

proptest! {
    #[test]
    fn moved_numbers_read_back_to_the_last_bit_and_all_else_stays(moves in moves()) {
        let changes: Vec<(&str, f64)> = moves
            .iter()
            .map(|(lever, place)| (&*lever.key, lever.min + place * (lever.max - lever.min)))
            .collect();
        let text = with_levers(EMBEDDED_STRATEGY, &changes).unwrap();
        for (key, value) in &changes {
            prop_assert_eq!(value_in(&text, key).to_bits(), value.to_bits());
        }
        let comments = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split_once('#').map_or("", |it| it.1).to_owned()).collect()
        };
        prop_assert_eq!(comments(&text), comments(EMBEDDED_STRATEGY));
        let moved = |lever: &Lever| changes.iter().any(|(key, _)| *key == &*lever.key);
        for (before, after) in shipped().iter().zip(levers(&text).unwrap()) {
            prop_assert!(moved(before) || before == &after);
        }
        let back: Vec<(&str, f64)> =
            moves.iter().map(|(lever, _)| (&*lever.key, lever.value)).collect();
        prop_assert_eq!(&with_levers(EMBEDDED_STRATEGY, &back).unwrap(), EMBEDDED_STRATEGY);
        let returned = with_levers(&text, &back).unwrap();
        prop_assert_eq!(levers(&returned).unwrap(), shipped());
    }

    /// Moves by what the file's own decimals can say.
    #[test]
    fn a_move_and_its_inverse_give_the_same_bytes(moves in moves()) {
        let placed = placed(EMBEDDED_STRATEGY).unwrap();
        let mut changes = Vec::new();
        for (lever, place) in &moves {
            let span = &placed.iter().find(|it| it.lever.key == lever.key).unwrap().span;
            let written = &EMBEDDED_STRATEGY[span.clone()];
            let n_decimals = written.split_once('.').map_or(0, |(_, rest)| rest.len());
            let value = lever.min + place * (lever.max - lever.min);
            let value: f64 = format!("{value:.n_decimals$}").parse().unwrap();
            // Rounding may lead out of the range.
            if (lever.min..=lever.max).contains(&value) {
                changes.push((&*lever.key, value));
            }
        }
        let text = with_levers(EMBEDDED_STRATEGY, &changes).unwrap();
        let back: Vec<(&str, f64)> =
            moves.iter().map(|(lever, _)| (&*lever.key, lever.value)).collect();
        prop_assert_eq!(with_levers(&text, &back).unwrap(), EMBEDDED_STRATEGY);
    }
}
