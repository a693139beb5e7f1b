//! The page of a back-test as people read it.

use uuid::Uuid;

use crate::cli::backtest_page::backtest_page;
use crate::cli::paint::Ink;
use crate::cli::render::Page;
use crate::domain::backtest::{
    AssumptionLevel, BacktestReport, BacktestWindow, Coefficients, ExplainedSide, FlippedOrder,
    Flips, KnownTruth, MatrixCell, MoneyDifference, NotComparable, OffPolicyLevel, QueueLoad,
    RecordedStrategy, RefusalReason, ReplayLevel, ReviewerLoad, SideRisk, SliceBy, SliceRow,
    StrategyName,
};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::head::HeadId;
use crate::domain::impact::{Estimate, RecommendedAction};
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::price_solution::{ImpliedThreshold, Solution, Solved};
use crate::domain::recorded_order::ActionName;
use crate::domain::risk::{Probability, RiskBand};
use crate::domain::share::Share;
use crate::domain::text::{Language, Text};
use crate::domain::time::Timestamp;

fn report() -> BacktestReport {
    let name =
        |name: &str, digit: &str| StrategyName { name: name.into(), hash: digit.repeat(64).into() };
    BacktestReport {
        window: window(),
        draft: name("careful", "d"),
        recorded: vec![RecordedStrategy {
            strategy: name("standard", "5"),
            orders: 12_345,
            is_readable: true,
        }],
        replay: replay(),
        off_policy: OffPolicyLevel::Refused { reason: RefusalReason::NoPropensities },
        assumption: AssumptionLevel {
            differences: vec![
                money(Coefficients::Recorded, -12_345.6, Some((-20_000.0, -4_000.0))),
                money(Coefficients::Draft, 98_765.4, None),
            ],
        },
        known_truth: KnownTruth {
            good: 900,
            bad: 40,
            not_known: 11_405,
            good_newly_stopped: Share::new(3, 880),
            good_newly_released: Share::new(1, 20),
            bad_newly_released: Share::new(0, 0),
            bad_newly_stopped: Share::new(9, 40),
            facts_elsewhere: 7,
        },
        reviewers: reviewers(),
        slices: vec![
            slice(SliceBy::Channel, Some("app")),
            slice(SliceBy::Region, None),
            slice(SliceBy::NewAccount, Some("yes")),
        ],
        solution: Some(Solution::Solved(Box::new(solved()))),
        flipped: vec![flipped()],
    }
}

fn window() -> BacktestWindow {
    BacktestWindow {
        orders: 12_345,
        from: Some(Timestamp(1_767_225_600_000_000)),
        to: Some(Timestamp(1_768_089_600_000_000)),
        days: 10.0,
        is_part_of_a_day: false,
        not_comparable: NotComparable { other_bundle: 5, background_gone: 0, incomplete: 1 },
        reproduced: Share::new(12_345, 12_345),
    }
}

fn replay() -> ReplayLevel {
    let name = |action, plan: &str| ActionName { action, plan: plan.into() };
    let cell = |recorded, draft, orders| MatrixCell {
        recorded: name(recorded, ""),
        draft: name(draft, if draft == ActionKind::Hold { "protect_stock" } else { "" }),
        orders,
    };
    ReplayLevel {
        matrix: vec![
            cell(ActionKind::Approve, ActionKind::Approve, 12_000),
            cell(ActionKind::Approve, ActionKind::Review, 300),
            cell(ActionKind::Hold, ActionKind::Approve, 45),
            cell(ActionKind::Hold, ActionKind::Hold, 7),
        ],
        flips: Flips {
            count: 345,
            of: 12_345,
            share: 345.0 / 12_345.0,
            interval: Some((0.025, 0.031)),
        },
        newly_stopped: 300,
        newly_released: 45,
    }
}

fn money(
    coefficients: Coefficients,
    total_minor: f64,
    interval: Option<(f64, f64)>,
) -> MoneyDifference {
    MoneyDifference {
        coefficients,
        currency: Currency::CNY,
        orders: 12_300,
        not_valued: 45,
        total_minor,
        interval,
        per_day_minor: total_minor / 10.0,
    }
}

fn reviewers() -> ReviewerLoad {
    ReviewerLoad {
        capacity_minutes_per_day: 2_400.0,
        recorded_minutes_per_day: None,
        draft_minutes_per_day: 2_500.4,
        busiest_day_minutes: 3_000.0,
        days_over_capacity: 4,
        days: 11,
        queue: QueueLoad {
            asked: 4_000,
            ranked: 3_700,
            drawn: 190,
            waiting: 110,
            used_minutes: 23_340.0,
            waiting_minutes: 660.0,
            gained_minor: 5_000_000.0,
            waiting_gain_minor: 12_000.0,
        },
    }
}

fn slice(by: SliceBy, value: Option<&str>) -> SliceRow {
    SliceRow {
        by,
        value: value.map(Into::into),
        orders: 4_000,
        flips: 100,
        draft_difference_minor: 1_234.5,
        recorded_minutes_per_day: 700.0,
        draft_minutes_per_day: 812.0,
    }
}

fn solved() -> Solved {
    Solved {
        hours_per_day: 40.0,
        review_minute_minor: 183.437_5,
        draft_review_minute_minor: 150.0,
        minutes_per_day: 2_399.0,
        is_binding: true,
        day_noise_minutes: Some(37.2),
        thresholds: vec![ImpliedThreshold {
            head: HeadId("payment_fraud".into()),
            amount_minor: 25_900.0,
            stopped_from: Some(0.021),
            review_from: None,
        }],
        strategy_toml: String::new(),
    }
}

fn flipped() -> FlippedOrder {
    let action = |action, mean| RecommendedAction {
        rank: 1,
        action,
        value: Estimate { mean, p10: mean, p90: mean },
        plan: "".into(),
        steps: Vec::new(),
        p_best: Probability::ONE,
        p_confirm: Probability::ONE,
        n_confirm: 0,
        is_prior_only: true,
        gap_to_next_minor: 0.0,
        is_close_call: false,
        requires_approval: false,
        forced_by: None,
        title: Text::default(),
        customer_message: Text::default(),
    };
    let side = |first, probability: f64| ExplainedSide {
        actions: vec![action(first, 4_500.0), action(ActionKind::Challenge, 300.0)],
        risks: vec![SideRisk {
            head: HeadId("payment_fraud".into()),
            probability: Probability::clamped(probability),
            band: RiskBand::Elevated,
        }],
        reasons: vec![Text::new("Four accounts use its device.", "该设备被四个账户使用。")],
    };
    FlippedOrder {
        decision_id: DecisionId(Uuid::nil()),
        order: OrderKey { channel: "app".into(), order_id: "o-1".into(), revision: 0 },
        event_time: Timestamp(1_767_225_600_000_000),
        amount: Some(Money { currency: Currency::CNY, minor_units: 129_900 }),
        stake_minor: 45_678.0,
        recorded: side(ActionKind::Approve, 0.031),
        draft: side(ActionKind::Review, 0.052),
    }
}

#[test]
fn a_back_test_reads_well_in_english() {
    let page = Page { language: Language::English, ink: Ink::Plain };
    insta::assert_snapshot!("english", backtest_page(page, &report()));
}

#[test]
fn a_back_test_reads_well_in_chinese() {
    let page = Page { language: Language::Chinese, ink: Ink::Plain };
    insta::assert_snapshot!("chinese", backtest_page(page, &report()));
}

#[test]
fn what_is_refused_has_a_code_and_no_number() {
    let reason = RefusalReason::ForcedReviews;
    let refused = Solution::Refused { reason, forced_minutes_per_day: Some(3_100.0) };
    let report = BacktestReport { solution: Some(refused), ..report() };
    let page = backtest_page(Page { language: Language::English, ink: Ink::Plain }, &report);
    assert!(page.contains("NO_PROPENSITIES") && page.contains("FORCED_REVIEWS"), "{page}");
    let json = serde_json::to_value(report.off_policy).unwrap();
    assert_eq!(json, serde_json::json!({ "status": "refused", "reason": "NO_PROPENSITIES" }));
}
