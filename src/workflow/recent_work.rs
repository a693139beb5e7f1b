//! How the newest decisions were made: how fast, with what, by whom.
//!
//! Kept in memory by the sequencer, beside the state and in no snapshot: times are of this
//! process on this machine, so those from before a start would mix two machines or builds, and
//! adding a few bytes per decision costs less than reading a thousand records of the journal.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use crate::domain::decision::{ActionKind, Decision, DegradedReason, Stage};
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::workflow::work_tally::WorkTally;

/// Most decisions that are remembered.
pub const RECENT_DECISIONS_MAX: usize = 1_000;

/// The newest decisions that were made since the start, and what was done in all.
#[derive(Debug, Default)]
pub struct WorkLog {
    newest: VecDeque<Work>,
    tally: WorkTally,
}

/// One decision.
#[derive(Debug)]
struct Work {
    received_time: Timestamp,
    stages: Vec<(Stage, u64)>,
    degraded: Vec<DegradedReason>,
    first_action: Option<ActionKind>,
    strategy: Arc<str>,
}

/// How the newest decisions were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecentWork {
    /// How many they are.
    pub n_decisions: u64,
    /// When the first and the last of them were asked; `None` without any.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How long they took, by stage; stages that were not measured are left out.
    pub stages: Vec<StageTimes>,
    /// How often something was missing; a decision may lack several things.
    pub degraded: BTreeMap<DegradedReason, u64>,
    /// How often each action came first.
    pub first_actions: BTreeMap<ActionKind, u64>,
    /// How many each strategy judged, by name.
    pub strategies: BTreeMap<Arc<str>, u64>,
}

/// How long a stage took: the nearest rank of each share of the decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StageTimes {
    /// Which stage.
    pub stage: Stage,
    /// Half took no longer, nanoseconds.
    pub p50_nanos: u64,
    /// 90 % took no longer.
    pub p90_nanos: u64,
    /// 99 % took no longer.
    pub p99_nanos: u64,
}

impl WorkLog {
    /// Takes in a decision that was made now.
    pub fn made(&mut self, decision: &Decision) {
        self.tally.made(decision);
        if self.newest.len() == RECENT_DECISIONS_MAX {
            self.newest.pop_front();
        }
        self.newest.push_back(Work {
            received_time: decision.times.received_time,
            stages: decision.stage_timings.iter().map(|it| (it.stage, it.nanos)).collect(),
            degraded: decision.degraded_reasons.clone(),
            first_action: decision.actions.first().map(|best| best.action),
            strategy: decision.versions.strategy.clone(),
        });
    }

    /// Takes in a fact that was told now.
    pub fn told(&mut self, event: &Event, received: Timestamp) {
        self.tally.told(event, received);
    }

    /// What was done since the start.
    pub fn tally(&self) -> &WorkTally {
        &self.tally
    }

    /// How the newest `n` were made; of fewer, all.
    pub fn report(&self, n: u32) -> RecentWork {
        let newest = self.newest.iter().rev().take(n as usize);
        let mut report = RecentWork::default();
        let mut nanos: BTreeMap<Stage, Vec<u64>> = BTreeMap::new();
        for work in newest {
            report.n_decisions += 1;
            let at = work.received_time;
            let (first, last) = report.span.unwrap_or((at, at));
            report.span = Some((first.min(at), last.max(at)));
            for (stage, taken) in &work.stages {
                nanos.entry(*stage).or_default().push(*taken);
            }
            for reason in &work.degraded {
                *report.degraded.entry(*reason).or_default() += 1;
            }
            if let Some(action) = work.first_action {
                *report.first_actions.entry(action).or_default() += 1;
            }
            *report.strategies.entry(work.strategy.clone()).or_default() += 1;
        }
        report.stages = nanos.into_iter().map(|(stage, taken)| times(stage, taken)).collect();
        report
    }
}

fn times(stage: Stage, mut nanos: Vec<u64>) -> StageTimes {
    nanos.sort_unstable();
    let rank = |percent: usize| nanos[(nanos.len() * percent).div_ceil(100).saturating_sub(1)];
    StageTimes { stage, p50_nanos: rank(50), p90_nanos: rank(90), p99_nanos: rank(99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(n: u64) -> WorkLog {
        let work = |n: u64| Work {
            received_time: Timestamp(n.cast_signed()),
            stages: vec![(Stage::Model, n), (Stage::Features, 2 * n)],
            degraded: if n.is_multiple_of(4) { vec![DegradedReason::LateEvent] } else { vec![] },
            first_action: (!n.is_multiple_of(2)).then_some(ActionKind::Approve),
            strategy: if n <= 90 { "old" } else { "new" }.into(),
        };
        WorkLog { newest: (1..=n).map(work).collect(), tally: WorkTally::default() }
    }

    #[test]
    fn times_are_nearest_ranks_and_counts_are_of_the_newest_alone() {
        let report = log(200).report(100);
        assert_eq!(
            (report.n_decisions, report.span),
            (100, Some((Timestamp(101), Timestamp(200))))
        );
        let model =
            StageTimes { stage: Stage::Model, p50_nanos: 150, p90_nanos: 190, p99_nanos: 199 };
        assert_eq!(report.stages[1], model);
        assert_eq!(report.stages[0].p99_nanos, 398);
        assert_eq!(report.degraded, BTreeMap::from([(DegradedReason::LateEvent, 25)]));
        assert_eq!(report.first_actions, BTreeMap::from([(ActionKind::Approve, 50)]));
        assert_eq!(report.strategies, BTreeMap::from([("new".into(), 100)]));
        let all = log(100).report(u32::MAX);
        assert_eq!(all.strategies, BTreeMap::from([("new".into(), 10), ("old".into(), 90)]));
        assert_eq!(log(1).report(5).stages[0].p50_nanos, 2);
        assert_eq!(WorkLog::default().report(5), RecentWork::default());
    }
}
