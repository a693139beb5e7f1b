//! How deliveries to other systems do.

use crate::console::format::count;
use crate::console::pages::health::view::Problem;
use crate::console::words::Words;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::deliveries::SinkStatus;

/// What waits longer than this is worth a word.
const WAIT_MAX: Span = Span::minutes(10);

/// A sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkRow {
    /// Its name.
    pub sink: String,
    /// Deliveries that it has taken since the start.
    pub delivered: String,
    /// Tries that failed since the start.
    pub failed: String,
    /// Journal records that were not looked through for it.
    pub behind: String,
    /// How long the oldest delivery has waited; empty while none waits.
    pub oldest: String,
    /// Given up.
    pub dead: String,
    /// Why the last try failed; empty when it did not.
    pub fault: String,
}

/// The rows of a report at `now`.
pub fn rows(words: Words, report: &[(Box<str>, SinkStatus)], now: Timestamp) -> Vec<SinkRow> {
    let row = |(sink, status): &(Box<str>, SinkStatus)| SinkRow {
        sink: sink.to_string(),
        delivered: count(status.n_delivered),
        failed: count(status.n_failed),
        behind: count(status.n_behind),
        oldest: status.waits_since.map(|at| words.span(now - at)).unwrap_or_default(),
        dead: count(status.n_dead),
        fault: status.fault.as_deref().unwrap_or_default().to_owned(),
    };
    report.iter().map(row).collect()
}

/// Sinks that were given up on, or that let something wait.
pub fn problems(words: Words, report: &[(Box<str>, SinkStatus)], now: Timestamp) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (sink, status) in report {
        if 0 < status.n_dead {
            let n = count(status.n_dead);
            let what = words.t2("deliveries-dead-many", "sink", &**sink, "n", n);
            problems.push(Problem { what, todo: words.t("deliveries-dead-do") });
        }
        if status.waits_since.is_some_and(|at| WAIT_MAX < now - at) {
            let what = words.t1("deliveries-wait-long", "sink", &**sink);
            problems.push(Problem { what, todo: words.t("deliveries-wait-do") });
        }
    }
    problems
}

/// Sources whose messages were given up.
pub fn aside(words: Words, report: &[(Box<str>, u64)]) -> Vec<Problem> {
    let given_up = report.iter().filter(|(_, n)| 0 < *n).map(|(source, n)| Problem {
        what: words.t2("subjects-dead-many", "source", &**source, "n", count(*n)),
        todo: words.t("deliveries-dead-do"),
    });
    given_up.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Language;

    #[test]
    fn a_sink_is_a_problem_once_something_died_or_waits_long() {
        let now = Timestamp(0) + Span::HOUR;
        let words = Words { language: Language::English };
        let status = |n_dead, waited: Option<Span>| SinkStatus {
            n_dead,
            waits_since: waited.map(|span| now - span),
            fault: Some("answered 503".into()),
            ..SinkStatus::default()
        };
        let well = [("a".into(), status(0, Some(WAIT_MAX))), ("b".into(), status(0, None))];
        assert_eq!(problems(words, &well, now), []);
        let ill = [("a".into(), status(7, Some(Span::HOUR)))];
        let found = problems(words, &ill, now);
        assert_eq!(found.len(), 2);
        assert!(found[0].what.contains('7') && found[1].what.contains('a'), "{found:?}");
        let found = aside(words, &[("house".into(), 0), ("shop".into(), 3)]);
        assert_eq!((found.len(), &*found[0].what), (1, "3 messages of shop were given up."));
        let rows = rows(words, &ill, now);
        assert_eq!((&*rows[0].dead, &*rows[0].fault), ("7", "answered 503"));
    }
}
