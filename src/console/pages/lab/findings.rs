//! What a back-test found, as the lab shows it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::console::format::{count, minute, percent, signed_money};
use crate::console::pages::lab::orders::{FLIPPED_SHOWN, FlipView, Sides, SliceView, flip, slices};
use crate::console::words::Words;
use crate::domain::backtest::{
    BacktestReport, Coefficients, MatrixCell as Replayed, MoneyDifference, OffPolicyLevel,
    RefusalReason,
};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::money::{Currency, grouped};
use crate::domain::recorded_order::ActionName;
use crate::domain::share::Share;

/// What happens to an order at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    Release,
    Check,
    Stop,
}

const COURSES: [Course; 3] = [Course::Release, Course::Check, Course::Stop];

impl Course {
    fn of(action: ActionKind) -> Self {
        match action {
            ActionKind::Approve
            | ActionKind::ApproveAndWatch
            | ActionKind::SplitShipment
            | ActionKind::Expedite => Self::Release,
            ActionKind::Challenge
            | ActionKind::PhoneCheck
            | ActionKind::Review
            | ActionKind::Hold => Self::Check,
            ActionKind::LimitQuantity | ActionKind::OfferReservation | ActionKind::Decline => {
                Self::Stop
            }
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Release => "lab-release",
            Self::Check => "lab-check",
            Self::Stop => "lab-stop",
        }
    }
}

/// A row of the matrix: what was decided, and what the draft makes of it.
#[derive(Debug)]
pub struct MatrixRow {
    /// What was decided.
    pub title: String,
    /// One cell per course of the draft.
    pub cells: Vec<MatrixCell>,
}

/// Orders with one course before and one under the draft.
#[derive(Debug)]
pub struct MatrixCell {
    /// How many.
    pub orders: String,
    /// Class for its color: `same`, `moved`, or `none` without orders.
    pub class: &'static str,
}

/// Orders by their exact actions.
#[derive(Debug)]
pub struct Pair {
    /// What was recommended first.
    pub recorded: String,
    /// What the draft recommends first.
    pub draft: String,
    /// How many.
    pub orders: String,
}

/// A difference of money.
#[derive(Debug)]
pub struct MoneyRow {
    /// By whose coefficients.
    pub whose: String,
    /// The sum.
    pub total: String,
    /// `good`, `bad`, or nothing where the sign is not sure.
    pub class: &'static str,
    /// Its interval, or why there is none.
    pub interval: String,
    /// Per day.
    pub per_day: String,
    /// How many orders were valued, and how many not.
    pub orders: String,
}

/// A share of the orders whose truth is known.
#[derive(Debug)]
pub struct TruthRow {
    /// Of what.
    pub title: String,
    /// How many of how many.
    pub counts: String,
    /// The share with its interval, or that there is not enough.
    pub share: String,
}

/// What a back-test found.
#[derive(Debug)]
pub struct Findings {
    /// Which orders.
    pub window: String,
    /// What has to be said about them.
    pub notes: Vec<String>,
    /// Orders with another first action.
    pub flips: String,
    /// Their share.
    pub share: String,
    /// Its interval, or that there is not enough.
    pub share_interval: String,
    /// Before and after.
    pub matrix: Vec<MatrixRow>,
    /// Titles of the courses.
    pub courses: Vec<String>,
    /// The same by exact actions, where they differ.
    pub pairs: Vec<Pair>,
    /// Money.
    pub money: Vec<MoneyRow>,
    /// Why logged chances give no value.
    pub refusal: String,
    /// Orders whose truth is known.
    pub truth: String,
    /// Good and bad ones that the draft treats otherwise.
    pub truths: Vec<TruthRow>,
    /// Minutes of reviewers a day under the draft.
    pub minutes: String,
    /// How many more or fewer; `None` when the minutes before are not known.
    pub minutes_more: Option<String>,
    /// Capacity and queue in a sentence.
    pub queue: String,
    /// Slices.
    pub slices: Vec<SliceView>,
    /// Flipped orders, most money at stake first.
    pub flipped: Vec<FlipView>,
    /// How many there are beside those.
    pub n_more: u64,
}

impl Findings {
    /// A report in the words of a language; the sides of `hidden` orders are not shown.
    pub fn of(words: Words, report: &BacktestReport, hidden: &BTreeSet<DecisionId>) -> Self {
        let flips = report.replay.flips;
        let known = &report.known_truth;
        let load = &report.reviewers;
        let OffPolicyLevel::Refused { reason } = report.off_policy;
        let differences = &report.assumption.differences;
        let currency = differences.first().map_or(Currency::CNY, |it| it.currency);
        let shown = report.flipped.iter().take(FLIPPED_SHOWN);
        let sides = |id| if hidden.contains(&id) { Sides::Hidden } else { Sides::Shown };
        let flipped: Vec<FlipView> =
            shown.map(|it| flip(words, it, currency, sides(it.decision_id))).collect();
        let truths = [
            ("lab-good-stopped", known.good_newly_stopped),
            ("lab-good-released", known.good_newly_released),
            ("lab-bad-released", known.bad_newly_released),
            ("lab-bad-stopped", known.bad_newly_stopped),
        ];
        let told = [("good", known.good), ("bad", known.bad), ("not_known", known.not_known)];
        let more = load.recorded_minutes_per_day.map(|it| load.draft_minutes_per_day - it);
        Self {
            window: window(words, report),
            notes: notes(words, report),
            flips: count(flips.count),
            share: if flips.of == 0 { words.t("not-enough-data") } else { percent(flips.share) },
            share_interval: interval(
                words,
                flips.interval.map(|it| (percent(it.0), percent(it.1))),
            ),
            matrix: matrix(words, report),
            courses: COURSES.iter().map(|course| words.t(course.key())).collect(),
            pairs: pairs(words, report),
            money: differences.iter().map(|it| money_row(words, it)).collect(),
            refusal: words.t(refusal(reason)),
            truth: words.with("lab-truth", &told.map(|(name, n)| (name, count(n)))),
            truths: truths.map(|(key, share)| truth_row(words, key, share)).into(),
            minutes: grouped(load.draft_minutes_per_day, 0),
            minutes_more: more.map(signed),
            queue: queue(words, report),
            slices: slices(words, &report.slices, currency),
            n_more: flips.count.saturating_sub(flipped.len() as u64),
            flipped,
        }
    }
}

fn window(words: Words, report: &BacktestReport) -> String {
    let window = &report.window;
    let at = |at: Option<_>| at.map_or_else(|| "–".to_owned(), minute);
    let told = [
        ("orders", count(window.orders)),
        ("from", at(window.from)),
        ("to", at(window.to)),
        ("days", grouped(window.days, 1)),
    ];
    words.with("lab-window", &told)
}

fn notes(words: Words, report: &BacktestReport) -> Vec<String> {
    let window = &report.window;
    let (not, again) = (window.not_comparable, window.reproduced);
    let mut notes = Vec::new();
    if 0 < not.other_bundle + not.background_gone + not.incomplete {
        let told = [
            ("bundle", count(not.other_bundle)),
            ("background", count(not.background_gone)),
            ("incomplete", count(not.incomplete)),
        ];
        notes.push(words.with("lab-not-comparable", &told));
    }
    if again.count != again.of {
        let (n, of) = (count(again.count), count(again.of));
        notes.push(words.t2("lab-not-reproduced", "count", n, "of", of));
    }
    if window.is_part_of_a_day {
        notes.push(words.t("lab-part-of-a-day"));
    }
    if 1 < report.recorded.len() {
        let n = i64::try_from(report.recorded.len()).unwrap_or(i64::MAX);
        notes.push(words.n("lab-recorded-by", n));
    }
    notes
}

fn matrix(words: Words, report: &BacktestReport) -> Vec<MatrixRow> {
    let orders = |from, to| -> u64 {
        let cells = report.replay.matrix.iter();
        let fit = cells.filter(|cell| {
            (Course::of(cell.recorded.action), Course::of(cell.draft.action)) == (from, to)
        });
        fit.map(|cell| cell.orders).sum()
    };
    let cell = |from, to| {
        let n = orders(from, to);
        let class = match (n, from == to) {
            (0, _) => "none",
            (_, true) => "same",
            (_, false) => "moved",
        };
        MatrixCell { orders: count(n), class }
    };
    let row = |from: Course| MatrixRow {
        title: words.t(from.key()),
        cells: COURSES.iter().map(|to| cell(from, *to)).collect(),
    };
    COURSES.iter().map(|from| row(*from)).collect()
}

fn pairs(words: Words, report: &BacktestReport) -> Vec<Pair> {
    let name = |name: &ActionName| {
        let first = words.action(name.action);
        if name.plan.is_empty() { first } else { format!("{} ({first})", name.plan) }
    };
    let mut cells: Vec<_> =
        report.replay.matrix.iter().filter(|cell| cell.recorded != cell.draft).collect();
    cells.sort_by_key(|cell| Reverse(cell.orders));
    let pair = |cell: &Replayed| Pair {
        recorded: name(&cell.recorded),
        draft: name(&cell.draft),
        orders: count(cell.orders),
    };
    cells.into_iter().map(pair).collect()
}

fn money_row(words: Words, difference: &MoneyDifference) -> MoneyRow {
    let MoneyDifference { currency, total_minor, interval: range, .. } = *difference;
    let of = |minor| signed_money(minor, currency);
    // The sum above says the currency.
    let bare = |minor| of(minor).split_off(currency.as_str().len()).trim_start().to_owned();
    let class = match range {
        Some((low, _)) if 0.0 < low => "good",
        Some((_, high)) if high < 0.0 => "bad",
        Some(_) | None => "",
    };
    let (valued, not) = (count(difference.orders), count(difference.not_valued));
    MoneyRow {
        whose: words.t(match difference.coefficients {
            Coefficients::Recorded => "lab-by-recorded",
            Coefficients::Draft => "lab-by-draft",
        }),
        total: of(total_minor),
        class,
        interval: interval(words, range.map(|(low, high)| (bare(low), bare(high)))),
        per_day: of(difference.per_day_minor),
        orders: words.t2("lab-valued", "orders", valued, "not", not),
    }
}

/// The interval, or that there are too few accounts for one.
fn interval(words: Words, ends: Option<(String, String)>) -> String {
    ends.map_or_else(
        || words.t("lab-no-interval"),
        |(low, high)| words.t2("lab-interval", "low", low, "high", high),
    )
}

fn truth_row(words: Words, key: &str, share: Share) -> TruthRow {
    let [part, low, high] = [share.share, share.low, share.high].map(percent);
    TruthRow {
        title: words.t(key),
        counts: format!("{} / {}", count(share.count), count(share.of)),
        share: match share.of {
            0 => words.t("not-enough-data"),
            _ => format!("{part} [{low}, {high}]"),
        },
    }
}

fn queue(words: Words, report: &BacktestReport) -> String {
    let (load, queue) = (&report.reviewers, report.reviewers.queue);
    let unknown = || words.t("unknown");
    let recorded = load.recorded_minutes_per_day;
    let told = [
        ("recorded", recorded.map_or_else(unknown, |it| grouped(it, 0))),
        ("capacity", grouped(load.capacity_minutes_per_day, 0)),
        ("over", count(load.days_over_capacity)),
        ("days", count(load.days)),
        ("waiting", count(queue.waiting)),
        ("asked", count(queue.asked)),
    ];
    words.with("lab-queue", &told)
}

/// Minutes with their sign.
fn signed(minutes: f64) -> String {
    let text = grouped(minutes, 0);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

fn refusal(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::NoPropensities => "lab-no-propensities",
        RefusalReason::NoEstimator => "lab-no-estimator",
        RefusalReason::LessThanADay => "lab-less-than-a-day",
        RefusalReason::ForcedReviews => "lab-forced-reviews",
        RefusalReason::NothingToReview => "lab-nothing-to-review",
    }
}
