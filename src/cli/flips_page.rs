//! The part of a back-test's page about flipped orders.

use crate::cli::backtest_page::{amount, line, title};
use crate::cli::render::Page;
use crate::cli::words::{action, head, word};
use crate::domain::backtest::{BacktestReport, ExplainedSide, FlippedOrder};
use crate::domain::money::Currency;
use crate::domain::text::Language;

/// Flipped orders that the page shows; the file has more.
const FLIPPED_SHOWN: usize = 5;

/// Some flipped orders, each with both explanations; empty without any.
pub(super) fn flips_page(page: Page, report: &BacktestReport) -> String {
    if report.flipped.is_empty() {
        return String::new();
    }
    let lang = page.language;
    let mut text =
        title(page, "Flipped orders, most money at stake first", "处置改变的订单（按涉及金额）");
    let currency = report.assumption.differences.first().map_or(Currency::CNY, |it| it.currency);
    for order in report.flipped.iter().take(FLIPPED_SHOWN) {
        flipped_order(&mut text, lang, order, currency);
    }
    let n_more = report.flipped.len().saturating_sub(FLIPPED_SHOWN);
    if 0 < n_more {
        line(
            &mut text,
            &match lang {
                Language::English => format!("{n_more} more: --flips FILE or --json"),
                Language::Chinese => format!("另有 {n_more} 笔：使用 --flips FILE 或 --json"),
            },
        );
    }
    text
}

fn flipped_order(text: &mut String, lang: Language, order: &FlippedOrder, currency: Currency) {
    let key = &order.order;
    let size = order.amount.map_or_else(String::new, |amount| amount.to_string());
    line(
        text,
        &format!(
            "{} {} {size} ({})",
            key.channel,
            key.order_id,
            amount(currency, order.stake_minor)
        ),
    );
    for (name, side) in [
        (word(lang, "recorded", "原处置"), &order.recorded),
        (word(lang, "draft", "草案"), &order.draft),
    ] {
        line(text, &format!("  {name}: {}", side_text(lang, side, currency)));
    }
}

fn side_text(lang: Language, side: &ExplainedSide, currency: Currency) -> String {
    let actions: Vec<String> = side
        .actions
        .iter()
        .map(|it| format!("{} {}", action(lang, it.action), amount(currency, it.value.mean)))
        .collect();
    let mut risks: Vec<_> = side.risks.iter().collect();
    risks.sort_by(|a, b| b.probability.value().total_cmp(&a.probability.value()));
    let leading = risks.first().map_or_else(String::new, |risk| {
        format!("{} {:.1} %", head(lang, &risk.head), 100.0 * risk.probability.value())
    });
    let reason = side.reasons.first().map_or("", |text| text.in_language(lang));
    format!("{} | {leading} | {reason}", actions.join(", "))
}
