//! What the lab shows, written in both languages.

use std::collections::BTreeSet;

use crate::config::EMBEDDED_STRATEGY;
use crate::config::levers::{levers, with_levers};
use crate::console::frame::Frame;
use crate::console::pages::lab::board::written;
use crate::console::pages::lab::draft::{Draft, Fault};
use crate::console::pages::lab::findings::Findings;
use crate::console::pages::lab::preview::Preview;
use crate::console::pages::lab::versions::Diff;
use crate::console::parts::LeverTools;
use crate::console::words::Words;
use crate::domain::access::{Person, Role};
use crate::domain::backtest::{
    AssumptionLevel, BacktestReport, BacktestWindow, Coefficients, Flips, KnownTruth, MatrixCell,
    MoneyDifference, NotComparable, OffPolicyLevel, QueueLoad, RefusalReason, ReplayLevel,
    ReviewerLoad, SliceBy, SliceRow, StrategyName,
};
use crate::domain::decision::ActionKind;
use crate::domain::money::Currency;
use crate::domain::record::{Record, StrategyActivated, StrategyProposed};
use crate::domain::recorded_order::ActionName;
use crate::domain::share::Share;
use crate::domain::strategy_version::Signature;
use crate::domain::text::Language;
use crate::domain::time::Timestamp;
use crate::workflow::strategy_ledger::StrategyLedger;

const TOOLS: LeverTools = LeverTools { read: levers, moved: with_levers };
const LANGUAGES: [Words; 2] =
    [Words { language: Language::English }, Words { language: Language::Chinese }];

fn cell(recorded: ActionKind, draft: ActionKind, orders: u64) -> MatrixCell {
    let name = |action| ActionName { action, plan: Box::default() };
    MatrixCell { recorded: name(recorded), draft: name(draft), orders }
}

fn money(coefficients: Coefficients, interval: Option<(f64, f64)>) -> MoneyDifference {
    MoneyDifference {
        coefficients,
        currency: Currency::CNY,
        orders: 10,
        not_valued: 1,
        total_minor: -5_000.0,
        interval,
        per_day_minor: -2_500.0,
    }
}

fn report() -> BacktestReport {
    let none = Share::new(0, 0);
    BacktestReport {
        window: BacktestWindow {
            orders: 11,
            from: Some(Timestamp(0)),
            to: Some(Timestamp(1)),
            days: 1.0,
            is_part_of_a_day: true,
            not_comparable: NotComparable { other_bundle: 2, ..NotComparable::default() },
            reproduced: Share::new(10, 11),
        },
        draft: StrategyName { name: "mine".into(), hash: "2".repeat(64).into() },
        recorded: Vec::new(),
        replay: ReplayLevel {
            matrix: vec![
                cell(ActionKind::Approve, ActionKind::ApproveAndWatch, 4),
                cell(ActionKind::Approve, ActionKind::Review, 3),
                cell(ActionKind::Hold, ActionKind::Decline, 2),
                cell(ActionKind::Decline, ActionKind::Decline, 1),
            ],
            flips: Flips { count: 9, of: 11, share: 9.0 / 11.0, interval: None },
            newly_stopped: 3,
            newly_released: 0,
        },
        off_policy: OffPolicyLevel::Refused { reason: RefusalReason::NoPropensities },
        assumption: AssumptionLevel {
            differences: vec![
                money(Coefficients::Recorded, Some((-6_000.0, -4_000.0))),
                money(Coefficients::Draft, None),
            ],
        },
        known_truth: KnownTruth {
            good: 5,
            bad: 1,
            not_known: 5,
            good_newly_stopped: Share::new(1, 4),
            good_newly_released: none,
            bad_newly_released: none,
            bad_newly_stopped: none,
            facts_elsewhere: 0,
        },
        reviewers: ReviewerLoad {
            capacity_minutes_per_day: 60.0,
            recorded_minutes_per_day: Some(12.0),
            draft_minutes_per_day: 30.0,
            busiest_day_minutes: 30.0,
            days_over_capacity: 0,
            days: 1,
            queue: QueueLoad::default(),
        },
        slices: vec![SliceRow {
            by: SliceBy::NewAccount,
            value: None,
            orders: 11,
            flips: 9,
            draft_difference_minor: 1.0,
            recorded_minutes_per_day: 12.0,
            draft_minutes_per_day: 30.0,
        }],
        solution: None,
        flipped: Vec::new(),
    }
}

fn ledger() -> StrategyLedger {
    let signature = |by: &str| Signature { by: by.into(), at: Timestamp(0), note: "<why>".into() };
    let mut ledger = StrategyLedger::default();
    ledger.fold(&Record::StrategyActivated(StrategyActivated {
        name: "standard".into(),
        hash: "1".repeat(64).into(),
        toml: EMBEDDED_STRATEGY.into(),
        signature: signature(""),
        staged_percent: None,
    }));
    ledger.fold(&Record::StrategyProposed(StrategyProposed {
        name: "standard".into(),
        hash: "2".repeat(64).into(),
        toml: EMBEDDED_STRATEGY.replace("order = 1.0 ", "order = 1.3 ").into(),
        signature: signature("li"),
    }));
    ledger
}

fn frame(words: Words) -> Frame {
    Frame {
        words,
        person: "Wang".into(),
        links: Vec::new(),
        theme: "light",
        keys: "on",
        path: "/lab".into(),
        is_synthetic: false,
        done: None,
    }
}

#[test]
fn the_matrix_counts_courses_and_only_sure_signs_have_a_color() {
    let found = Findings::of(LANGUAGES[0], &report(), &BTreeSet::new());
    let orders: Vec<Vec<&str>> = found
        .matrix
        .iter()
        .map(|row| row.cells.iter().map(|cell| &*cell.orders).collect())
        .collect();
    assert_eq!(orders, [["4", "3", "0"], ["0", "0", "2"], ["0", "0", "1"]]);
    let classes: Vec<&str> = found.matrix[0].cells.iter().map(|cell| cell.class).collect();
    assert_eq!(classes, ["same", "moved", "none"]);
    assert_eq!((found.money[0].class, found.money[1].class), ("bad", ""));
    assert_eq!(found.minutes_more.as_deref(), Some("+18"));
    // Approve becomes approve and watch: another action, the same course.
    assert_eq!(found.pairs[0].orders, "4");
    assert!(found.money[1].interval.contains("not enough data"));
    assert!(found.truths[1].share.contains("not enough data"), "{:?}", found.truths[1]);
    assert_eq!((found.notes.len(), found.n_more), (3, 9));
}

#[test]
fn the_lab_is_written_in_both_languages() {
    let wang = Person {
        person_id: "wang".into(),
        name: "Wang".into(),
        roles: BTreeSet::from([Role::Approver, Role::Strategist]),
        is_active: true,
        key_hash: Box::default(),
    };
    let ledger = ledger();
    for words in LANGUAGES {
        let found = || {
            let diff = Diff::of("a = 1\n", "a = 2\n");
            Preview::Found(Box::new(Findings::of(words, &report(), &BTreeSet::new())), diff)
        };
        let faults = || Preview::Faults(vec![Fault::Told("<b>".into()), Fault::Raw("c".into())]);
        let previews = [Preview::Nothing, Preview::NoOrders, Preview::Busy, faults(), found()];
        for preview in previews {
            let fields = vec![("weights.order".to_owned(), "1.3".to_owned())];
            let draft = Draft::sent(ledger.active().unwrap().clone(), TOOLS, fields);
            let shown = (&ledger, draft, preview);
            let html = written(frame(words), (&wang, TOOLS), shown).unwrap().0;
            assert!(!html.contains('⟦'), "{}", &html[html.find('⟦').unwrap()..][..200]);
            assert!(html.contains("name=\"weights.order\"") && html.contains("lever changed"));
            assert!(!html.contains("<b>") && !html.contains("<why>"));
            assert!(html.contains(&format!("/lab/versions/{}/approve", "2".repeat(64))));
        }
    }
}
