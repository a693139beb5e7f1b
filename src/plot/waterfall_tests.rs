//! Laws and a picture of a waterfall.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::plot::well_formed::faults;

const CAPTION: Caption<'_> =
    Caption { id: "why", title: "Why", desc: "From −2.10 to 1.05; the device adds most." };

fn bar(id: &str, label: &str, value: &str, shift: f64) -> Bar {
    Bar {
        id: id.into(),
        label: label.into(),
        value: value.into(),
        shift,
        class: String::new(),
        href: Some(format!("#fact-{id}")),
    }
}

fn group(title: &str, bars: Vec<Bar>) -> Group {
    Group { title: title.into(), total: bars.iter().map(|bar| bar.shift).sum(), bars }
}

fn picture() -> Waterfall {
    let device = group(
        "Device",
        vec![
            bar("device_orders_count_1h", "orders on the device", "7", 1.4),
            bar("device_age_days", "days since it was first seen", "< 1", 1.9),
        ],
    );
    let place = group(
        "收货地址",
        vec![
            bar("address_age_days", "收货地址首次出现至今的天数（越久越可信）", "412 天", -0.55),
            bar("address_tiny", "tiny", "0", 0.2),
        ],
    );
    let known = group("Customer", vec![bar("account_age_days", "age of the account", "3", 0.2)]);
    Waterfall {
        base: End { label: "average order".into(), value: -2.1 },
        groups: vec![place, device, known],
        end: End { label: "this order".into(), value: 1.05 },
        axis_label: "log-odds".into(),
        rest_label: "1 more".into(),
        n_bars_max: 4,
        n_decimals: 2,
    }
}

#[test]
fn steps_lead_from_the_base_to_the_score_with_the_largest_first() {
    let picture = waterfall(CAPTION, &picture());
    assert_eq!(faults(&picture), Vec::<String>::new());
    insta::assert_snapshot!(picture);
}

#[test]
fn a_picture_without_links_is_one_image() {
    let mut plain = picture();
    let bars = plain.groups.iter_mut().flat_map(|group| &mut group.bars);
    bars.for_each(|bar| bar.href = None);
    let text = waterfall(CAPTION, &plain);
    assert!(text.contains("role=\"img\"") && !text.contains("<a "), "{text}");
    assert!(waterfall(CAPTION, &picture()).contains("role=\"group\""), "links are within reach");
}

#[test]
fn a_shift_is_written_with_its_sign_and_nothing_is_no_minus() {
    let axis = Axis::linear("", 0.0, 1.0);
    let svg = Svg::inline(CAPTION, "", Reading::Whole, View::sized(1.0, 1.0));
    let sheet = Sheet { svg, axis, id: "", n_decimals: 2 };
    let texts = [0.316, -0.316, -0.001, 0.004, 0.0].map(|value| sheet.signed(value));
    assert_eq!(texts, ["+0.32", "−0.32", "0.00", "0.00", "0.00"]);
}

proptest! {
    #[test]
    fn every_step_begins_where_the_last_one_ended_and_all_lead_to_the_score(
        shifts in vec(vec(-3.0..3.0_f64, 1..6), 0..6),
        base in -4.0..0.0_f64,
        lost in -1.0..1.0_f64,
        n_bars_max in 0..20_usize,
    ) {
        let groups = shifts.iter().enumerate().map(|(at, shifts)| {
            let named = shifts.iter().enumerate();
            let bars = named.map(|(k, shift)| bar(&format!("f{at}_{k}"), "x", "1", *shift));
            group(&format!("g{at}"), bars.collect())
        });
        let groups: Vec<Group> = groups.collect();
        let end = base + lost + groups.iter().map(|group| group.total).sum::<f64>();
        let picture = Waterfall {
            base: End { label: "base".into(), value: base },
            groups,
            end: End { label: "end".into(), value: end },
            n_bars_max,
            ..picture()
        };
        let mut sum = base;
        let mut largest = f64::INFINITY;
        let mut n_steps = 0;
        for row in rows(&picture) {
            match row {
                Row::Step { bar, from } => {
                    prop_assert!((from - sum).abs() < 1e-9 && bar.shift.abs() <= largest);
                    (sum, largest, n_steps) = (from + bar.shift, bar.shift.abs(), n_steps + 1);
                }
                Row::Rest { from, to } => {
                    prop_assert!((from - sum).abs() < 1e-9);
                    sum = to;
                }
                Row::Base | Row::Title(_) | Row::End => largest = f64::INFINITY,
            }
        }
        prop_assert!((sum - end).abs() <= 0.005, "{sum} {end}");
        let n_bars: usize = picture.groups.iter().map(|group| group.bars.len()).sum();
        prop_assert_eq!(n_steps, n_bars.min(n_bars_max));
        let text = waterfall(CAPTION, &picture);
        prop_assert_eq!(faults(&text), Vec::<String>::new());
        let lowering = picture.groups.iter().flat_map(|group| &group.bars);
        let n_lowering = lowering.filter(|bar| bar.shift < 0.0).count();
        prop_assert!(n_bars_max < n_bars || text.matches("class=\"bar lowers\"").count() == n_lowering);
    }
}
