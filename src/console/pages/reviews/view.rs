//! Reviews as the page shows them.

use crate::console::format::{bare_money, count, percent};
use crate::console::words::Words;
use crate::domain::exploration::{ExplorationLimit, ExplorationReport};
use crate::domain::money::grouped;
use crate::domain::operators::{Habit, OperatorReport};
use crate::domain::review_times::{ReviewSeconds, ReviewTimesReport};
use crate::domain::review_trace::{AlertWorth, Explanation, ReasonCode};
use crate::domain::share::Share;

/// What was seen of the answer, and how orders were looked at with it.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What was seen.
    pub title: String,
    /// Choices in all.
    pub n_choices: String,
    /// The newest, which the rest is of.
    pub n_recent: String,
    /// Time without pauses; `None` when there are too few.
    pub active: Option<Seconds>,
    /// Time by the clock.
    pub wall: Option<Seconds>,
    /// Chose another action than the first recommendation.
    pub overrides: Option<Part>,
    /// Chose what fits how the order turned out.
    pub agreement: Option<Part>,
    /// Reasons that were named, most often first.
    pub codes: Vec<Named>,
    /// Whether it was worth looking, most often first.
    pub worths: Vec<Named>,
}

/// Seconds as people read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seconds {
    /// Of how many.
    pub n: String,
    /// Half took no longer.
    pub median: String,
    /// 95 % interval of that.
    pub interval: String,
    /// 90 % took no longer.
    pub p90: String,
}

/// A share with its interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `12.5 %`.
    pub share: String,
    /// `8.1 %–18.9 %`.
    pub interval: String,
    /// Out of how many.
    pub of: String,
}

/// How often something was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What.
    pub name: String,
    /// How often.
    pub n: u64,
    /// Of the most often named, percent.
    pub of_most: u64,
}

/// One person.
#[derive(Clone, Debug)]
pub struct OperatorRow {
    /// Pseudonym.
    pub id: String,
    /// Choices in all.
    pub n: String,
    /// Took the first recommendation.
    pub took_first: Option<Part>,
    /// Chose the same without seeing it.
    pub blind_same: Option<Part>,
    /// What they choose most often.
    pub usual: String,
    /// How often that is.
    pub usual_share: Option<Part>,
    /// Median seconds.
    pub median: Option<String>,
    /// What it looks like.
    pub habit: String,
    /// Class of its pill.
    pub class: &'static str,
}

/// Declined orders that were released to learn.
#[derive(Clone, Debug)]
pub struct ExplorationView {
    /// True when some are released.
    pub is_on: bool,
    /// Currency of the money.
    pub currency: String,
    /// Window, at risk, limit, and how much of it is used, percent.
    pub limits: Vec<(String, String, String, String)>,
    /// Released.
    pub n_released: String,
    /// Ended well.
    pub n_good: String,
    /// Ended badly.
    pub n_bad: String,
    /// Not known yet.
    pub n_open: String,
    /// What those that ended badly had put at risk.
    pub bad: String,
    /// Not drawn, though they had a chance.
    pub n_not_drawn: String,
    /// Left without a chance, by what.
    pub withheld: Vec<(String, String)>,
}

impl Variant {
    /// The part of a report.
    pub fn new(words: Words, report: &ReviewTimesReport) -> Self {
        let codes = report.reason_codes.iter().map(|(code, n)| (code_name(words, *code), *n));
        let worths = report.alert_worth.iter().map(|(worth, n)| (worth_name(words, *worth), *n));
        Self {
            title: words.t(match report.explanation {
                Explanation::Full => "reviews-full",
                Explanation::Blind => "reviews-blind",
                Explanation::EvidenceOnly => "reviews-evidence",
            }),
            n_choices: count(report.n_choices),
            n_recent: count(report.n_recent),
            active: report.active.map(Seconds::new),
            wall: report.wall.map(Seconds::new),
            overrides: report.overrides.map(Part::new),
            agreement: report.agreement.map(Part::new),
            codes: most_first(codes.collect()),
            worths: most_first(worths.collect()),
        }
    }
}

impl Seconds {
    fn new(of: ReviewSeconds) -> Self {
        let (low, high) = of.median_interval;
        Self {
            n: count(of.n),
            median: grouped(of.median, 1),
            interval: format!("{}–{}", grouped(low, 1), grouped(high, 1)),
            p90: grouped(of.p90, 1),
        }
    }
}

impl Part {
    fn new(of: Share) -> Self {
        Self {
            share: percent(of.share),
            interval: format!("{}–{}", percent(of.low), percent(of.high)),
            of: count(of.of),
        }
    }

    /// Of nothing nothing is said.
    fn some(of: Share) -> Option<Self> {
        (0 < of.of).then(|| Self::new(of))
    }
}

impl OperatorRow {
    /// The line of one person.
    pub fn new(words: Words, report: &OperatorReport) -> Self {
        let (habit, class) = match report.habit {
            Habit::NotEnoughData => ("reviews-habit-unknown", ""),
            Habit::Attentive => ("reviews-habit-attentive", "low"),
            Habit::RubberStamp => ("reviews-habit-stamp", "high"),
        };
        Self {
            id: report.operator_id.to_string(),
            n: count(report.n_choices),
            took_first: Part::some(report.took_first),
            blind_same: Part::some(report.blind_same),
            usual: words.action(report.usual_action),
            usual_share: Part::some(report.same_action),
            median: report.median_seconds.map(|seconds| grouped(seconds, 1)),
            habit: words.t(habit),
            class,
        }
    }
}

impl ExplorationView {
    /// The card of a report.
    pub fn new(words: Words, report: &ExplorationReport) -> Self {
        let money = |minor| bare_money(minor, report.currency);
        let windows = ["reviews-hour", "reviews-day", "reviews-month"];
        let limits = windows.iter().zip(report.spent).map(|(key, (spent, limit))| {
            let used = if 0.0 < limit { percent(spent / limit) } else { "–".to_owned() };
            (words.t(key), money(spent), money(limit), used)
        });
        let withheld = ExplorationLimit::ALL.into_iter().zip(report.n_withheld);
        let n_open = report.n_released.saturating_sub(report.n_good + report.n_bad);
        Self {
            is_on: report.is_on,
            currency: report.currency.to_string(),
            limits: limits.collect(),
            n_released: count(report.n_released),
            n_good: count(report.n_good),
            n_bad: count(report.n_bad),
            n_open: count(n_open),
            bad: money(report.bad_minor),
            n_not_drawn: count(report.n_not_drawn),
            withheld: withheld.map(|(limit, n)| (limit_name(words, limit), count(n))).collect(),
        }
    }
}

fn most_first(mut counted: Vec<(String, u64)>) -> Vec<Named> {
    // Ties keep the order of the report.
    counted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let most = counted.first().map_or(1, |(_, n)| (*n).max(1));
    let named = counted.into_iter();
    named.map(|(name, n)| Named { name, n, of_most: 100 * n / most }).collect()
}

fn limit_name(words: Words, limit: ExplorationLimit) -> String {
    words.t(match limit {
        ExplorationLimit::Hour => "reviews-hour",
        ExplorationLimit::Day => "reviews-day",
        ExplorationLimit::Month => "reviews-month",
        ExplorationLimit::Ring => "reviews-ring",
    })
}

fn worth_name(words: Words, worth: AlertWorth) -> String {
    words.t(match worth {
        AlertWorth::Confirmed => "reviews-worth-confirmed",
        AlertWorth::Valuable => "reviews-worth-valuable",
        AlertWorth::FalsePositive => "reviews-worth-false",
    })
}

fn code_name(words: Words, code: ReasonCode) -> String {
    words.t(&format!("reviews-code-{}", code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::catalog::has;
    use crate::domain::decision::ActionKind;
    use crate::domain::money::Currency;
    use crate::domain::text::Language;

    const ENGLISH: Words = Words { language: Language::English };

    #[test]
    fn what_too_few_say_is_not_shown_and_the_most_named_comes_first() {
        let report = ReviewTimesReport {
            explanation: Explanation::EvidenceOnly,
            n_choices: 1_200,
            n_recent: 1_000,
            active: Some(ReviewSeconds {
                n: 1_000,
                median: 41.25,
                median_interval: (39.0, 44.5),
                p90: 1_100.0,
            }),
            wall: None,
            overrides: Some(Share::new(8, 10)),
            agreement: None,
            reason_codes: vec![(ReasonCode::Travel, 1), (ReasonCode::Policy, 4)],
            alert_worth: vec![(AlertWorth::Valuable, 3)],
        };
        let view = Variant::new(ENGLISH, &report);
        assert_eq!((view.wall, view.agreement), (None, None));
        let active = view.active.unwrap();
        assert_eq!((&*active.interval, &*active.p90), ("39.0–44.5", "1,100.0"));
        assert_eq!(view.overrides.unwrap().interval, "49.0 %–94.3 %");
        let codes: Vec<_> = view.codes.iter().map(|it| (it.n, it.of_most)).collect();
        assert_eq!(codes, [(4, 100), (1, 25)]);
    }

    #[test]
    fn somebody_who_does_not_look_is_marked_and_nothing_is_said_of_nothing() {
        let report = OperatorReport {
            operator_id: "op".into(),
            n_choices: 40,
            took_first: Share::new(40, 40),
            blind_same: Share::new(0, 0),
            same_action: Share::new(30, 40),
            usual_action: ActionKind::Approve,
            median_seconds: Some(1.5),
            habit: Habit::RubberStamp,
        };
        let row = OperatorRow::new(ENGLISH, &report);
        assert_eq!((row.class, row.blind_same), ("high", None));
        assert_eq!(row.took_first.unwrap().share, "100.0 %");
    }

    #[test]
    fn an_exploration_says_what_is_still_open_and_what_of_a_limit_is_used() {
        let report = ExplorationReport {
            is_on: true,
            currency: Currency::CNY,
            spent: [(50.0, 100.0), (0.0, 0.0), (2.0, 400.0)],
            n_released: 10,
            n_good: 6,
            n_bad: 1,
            bad_minor: 12_345.0,
            n_not_drawn: 3,
            n_withheld: [1, 0, 0, 2],
        };
        let view = ExplorationView::new(ENGLISH, &report);
        assert_eq!((&*view.n_open, &*view.bad), ("3", "123.45"));
        let used: Vec<&str> = view.limits.iter().map(|it| it.3.as_str()).collect();
        assert_eq!(used, ["50.0 %", "–", "0.5 %"]);
    }

    #[test]
    fn every_reason_code_has_a_name() {
        for code in ReasonCode::ALL {
            assert!(has(&format!("reviews-code-{}", code.as_str())), "{code:?}");
        }
    }
}
