//! How the sources of events do, those that miss most first.

use crate::console::format::{count, percent, short};
use crate::console::pages::health::view::Problem;
use crate::console::words::Words;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::event_health::delays::RELATIVE_ERROR;
use crate::workflow::event_health::report::{SourceHealth, Window, WindowHealth};
use crate::workflow::event_health::{EventObjective, OTHER, UNNAMED};

/// Most lines of sources that are shown.
const SHOWN_MAX: usize = 30;
/// A source that misses the objective this many times faster than allowed, now and for an hour,
/// is worth a word: it uses up 2 % of a month's allowance within that hour.
const BURN_MAX: f64 = 14.4;

/// The board.
#[derive(Clone, Debug)]
pub struct SourcesView {
    /// The sources.
    pub rows: Vec<SourceRow>,
    /// How many lines there is no room for.
    pub n_left_out: i64,
    /// What is late.
    pub late: String,
    /// Share that is to be taken and not late.
    pub target: String,
    /// By how much a delay may be off.
    pub error: String,
}

/// A source and a kind of event.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Who.
    pub source: String,
    /// What.
    pub kind: String,
    /// How long ago it was told last.
    pub last_seen: String,
    /// Lately, the shortest window first.
    pub windows: Vec<WindowRow>,
}

/// What a source told within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRow {
    /// Which window.
    pub window: String,
    /// Events told.
    pub n_told: String,
    /// Delay of 99 %.
    pub delay: String,
    /// Share refused.
    pub refused: String,
    /// Retries.
    pub repeated: String,
    /// Late.
    pub late: String,
    /// How fast the objective is missed.
    pub burn: String,
    /// Class of its pill; empty without one.
    pub class: &'static str,
}

impl SourcesView {
    /// The board of a report at `now`.
    pub fn new(
        words: Words,
        report: &[SourceHealth],
        objective: EventObjective,
        now: Timestamp,
    ) -> Self {
        let mut report: Vec<&SourceHealth> = report.iter().collect();
        let burn = |it: &SourceHealth| it.windows[Window::Hour as usize].burn.unwrap_or(-1.0);
        report.sort_by(|a, b| burn(b).total_cmp(&burn(a)));
        let n_left_out = report.len().saturating_sub(SHOWN_MAX);
        report.truncate(SHOWN_MAX);
        Self {
            rows: report.into_iter().map(|it| SourceRow::new(words, it, now)).collect(),
            n_left_out: i64::try_from(n_left_out).unwrap_or(i64::MAX),
            late: words.span(objective.delay_max),
            target: percent(objective.target),
            error: percent(RELATIVE_ERROR),
        }
    }
}

impl SourceRow {
    fn new(words: Words, it: &SourceHealth, now: Timestamp) -> Self {
        let windows = Window::ALL.into_iter().zip(&it.windows);
        Self {
            source: source(words, &it.source),
            kind: words.fact(it.kind.as_str()),
            last_seen: words.span((now - it.last_seen).max(Span(0))),
            windows: windows.map(|(window, health)| row(words, window, health)).collect(),
        }
    }
}

/// What is wrong with sources, the worst first.
pub fn problems(words: Words, report: &[SourceHealth]) -> Vec<Problem> {
    let burns = |it: &&SourceHealth| {
        let fast = |window: Window| it.windows[window as usize].burn.is_some_and(|b| BURN_MAX < b);
        fast(Window::FiveMinutes) && fast(Window::Hour)
    };
    let problem = |it: &SourceHealth| Problem {
        what: words.t2(
            "sources-burns",
            "source",
            source(words, &it.source),
            "kind",
            words.fact(it.kind.as_str()),
        ),
        todo: words.t("sources-burns-do"),
    };
    report.iter().filter(burns).take(SHOWN_MAX).map(problem).collect()
}

fn source(words: Words, name: &str) -> String {
    match name {
        OTHER => words.t("sources-other"),
        UNNAMED => words.t("sources-unnamed"),
        _ => name.to_owned(),
    }
}

fn row(words: Words, window: Window, health: &WindowHealth) -> WindowRow {
    let none = || "–".to_owned();
    let window = match window {
        Window::FiveMinutes => "sources-5m",
        Window::Hour => "sources-1h",
        Window::Day => "sources-24h",
    };
    WindowRow {
        window: words.t(window),
        n_told: count(health.n_told),
        delay: health.delay_p99.map_or_else(none, |seconds| delay(words, seconds)),
        refused: health.refused_share().map_or_else(none, percent),
        repeated: count(health.n_repeated),
        late: count(health.n_late),
        burn: health.burn.map_or_else(none, short),
        class: match health.burn {
            Some(burn) if BURN_MAX < burn => "high",
            Some(burn) if 1.0 < burn => "elevated",
            Some(_) => "low",
            None => "",
        },
    }
}

/// Short delays in milliseconds, since a tenth of a second matters there.
fn delay(words: Words, seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a year in microseconds fits")]
    let micros = (seconds * 1e6) as i64;
    words.span(Span(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Language;
    use crate::workflow::event_health::{EventBoard, EventKind, Fate, Refusal};

    const ENGLISH: Words = Words { language: Language::English };
    const NOW: Timestamp = Timestamp(1_771_272_000_000_000);

    #[test]
    fn the_source_that_misses_most_comes_first_and_is_a_problem() {
        let objective = EventObjective { delay_max: Span::minutes(5), target: 0.99 };
        let board = EventBoard::new(objective);
        for n in 0..100 {
            let taken = Fate::Taken(NOW - Span(250_000));
            board.hear("calm", EventKind::OrderPaid, taken, NOW);
            let fate = if n < 80 { taken } else { Fate::Refused(Refusal::Invalid) };
            board.hear("wild", EventKind::OrderPaid, fate, NOW);
        }
        let (report, later) = (board.report(NOW), NOW + Span::SECOND);
        let view = SourcesView::new(ENGLISH, &report, objective, later);
        let row = &view.rows[0];
        assert_eq!((&*row.source, &*row.kind, &*row.last_seen), ("wild", "paid", "1 s"));
        let now = &row.windows[0];
        assert_eq!((&*now.n_told, &*now.refused, &*now.burn), ("100", "20.0 %", "20"));
        assert_eq!((now.class, view.rows[1].windows[0].class), ("high", "low"));
        let ms: f64 = now.delay.strip_suffix(" ms").unwrap().parse().unwrap();
        assert!((ms / 250.0 - 1.0).abs() <= RELATIVE_ERROR, "{ms}");
        let problems = problems(ENGLISH, &report);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].what.contains("wild"), "{problems:?}");
    }
}
