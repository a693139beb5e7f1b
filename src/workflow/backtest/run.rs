//! Judges the last recorded orders again; solves for the reviewers' hours.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::decision::thresholds::implied_thresholds;
use crate::domain::backtest::{BacktestReport, FlippedOrder, RefusalReason};
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::price_solution::{Solution, Solved};
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::store::log::{last_event_time, nth_last_decision};
use crate::workflow::backtest::compare::{Comparer, Steps};
use crate::workflow::backtest::flips::TopFlips;
use crate::workflow::backtest::past_judges::{FittedStrategy, PastJudges};
use crate::workflow::backtest::pipeline::{Ended, work_through};
use crate::workflow::backtest::tally::{Rest, Tally};
use crate::workflow::error::Error;
use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::strategy_shelf::StrategyReader;

/// Minutes in an hour.
const MINUTES: f64 = 60.0;

/// What a back-test is made of.
pub struct Backtest<'a> {
    /// The journal.
    pub reader: &'a JournalReader,
    /// The bundle whose decisions are judged again.
    pub bundle: &'a Bundle,
    /// Checks strategy texts.
    pub read_strategy: StrategyReader,
    /// Strategies of the past that need not be looked for.
    pub known: Vec<Arc<ActiveStrategy>>,
    /// So many of the newest orders; `None` is all.
    pub last: Option<u64>,
    /// Threads that judge; the report does not depend on it.
    pub n_threads: usize,
}

/// How far a back-test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records read.
    pub records: u64,
    /// Records that there are to read.
    pub of: u64,
    /// Orders judged again.
    pub orders: u64,
}

/// Told how far a back-test is; breaks it off when nobody waits for it any more.
pub type Watch<'w> = dyn FnMut(Progress) -> ControlFlow<()> + 'w;

impl Backtest<'_> {
    /// Judges the orders again under a draft.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read, `Unavailable` when broken off.
    pub fn run(
        &self,
        draft: &Arc<ActiveStrategy>,
        watch: &mut Watch<'_>,
    ) -> Result<BacktestReport, Error> {
        let judges = self.judges();
        let (mut report, rest) = self.tally(draft, &judges, Steps::Skip, watch)?.report();
        report.flipped = self.explain(rest.top, draft, &judges)?;
        Ok(report)
    }

    /// Finds the price of a minute at which the reviews of a draft take so many hours a
    /// day, then judges the orders again under the draft with that price. `set_price`
    /// writes a price into the draft's text. Without a solution the report is about the
    /// draft as it is.
    ///
    /// # Errors
    /// Those of [`Backtest::run`]; `Invalid` when the new text does not read.
    pub fn solve(
        &self,
        draft: &Arc<ActiveStrategy>,
        hours_per_day: f64,
        set_price: &dyn Fn(&str, f64) -> String,
        watch: &mut Watch<'_>,
    ) -> Result<BacktestReport, Error> {
        let judges = self.judges();
        let (mut report, rest) = self.tally(draft, &judges, Steps::Keep, watch)?.report();
        let wanted = hours_per_day * MINUTES * report.window.days;
        let refused = |reason, forced: Option<f64>| Solution::Refused {
            reason,
            forced_minutes_per_day: forced.map(|minutes| minutes / report.window.days),
        };
        let refusal = if report.window.is_part_of_a_day {
            Some(refused(RefusalReason::LessThanADay, None))
        } else if rest.prices.minutes_at_no_price() <= 0.0 {
            Some(refused(RefusalReason::NothingToReview, None))
        } else if rest.prices.solve(wanted).is_none() {
            Some(refused(RefusalReason::ForcedReviews, Some(rest.prices.forced_minutes())))
        } else {
            None
        };
        let Some(priced) = rest.prices.solve(wanted).filter(|_| refusal.is_none()) else {
            report.solution = refusal;
            report.flipped = self.explain(rest.top, draft, &judges)?;
            return Ok(report);
        };
        let toml = set_price(&draft.toml, priced.price_minor);
        let solved = (self.read_strategy)(&toml).map_err(Error::InvalidStrategy)?;
        let solved = Arc::new(solved);
        let (mut report, rest) = self.tally(&solved, &judges, Steps::Skip, watch)?.report();
        report.solution = Some(Solution::Solved(Box::new(self.solved(
            draft,
            &solved,
            hours_per_day,
            &report,
            &rest,
        ))));
        report.flipped = self.explain(rest.top, &solved, &judges)?;
        Ok(report)
    }

    fn solved(
        &self,
        draft: &Arc<ActiveStrategy>,
        solved: &ActiveStrategy,
        hours_per_day: f64,
        report: &BacktestReport,
        rest: &Rest,
    ) -> Solved {
        let (price, heads) = (solved.strategy.money.review_minute_minor, self.risk_heads());
        let unknown = solved.strategy.money.unknown_amount_minor;
        let amount = rest.median_amount_minor.unwrap_or(unknown).round();
        Solved {
            hours_per_day,
            review_minute_minor: price,
            draft_review_minute_minor: draft.strategy.money.review_minute_minor,
            minutes_per_day: report.reviewers.draft_minutes_per_day,
            is_binding: 0.0 < price,
            day_noise_minutes: rest.day_noise_minutes,
            thresholds: implied_thresholds(&solved.strategy, &heads, whole(amount)),
            strategy_toml: solved.toml.to_string(),
        }
    }

    fn explain(
        &self,
        top: TopFlips,
        draft: &Arc<ActiveStrategy>,
        judges: &PastJudges<'_>,
    ) -> Result<Vec<FlippedOrder>, Error> {
        let fitted = FittedStrategy::new(draft.clone(), self.bundle);
        top.explain(self.reader, self.bundle, &fitted, judges)
    }

    fn judges(&self) -> PastJudges<'_> {
        PastJudges::new(self.reader, self.bundle, self.read_strategy.clone(), &self.known)
    }

    fn risk_heads(&self) -> Vec<HeadId> {
        let risks = self.bundle.heads().iter().filter(|head| head.kind() == HeadKind::Risk);
        risks.map(|head| head.id().clone()).collect()
    }

    fn tally(
        &self,
        draft: &Arc<ActiveStrategy>,
        judges: &PastJudges<'_>,
        steps: Steps,
        watch: &mut Watch<'_>,
    ) -> Result<Tally, Error> {
        let unreadable = |error: StoreError| Error::failed("reading the journal", error);
        let end = last_event_time(self.reader).map_err(unreadable)?;
        let mut tally =
            Tally::new(&draft.strategy, self.risk_heads(), end.unwrap_or(Timestamp(i64::MAX)));
        let from = match self.last {
            None => Some(1),
            Some(last) => nth_last_decision(self.reader, last).map_err(unreadable)?,
        };
        let Some(from) = from else { return Ok(tally) };
        let of = (self.reader.durable_position() + 1).saturating_sub(from);
        let fitted = FittedStrategy::new(draft.clone(), self.bundle);
        let make_worker = || {
            let mut comparer = Comparer::new(self.bundle, &fitted, judges, steps);
            move |position, fact| comparer.compare(position, fact)
        };
        let mut fold = |batch: Vec<_>, position: u64| {
            for compared in batch {
                tally.fold(compared);
            }
            let orders = tally.n_orders();
            watch(Progress { records: (position + 1).saturating_sub(from), of, orders })
        };
        match work_through(self.reader, from, self.n_threads, &make_worker, &mut fold)? {
            Ended::Whole => Ok(tally),
            Ended::Stopped => Err(Error::Unavailable("the back-test was broken off".into())),
        }
    }
}

impl std::fmt::Debug for Backtest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backtest").field("last", &self.last).finish_non_exhaustive()
    }
}

/// Whole minor units; amounts lie far below 2^53.
#[expect(clippy::cast_possible_truncation, reason = "rounded, and far below 2^53")]
fn whole(amount: f64) -> i64 {
    amount as i64
}
