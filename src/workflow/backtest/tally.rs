//! Everything that a back-test counts, folded in the order of the journal.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::decision::strategy::Strategy;
use crate::domain::backtest::{
    AssumptionLevel, BacktestReport, BacktestWindow, Coefficients, FlippedOrder, Flips, MatrixCell,
    MoneyDifference, NotComparable, OffPolicyLevel, RecordedStrategy, RefusalReason, ReplayLevel,
    StrategyName,
};
use crate::domain::head::HeadId;
use crate::domain::money::Currency;
use crate::domain::recorded_order::ActionName;
use crate::domain::share::Share;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::backtest::compare::{Compared, ComparedOrder, NotCompared};
use crate::workflow::backtest::flips::TopFlips;
use crate::workflow::backtest::load::Load;
use crate::workflow::backtest::money::GroupedSum;
use crate::workflow::backtest::slices::Slices;
use crate::workflow::backtest::solve::PriceTable;
use crate::workflow::backtest::truths::{Treatment, Truths};

/// Rows of amounts per doubling, for their median: it is right to 1/16 of it.
const AMOUNT_ROW_SHIFT: u32 = 52 - 4;

/// Counts and sums over the orders judged again.
#[derive(Debug)]
pub struct Tally {
    draft: StrategyName,
    currency: Currency,
    n: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    not_comparable: NotComparable,
    reproduced: (u64, u64),
    n_drawn: u64,
    recorded: BTreeMap<Box<str>, (Option<Box<str>>, u64)>,
    matrix: BTreeMap<(ActionName, ActionName), u64>,
    newly: (u64, u64),
    flips: GroupedSum,
    by_recorded: GroupedSum,
    by_draft: GroupedSum,
    truths: Truths,
    load: Load,
    slices: Slices,
    amounts: BTreeMap<u64, u64>,
    top: TopFlips,
    /// Filled when the price of a minute is to be solved for.
    pub prices: PriceTable,
}

/// What is left of a tally beside the report.
#[derive(Debug)]
pub struct Rest {
    /// The flipped orders to explain.
    pub top: TopFlips,
    /// The minutes by price.
    pub prices: PriceTable,
    /// Median amount, minor units of the draft's currency.
    pub median_amount_minor: Option<f64>,
    /// Standard error of the mean minutes of a day.
    pub day_noise_minutes: Option<f64>,
}

impl Tally {
    /// Nothing yet; `heads` are the bundle's risk heads, `end` is when the journal ends.
    pub fn new(draft: &Strategy, heads: Vec<HeadId>, end: Timestamp) -> Self {
        Self {
            draft: StrategyName { name: draft.name.clone(), hash: draft.hash.clone() },
            currency: draft.currency,
            n: 0,
            first: None,
            last: None,
            not_comparable: NotComparable::default(),
            reproduced: (0, 0),
            n_drawn: 0,
            recorded: BTreeMap::new(),
            matrix: BTreeMap::new(),
            newly: (0, 0),
            flips: GroupedSum::default(),
            by_recorded: GroupedSum::default(),
            by_draft: GroupedSum::default(),
            truths: Truths::new(heads, end),
            load: Load::new(draft),
            slices: Slices::default(),
            amounts: BTreeMap::new(),
            top: TopFlips::default(),
            prices: PriceTable::default(),
        }
    }

    /// Takes in what a record says.
    pub fn fold(&mut self, compared: Compared) {
        match compared {
            Compared::Nothing => {}
            Compared::Truth(about, truth) => self.truths.told(about, &truth),
            Compared::Not(why) => match why {
                NotCompared::OtherBundle => self.not_comparable.other_bundle += 1,
                NotCompared::BackgroundGone => self.not_comparable.background_gone += 1,
                NotCompared::Incomplete => self.not_comparable.incomplete += 1,
            },
            Compared::Order(order) => self.fold_order(&order),
        }
    }

    /// Orders judged again so far.
    pub fn n_orders(&self) -> u64 {
        self.n
    }

    fn fold_order(&mut self, order: &ComparedOrder) {
        self.n += 1;
        self.first = Some(self.first.map_or(order.event_time, |it| it.min(order.event_time)));
        self.last = Some(self.last.map_or(order.event_time, |it| it.max(order.event_time)));
        if let Some(again) = &order.again {
            self.reproduced.0 += u64::from(*again == order.recorded);
            self.reproduced.1 += 1;
        }
        self.n_drawn += u64::from(order.is_drawn);
        let named = self.recorded.entry(order.strategy_hash.clone());
        named.or_insert_with(|| (order.strategy_name.clone(), 0)).1 += 1;
        let pair = (order.recorded.clone(), order.draft.clone());
        *self.matrix.entry(pair).or_default() += 1;
        let treatment = Treatment {
            recorded_releases: order.recorded.action.is_release(),
            draft_releases: order.draft.action.is_release(),
        };
        match (treatment.recorded_releases, treatment.draft_releases) {
            (true, false) => self.newly.0 += 1,
            (false, true) => self.newly.1 += 1,
            (true, true) | (false, false) => {}
        }
        let is_flipped = order.recorded != order.draft;
        self.flips.add(order.group, if is_flipped { 1.0 } else { 0.0 });
        if let Some(difference) = order.recorded_difference {
            self.by_recorded.add(order.group, difference);
        }
        if let Some(difference) = order.draft_difference {
            self.by_draft.add(order.group, difference);
        }
        self.truths.judged(order.order_print, order.decision_print, treatment);
        self.load.add(order);
        self.slices.add(order);
        self.prices.add(&order.steps);
        if let Some(amount) = order.amount_minor {
            *self.amounts.entry(amount.max(0.0).to_bits() >> AMOUNT_ROW_SHIFT).or_default() += 1;
        }
        if is_flipped {
            self.top.add(order);
        }
    }

    /// The report without explanations and solution, and what those are made of.
    pub fn report(self) -> (BacktestReport, Rest) {
        let (span, n_calendar) = match (self.first, self.last) {
            (Some(first), Some(last)) => (last - first, last.day_number() - first.day_number() + 1),
            (Some(_) | None, _) => (Span(0), 0),
        };
        // Days without an order were days without the service.
        let n_empty = n_calendar as f64 - self.load.n_days() as f64;
        let days = (span.as_days() - n_empty.max(0.0)).max(1.0);
        let window = BacktestWindow {
            orders: self.n,
            from: self.first,
            to: self.last,
            days,
            is_part_of_a_day: span < Span::DAY,
            not_comparable: self.not_comparable,
            reproduced: Share::new(self.reproduced.0, self.reproduced.1),
        };
        let median_amount_minor = median(&self.amounts);
        let assumption = AssumptionLevel { differences: self.differences(days) };
        let replay = self.replay();
        let reason = match self.n_drawn {
            0 => RefusalReason::NoPropensities,
            _ => RefusalReason::NoEstimator,
        };
        let (reviewers, day_noise_minutes) = self.load.report(days);
        let report = BacktestReport {
            window,
            draft: self.draft,
            recorded: recorded_strategies(self.recorded),
            replay,
            off_policy: OffPolicyLevel::Refused { reason },
            assumption,
            known_truth: self.truths.report(),
            reviewers,
            slices: self.slices.report(days),
            solution: None,
            flipped: Vec::<FlippedOrder>::new(),
        };
        let (top, prices) = (self.top, self.prices);
        (report, Rest { top, prices, median_amount_minor, day_noise_minutes })
    }

    fn replay(&self) -> ReplayLevel {
        let cell = |((recorded, draft), orders): (&(ActionName, ActionName), &u64)| MatrixCell {
            recorded: recorded.clone(),
            draft: draft.clone(),
            orders: *orders,
        };
        let n = self.n as f64;
        let count = self.matrix.iter().filter(|(pair, _)| pair.0 != pair.1).map(|(_, n)| n).sum();
        let share = if self.n == 0 { 0.0 } else { count as f64 / n };
        let bounded = |(low, high): (f64, f64)| ((low / n).max(0.0), (high / n).min(1.0));
        ReplayLevel {
            matrix: self.matrix.iter().map(cell).collect(),
            flips: Flips { count, of: self.n, share, interval: self.flips.interval().map(bounded) },
            newly_stopped: self.newly.0,
            newly_released: self.newly.1,
        }
    }

    fn differences(&self, days: f64) -> Vec<MoneyDifference> {
        let of = |coefficients, sum: &GroupedSum| MoneyDifference {
            coefficients,
            currency: self.currency,
            orders: sum.n(),
            not_valued: self.n - sum.n(),
            total_minor: sum.total(),
            interval: sum.interval(),
            per_day_minor: sum.total() / days,
        };
        vec![of(Coefficients::Recorded, &self.by_recorded), of(Coefficients::Draft, &self.by_draft)]
    }
}

fn recorded_strategies(
    recorded: BTreeMap<Box<str>, (Option<Box<str>>, u64)>,
) -> Vec<RecordedStrategy> {
    let of = |(hash, (name, orders)): (Box<str>, (Option<Box<str>>, u64))| RecordedStrategy {
        is_readable: name.is_some(),
        strategy: StrategyName { name: name.unwrap_or_default(), hash },
        orders,
    };
    let mut strategies: Vec<RecordedStrategy> = recorded.into_iter().map(of).collect();
    strategies.sort_by_key(|it| Reverse(it.orders));
    strategies
}

fn median(amounts: &BTreeMap<u64, u64>) -> Option<f64> {
    let n: u64 = amounts.values().sum();
    let mut below = 0;
    for (row, count) in amounts {
        below += count;
        if n <= 2 * below {
            return Some(f64::from_bits(row << AMOUNT_ROW_SHIFT));
        }
    }
    None
}
