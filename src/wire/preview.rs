//! Previews of a strategy at the door: requests, progress and the report.

use crate::domain::backtest::{
    BacktestReport, BacktestWindow, Coefficients, ExplainedSide, FlippedOrder, KnownTruth,
    MoneyDifference, OffPolicyLevel, RecordedStrategy, ReplayLevel, ReviewerLoad, SideRisk,
    SliceBy, SliceRow,
};
use crate::domain::query::StrategyChoice;
use crate::domain::share::Share;
use crate::wire::check::{Check, Door, Path, money_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::decision::{action_to_pb, text_to_pb};
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;
use crate::wire::strategy::read_text;

/// Orders that are judged again when the caller names no number.
const LAST_ORDERS: u32 = 10_000;
/// Most orders that one preview judges again.
pub const LAST_ORDERS_MAX: u32 = 1_000_000;

/// Draft and number of orders of a preview.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_preview(
    request: pb::PreviewStrategyRequest,
    door: Door<'_>,
) -> Result<(StrategyChoice, u64), Error> {
    use pb::preview_strategy_request::Draft as Wire;
    let mut check = Check::at_door(door);
    let draft = match request.draft {
        Some(Wire::StrategyToml(text)) => {
            read_text(&mut check, text).map(|text| StrategyChoice::Text(text.into()))
        }
        Some(Wire::Hash(hash)) => {
            check.name(&Path::Root.field("hash"), hash).map(StrategyChoice::Known)
        }
        None => {
            check.note(&Path::Root.field("strategy_toml"), "is required, or a hash");
            None
        }
    };
    let last = if request.last_orders == 0 { LAST_ORDERS } else { request.last_orders };
    if LAST_ORDERS_MAX < last {
        let description = format!("{last} is more than {LAST_ORDERS_MAX}");
        check.note(&Path::Root.field("last_orders"), description);
    }
    check.finish(draft.map(|draft| (draft, u64::from(last))))
}

/// The message for a report.
pub fn report_to_pb(report: &BacktestReport) -> pb::BacktestReport {
    pb::BacktestReport {
        window: Some(window_to_pb(&report.window)),
        draft_name: report.draft.name.to_string(),
        draft_hash: report.draft.hash.to_string(),
        recorded: report.recorded.iter().map(strategy_to_pb).collect(),
        replay: Some(replay_to_pb(&report.replay)),
        off_policy: Some(off_policy_to_pb(report.off_policy)),
        assumption: report.assumption.differences.iter().map(money_difference_to_pb).collect(),
        known_truth: Some(truth_to_pb(&report.known_truth)),
        reviewers: Some(reviewers_to_pb(&report.reviewers)),
        slices: report.slices.iter().map(slice_to_pb).collect(),
        flipped: report.flipped.iter().map(flipped_to_pb).collect(),
    }
}

fn window_to_pb(window: &BacktestWindow) -> pb::BacktestWindow {
    pb::BacktestWindow {
        orders: window.orders,
        from: window.from.map(time_to_pb),
        to: window.to.map(time_to_pb),
        days: window.days,
        is_part_of_a_day: window.is_part_of_a_day,
        n_other_bundle: window.not_comparable.other_bundle,
        n_background_gone: window.not_comparable.background_gone,
        n_incomplete: window.not_comparable.incomplete,
        reproduced: Some(share_to_pb(window.reproduced)),
    }
}

fn share_to_pb(share: Share) -> pb::CountedShare {
    pb::CountedShare { count: share.count, of: share.of, lower: share.low, upper: share.high }
}

fn interval_to_pb((lower, upper): (f64, f64)) -> pb::DrawnInterval {
    pb::DrawnInterval { lower, upper }
}

fn strategy_to_pb(recorded: &RecordedStrategy) -> pb::RecordedStrategy {
    pb::RecordedStrategy {
        name: recorded.strategy.name.to_string(),
        hash: recorded.strategy.hash.to_string(),
        orders: recorded.orders,
        is_readable: recorded.is_readable,
    }
}

fn replay_to_pb(replay: &ReplayLevel) -> pb::ReplayLevel {
    let cells = replay.matrix.iter().map(|cell| pb::MatrixCell {
        recorded: cell.recorded.action.to_wire(),
        draft: cell.draft.action.to_wire(),
        orders: cell.orders,
        recorded_plan: cell.recorded.plan.to_string(),
        draft_plan: cell.draft.plan.to_string(),
    });
    pb::ReplayLevel {
        matrix: cells.collect(),
        flips: replay.flips.count,
        flip_share: replay.flips.interval.map(interval_to_pb),
        newly_stopped: replay.newly_stopped,
        newly_released: replay.newly_released,
    }
}

fn off_policy_to_pb(level: OffPolicyLevel) -> pb::OffPolicyLevel {
    let OffPolicyLevel::Refused { reason } = level;
    pb::OffPolicyLevel { refused_reason: reason.as_str().to_owned() }
}

fn money_difference_to_pb(difference: &MoneyDifference) -> pb::MoneyDifference {
    let coefficients = match difference.coefficients {
        Coefficients::Recorded => pb::Coefficients::Recorded,
        Coefficients::Draft => pb::Coefficients::Draft,
    };
    pb::MoneyDifference {
        coefficients: coefficients.into(),
        currency_code: difference.currency.as_str().to_owned(),
        orders: difference.orders,
        not_valued: difference.not_valued,
        total_minor: difference.total_minor,
        interval: difference.interval.map(interval_to_pb),
        per_day_minor: difference.per_day_minor,
    }
}

fn truth_to_pb(known: &KnownTruth) -> pb::KnownTruth {
    pb::KnownTruth {
        good: known.good,
        bad: known.bad,
        not_known: known.not_known,
        good_newly_stopped: Some(share_to_pb(known.good_newly_stopped)),
        good_newly_released: Some(share_to_pb(known.good_newly_released)),
        bad_newly_released: Some(share_to_pb(known.bad_newly_released)),
        bad_newly_stopped: Some(share_to_pb(known.bad_newly_stopped)),
    }
}

fn reviewers_to_pb(load: &ReviewerLoad) -> pb::ReviewerLoad {
    pb::ReviewerLoad {
        capacity_minutes_per_day: load.capacity_minutes_per_day,
        recorded_minutes_per_day: load.recorded_minutes_per_day,
        draft_minutes_per_day: load.draft_minutes_per_day,
        busiest_day_minutes: load.busiest_day_minutes,
        days_over_capacity: load.days_over_capacity,
        days: load.days,
        n_asked: load.queue.asked,
        n_ranked: load.queue.ranked,
        n_drawn: load.queue.drawn,
        n_waiting: load.queue.waiting,
        waiting_minutes: load.queue.waiting_minutes,
        gained_minor: load.queue.gained_minor,
        waiting_gain_minor: load.queue.waiting_gain_minor,
    }
}

fn slice_to_pb(slice: &SliceRow) -> pb::BacktestSlice {
    let by = match slice.by {
        SliceBy::Channel => pb::BacktestSliceBy::Channel,
        SliceBy::Region => pb::BacktestSliceBy::Region,
        SliceBy::NewAccount => pb::BacktestSliceBy::NewAccount,
    };
    pb::BacktestSlice {
        by: by.into(),
        value: slice.value.as_deref().map(str::to_owned),
        orders: slice.orders,
        flips: slice.flips,
        draft_difference_minor: slice.draft_difference_minor,
        recorded_minutes_per_day: slice.recorded_minutes_per_day,
        draft_minutes_per_day: slice.draft_minutes_per_day,
    }
}

fn flipped_to_pb(flipped: &FlippedOrder) -> pb::FlippedOrder {
    pb::FlippedOrder {
        decision_id: flipped.decision_id.to_string(),
        order: Some(order_key_to_pb(&flipped.order)),
        event_time: Some(time_to_pb(flipped.event_time)),
        amount: flipped.amount.map(money_to_pb),
        stake_minor: flipped.stake_minor,
        recorded: Some(side_to_pb(&flipped.recorded)),
        draft: Some(side_to_pb(&flipped.draft)),
    }
}

fn side_to_pb(side: &ExplainedSide) -> pb::FlippedSide {
    let risk = |risk: &SideRisk| pb::FlippedRisk {
        head_id: risk.head.to_string(),
        probability: risk.probability.value(),
        band: risk.band.to_wire(),
    };
    pb::FlippedSide {
        actions: side.actions.iter().map(action_to_pb).collect(),
        risks: side.risks.iter().map(risk).collect(),
        reasons: side.reasons.iter().map(text_to_pb).collect(),
    }
}
