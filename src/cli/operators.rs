//! `orderlens operators`: how people choose, and who does not look.

use clap::Args;
use miette::IntoDiagnostic as _;

use crate::cli::ask::{AskArgs, refused};
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::words::{action, word};
use crate::domain::decision::ActionKind;
use crate::domain::money::grouped;
use crate::domain::text::Language;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub struct OperatorsArgs {
    #[command(flatten)]
    asking: AskArgs,
}

/// Asks the server and shows the operators.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: &OperatorsArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let operators = runtime.block_on(ask(&args.asking))?;
    if args.asking.json {
        return say_json(&operators.iter().map(json).collect::<Vec<_>>());
    }
    say(page(args.asking.lang.into(), args.asking.page().ink, &operators));
    Ok(())
}

async fn ask(asking: &AskArgs) -> miette::Result<Vec<pb::OperatorReport>> {
    let mut client = asking.connect_reviews().await?;
    let answer = client.list_operators(pb::ListOperatorsRequest {}).await;
    Ok(answer.map_err(|status| refused(&status))?.into_inner().operators)
}

fn json(operator: &pb::OperatorReport) -> serde_json::Value {
    serde_json::json!({
        "operator_id": operator.operator_id,
        "n_choices": operator.n_choices,
        "n_recent": operator.n_recent,
        "n_took_first": operator.n_took_first,
        "n_blind": operator.n_blind,
        "n_blind_same": operator.n_blind_same,
        "n_same_action": operator.n_same_action,
        "usual_action": usual(operator).map(ActionKind::as_str),
        "median_seconds": operator.median_seconds,
        "habit": operator.habit().as_str_name(),
    })
}

fn usual(operator: &pb::OperatorReport) -> Option<ActionKind> {
    ActionKind::from_wire(operator.usual_action)
}

/// The operators for people.
fn page(language: Language, ink: Ink, operators: &[pb::OperatorReport]) -> String {
    if operators.is_empty() {
        return word(language, "nobody has chosen yet", "尚无人作出选择").to_owned();
    }
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("operator", "操作员"),
        heading("choices", "选择数"),
        heading("took the first", "采纳首选"),
        heading("the same unseen", "未看建议而一致"),
        heading("usual action", "常用动作"),
        heading("median seconds", "耗时中位数（秒）"),
        heading("", ""),
    ]];
    for operator in operators {
        let percent = |count: u64, of: u64| {
            if of == 0 {
                "–".to_owned()
            } else {
                format!("{:.0} %", 100.0 * count as f64 / of as f64)
            }
        };
        let n_seen = operator.n_recent.saturating_sub(operator.n_blind);
        let usual = usual(operator).map_or("–", |it| action(language, it));
        let seconds = operator.median_seconds.map_or("–".to_owned(), |it| grouped(it, 0));
        let (tone, habit) = match operator.habit() {
            pb::OperatorHabit::RubberStamp => (
                Tone::Bad,
                word(language, "does not look: not learned from", "未细看：不作学习依据"),
            ),
            pb::OperatorHabit::Attentive => (Tone::Normal, ""),
            pb::OperatorHabit::NotEnoughData | pb::OperatorHabit::Unspecified => {
                (Tone::Normal, word(language, "not enough data", "数据不足"))
            }
        };
        rows.push(vec![
            Cell::new(tone, operator.operator_id.as_str()),
            Cell::new(tone, operator.n_choices.to_string()),
            Cell::new(tone, percent(operator.n_took_first, n_seen)),
            Cell::new(tone, percent(operator.n_blind_same, operator.n_blind)),
            Cell::new(
                tone,
                format!("{usual} {}", percent(operator.n_same_action, operator.n_recent)),
            ),
            Cell::new(tone, seconds),
            Cell::new(tone, habit),
        ]);
    }
    let (start, end) = (Align::Start, Align::End);
    let aligns = [start, end, end, end, start, end, start];
    table(ink, &aligns, &rows).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_who_does_not_look_in_both_languages() {
        let operator = |id: &str, seconds, habit: pb::OperatorHabit| pb::OperatorReport {
            operator_id: id.to_owned(),
            n_choices: 412,
            n_recent: 200,
            n_took_first: 20,
            n_same_action: 198,
            usual_action: ActionKind::Approve.to_wire(),
            median_seconds: seconds,
            habit: habit.into(),
            n_blind: 10,
            n_blind_same: 6,
        };
        let operators = [
            operator("op-7", Some(2.0), pb::OperatorHabit::RubberStamp),
            operator("op-1", Some(48.0), pb::OperatorHabit::Attentive),
            operator("op-2", None, pb::OperatorHabit::NotEnoughData),
        ];
        let pages =
            [Language::English, Language::Chinese].map(|it| page(it, Ink::Plain, &operators));
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}
