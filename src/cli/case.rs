//! `orderlens case`: what was done about an order, and what followed.

use clap::Args;
use miette::IntoDiagnostic as _;
use serde_json::{Value, json};

use crate::cli::ask::{AskArgs, refused};
use crate::cli::output::{say, say_json};
use crate::cli::render::Page;
use crate::cli::similar_page;
use crate::cli::words::{action, word};
use crate::domain::decision::ActionKind;
use crate::domain::feedback::OutcomeKind;
use crate::domain::text::Language;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;
use crate::wire::similar::DAYS_DEFAULT;

/// Which case, and whom to ask.
#[derive(Clone, Debug, Args)]
pub struct CaseArgs {
    /// Id of the decision
    decision_id: String,
    /// Show as many similar cases, too: what was done about them, and what followed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    similar: Option<u32>,
    /// Window of similar cases to count: 7, 30, 90 or 180 days
    #[arg(long, value_name = "DAYS", default_value_t = DAYS_DEFAULT, requires = "similar")]
    days: u32,
    #[command(flatten)]
    asking: AskArgs,
}

/// Asks the server and shows the case.
///
/// # Errors
/// When the server cannot be reached, does not know the decision or refuses the numbers.
pub fn run(args: &CaseArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let (case, similar) = runtime.block_on(ask(args))?;
    if args.asking.json {
        let mut told = as_json(&case);
        if let Some(similar) = &similar {
            told["similar"] = similar_page::as_json(similar);
        }
        return say_json(&told);
    }
    let Page { language, ink } = args.asking.page();
    say(page(language, &case));
    if let Some(similar) = &similar {
        say(format!("\n{}", similar_page::page(language, ink, similar)));
    }
    Ok(())
}

async fn ask(args: &CaseArgs) -> miette::Result<(pb::Case, Option<pb::FindSimilarCasesResponse>)> {
    let mut client = args.asking.connect_cases().await?;
    let key = pb::get_case_request::Key::DecisionId(args.decision_id.clone());
    let answer = client.get_case(pb::GetCaseRequest { key: Some(key) }).await;
    let case = answer.map_err(|status| refused(&status))?.into_inner().case.unwrap_or_default();
    let Some(max_cases) = args.similar else { return Ok((case, None)) };
    let key = pb::find_similar_cases_request::Key::DecisionId(args.decision_id.clone());
    let request = pb::FindSimilarCasesRequest { key: Some(key), max_cases, days: args.days };
    let answer = client.find_similar_cases(request).await;
    Ok((case, Some(answer.map_err(|status| refused(&status))?.into_inner())))
}

fn as_json(case: &pb::Case) -> Value {
    let overruled = |it: &pb::OverruledOutcome| json!({ "outcome_id": it.outcome_id, "overruled_by": it.overruled_by });
    let retracted = |it: &pb::RetractedOutcome| json!({ "outcome_id": it.outcome_id, "retracted_by": it.retracted_by });
    json!({
        "decision_id": case.decision_id,
        "suspected_head_id": case.suspected_head_id,
        "action": ActionKind::from_wire(case.action).map_or("", ActionKind::as_str),
        "choice_id": case.choice_id,
        "windows": case.windows.iter().map(window_as_json).collect::<Vec<_>>(),
        "overruled": case.overruled.iter().map(overruled).collect::<Vec<_>>(),
        "retracted": case.retracted.iter().map(retracted).collect::<Vec<_>>(),
        "n_repeated": case.n_repeated,
        "n_before": case.n_before,
    })
}

/// A window as JSON.
pub fn window_as_json(window: &pb::CaseWindow) -> Value {
    let money = |sums: &[pb::Money]| -> Vec<Value> {
        let one = |sum: &pb::Money| json!({ "currency_code": sum.currency_code, "minor_units": sum.minor_units });
        sums.iter().map(one).collect()
    };
    let consequence = |it: &pb::Consequence| {
        json!({
            "kind": OutcomeKind::from_wire(it.kind).map_or("", OutcomeKind::as_str),
            "count": it.count,
            "worth": money(&it.worth),
            "outcome_ids": it.outcome_ids,
        })
    };
    json!({
        "days": window.days,
        "elapsed": window.elapsed,
        "consequences": window.consequences.iter().map(consequence).collect::<Vec<_>>(),
        "net": money(&window.net),
        "text": window.text.as_ref().map(text_as_json),
    })
}

/// A text as JSON.
pub fn text_as_json(text: &pb::Text) -> Value {
    json!({ "en": text.en, "zh": text.zh })
}

/// The case for people.
fn page(language: Language, case: &pb::Case) -> String {
    let key = case.order.clone().unwrap_or_default();
    let done = ActionKind::from_wire(case.action).map_or("", |it| action(language, it));
    let who = match (&case.choice_id, language) {
        (Some(id), Language::English) => format!("chosen, {id}"),
        (Some(id), Language::Chinese) => format!("人工选择，{id}"),
        (None, _) => word(language, "as recommended, nobody chose", "按建议，无人选择").to_owned(),
    };
    let mut lines = vec![format!("{}/{}  {done} ({who})", key.channel, key.order_id)];
    for window in &case.windows {
        let text = window.text.clone().unwrap_or_default();
        lines.push(match language {
            Language::English => text.en,
            Language::Chinese => text.zh,
        });
    }
    for lost in &case.overruled {
        let (id, by) = (&lost.outcome_id, &lost.overruled_by);
        lines.push(match language {
            Language::English => format!("{id} does not count: {by} says otherwise"),
            Language::Chinese => format!("{id} 不计入：{by} 的说法不同"),
        });
    }
    for back in &case.retracted {
        let (id, by) = (&back.outcome_id, &back.retracted_by);
        lines.push(match language {
            Language::English => format!("{id} does not count: {by} took it back"),
            Language::Chinese => format!("{id} 不计入：已被 {by} 撤回"),
        });
    }
    if 0 < case.n_repeated {
        let n = case.n_repeated;
        lines.push(match language {
            Language::English => format!("outcomes sent again, counted once: {n}"),
            Language::Chinese => format!("重复发送的结果，只计一次：{n} 项"),
        });
    }
    if 0 < case.n_before {
        let n = case.n_before;
        lines.push(match language {
            Language::English => format!("outcomes from before the action, not counted: {n}"),
            Language::Chinese => format!("处置之前的结果，不计入：{n} 项"),
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_was_done_what_followed_and_what_does_not_count() {
        let window = |days, elapsed, en: &str, zh: &str| pb::CaseWindow {
            days,
            elapsed,
            text: Some(pb::Text { en: en.to_owned(), zh: zh.to_owned() }),
            ..pb::CaseWindow::default()
        };
        let case = pb::Case {
            order: Some(pb::OrderKey {
                channel: "app".to_owned(),
                order_id: "A-1".to_owned(),
                revision: 0,
            }),
            action: ActionKind::Approve.to_wire(),
            choice_id: Some("c-2".to_owned()),
            windows: vec![
                window(7, 1.0, "7 days, complete", "7 天窗口，已满"),
                window(30, 0.5, "30 days, 50 % elapsed", "30 天窗口，已过 50%"),
            ],
            overruled: vec![pb::OverruledOutcome {
                outcome_id: "o-1".to_owned(),
                overruled_by: "o-2".to_owned(),
            }],
            retracted: vec![pb::RetractedOutcome {
                outcome_id: "o-3".to_owned(),
                retracted_by: "o-4".to_owned(),
            }],
            n_repeated: 2,
            n_before: 1,
            ..pb::Case::default()
        };
        let pages = [Language::English, Language::Chinese].map(|it| page(it, &case));
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}
