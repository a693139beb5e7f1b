//! How a source does, as it is shown.

use crate::domain::time::Timestamp;
use crate::workflow::event_health::cells::Series;
use crate::workflow::event_health::{EventKind, EventObjective, Refusal};

/// Over which time something is counted: at least this long, and a cell of a fifth, a sixth
/// or an eighth of it more at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last five minutes.
    FiveMinutes,
    /// The last hour.
    Hour,
    /// The last day.
    Day,
}

impl Window {
    /// Every one, shortest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// The name used in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
            Self::Day => "24h",
        }
    }
}

/// How a source does with one kind of event.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceHealth {
    /// Who tells it: a channel.
    pub source: Box<str>,
    /// What.
    pub kind: EventKind,
    /// When it was told last.
    pub last_seen: Timestamp,
    /// Events taken since the start.
    pub n_taken: u64,
    /// Events that were there already.
    pub n_repeated: u64,
    /// Events that were taken late.
    pub n_late: u64,
    /// Events that were refused, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Lately, in the order of [`Window::ALL`].
    pub windows: [WindowHealth; Window::ALL.len()],
}

/// How a source did within a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowHealth {
    /// Events told, whatever became of them.
    pub n_told: u64,
    /// Of them refused.
    pub n_refused: u64,
    /// Of them there already.
    pub n_repeated: u64,
    /// Of them taken late.
    pub n_late: u64,
    /// 99 % of those that were taken came in within this after they happened, seconds, give or
    /// take [`RELATIVE_ERROR`] of it; `None` when none was taken.
    ///
    /// [`RELATIVE_ERROR`]: crate::workflow::event_health::delays::RELATIVE_ERROR
    pub delay_p99: Option<f64>,
    /// How many times faster than allowed the objective is missed: 1 uses up exactly what it
    /// allows. Refused and late events miss it. `None` when nothing was told.
    pub burn: Option<f64>,
}

impl WindowHealth {
    /// Share of the events that were refused; `None` when nothing was told.
    pub fn refused_share(&self) -> Option<f64> {
        (0 < self.n_told).then(|| self.n_refused as f64 / self.n_told as f64)
    }
}

pub(super) fn report(
    source: &str,
    kind: EventKind,
    series: &Series,
    objective: EventObjective,
    now: Timestamp,
) -> SourceHealth {
    let window = |window| {
        let heard = series.heard(window, now);
        let counts = &heard.counts;
        let n_refused = counts.refused.iter().sum::<u64>();
        let n_told = counts.taken + counts.repeated + n_refused;
        let missed = (n_refused + counts.late) as f64;
        WindowHealth {
            n_told,
            n_refused,
            n_repeated: counts.repeated,
            n_late: counts.late,
            delay_p99: heard.delays.quantile(0.99),
            burn: (0 < n_told).then(|| missed / n_told as f64 / (1.0 - objective.target)),
        }
    };
    SourceHealth {
        source: source.into(),
        kind,
        last_seen: series.last_seen,
        n_taken: series.total.taken,
        n_repeated: series.total.repeated,
        n_late: series.total.late,
        refused: series.total.refused,
        windows: Window::ALL.map(window),
    }
}
