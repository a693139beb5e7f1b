//! What followed from an action, in a sentence for each window.
//!
//! Sentences are made from counts alone: nothing is said that no outcome shows.

use crate::decision::messages::message;
use crate::domain::case::{Case, CaseWindow, Consequence};
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::text::Text;

/// A sentence for each window, shortest first.
pub fn case_texts(case: &Case) -> Vec<Text> {
    let action = message("action", case.action.as_str(), &[]);
    let subject = case.suspected.as_ref().map_or_else(
        || message("case", "order", &[]),
        |head| message("case", "suspected", &[("risk", &risk(head))]),
    );
    let sentence = |window: &CaseWindow| {
        let days = Text::new(window.days.to_string(), window.days.to_string());
        // Rounded down: a window is not complete before it is.
        let percent = format!("{:.0}", (100.0 * window.elapsed).floor());
        let percent = Text::new(percent.clone(), percent);
        let key = if window.elapsed < 1.0 { "elapsed" } else { "complete" };
        let maturity = message("case", key, &[("days", &days), ("percent", &percent)]);
        let followed = followed(&window.consequences);
        message(
            "case",
            "sentence",
            &[
                ("action", &action),
                ("subject", &subject),
                ("followed", &followed),
                ("maturity", &maturity),
            ],
        )
    };
    case.windows.iter().map(sentence).collect()
}

fn risk(head: &HeadId) -> Text {
    let id = Text::new(&*head.0, &*head.0);
    let key = if head.risk_type().is_some() { &*head.0 } else { "other" };
    message("risk", key, &[("head", &id)])
}

fn followed(consequences: &[Consequence]) -> Text {
    if consequences.is_empty() {
        return message("case", "nothing", &[]);
    }
    let parts: Vec<Text> = consequences.iter().map(part).collect();
    let joined =
        |of: fn(&Text) -> &str, by: &str| parts.iter().map(of).collect::<Vec<&str>>().join(by);
    Text::new(joined(|it| &it.en, ", "), joined(|it| &it.zh, "，"))
}

fn part(consequence: &Consequence) -> Text {
    let count = consequence.count.to_string();
    let count = Text::new(count.clone(), count);
    let what = message("outcome", consequence.kind.as_str(), &[("count", &count)]);
    if consequence.worth.is_empty() {
        return what;
    }
    let worth: Vec<String> = consequence.worth.iter().map(signed).collect();
    let worth = Text::new(worth.join(", "), worth.join("，"));
    message("case", "worth", &[("what", &what), ("worth", &worth)])
}

/// Money with its sign.
fn signed(money: &Money) -> String {
    let sign = if money.minor_units < 0 { "−" } else { "+" };
    let minor_units = money.minor_units.saturating_abs();
    format!("{sign}{}", Money { minor_units, ..*money })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::decision::{ActionKind, DecisionId};
    use crate::domain::feedback::OutcomeKind;
    use crate::domain::money::Currency;
    use crate::domain::order::OrderKey;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_sentence_says_what_was_done_what_followed_and_whether_that_is_all() {
        let yuan = |minor_units| Money { currency: Currency::parse("CNY").unwrap(), minor_units };
        let consequence =
            |kind, count, worth| Consequence { kind, count, worth, outcome_ids: Vec::new() };
        let window = |days, elapsed, consequences| CaseWindow {
            days,
            elapsed,
            consequences,
            net: Vec::new(),
        };
        let case = Case {
            decision_id: DecisionId(Uuid::nil()),
            order: OrderKey { channel: "app".into(), order_id: "A-1".into(), revision: 1 },
            suspected: Some(HeadId("fake_order".into())),
            action: ActionKind::Approve,
            choice_id: None,
            acted_at: Timestamp(0),
            windows: vec![
                window(7, 1.0, Vec::new()),
                window(
                    90,
                    0.999,
                    vec![
                        consequence(OutcomeKind::Repurchase, 3, vec![yuan(41_200)]),
                        consequence(OutcomeKind::PlatformAudit, 2, Vec::new()),
                        consequence(OutcomeKind::PlatformPenalty, 1, vec![yuan(-60_000)]),
                    ],
                ),
            ],
            overruled: Vec::new(),
            retracted: Vec::new(),
            n_repeated: 0,
            n_before: 0,
            texts: Vec::new(),
        };
        let texts = case_texts(&case);
        assert_eq!(
            texts[0].en,
            "approve, an order suspected of a fake order → nothing was reported; 7 days, complete"
        );
        assert_eq!(
            texts[1].en,
            "approve, an order suspected of a fake order → 3 × bought again (+CNY 412.00), \
             2 × audited by the platform, 1 × fined by the platform (−CNY 600.00); \
             90 days, 99 % elapsed"
        );
        assert_eq!(
            texts[1].zh,
            "放行疑似虚假订单 → 再次购买 3 次（+CNY 412.00），平台稽查 2 次，平台罚款 1 次\
             （−CNY 600.00）；90 天窗口，已过 99%"
        );
    }

    #[test]
    fn every_kind_of_outcome_has_words() {
        use crate::decision::messages::has;
        use crate::domain::feedback::OutcomeKind as Kind;
        let kinds = [
            Kind::ChargebackOpened,
            Kind::ChargebackWon,
            Kind::ChargebackLost,
            Kind::Refund,
            Kind::Return,
            Kind::DeliveredOk,
            Kind::DeliveryFailed,
            Kind::Repurchase,
            Kind::PlatformAudit,
            Kind::PlatformPenalty,
            Kind::Complaint,
            Kind::AccountClosed,
            Kind::ConfirmedFraud,
            Kind::ConfirmedLegit,
        ];
        for section in ["outcome", "outcome_name"] {
            assert!(kinds.iter().all(|kind| has(section, kind.as_str())), "{section}");
        }
    }
}
