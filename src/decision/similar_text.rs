//! What followed in similar cases, in a sentence for each action.

use crate::decision::messages::message;
use crate::domain::similar::{ActionSummary, COMPLETE_MIN, KindShare};
use crate::domain::text::Text;

/// What figures of similar cases say and what they do not.
pub fn caveat() -> Text {
    message("similar", "caveat", &[])
}

/// A summary in a sentence, over a window of so many days.
pub fn summary_text(summary: &ActionSummary, days: u32) -> Text {
    let complete = same(&summary.n_complete);
    let told = if summary.n_complete < COMPLETE_MIN {
        message("similar", "few", &[("min", &same(&COMPLETE_MIN))])
    } else {
        shares(&summary.shares)
    };
    let variables = [
        ("action", &message("action", summary.action.as_str(), &[])),
        ("cases", &same(&summary.n_cases)),
        ("complete", &complete),
        ("days", &same(&days)),
        ("told", &told),
    ];
    message("similar", "summary", &variables)
}

fn shares(shares: &[KindShare]) -> Text {
    if shares.is_empty() {
        return message("similar", "nothing", &[]);
    }
    let parts: Vec<Text> = shares.iter().map(share).collect();
    let joined =
        |of: fn(&Text) -> &str, by: &str| parts.iter().map(of).collect::<Vec<&str>>().join(by);
    Text::new(joined(|it| &it.en, ", "), joined(|it| &it.zh, "，"))
}

fn share(KindShare { kind, share }: &KindShare) -> Text {
    let percent = |part: f64| same(&format!("{:.0}", 100.0 * part));
    let variables = [
        ("kind", &message("outcome_name", kind.as_str(), &[])),
        ("count", &same(&share.count)),
        ("complete", &same(&share.of)),
        ("share", &percent(share.share)),
        ("low", &percent(share.low)),
        ("high", &percent(share.high)),
    ];
    message("similar", "share", &variables)
}

/// A number, which both languages write alike.
fn same(number: &impl ToString) -> Text {
    Text::new(number.to_string(), number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::ActionKind;
    use crate::domain::feedback::OutcomeKind;
    use crate::domain::share::Share;

    fn summary(n_complete: u64, shares: Vec<KindShare>) -> ActionSummary {
        let action = ActionKind::Approve;
        ActionSummary { action, n_cases: 14, n_complete, shares, text: Text::default() }
    }

    #[test]
    fn a_sentence_tells_counts_shares_and_how_sure_they_are() {
        let share = |kind, count| KindShare { kind, share: Share::new(count, 10) };
        let shares = vec![share(OutcomeKind::ChargebackLost, 0), share(OutcomeKind::Repurchase, 8)];
        let text = summary_text(&summary(10, shares), 90);
        assert_eq!(
            text.en,
            "approve: taken in 14, 90 days complete in 10; \
             dispute lost in 0 of 10 (0 %, 95 % interval 0 to 28 %), \
             bought again in 8 of 10 (80 %, 95 % interval 49 to 94 %)"
        );
        assert_eq!(
            text.zh,
            "放行：14 例，其中 10 例已满 90 天；拒付申诉失败 0/10（0%，95% 区间 0% 至 28%），\
             再次购买 8/10（80%，95% 区间 49% 至 94%）"
        );
        assert!(summary_text(&summary(10, Vec::new()), 90).en.ends_with("nothing was reported"));
    }

    #[test]
    fn few_complete_windows_are_not_enough() {
        let text = summary_text(&summary(9, Vec::new()), 7);
        let expected = "approve: taken in 14, 7 days complete in 9; \
                        not enough data, at least 10 are needed";
        assert_eq!(text.en, expected);
        assert_eq!(text.zh, "放行：14 例，其中 9 例已满 7 天；数据不足，至少需要 10 例");
        let caveat = caveat();
        assert!(caveat.en.starts_with("Descriptive, not causal"), "{}", caveat.en);
        assert!(caveat.zh.starts_with("仅为描述，不代表因果"), "{}", caveat.zh);
    }
}
