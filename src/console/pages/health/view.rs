//! How the service does, as the page shows it.

use std::collections::BTreeMap;

use crate::console::format::{bytes, count, minute, nanos, percent};
use crate::console::words::Words;
use crate::domain::graph_status::GraphStatus;
use crate::domain::strategy_version::StrategyMistake;
use crate::workflow::recent_work::RecentWork;
use crate::workflow::strategy_file::{ReloadEnd, StrategyReload};
use crate::workflow::system_status::SystemStatus;

/// Journal records that the records may lack before it is worth a word.
const LAG_MAX: u64 = 1_000;
/// Fewest decisions of which a share of degraded ones says something.
const DECISIONS_MIN: u64 = 30;
/// Above this share of the newest decisions a single reason is worth a word.
const DEGRADED_MAX: f64 = 0.2;

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// Numbers of journal, records, graph and data folder.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Last journal record on disk.
    pub journal: String,
    /// Last one that the records hold.
    pub records: String,
    /// How many they lack.
    pub lag: String,
    /// What journal, snapshots, records and all of them take.
    pub disk: [(&'static str, String); 4],
    /// What the graph holds and what it left out: key, number.
    pub graph: Vec<(&'static str, String)>,
    /// Until when orders were shed.
    pub shed_until: Option<String>,
}

/// How the newest decisions were made.
#[derive(Clone, Debug)]
pub struct WorkView {
    /// How many.
    pub n: String,
    /// When the first and the last of them came.
    pub span: Option<(String, String)>,
    /// Stage, then how long 50, 90 and 99 % took at most.
    pub stages: Vec<[String; 4]>,
    /// What was missing.
    pub degraded: Vec<Counted>,
    /// What came first.
    pub actions: Vec<Counted>,
    /// Who judged.
    pub strategies: Vec<Counted>,
}

/// Something, how often, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What.
    pub name: String,
    /// How often.
    pub n: String,
    /// Of all.
    pub share: String,
}

/// The last reload of the strategy file.
#[derive(Clone, Debug)]
pub struct ReloadView {
    /// Its name.
    pub file: String,
    /// When.
    pub at: String,
    /// What became of it.
    pub end: String,
    /// Class of its pill.
    pub class: &'static str,
    /// What is wrong with it, and where.
    pub mistakes: Vec<MistakeRow>,
}

/// A mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MistakeRow {
    /// Line, from 1.
    pub line: String,
    /// Bytes from–to.
    pub bytes: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub suggestion: String,
}

/// What is wrong, the worst first; empty is all well.
pub fn problems(
    words: Words,
    status: &SystemStatus,
    graph: &GraphStatus,
    work: &RecentWork,
    reload: Option<&StrategyReload>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |what: String, todo: &str| problems.push(Problem { what, todo: words.t(todo) });
    if status.records_failure.is_some() {
        add(words.t("health-records-failed"), "health-records-failed-do");
    } else if LAG_MAX < status.records_lag {
        let lag = count(status.records_lag);
        add(words.t1("health-records-lag", "n", lag), "health-records-lag-do");
    }
    match reload.map(|it| (&it.file, &it.end)) {
        Some((file, ReloadEnd::Mistakes(_))) => {
            add(words.t1("health-file-mistakes", "file", file), "health-file-mistakes-do");
        }
        Some((file, ReloadEnd::Failed)) => {
            add(words.t1("health-file-failed", "file", file), "health-file-failed-do");
        }
        Some((_, ReloadEnd::Taken)) | None => {}
    }
    if graph.is_cut_by_shedding {
        add(words.t("health-cut"), "health-cut-do");
    }
    for (reason, n) in &work.degraded {
        let share = *n as f64 / work.n_decisions.max(1) as f64;
        if DECISIONS_MIN <= work.n_decisions && DEGRADED_MAX < share {
            let (share, reason) = (percent(share), words.degraded(*reason));
            let what = words.t2("health-degraded-many", "share", share, "reason", reason);
            add(what, "health-degraded-many-do");
        }
    }
    problems
}

impl Facts {
    /// The numbers of a status.
    pub fn new(status: &SystemStatus, graph: &GraphStatus) -> Self {
        let (disk, counts) = (status.data, graph.counts);
        let all = disk.journal + disk.snapshots + disk.records.unwrap_or(0);
        let numbers = [
            ("health-entities", graph.n_entities),
            ("health-orders-kept", graph.n_orders_kept),
            ("health-orders", counts.n_orders),
            ("health-too-late", counts.n_too_late),
            ("health-repeated", counts.n_repeated),
            ("health-early-dropped", counts.n_early_dropped),
            ("health-words-shared", counts.n_words_shared),
            ("health-words-left-out", counts.n_words_left_out),
            ("health-shed", counts.n_shed),
        ];
        Self {
            journal: count(status.journal_position),
            records: count(status.records_position),
            lag: count(status.records_lag),
            disk: [
                ("health-disk-journal", bytes(disk.journal)),
                ("health-disk-snapshots", bytes(disk.snapshots)),
                ("health-disk-records", disk.records.map_or_else(|| "–".to_owned(), bytes)),
                ("health-disk-all", bytes(all)),
            ],
            graph: numbers.map(|(key, n)| (key, count(n))).into(),
            shed_until: graph.shed_until.map(minute),
        }
    }
}

impl WorkView {
    /// The tables of a report.
    pub fn new(words: Words, work: &RecentWork) -> Self {
        let times = work.stages.iter().map(|it| {
            [words.stage(it.stage), nanos(it.p50_nanos), nanos(it.p90_nanos), nanos(it.p99_nanos)]
        });
        let n = work.n_decisions;
        Self {
            n: count(n),
            span: work.span.map(|(first, last)| (minute(first), minute(last))),
            stages: times.collect(),
            degraded: counted(&work.degraded, n, |reason| words.degraded(*reason)),
            actions: counted(&work.first_actions, n, |action| words.action(*action)),
            strategies: counted(&work.strategies, n, ToString::to_string),
        }
    }
}

impl ReloadView {
    /// The card of a reload.
    pub fn new(words: Words, reload: &StrategyReload) -> Self {
        let (end, class, mistakes) = match &reload.end {
            ReloadEnd::Taken => ("health-file-taken", "low", [].as_slice()),
            ReloadEnd::Mistakes(mistakes) => ("health-file-refused", "high", mistakes.as_slice()),
            ReloadEnd::Failed => ("health-file-waits", "elevated", [].as_slice()),
        };
        Self {
            file: reload.file.to_string(),
            at: minute(reload.at),
            end: words.t(end),
            class,
            mistakes: mistakes.iter().map(MistakeRow::new).collect(),
        }
    }
}

impl MistakeRow {
    fn new(mistake: &StrategyMistake) -> Self {
        Self {
            line: mistake.line.to_string(),
            bytes: format!("{}–{}", mistake.start, mistake.end),
            message: mistake.message.to_string(),
            suggestion: mistake.suggestion.as_deref().unwrap_or_default().to_owned(),
        }
    }
}

/// The most frequent first; ties keep their order.
fn counted<K>(all: &BTreeMap<K, u64>, of: u64, name: impl Fn(&K) -> String) -> Vec<Counted> {
    let mut all: Vec<(&K, u64)> = all.iter().map(|(key, n)| (key, *n)).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rows = all.into_iter().map(|(key, n)| Counted {
        name: name(key),
        n: count(n),
        share: percent(n as f64 / of.max(1) as f64),
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::DegradedReason;
    use crate::domain::graph_status::GraphCounts;
    use crate::domain::text::Language;
    use crate::domain::time::Timestamp;
    use crate::workflow::system_status::{DiskUse, NamedHash};

    const ENGLISH: Words = Words { language: Language::English };

    fn status(lag: u64, failure: Option<&str>) -> SystemStatus {
        let named = || NamedHash { name: "a".into(), hash: "b".into() };
        SystemStatus {
            journal_position: 5_000,
            records_position: 5_000 - lag,
            records_lag: lag,
            records_failure: failure.map(Into::into),
            build: "1".into(),
            model: named(),
            strategy: named(),
            data: DiskUse { journal: 1_000_000, snapshots: 0, records: Some(500_000) },
        }
    }

    fn graph(is_cut_by_shedding: Option<()>) -> GraphStatus {
        GraphStatus {
            n_entities: 1,
            n_orders_kept: 1,
            shed_until: None,
            is_cut_by_shedding: is_cut_by_shedding.is_some(),
            counts: GraphCounts::default(),
        }
    }

    fn reload(end: ReloadEnd) -> StrategyReload {
        StrategyReload { at: Timestamp(0), file: "strategy.toml".into(), end }
    }

    #[test]
    fn all_is_well_until_something_is_wrong_and_the_worst_comes_first() {
        let calm = RecentWork { n_decisions: 29, ..RecentWork::default() };
        let none = problems(ENGLISH, &status(1_000, None), &graph(None), &calm, None);
        assert_eq!(none, []);
        let taken = reload(ReloadEnd::Taken);
        let lag = problems(ENGLISH, &status(1_001, None), &graph(None), &calm, Some(&taken));
        assert_eq!(lag.len(), 1);
        let degraded =
            BTreeMap::from([(DegradedReason::LateEvent, 20), (DegradedReason::FewInputsKnown, 21)]);
        let work = RecentWork { n_decisions: 100, degraded, ..RecentWork::default() };
        let wrong = reload(ReloadEnd::Mistakes(Vec::new()));
        let failed = status(1_001, Some("disk full at /data"));
        let all = problems(ENGLISH, &failed, &graph(Some(())), &work, Some(&wrong));
        assert_eq!(all.len(), 4);
        assert!(all[0].what.contains("records") && all[3].what.contains("21.0 %"), "{all:?}");
        // Reasons of the store name files of the machine.
        assert!(all.iter().all(|it| !it.what.contains("/data")), "{all:?}");
    }

    #[test]
    fn a_mistake_is_shown_with_its_line_and_bytes() {
        let mistake = StrategyMistake {
            message: "review_above = 2 is above 1".into(),
            line: 7,
            start: 90,
            end: 99,
            suggestion: None,
        };
        let view = ReloadView::new(ENGLISH, &reload(ReloadEnd::Mistakes(vec![mistake])));
        let row = &view.mistakes[0];
        assert_eq!((&*row.line, &*row.bytes, view.class), ("7", "90–99", "high"));
    }

    #[test]
    fn the_parts_of_the_folder_add_up() {
        let facts = Facts::new(&status(0, None), &graph(None));
        assert_eq!(facts.disk[3].1, "1.5 MB");
    }
}
