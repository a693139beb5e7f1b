//! How the sources of events do: who told what, when, and in vain.
//!
//! Fed by the doors, also with what they refuse, so it is no fold of the journal: it lives in
//! memory, says nothing of the time before the start, and changes no answer.

mod cells;
pub mod delays;
pub mod report;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::domain::time::{Span, Timestamp};
use crate::workflow::error::ErrorKind;
use crate::workflow::event_health::cells::Series;
use crate::workflow::event_health::report::{SourceHealth, report};

/// Most sources that are told apart; those that come later count as [`OTHER`].
pub const SOURCES_MAX: usize = 32;
/// Longest name of a source, bytes.
pub const SOURCE_BYTES_MAX: usize = 40;
/// What counts for all sources beyond [`SOURCES_MAX`], or with a name that is none.
pub const OTHER: &str = "other";
/// What counts for facts that name no source, such as prices.
pub const UNNAMED: &str = "unnamed";
/// Threads that never wait for each other; of more, some share a part.
const PARTS: usize = 4;

/// What kind of event was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// An order to be judged.
    ScoreOrder,
    /// A customer placed an order.
    OrderPlaced,
    /// Money arrived.
    OrderPaid,
    /// An order was called off.
    OrderCancelled,
    /// Stock was set aside.
    StockReserved,
    /// Goods left.
    OrderShipped,
    /// Goods arrived.
    OrderDelivered,
    /// Goods came back.
    OrderReturned,
    /// Money went back.
    OrderRefunded,
    /// The payer's bank took the money back.
    OrderChargedBack,
    /// An account was opened.
    AccountCreated,
    /// Units on hand.
    StockLevel,
    /// A price of the market.
    MarketPrice,
    /// What an order turned out to be.
    Label,
    /// What an operator decided.
    Choice,
    /// What the world did later.
    Outcome,
    /// A message that holds no fact.
    Unreadable,
}

impl EventKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 17] = [
        Self::ScoreOrder,
        Self::OrderPlaced,
        Self::OrderPaid,
        Self::OrderCancelled,
        Self::StockReserved,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::OrderReturned,
        Self::OrderRefunded,
        Self::OrderChargedBack,
        Self::AccountCreated,
        Self::StockLevel,
        Self::MarketPrice,
        Self::Label,
        Self::Choice,
        Self::Outcome,
        Self::Unreadable,
    ];

    /// The name used in labels, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScoreOrder => "score_order",
            Self::OrderPlaced => "order_placed",
            Self::OrderPaid => "order_paid",
            Self::OrderCancelled => "order_cancelled",
            Self::StockReserved => "stock_reserved",
            Self::OrderShipped => "order_shipped",
            Self::OrderDelivered => "order_delivered",
            Self::OrderReturned => "order_returned",
            Self::OrderRefunded => "order_refunded",
            Self::OrderChargedBack => "order_charged_back",
            Self::AccountCreated => "account_created",
            Self::StockLevel => "stock_level",
            Self::MarketPrice => "market_price",
            Self::Label => "label",
            Self::Choice => "choice",
            Self::Outcome => "outcome",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What became of an event at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in the journal; it happened then.
    Taken(Timestamp),
    /// It was there already: a retry of the source.
    Repeated,
    /// It was refused.
    Refused(Refusal),
}

/// Why an event was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It breaks the contract.
    Invalid,
    /// Its id was used for another one, or it contradicts what is recorded.
    Conflict,
    /// It is about something that is not known.
    NotFound,
    /// Too much was waiting.
    Overloaded,
    /// The service was stopping or has lost its disk.
    Unavailable,
    /// A fault of the service.
    Internal,
}

impl Refusal {
    /// Every reason, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Invalid,
        Self::Conflict,
        Self::NotFound,
        Self::Overloaded,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The name used in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl From<ErrorKind> for Refusal {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid => Self::Invalid,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict | ErrorKind::Refused => Self::Conflict,
            ErrorKind::Exhausted => Self::Overloaded,
            ErrorKind::Late | ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// What is wanted of every source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventObjective {
    /// An event that comes in later than this after it happened is late.
    pub delay_max: Span,
    /// Share of the events that are to be taken and not late, below 1.
    pub target: f64,
}

/// How the sources of events do.
#[derive(Debug)]
pub struct EventBoard {
    objective: EventObjective,
    parts: [Mutex<Part>; PARTS],
}

/// What one of the threads heard.
type Part = IndexMap<Box<str>, Kinds, FxBuildHasher>;
/// What one source told, by kind.
type Kinds = [Option<Box<Series>>; EventKind::ALL.len()];

impl EventBoard {
    /// An empty board.
    pub fn new(objective: EventObjective) -> Self {
        Self { objective, parts: Default::default() }
    }

    /// What is wanted of every source.
    pub fn objective(&self) -> EventObjective {
        self.objective
    }

    /// Takes in that a source told something, at `now` by the door's clock. A source that only
    /// ever tells nonsense gets no line of its own.
    pub fn hear(&self, source: &str, kind: EventKind, fate: Fate, now: Timestamp) {
        let name = if source.is_empty() { UNNAMED } else { source };
        let mut part = lock(&self.parts[own_part()]);
        let is_known = part.contains_key(name);
        let name = match fate {
            _ if is_known => name,
            Fate::Refused(_) => OTHER,
            Fate::Taken(_) | Fate::Repeated if SOURCES_MAX <= part.len() => OTHER,
            Fate::Taken(_) | Fate::Repeated if !is_name(name) => OTHER,
            Fate::Taken(_) | Fate::Repeated => name,
        };
        if !part.contains_key(name) {
            part.insert(name.into(), Kinds::default());
        }
        if let Some(kinds) = part.get_mut(name) {
            let series = kinds[kind as usize].get_or_insert_default();
            series.hear(fate, self.objective, now);
        }
    }

    /// How every source does at `now`, by name and kind.
    pub fn report(&self, now: Timestamp) -> Vec<SourceHealth> {
        let mut all: IndexMap<Box<str>, Kinds> = IndexMap::new();
        for part in &self.parts {
            for (source, kinds) in &*lock(part) {
                let is_room = all.contains_key(source) || all.len() < SOURCES_MAX;
                let name = if is_room { source.clone() } else { OTHER.into() };
                let whole = all.entry(name).or_default();
                merge(whole, kinds, now);
            }
        }
        all.sort_unstable_keys();
        let mut lines = Vec::new();
        for (source, kinds) in &all {
            let of = EventKind::ALL.into_iter().zip(kinds);
            let heard = of.filter_map(|(kind, heard)| Some((kind, heard.as_deref()?)));
            lines.extend(heard.map(|(kind, it)| report(source, kind, it, self.objective, now)));
        }
        lines
    }
}

/// Takes in what another thread heard of the same source.
fn merge(whole: &mut Kinds, heard: &Kinds, now: Timestamp) {
    for (whole, heard) in whole.iter_mut().zip(heard) {
        if let Some(heard) = heard {
            whole.get_or_insert_default().merge(heard, now);
        }
    }
}

/// A name that may stand in a label: a channel's, not a person's.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= SOURCE_BYTES_MAX && text.bytes().all(is_plain)
}

/// Each thread has a part; the first [`PARTS`] have one for themselves.
fn own_part() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    let own = OWN.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % PARTS);
    OWN.set(Some(own));
    own
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    // A count that a panic left behind is still a count.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::event_health::report::Window;

    const NOW: Timestamp = Timestamp(1_771_272_000_000_000);
    const OBJECTIVE: EventObjective = EventObjective { delay_max: Span::SECOND, target: 0.99 };

    fn taken(delay: Span) -> Fate {
        Fate::Taken(NOW - delay)
    }

    fn line<'a>(lines: &'a [SourceHealth], source: &str) -> &'a SourceHealth {
        lines.iter().find(|line| *line.source == *source).unwrap()
    }

    #[test]
    fn counts_of_all_threads_are_one_report() {
        let board = EventBoard::new(OBJECTIVE);
        let tell = || {
            let refused = Fate::Refused(Refusal::Conflict);
            let late = taken(Span(2_000_000));
            let fates = std::iter::repeat_n(taken(Span(1_000)), 100);
            for fate in fates.chain([Fate::Repeated, refused, late]) {
                board.hear("app", EventKind::OrderPaid, fate, NOW);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(tell);
            }
        });
        let lines = board.report(NOW);
        assert_eq!(lines.len(), 1);
        let line = line(&lines, "app");
        assert_eq!((line.n_taken, line.n_repeated, line.n_late), (606, 6, 6));
        assert_eq!(line.refused, [0, 6, 0, 0, 0, 0]);
        assert_eq!(line.last_seen, NOW);
        let now = &line.windows[Window::FiveMinutes as usize];
        assert_eq!((now.n_told, now.n_refused, now.n_repeated, now.n_late), (618, 6, 6, 6));
        // 12 of 618 miss what is wanted of 1 %.
        let burn = now.burn.unwrap();
        assert!((burn - 12.0 / 618.0 / 0.01).abs() < 1e-12, "{burn}");
    }

    #[test]
    fn sources_are_bounded_and_no_person_becomes_one() {
        let board = EventBoard::new(OBJECTIVE);
        let long = "x".repeat(SOURCE_BYTES_MAX + 1);
        for name in ["alice@example.com", "a b", "渠道", &long] {
            board.hear(name, EventKind::Label, taken(Span(0)), NOW);
        }
        board.hear("junk", EventKind::Label, Fate::Refused(Refusal::Invalid), NOW);
        board.hear("", EventKind::MarketPrice, taken(Span(0)), NOW);
        for n in 0..100 {
            board.hear(&format!("shop-{n}"), EventKind::Label, taken(Span(0)), NOW);
        }
        let lines = board.report(NOW);
        let names: Vec<_> = lines.iter().map(|line| &*line.source).collect();
        assert_eq!(names.len(), SOURCES_MAX);
        assert!(names.contains(&UNNAMED) && !names.contains(&"junk"), "{names:?}");
        let n: u64 = lines.iter().map(|line| line.n_taken).sum();
        assert_eq!(n, 105);
        assert_eq!(line(&lines, OTHER).refused[0], 1);
    }
}
