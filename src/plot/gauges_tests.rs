//! Laws and pictures of gauges.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::plot::well_formed::faults;

const CAPTION: Caption<'_> = Caption {
    id: "g",
    title: "Of 100 orders like this, 71 turned out bad",
    desc: "Between 64 and 77; n = 1,284.",
};

fn figure(value: f64, text: &str) -> Figure<'_> {
    Figure { value, text }
}

#[test]
fn money_is_drawn_around_zero() {
    let money = MoneyInterval {
        p10: figure(-40.0, "−¥40"),
        mean: figure(85.5, "+¥85.50"),
        p90: figure(190.0, "+¥190"),
    };
    let picture = money_interval(CAPTION, money, (-100.0, 200.0));
    assert_eq!(faults(&picture), Vec::<String>::new());
    insta::assert_snapshot!(picture);
}

#[test]
fn bars_of_a_sparkline_reach_from_zero() {
    let picture = sparkline(CAPTION, &[3.0, 0.0, -1.0, 5.0]);
    assert_eq!(faults(&picture), Vec::<String>::new());
    insta::assert_snapshot!(picture);
    assert_eq!(faults(&sparkline(CAPTION, &[])), Vec::<String>::new());
}

#[test]
fn the_mean_is_written_within_the_picture() {
    let text = "+¥1,000,000.00";
    let money =
        MoneyInterval { p10: figure(900.0, "p"), mean: figure(999.0, text), p90: figure(1e3, "q") };
    let picture = money_interval(CAPTION, money, (0.0, 1e3));
    let expected = format!("x=\"{:.1}\" y=\"10.0\"", MONEY.0 - 0.5 * width(text, MONEY_FONT));
    assert!(picture.contains(&expected), "{picture}");
    assert!(!picture.contains("class=\"loss\""), "nothing lies below zero");
}

proptest! {
    #[test]
    fn every_gauge_is_whole_for_any_value(
        values in vec(-1e9..1e9_f64, 0..40),
        ends in (-1e6..1e6_f64, -1e6..1e6_f64, -1e6..1e6_f64),
    ) {
        prop_assert_eq!(faults(&sparkline(CAPTION, &values)), Vec::<String>::new());
        let money = MoneyInterval {
            p10: figure(ends.0, "<"),
            mean: figure(ends.1, "&"),
            p90: figure(ends.2, "中"),
        };
        let picture = money_interval(CAPTION, money, (ends.0, ends.2));
        prop_assert_eq!(faults(&picture), Vec::<String>::new());
    }
}
