//! What a what-if changed, and what would turn the answer, for a terminal.

use std::fmt::Write as _;

use crate::cli::paint::{Align, Cell, Tone, diverging_bar, short, table};
use crate::cli::render::{Page, band_tone, percent, sign_tone};
use crate::cli::turns::turns;
use crate::cli::words::{self, word};
use crate::domain::counterfactual::{
    CounterfactualAim, CounterfactualDirection, CounterfactualSearch,
};
use crate::domain::decision::ActionKind;
use crate::domain::difference::{
    Change, ContributionDifference, DecisionDifference, RiskDifference,
};
use crate::domain::order::OrderKey;
use crate::domain::text::Language;

/// Moved features shown per risk.
const CONTRIBUTIONS_SHOWN: usize = 6;
/// Width of each side of a move's bar.
const SIDE_COLUMNS: usize = 12;

/// The whole answer to a what-if.
pub fn difference_page(
    page: Page,
    order: &OrderKey,
    difference: &DecisionDifference,
    searches: &[CounterfactualSearch],
) -> String {
    let language = page.language;
    let name = format!("{} {}", word(language, "Order", "订单"), order.order_id);
    let hypothetical = word(language, "hypothetical, nothing is recorded", "假设，不作记录");
    let mut text = format!(
        "{}  {}\n{}\n",
        page.ink.paint(Tone::Strong, &name),
        page.ink.paint(Tone::Quiet, hypothetical),
        actions(page, difference.first_action),
    );
    text += &risks(page, &difference.risks);
    for risk in explained(&difference.risks) {
        text += &contributions(page, risk);
    }
    for search in searches {
        let title = page.ink.paint(Tone::Strong, &title(page, search));
        let _ = write!(text, "\n  {title}");
        text += &turns(page, std::slice::from_ref(search));
    }
    text
}

/// The risks whose probability a reader of the table sees move, or the one that moved most.
fn explained(risks: &[RiskDifference]) -> Vec<&RiskDifference> {
    let is_seen = |risk: &&RiskDifference| {
        let Change { before, after } = risk.probability;
        percent(before.value()) != percent(after.value())
    };
    let seen: Vec<&RiskDifference> = risks.iter().filter(is_seen).collect();
    if !seen.is_empty() {
        return seen;
    }
    let move_of = |risk: &RiskDifference| {
        (risk.probability.after.value() - risk.probability.before.value()).abs()
    };
    let moved = risks.iter().filter(|risk| !risk.contributions.is_empty());
    moved.max_by(|a, b| move_of(a).total_cmp(&move_of(b))).into_iter().collect()
}

fn actions(page: Page, first: Change<Option<ActionKind>>) -> String {
    let language = page.language;
    let name = |action: Option<ActionKind>| {
        action.map_or(word(language, "nothing", "无"), |action| words::action(language, action))
    };
    let of = word(language, "first action", "首选动作");
    if first.before == first.after {
        let stays = word(language, "stays", "不变");
        return format!("{of}: {} ({stays})", name(first.before));
    }
    let after = page.ink.paint(Tone::Strong, name(first.after));
    format!("{of}: {} → {after}", name(first.before))
}

fn risks(page: Page, risks: &[RiskDifference]) -> String {
    let row = |risk: &RiskDifference| {
        let shift = risk.weighted_log_odds.shift();
        vec![
            Cell::new(Tone::Normal, words::head(page.language, &risk.head)),
            Cell::new(band_tone(risk.band.before), percent(risk.probability.before.value())),
            Cell::new(Tone::Quiet, "→"),
            Cell::new(band_tone(risk.band.after), percent(risk.probability.after.value())),
            Cell::new(sign_tone(-shift), format!("{shift:+.2}")),
            Cell::new(Tone::Quiet, word(page.language, "log-odds", "对数几率")),
        ]
    };
    let rows: Vec<_> = risks.iter().map(row).collect();
    let (start, end) = (Align::Start, Align::End);
    format!("\n{}", table(page.ink, &[start, end, start, end, end, start], &rows))
}

fn contributions(page: Page, risk: &RiskDifference) -> String {
    let head = words::head(page.language, &risk.head);
    let title = match page.language {
        Language::English => format!("What moved {head}"),
        Language::Chinese => format!("{head}因何变化"),
    };
    let (listed, others) =
        risk.contributions.split_at(risk.contributions.len().min(CONTRIBUTIONS_SHOWN));
    let rest = others.iter().fold(risk.omitted_log_odds, |sum, it| sum + it.log_odds.shift());
    let largest = listed.iter().map(|it| it.log_odds.shift().abs()).fold(rest.abs(), f64::max);
    let moved = |name: String, values: String, shift: f64| {
        let share = if 0.0 < largest { shift / largest } else { 0.0 };
        vec![
            Cell::new(Tone::Normal, name),
            Cell::new(Tone::Quiet, values),
            Cell::new(sign_tone(-shift), diverging_bar(share, SIDE_COLUMNS)),
            Cell::new(Tone::Normal, format!("{shift:+.2}")),
        ]
    };
    let row = |it: &ContributionDifference| {
        moved(it.feature.to_string(), values(page, it.value), it.log_odds.shift())
    };
    let mut rows: Vec<_> = listed.iter().map(row).collect();
    let n_rest = risk.n_omitted as usize + others.len();
    if 0 < n_rest {
        let name = match page.language {
            Language::English => format!("{n_rest} other features"),
            Language::Chinese => format!("其余 {n_rest} 项特征"),
        };
        rows.push(moved(name, String::new(), rest));
    }
    let (start, end) = (Align::Start, Align::End);
    let title = page.ink.paint(Tone::Strong, &title);
    format!("\n  {title}\n{}", table(page.ink, &[start, end, start, end], &rows))
}

fn values(page: Page, value: Change<Option<f64>>) -> String {
    let one = |value: Option<f64>| {
        value.map_or_else(|| word(page.language, "unknown", "未知").to_owned(), short)
    };
    if value.before == value.after {
        return format!("= {}", one(value.before));
    }
    format!("{} → {}", one(value.before), one(value.after))
}

fn title(page: Page, search: &CounterfactualSearch) -> String {
    let language = page.language;
    match (search.aim, search.direction) {
        (CounterfactualAim::OtherAction, CounterfactualDirection::TowardRelease) => {
            word(language, "What would release it, or stop it less", "怎样会放行或放宽").to_owned()
        }
        (CounterfactualAim::OtherAction, CounterfactualDirection::TowardStopping) => {
            word(language, "What would stop it, or stop it more", "怎样会拦截或收紧").to_owned()
        }
        (CounterfactualAim::GivenProbability, _) => {
            let head = words::head(language, &search.head);
            let target = search.target.map_or(String::new(), |it| percent(it.value()));
            match language {
                Language::English => format!("What would bring {head} to {target}"),
                Language::Chinese => format!("怎样会使{head}的概率达到 {target}"),
            }
        }
    }
}
