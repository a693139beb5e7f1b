//! Similar cases for people and as JSON.

use serde_json::{Value, json};

use crate::cli::case::{text_as_json, window_as_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::words::word;
use crate::domain::decision::ActionKind;
use crate::domain::feedback::OutcomeKind;
use crate::domain::money::grouped;
use crate::domain::text::Language;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// Similar cases as JSON.
pub fn as_json(similar: &pb::FindSimilarCasesResponse) -> Value {
    let action = |number| ActionKind::from_wire(number).map_or("", ActionKind::as_str);
    let case = |it: &pb::SimilarCase| {
        json!({
            "decision_id": it.decision_id,
            "distance": it.distance,
            "action": action(it.action),
            "choice_id": it.choice_id,
            "window": it.window.as_ref().map(window_as_json),
        })
    };
    let share = |it: &pb::KindShare| {
        json!({
            "kind": OutcomeKind::from_wire(it.kind).map_or("", OutcomeKind::as_str),
            "count": it.count,
            "of": it.of,
            "share": it.share,
            "low": it.low,
            "high": it.high,
        })
    };
    let summary = |it: &pb::ActionSummary| {
        json!({
            "action": action(it.action),
            "n_cases": it.n_cases,
            "n_complete": it.n_complete,
            "shares": it.shares.iter().map(share).collect::<Vec<_>>(),
            "text": it.text.as_ref().map(text_as_json),
        })
    };
    json!({
        "model": similar.model,
        "days": similar.days,
        "cases": similar.cases.iter().map(case).collect::<Vec<_>>(),
        "by_action": similar.by_action.iter().map(summary).collect::<Vec<_>>(),
        "n_compared": similar.n_compared,
        "n_other_model": similar.n_other_model,
        "is_truncated": similar.is_truncated,
        "caveat": similar.caveat.as_ref().map(text_as_json),
    })
}

/// Similar cases for people.
pub fn page(language: Language, ink: Ink, similar: &pb::FindSimilarCasesResponse) -> String {
    let mut parts = vec![heading(language, similar)];
    if !similar.cases.is_empty() {
        parts.push(cases(language, ink, &similar.cases));
    }
    let summaries = similar.by_action.iter().filter_map(|it| it.text.as_ref());
    let told = summaries.chain(&similar.caveat).map(|text| in_language(language, text));
    parts.push(told.collect::<Vec<_>>().join("\n"));
    parts.join("\n")
}

fn heading(language: Language, similar: &pb::FindSimilarCasesResponse) -> String {
    let pb::FindSimilarCasesResponse { model, n_compared, n_other_model, .. } = similar;
    let n = similar.cases.len();
    let mut heading = match language {
        Language::English => {
            format!("similar by the contributions of {model}: {n} of {n_compared} compared")
        }
        Language::Chinese => {
            format!("按 {model} 的贡献相似：比较 {n_compared} 例，列出 {n} 例")
        }
    };
    if 0 < *n_other_model {
        heading = match language {
            Language::English => {
                format!("{heading}; of other models, not comparable: {n_other_model}")
            }
            Language::Chinese => format!("{heading}；其他模型、不可比：{n_other_model} 例"),
        };
    }
    if similar.is_truncated {
        let cut = ("; older decisions were not looked at", "；更早的决策未纳入");
        heading.push_str(word(language, cut.0, cut.1));
    }
    heading
}

fn cases(language: Language, ink: Ink, cases: &[pb::SimilarCase]) -> String {
    let title = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        title("distance", "距离"),
        title("order", "订单"),
        title("decision", "决策"),
        title("who", "由谁"),
        title("what followed", "后续"),
    ]];
    for case in cases {
        let key = case.order.clone().unwrap_or_default();
        let who = match case.choice_id {
            Some(_) => word(language, "chosen", "人工"),
            None => word(language, "recommended", "建议"),
        };
        let text = case.window.as_ref().and_then(|window| window.text.as_ref());
        let text = text.map_or("", |text| in_language(language, text));
        rows.push(vec![
            Cell::new(Tone::Normal, grouped(case.distance, 3)),
            Cell::new(Tone::Normal, format!("{}/{}", key.channel, key.order_id)),
            Cell::new(Tone::Quiet, case.decision_id.as_str()),
            Cell::new(Tone::Normal, who),
            Cell::new(Tone::Normal, text),
        ]);
    }
    let aligns = [Align::End, Align::Start, Align::Start, Align::Start, Align::Start];
    table(ink, &aligns, &rows).trim_end().to_owned()
}

fn in_language(language: Language, text: &pb::Text) -> &str {
    match language {
        Language::English => &text.en,
        Language::Chinese => &text.zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_neighbors_shares_what_was_cut_and_that_nothing_is_caused() {
        let text = |en: &str, zh: &str| Some(pb::Text { en: en.to_owned(), zh: zh.to_owned() });
        let case = |n: u32, distance, choice_id| pb::SimilarCase {
            decision_id: format!("00000000-0000-7000-8000-00000000000{n}"),
            order: Some(pb::OrderKey {
                channel: "app".to_owned(),
                order_id: format!("A-{n}"),
                revision: 0,
            }),
            distance,
            action: ActionKind::Approve.to_wire(),
            choice_id,
            window: Some(pb::CaseWindow {
                days: 90,
                text: text("approve, an order → 1 × refunded", "放行订单 → 退款 1 次"),
                ..pb::CaseWindow::default()
            }),
            ..pb::SimilarCase::default()
        };
        let similar = pb::FindSimilarCasesResponse {
            model: "risk/1".to_owned(),
            days: 90,
            cases: vec![case(1, 0.25, Some("c-1".to_owned())), case(2, 1.5, None)],
            by_action: vec![pb::ActionSummary {
                text: text("approve: taken in 2", "放行：2 例"),
                ..pb::ActionSummary::default()
            }],
            n_compared: 9_999,
            n_other_model: 3,
            is_truncated: true,
            caveat: text("Descriptive, not causal", "仅为描述，不代表因果"),
            ..pb::FindSimilarCasesResponse::default()
        };
        let pages = [Language::English, Language::Chinese].map(|it| page(it, Ink::Plain, &similar));
        insta::assert_snapshot!(pages.join("\n\n"));
        let nothing = pb::FindSimilarCasesResponse::default();
        let page = page(Language::English, Ink::Plain, &nothing);
        assert_eq!(page.trim_end(), "similar by the contributions of : 0 of 0 compared");
    }
}
