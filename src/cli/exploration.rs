//! `orderlens exploration`: what releasing declined orders costs and shows.

use std::fmt::Write as _;

use clap::Args;
use miette::IntoDiagnostic as _;

use crate::cli::ask::{AskArgs, refused};
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, bar, major, table};
use crate::cli::words::{self, word};
use crate::domain::exploration::ExplorationLimit;
use crate::domain::money::Currency;
use crate::domain::share::Share;
use crate::domain::text::Language;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// Width of the bar of a limit.
const BAR_COLUMNS: usize = 20;

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub struct ExplorationArgs {
    #[command(flatten)]
    asking: AskArgs,
}

/// Asks the server and shows its report.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: &ExplorationArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let report = runtime.block_on(ask(&args.asking))?;
    if args.asking.json {
        return say_json(&json(&report));
    }
    say(page(args.asking.lang.into(), args.asking.page().ink, &report));
    Ok(())
}

async fn ask(asking: &AskArgs) -> miette::Result<pb::GetExplorationReportResponse> {
    let mut client = asking.connect_reviews().await?;
    let answer = client.get_exploration_report(pb::GetExplorationReportRequest {}).await;
    Ok(answer.map_err(|status| refused(&status))?.into_inner())
}

fn json(report: &pb::GetExplorationReportResponse) -> serde_json::Value {
    let spending = |it: &pb::ExplorationSpending| {
        serde_json::json!({
            "limit": it.limit().as_str_name(),
            "spent_minor": it.spent_minor,
            "max_minor": it.max_minor,
        })
    };
    let withheld = |it: &pb::ExplorationWithheld| serde_json::json!({ "limit": it.limit().as_str_name(), "n": it.n });
    serde_json::json!({
        "is_on": report.is_on,
        "currency_code": report.currency_code,
        "spending": report.spending.iter().map(spending).collect::<Vec<_>>(),
        "n_released": report.n_released,
        "n_good": report.n_good,
        "n_bad": report.n_bad,
        "bad_minor": report.bad_minor,
        "n_not_drawn": report.n_not_drawn,
        "withheld": report.withheld.iter().map(withheld).collect::<Vec<_>>(),
    })
}

/// The report for people.
fn page(language: Language, ink: Ink, report: &pb::GetExplorationReportResponse) -> String {
    let mut text = if report.is_on {
        word(
            language,
            "Declined orders are released to learn from them.",
            "正在放行少量应拒绝的订单以供学习。",
        )
    } else {
        word(
            language,
            "The active strategy releases no declined order; see [exploration] in its file.",
            "当前策略不放行应拒绝的订单；见策略文件的 [exploration] 一节。",
        )
    }
    .to_owned();
    if !report.is_on && report.n_released == 0 {
        return text;
    }
    let currency = Currency::parse(&report.currency_code).unwrap_or(Currency::CNY);
    let major = |minor: f64| major(currency, minor);
    let limit = |limit| {
        ExplorationLimit::from_wire(limit)
            .map_or("–", |limit| words::exploration_limit_name(language, limit))
    };
    let rows: Vec<Vec<Cell>> = report
        .spending
        .iter()
        .map(|it| {
            let share = if 0.0 < it.max_minor { it.spent_minor / it.max_minor } else { 0.0 };
            let of = format!("{} / {} {}", major(it.spent_minor), major(it.max_minor), currency);
            vec![
                Cell::new(Tone::Normal, limit(it.limit)),
                Cell::new(Tone::Normal, bar(share.min(1.0), BAR_COLUMNS)),
                Cell::new(Tone::Strong, of),
            ]
        })
        .collect();
    text += "\n\n";
    text += &table(ink, &[Align::Start, Align::Start, Align::End], &rows);
    text += "\n";
    text += &ends(language, report, &format!("{} {currency}", major(report.bad_minor)));
    for it in report.withheld.iter().filter(|it| 0 < it.n) {
        let n = it.n;
        let held = word(language, "decisions withheld by the limit", "次因限额未放行");
        let colon = word(language, ": ", "：");
        let _ = write!(text, "\n{n} {held}{colon}{}", limit(it.limit));
    }
    text
}

/// How the released orders ended, with the interval of the share that ended badly.
fn ends(language: Language, report: &pb::GetExplorationReportResponse, bad: &str) -> String {
    let pb::GetExplorationReportResponse { n_released, n_good, n_bad, n_not_drawn, .. } = report;
    let open = n_released.saturating_sub(n_good + n_bad);
    let mut text = match language {
        Language::English => format!(
            "{n_released} released: {n_good} ended well, {n_bad} badly (at risk {bad}), \
             {open} are open; {n_not_drawn} not drawn"
        ),
        Language::Chinese => format!(
            "已放行 {n_released} 单：{n_good} 单结局良好，{n_bad} 单不良（风险金额 {bad}），\
             {open} 单未有结局；{n_not_drawn} 单未抽中"
        ),
    };
    if 0 < n_good + n_bad {
        let share = Share::new(*n_bad, n_good + n_bad);
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let (low, high) = (percent(share.low), percent(share.high));
        let of = word(language, "ended badly, of those that ended", "结局不良占有结局者");
        let colon = word(language, ": ", "：");
        let _ = write!(text, "\n{of}{colon}{} ({low} – {high}, 95 %)", percent(share.share));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_limits_and_ends_in_both_languages() {
        let spending = |limit: ExplorationLimit, spent_minor| pb::ExplorationSpending {
            limit: limit.to_wire(),
            spent_minor,
            max_minor: 100_000.0,
        };
        let limits = [ExplorationLimit::Hour, ExplorationLimit::Day, ExplorationLimit::Month];
        let withheld = |limit: ExplorationLimit| pb::ExplorationWithheld {
            limit: limit.to_wire(),
            n: u64::from(limit == ExplorationLimit::Ring) * 4,
        };
        let report = pb::GetExplorationReportResponse {
            is_on: true,
            currency_code: "CNY".to_owned(),
            spending: limits.map(|limit| spending(limit, 25_050.0)).to_vec(),
            n_released: 31,
            n_good: 4,
            n_bad: 16,
            bad_minor: 412_300.0,
            n_not_drawn: 702,
            withheld: ExplorationLimit::ALL.map(withheld).to_vec(),
        };
        let off = pb::GetExplorationReportResponse {
            currency_code: "CNY".to_owned(),
            ..pb::GetExplorationReportResponse::default()
        };
        let pages = [Language::English, Language::Chinese].map(|it| {
            format!("{}\n\n{}", page(it, Ink::Plain, &report), page(it, Ink::Plain, &off))
        });
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}
