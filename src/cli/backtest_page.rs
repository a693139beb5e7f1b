//! A back-test as a page for people, in both languages.

use std::fmt::Write as _;

use crate::cli::backtest_load_page::backtest_load_page;
use crate::cli::flips_page::flips_page;
use crate::cli::paint::{Align, Cell, Tone, table};
use crate::cli::render::Page;
use crate::cli::words::{action, word};
use crate::domain::backtest::{
    BacktestReport, Coefficients, KnownTruth, MoneyDifference, OffPolicyLevel, RefusalReason,
};
use crate::domain::money::{Currency, grouped};
use crate::domain::recorded_order::ActionName;
use crate::domain::share::Share;
use crate::domain::text::Language;
use crate::domain::time::Timestamp;

/// The page.
pub fn backtest_page(page: Page, report: &BacktestReport) -> String {
    let parts = [
        heading(page, report),
        matrix(page, report),
        money(page, report),
        truth(page, &report.known_truth),
        backtest_load_page(page, report),
        flips_page(page, report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn heading(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    let window = &report.window;
    let mut text = title(page, "Back-test", "策略回测");
    let time = |at: Option<_>| at.map_or_else(String::new, |at: Timestamp| at.to_string());
    let (from, to) = (time(window.from), time(window.to));
    let orders = grouped(window.orders as f64, 0);
    let draft = &report.draft;
    let hash: String = draft.hash.chars().take(12).collect();
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "{orders} recorded orders, {from} to {to} ({:.1} days), under draft `{}` ({hash})",
                window.days, draft.name
            ),
            Language::Chinese => format!(
                "在草案「{}」（{hash}）下重新判定 {orders} 笔已记录订单，{from} 至 {to}（{:.1} 天）",
                draft.name, window.days
            ),
        },
    );
    let not = window.not_comparable;
    let n_not = not.other_bundle + not.background_gone + not.incomplete;
    if 0 < n_not {
        line(
            &mut text,
            &match lang {
                Language::English => format!(
                    "{n_not} more cannot be compared: {} of another bundle, {} without their background, {} incomplete",
                    not.other_bundle, not.background_gone, not.incomplete
                ),
                Language::Chinese => format!(
                    "另有 {n_not} 笔无法比较：{} 笔来自其他模型包，{} 笔缺少背景样本，{} 笔不完整",
                    not.other_bundle, not.background_gone, not.incomplete
                ),
            },
        );
    }
    let again = window.reproduced;
    line(
        &mut text,
        &match lang {
            Language::English => {
                format!("recorded first actions made again: {} of {}", again.count, again.of)
            }
            Language::Chinese => format!("原首选处置重现：{} / {}", again.count, again.of),
        },
    );
    if window.is_part_of_a_day {
        line(
            &mut text,
            word(
                lang,
                "less than a day: what is counted per day is of this part of a day",
                "不足一天：按天统计的数字仅为该时段之和",
            ),
        );
    }
    text
}

fn matrix(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    let replay = &report.replay;
    let mut text = title(
        page,
        "Level replay: what would have been decided (no claim of value)",
        "层级 replay：若采用草案会如何处置（不作价值判断）",
    );
    let mut rows = vec![vec![
        Cell::new(Tone::Quiet, word(lang, "recorded", "原处置")),
        Cell::new(Tone::Quiet, word(lang, "draft", "草案")),
        Cell::new(Tone::Quiet, word(lang, "orders", "订单")),
    ]];
    for cell in &replay.matrix {
        let is_same = cell.recorded == cell.draft;
        let tone = if is_same { Tone::Quiet } else { Tone::Normal };
        let name = |name: &ActionName| Cell::new(tone, called(lang, name));
        rows.push(vec![
            name(&cell.recorded),
            name(&cell.draft),
            Cell::new(tone, grouped(cell.orders as f64, 0)),
        ]);
    }
    text.push_str(&table(page.ink, &[Align::Start, Align::Start, Align::End], &rows));
    let flips = replay.flips;
    let interval = flips.interval.map_or_else(
        || word(lang, "no interval: too few accounts", "账户过少，无区间").to_owned(),
        |(low, high)| match lang {
            Language::English => {
                format!("for other orders like these {:.2} to {:.2} %", 100.0 * low, 100.0 * high)
            }
            Language::Chinese => {
                format!("推广到同类订单：{:.2}% 至 {:.2}%", 100.0 * low, 100.0 * high)
            }
        },
    );
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "flipped: {} of {} = {:.2} % ({interval})",
                flips.count,
                flips.of,
                100.0 * flips.share
            ),
            Language::Chinese => format!(
                "处置改变：{} / {} = {:.2}%（{interval}）",
                flips.count,
                flips.of,
                100.0 * flips.share
            ),
        },
    );
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "newly stopped {}, newly released {}",
                replay.newly_stopped, replay.newly_released
            ),
            Language::Chinese => format!(
                "新增拦截 {} 笔，新增放行 {} 笔",
                replay.newly_stopped, replay.newly_released
            ),
        },
    );
    text
}

/// An action, or a plan with the action that it begins with.
fn called(lang: Language, name: &ActionName) -> String {
    let first = action(lang, name.action);
    if name.plan.is_empty() { first.to_owned() } else { format!("{} ({first})", name.plan) }
}

fn money(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    let mut text = title(
        page,
        "Level off-policy: value from logged chances",
        "层级 off-policy：基于随机记录的价值估计",
    );
    let OffPolicyLevel::Refused { reason } = report.off_policy;
    line(&mut text, &refusal(lang, reason));
    text.push_str(&title(
        page,
        "\nLevel assumption: money by the strategies' own model of impact",
        "\n层级 assumption：按策略自身影响模型估计的金额",
    ));
    for difference in &report.assumption.differences {
        line(&mut text, &money_line(lang, difference));
    }
    line(
        &mut text,
        word(
            lang,
            "intervals: which orders come (accounts as a whole), not doubts about model or coefficients",
            "区间仅反映订单来源的偶然性（按账户整体抽样），不含对模型或系数的怀疑",
        ),
    );
    text
}

fn money_line(lang: Language, difference: &MoneyDifference) -> String {
    let MoneyDifference {
        currency, orders, not_valued, total_minor, interval, per_day_minor, ..
    } = *difference;
    let whose = match difference.coefficients {
        Coefficients::Recorded => {
            word(lang, "by the recorded strategies' coefficients", "按原策略系数")
        }
        Coefficients::Draft => word(lang, "by the draft's coefficients", "按草案系数"),
    };
    let of = |minor| amount(currency, minor);
    let interval = interval.map_or_else(
        || word(lang, "no interval: too few accounts", "账户过少，无区间").to_owned(),
        |(low, high)| format!("[{}, {}]", of(low), of(high)),
    );
    match lang {
        Language::English => format!(
            "{whose}: {} {interval}, {} a day; {orders} orders valued, {not_valued} not",
            of(total_minor),
            of(per_day_minor)
        ),
        Language::Chinese => format!(
            "{whose}：{} {interval}，每天 {}；已估值 {orders} 笔，未估值 {not_valued} 笔",
            of(total_minor),
            of(per_day_minor)
        ),
    }
}

fn truth(page: Page, known: &KnownTruth) -> String {
    let lang = page.language;
    let mut text = title(page, "Orders whose truth is known", "已知真相的订单");
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "{} good, {} bad, {} not known (not counted as good)",
                known.good, known.bad, known.not_known
            ),
            Language::Chinese => format!(
                "好单 {}，坏单 {}，未知 {}（不算好单）",
                known.good, known.bad, known.not_known
            ),
        },
    );
    let rows: [(&str, &str, Share); 4] = [
        ("good, released: newly stopped", "好单由放行变拦截", known.good_newly_stopped),
        ("good, stopped: newly released", "好单由拦截变放行", known.good_newly_released),
        ("bad, stopped: newly released", "坏单由拦截变放行", known.bad_newly_released),
        ("bad, released: newly stopped", "坏单由放行变拦截", known.bad_newly_stopped),
    ];
    let cells: Vec<Vec<Cell>> = rows
        .into_iter()
        .map(|(en, zh, share)| {
            let percent = if share.of == 0 { "-".to_owned() } else { format!("{share} %") };
            vec![
                Cell::new(Tone::Normal, word(lang, en, zh)),
                Cell::new(Tone::Normal, format!("{} / {}", share.count, share.of)),
                Cell::new(Tone::Normal, percent),
            ]
        })
        .collect();
    text.push_str(&table(page.ink, &[Align::Start, Align::End, Align::End], &cells));
    text
}

pub(super) fn refusal(lang: Language, reason: RefusalReason) -> String {
    let (code, en, zh) = match reason {
        RefusalReason::NoPropensities => (
            "NO_PROPENSITIES",
            "no recorded decision was drawn by chance",
            "没有任何已记录决策是随机抽取的",
        ),
        RefusalReason::NoEstimator => (
            "NO_ESTIMATOR",
            "some decisions were drawn by chance, but nothing estimates from them yet",
            "部分决策是随机抽取的，但目前尚无据此估计的方法",
        ),
        RefusalReason::LessThanADay => (
            "LESS_THAN_A_DAY",
            "the orders are less than a day apart: take more with --last",
            "订单跨度不足一天：请用 --last 取更多",
        ),
        RefusalReason::ForcedReviews => (
            "FORCED_REVIEWS",
            "what must be reviewed takes more than the hours",
            "必须审核的订单已超过给定工时",
        ),
        RefusalReason::NothingToReview => (
            "NOTHING_TO_REVIEW",
            "no order asks for a person at any price",
            "任何价格下都没有订单需要人工",
        ),
    };
    format!("{} {code}: {}", word(lang, "refused", "拒绝给出"), word(lang, en, zh))
}

pub(super) fn amount(currency: Currency, minor: f64) -> String {
    let exponent = currency.exponent();
    let major = minor / 10_f64.powi(exponent.cast_signed());
    format!("{currency} {}", grouped(major, exponent as usize))
}

pub(super) fn title(page: Page, en: &'static str, zh: &'static str) -> String {
    let text = word(page.language, en, zh);
    let (space, text) = text.strip_prefix('\n').map_or(("", text), |rest| ("\n", rest));
    format!("{space}{}\n", page.ink.paint(Tone::Strong, text))
}

pub(super) fn line(text: &mut String, words: &str) {
    // Writing to a String cannot fail.
    let _: Result<(), std::fmt::Error> = writeln!(text, "  {words}");
}
