//! A back-test's page: people's time, the solution and the slices.

use crate::cli::backtest_page::{amount, line, refusal, title};
use crate::cli::paint::{Align, Cell, Tone, table};
use crate::cli::render::Page;
use crate::cli::words::{head, word};
use crate::domain::backtest::{BacktestReport, SliceBy};
use crate::domain::money::{Currency, grouped};
use crate::domain::price_solution::{Solution, Solved};
use crate::domain::text::Language;

/// Reviewers, solution and slices.
pub(super) fn backtest_load_page(page: Page, report: &BacktestReport) -> String {
    let parts = [reviewers(page, report), solution(page, report), slices(page, report)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn reviewers(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    let load = &report.reviewers;
    let mut text = title(page, "Reviewers", "审核人力");
    let recorded = load.recorded_minutes_per_day.map_or_else(
        || word(lang, "not known", "未知").to_owned(),
        |minutes| format!("{minutes:.0}"),
    );
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "minutes a day: recorded {recorded}, draft {:.0}, declared {:.0}; busiest day {:.0}, over on {} of {} days",
                load.draft_minutes_per_day,
                load.capacity_minutes_per_day,
                load.busiest_day_minutes,
                load.days_over_capacity,
                load.days
            ),
            Language::Chinese => format!(
                "每天分钟数：原策略 {recorded}，草案 {:.0}，申报 {:.0}；最忙一天 {:.0}，{} / {} 天超出",
                load.draft_minutes_per_day,
                load.capacity_minutes_per_day,
                load.busiest_day_minutes,
                load.days_over_capacity,
                load.days
            ),
        },
    );
    let queue = load.queue;
    let currency = report.assumption.differences.first().map_or(Currency::CNY, |it| it.currency);
    let (gained, left) =
        (amount(currency, queue.gained_minor), amount(currency, queue.waiting_gain_minor));
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "queue: {} ask, {} by gain, {} drawn, {} wait ({:.0} minutes); reviews gain {gained}, waiting {left}",
                queue.asked, queue.ranked, queue.drawn, queue.waiting, queue.waiting_minutes
            ),
            Language::Chinese => format!(
                "队列：{} 笔待审，按收益 {} 笔，随机 {} 笔，等待 {} 笔（{:.0} 分钟）；已审收益 {gained}，等待中 {left}",
                queue.asked, queue.ranked, queue.drawn, queue.waiting, queue.waiting_minutes
            ),
        },
    );
    text
}

fn solution(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    match &report.solution {
        None => String::new(),
        Some(Solution::Refused { reason, forced_minutes_per_day }) => {
            let mut text = title(page, "Solution", "求解");
            line(&mut text, &refusal(lang, *reason));
            if let Some(minutes) = forced_minutes_per_day {
                line(
                    &mut text,
                    &match lang {
                        Language::English => {
                            format!("{minutes:.0} minutes a day are reviewed at any price")
                        }
                        Language::Chinese => {
                            format!("无论价格如何，每天都有 {minutes:.0} 分钟必须审核")
                        }
                    },
                );
            }
            text
        }
        Some(Solution::Solved(solved)) => solved_text(page, solved),
    }
}

fn solved_text(page: Page, solved: &Solved) -> String {
    let lang = page.language;
    let mut text = title(page, "Solution", "求解");
    let noise = solved.day_noise_minutes.map_or_else(String::new, |noise| match lang {
        Language::English => format!("; the mean of other days may be off by {noise:.0}"),
        Language::Chinese => format!("；其他日期的均值可能相差 {noise:.0}"),
    });
    line(
        &mut text,
        &match lang {
            Language::English => format!(
                "money.review_minute_minor = {} (draft {}): {:.0} minutes a day for {:.0}{noise}",
                solved.review_minute_minor,
                solved.draft_review_minute_minor,
                solved.minutes_per_day,
                60.0 * solved.hours_per_day
            ),
            Language::Chinese => format!(
                "money.review_minute_minor = {}（草案 {}）：每天 {:.0} 分钟，目标 {:.0}{noise}",
                solved.review_minute_minor,
                solved.draft_review_minute_minor,
                solved.minutes_per_day,
                60.0 * solved.hours_per_day
            ),
        },
    );
    if !solved.is_binding {
        line(
            &mut text,
            word(
                lang,
                "all useful reviews take less than the hours, even at no price",
                "即使审核不计价，所需时间也少于给定工时",
            ),
        );
    }
    for implied in &solved.thresholds {
        let from =
            |p: Option<f64>| p.map_or_else(|| "-".to_owned(), |p| format!("{:.1} %", 100.0 * p));
        let (stopped, review) = (from(implied.stopped_from), from(implied.review_from));
        let (risk, yuan) = (head(lang, &implied.head), grouped(implied.amount_minor / 100.0, 2));
        line(
            &mut text,
            &match lang {
                Language::English => format!(
                    "{risk}, order of {yuan}: stopped from {stopped}, reviewed from {review}"
                ),
                Language::Chinese => {
                    format!("{risk}，订单 {yuan}：{stopped} 起不直接放行，{review} 起人工审核")
                }
            },
        );
    }
    text
}

fn slices(page: Page, report: &BacktestReport) -> String {
    let lang = page.language;
    let mut text = title(page, "Slices", "分组");
    let quiet = |en, zh| Cell::new(Tone::Quiet, word(lang, en, zh));
    let mut rows = vec![vec![
        quiet("slice", "分组"),
        quiet("orders", "订单"),
        quiet("flips", "改变"),
        quiet("money (draft)", "金额（草案）"),
        quiet("minutes a day", "每天分钟"),
    ]];
    for slice in &report.slices {
        let by = match slice.by {
            SliceBy::Channel => word(lang, "channel", "渠道"),
            SliceBy::Region => word(lang, "region", "地区"),
            SliceBy::NewAccount => word(lang, "new account", "新账户"),
        };
        let value = slice.value.as_deref().unwrap_or(word(lang, "not told", "未说明"));
        rows.push(vec![
            Cell::new(Tone::Normal, format!("{by} {value}")),
            Cell::new(Tone::Normal, grouped(slice.orders as f64, 0)),
            Cell::new(Tone::Normal, grouped(slice.flips as f64, 0)),
            Cell::new(Tone::Normal, grouped(slice.draft_difference_minor / 100.0, 2)),
            Cell::new(
                Tone::Normal,
                format!(
                    "{:.0} → {:.0}",
                    slice.recorded_minutes_per_day, slice.draft_minutes_per_day
                ),
            ),
        ]);
    }
    let aligns = [Align::Start, Align::End, Align::End, Align::End, Align::End];
    text.push_str(&table(page.ink, &aligns, &rows));
    text
}
