//! Laws and a picture of a timeline.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::plot::well_formed::faults;

const CAPTION: Caption<'_> =
    Caption { id: "when", title: "Timeline", desc: "Three scores and four events in two days." };
const START_S: i64 = 1_772_230_200;
const HOUR_S: i64 = 3_600;

fn point(time_s: i64, probability: f64) -> ScorePoint {
    ScorePoint { time_s, probability, title: format!("{probability}"), class: String::new() }
}

fn happening(time_s: i64, label: &str) -> Happening {
    Happening { time_s, label: label.into(), title: label.into(), class: String::new() }
}

fn picture() -> Timeline {
    let at = |hours: i64| START_S + hours * HOUR_S;
    Timeline {
        score_label: "risk".into(),
        scores: vec![point(at(0), 0.12), point(at(30), 0.71), point(at(6), 0.4)],
        lanes: vec![
            Lane {
                label: "Order".into(),
                happenings: vec![
                    happening(at(0), "placed"),
                    happening(at(1), "paid"),
                    happening(at(46), "chargeback & refund"),
                ],
            },
            Lane { label: "人工".into(), happenings: vec![happening(at(7), "已放行")] },
        ],
    }
}

#[test]
fn scores_are_steps_and_events_stand_in_lanes() {
    let picture = timeline(CAPTION, &picture());
    assert_eq!(faults(&picture), Vec::<String>::new());
    insta::assert_snapshot!(picture);
}

#[test]
fn one_entry_and_none_are_pictures_too() {
    let one = Timeline { scores: vec![point(START_S, 1.2)], lanes: Vec::new(), ..picture() };
    let none = Timeline { scores: Vec::new(), lanes: Vec::new(), ..picture() };
    for picture in [one, none].map(|picture| timeline(CAPTION, &picture)) {
        assert_eq!(faults(&picture), Vec::<String>::new(), "{picture}");
    }
}

/// Left and right end of what a mark takes in its line.
fn ends(spot: &Spot<'_>) -> (f64, f64) {
    match &spot.label {
        Some((Anchor::Start, text)) => (spot.x - MARK, spot.x + MARK + 4.0 + width(text, FONT)),
        Some((_, text)) => (spot.x - MARK - 4.0 - width(text, FONT), spot.x + MARK),
        None => (spot.x - MARK, spot.x + MARK),
    }
}

proptest! {
    #[test]
    fn labels_never_overlap_a_mark_or_a_label_and_stay_in_the_picture(
        times in vec(0..1_000_000_i64, 1..60),
        span in prop_oneof![Just(600_i64), Just(86_400), Just(100_000_000)],
        label in "[a-z中文 ]{0,30}",
    ) {
        let happenings: Vec<Happening> =
            times.iter().map(|it| happening(START_S + it * span / 1_000_000, &label)).collect();
        let lane = Lane { label: "lane".into(), happenings };
        let picture = Timeline { lanes: vec![lane.clone()], ..picture() };
        let axis = axis(&picture);
        let spots = spots(&axis, &lane.happenings);
        prop_assert_eq!(spots.len(), times.len());
        for (at, spot) in spots.iter().enumerate().filter(|(_, spot)| spot.label.is_some()) {
            let (from, to) = ends(spot);
            prop_assert!(0.0 <= from && to <= WIDTH);
            for (_, other) in spots.iter().enumerate().filter(|(k, _)| *k != at) {
                let (other_from, other_to) = ends(other);
                let is_apart = to <= other_from || other_to <= from;
                prop_assert!(is_apart || other.line != spot.line, "{spot:?} {other:?}");
            }
        }
        prop_assert_eq!(faults(&timeline(CAPTION, &picture)), Vec::<String>::new());
    }
}
