//! Times as places: ticks at round times of the day, the month and the year.

use crate::plot::words::width;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;
/// Times beyond lie on the edge: calendars say little about 300,000 years.
const TIME_S_MAX: i64 = 10_000_000_000_000;
/// Letters of tick labels are so high.
const FONT: f64 = 12.0;
/// Kept free between two labels.
const LABEL_GAP: f64 = 30.0;
/// A step with more ticks than this is too fine for any picture.
const TICKS_MAX: usize = 400;

/// Distance of two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Below a day; the text is the time of day.
    Seconds(i64),
    /// Whole days; the text is month and day.
    Days(i64),
    /// Months from the beginning of a year on.
    Months(i64),
    /// Years from the year 0 on.
    Years(i64),
}

/// From fine to coarse.
const STEPS: [Step; 27] = [
    Step::Seconds(MINUTE_S),
    Step::Seconds(2 * MINUTE_S),
    Step::Seconds(5 * MINUTE_S),
    Step::Seconds(10 * MINUTE_S),
    Step::Seconds(15 * MINUTE_S),
    Step::Seconds(30 * MINUTE_S),
    Step::Seconds(HOUR_S),
    Step::Seconds(2 * HOUR_S),
    Step::Seconds(3 * HOUR_S),
    Step::Seconds(6 * HOUR_S),
    Step::Seconds(12 * HOUR_S),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(20),
    Step::Years(50),
    Step::Years(100),
    Step::Years(1_000),
];

/// A round time.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where, 0 at the beginning of the axis and 1 at its end.
    pub share: f64,
    /// What is written at it.
    pub text: String,
    /// The day or the year, where it is another one than that of the tick before.
    pub below: Option<String>,
}

/// A span of time, shown so many pixels wide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeAxis {
    first_s: i64,
    last_s: i64,
    width: f64,
}

impl TimeAxis {
    /// From the first to the last time; a span that is too short to be shown is widened.
    pub fn new(first_s: i64, last_s: i64, width: f64) -> Self {
        let first_s = first_s.clamp(-TIME_S_MAX, TIME_S_MAX);
        let last_s = last_s.clamp(first_s, TIME_S_MAX);
        let missing = (4 * MINUTE_S - (last_s - first_s)).max(0);
        Self { first_s: first_s - missing / 2, last_s: last_s + missing - missing / 2, width }
    }

    /// Where a time lies, 0 at the first and 1 at the last.
    pub fn share(&self, time_s: i64) -> f64 {
        let share = time_s.saturating_sub(self.first_s) as f64 / self.span() as f64;
        share.clamp(0.0, 1.0)
    }

    /// The finest round times whose texts do not overlap, in the time of UTC.
    pub fn ticks(&self) -> Vec<Tick> {
        let fitting = STEPS.iter().map(|step| self.ticks_at(*step)).find(|ticks| self.fit(ticks));
        fitting.unwrap_or_default()
    }

    fn span(&self) -> i64 {
        (self.last_s - self.first_s).max(1)
    }

    fn ticks_at(&self, step: Step) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        let mut shown = None;
        let mut end = f64::NEG_INFINITY;
        for (time_s, text, below) in self.times(step) {
            let share = self.share(time_s);
            let half = 0.5 * width(&below, FONT) / self.width;
            let is_new = !below.is_empty() && shown.as_ref() != Some(&below);
            let below = (is_new && end < share - half).then_some(below);
            if below.is_some() {
                end = share + half + LABEL_GAP / self.width;
                shown.clone_from(&below);
            }
            ticks.push(Tick { share, text, below });
        }
        ticks
    }

    /// Round times within the span with their texts, and the day or year that they are in.
    fn times(&self, step: Step) -> Vec<(i64, String, String)> {
        let (from, to) = (civil(self.first_s), civil(self.last_s));
        let texts = |time_s: i64| {
            let Civil { year, month, day } = civil(time_s);
            let (hour, minute) =
                (time_s.rem_euclid(DAY_S) / HOUR_S, time_s.rem_euclid(HOUR_S) / MINUTE_S);
            let date = format!("{year}-{month:02}-{day:02}");
            match step {
                Step::Seconds(_) => (time_s, format!("{hour:02}:{minute:02}"), date),
                Step::Days(_) => (time_s, format!("{month:02}-{day:02}"), year.to_string()),
                Step::Months(_) => (time_s, format!("{year}-{month:02}"), String::new()),
                Step::Years(_) => (time_s, year.to_string(), String::new()),
            }
        };
        let is_inside = |time_s: &i64| self.first_s <= *time_s && *time_s <= self.last_s;
        let of_seconds = |step_s: i64| {
            let first = self.first_s.div_euclid(step_s) * step_s;
            let times = (0..).map(move |k| first + k * step_s);
            times.skip_while(move |it| !is_inside(it)).take_while(is_inside)
        };
        let of_months = |n: i64| {
            let (first, last) = (12 * from.year + from.month - 1, 12 * to.year + to.month - 1);
            let first = first.div_euclid(n);
            let times = (first..=last.div_euclid(n)).map(move |k| k * n);
            times.map(|month| days(month.div_euclid(12), month.rem_euclid(12) + 1, 1) * DAY_S)
        };
        let most = TICKS_MAX + 1;
        let times: Vec<i64> = match step {
            Step::Seconds(n) => of_seconds(n).take(most).collect(),
            Step::Days(n) => of_seconds(n * DAY_S).take(most).collect(),
            Step::Months(n) => of_months(n).take(most).filter(is_inside).collect(),
            Step::Years(n) => of_months(12 * n).take(most).filter(is_inside).collect(),
        };
        times.into_iter().map(texts).collect()
    }

    fn fit(&self, ticks: &[Tick]) -> bool {
        let half = |tick: &Tick| 0.5 * (width(&tick.text, FONT) + LABEL_GAP);
        let is_apart = |pair: &[Tick]| {
            half(&pair[0]) + half(&pair[1]) <= (pair[1].share - pair[0].share) * self.width
        };
        ticks.len() <= TICKS_MAX && ticks.windows(2).all(is_apart)
    }
}

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
}

/// Howard Hinnant's `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.
fn civil(time_s: i64) -> Civil {
    let shifted = time_s.div_euclid(DAY_S) + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
}

/// Days from 1970 to a date; Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-02-27 22:10.
    const START_S: i64 = 1_772_230_200;

    fn check(span_s: i64, expected: &[&str]) {
        let ticks = TimeAxis::new(START_S, START_S + span_s, 600.0).ticks();
        let text = |tick: Tick| match tick.below {
            Some(below) => format!("{}/{below}", tick.text),
            None => tick.text,
        };
        let texts: Vec<String> = ticks.into_iter().map(text).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn ticks_are_round_from_minutes_to_years() {
        check(0, &["22:08/2026-02-27", "22:09", "22:10", "22:11", "22:12"]);
        check(
            3 * HOUR_S,
            &["22:30/2026-02-27", "23:00", "23:30", "00:00/2026-02-28", "00:30", "01:00"],
        );
        check(5 * DAY_S, &["02-28/2026", "03-01", "03-02", "03-03", "03-04"]);
        check(150 * DAY_S, &["2026-03", "2026-04", "2026-05", "2026-06", "2026-07"]);
        check(2_000 * DAY_S, &["2027", "2028", "2029", "2030", "2031"]);
    }

    #[test]
    fn times_beyond_all_calendars_lie_on_the_edge() {
        let axis = TimeAxis::new(i64::MIN, i64::MAX, 600.0);
        let shares = [i64::MIN, 0, i64::MAX].map(|time_s| axis.share(time_s));
        assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)));
        assert_eq!(axis.ticks(), Vec::new(), "no step is so coarse");
    }

    proptest! {
        #[test]
        fn texts_never_overlap_and_lie_on_the_axis(
            start in -4_000_000_000..40_000_000_000_i64,
            span in prop_oneof![0..7_200_i64, 0..2_000_000_i64, 0..2_000_000_000_i64],
            pixels in 300.0..900.0_f64,
        ) {
            let ticks = TimeAxis::new(start, start + span, pixels).ticks();
            prop_assert!(!ticks.is_empty() && ticks.len() < 20, "{ticks:?}");
            let texts = |text: fn(&Tick) -> Option<&String>| {
                let ends = ticks.iter().filter_map(move |tick| {
                    let half = 0.5 * width(text(tick)?, FONT);
                    Some((tick.share * pixels - half, tick.share * pixels + half))
                });
                ends.collect::<Vec<(f64, f64)>>()
            };
            for ends in [texts(|tick| Some(&tick.text)), texts(|tick| tick.below.as_ref())] {
                prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ends:?}");
            }
            prop_assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.share)));
        }

        #[test]
        fn a_date_is_that_of_its_day(day in -1_000_000..1_000_000_i64) {
            let date = civil(day * DAY_S);
            prop_assert_eq!(days(date.year, date.month, date.day), day);
            let next = civil((day + 1) * DAY_S);
            prop_assert!(next.day == date.day + 1 || (next.day == 1 && 28 <= date.day));
        }
    }
}
