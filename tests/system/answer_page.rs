//! What a person sees of an answer, word for word.

use orderlens::cli::difference_page::difference_page;
use orderlens::cli::paint::{Ink, width};
use orderlens::cli::render::Page;
use orderlens::domain::counterfactual::{
    Counterfactual, CounterfactualAim, CounterfactualDirection, CounterfactualProof,
    CounterfactualSearch, FeatureChange, LeverChange, LeverRange,
};
use orderlens::domain::decision::{ActionKind, Decision, DecisionId, DegradedReason};
use orderlens::domain::difference::{
    Change, ContributionDifference, DecisionDifference, RiskDifference,
};
use orderlens::domain::entity::{EntityKind, IdentityKey};
use orderlens::domain::feature::FeatureGroup;
use orderlens::domain::head::HeadId;
use orderlens::domain::money::{Currency, Money};
use orderlens::domain::order::{Order, OrderItem, OrderKey};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::risk::{Probability, RiskBand};
use orderlens::domain::rule::{RuleObstacle, RuleOutcome};
use orderlens::domain::text::{Language, Text};
use orderlens::domain::time::Timestamp;
use uuid::Uuid;

use crate::fake::decision::decide;

fn decision() -> Decision {
    let key = IdentityKey::from_secret(b"test");
    let placed = Timestamp::parse("2026-02-16T20:00:00Z").expect("a time");
    let mut order =
        Order::new(OrderKey { channel: "web".into(), order_id: "o-1001".into(), revision: 0 });
    order.amount = Some(Money { currency: Currency::CNY, minor_units: 129_950 });
    order.entities = vec![key.entity(EntityKind::Ip, "203.0.113.7")];
    order.items = vec![OrderItem {
        sku: key.entity(EntityKind::Sku, "LIM-001"),
        quantity: 2,
        unit_price: None,
    }];
    let request = ScoreRequest {
        request_id: "r1".into(),
        event_time: placed,
        order,
        max_actions: 3,
        max_contributions: 12,
    };
    let mut decision = decide(&request, DecisionId(Uuid::from_u128(7)), placed);
    decision.degraded_reasons.push(DegradedReason::FewInputsKnown);
    decision.risks[0].contributions[1].weight = 1.5;
    decision.counterfactuals.push(search());
    decision.rules = rules();
    decision.tags = vec!["low_stock".into(), "night".into()];
    decision.notices = vec!["emergency_replenishment".into()];
    decision.priority = 15;
    decision.actions[0].forced_by = Some("night_orders".into());
    decision
}

/// A rule of each sort of outcome.
fn rules() -> Vec<RuleOutcome> {
    let rule = |id: &str, obstacle, force, title: Text| RuleOutcome {
        rule: id.into(),
        obstacle,
        missing_inputs: Vec::new(),
        priority: 0,
        force,
        tags: Vec::new(),
        emit: Vec::new(),
        title,
    };
    vec![
        rule(
            "low_stock",
            None,
            None,
            Text::new("Little is left on a live channel", "直播渠道库存告急"),
        ),
        rule(
            "night_orders",
            None,
            Some(ActionKind::Approve),
            Text::new("Small order at night", "夜间小额订单"),
        ),
        rule(
            "far_away",
            Some(RuleObstacle::Overruled),
            Some(ActionKind::Hold),
            Text::new("Far from home", "异地下单"),
        ),
        rule(
            "call_back",
            Some(RuleObstacle::NotEligible),
            Some(ActionKind::PhoneCheck),
            Text::new("Call back", "回访"),
        ),
        RuleOutcome {
            missing_inputs: vec!["sku_stock_units_max".into(), "order.discount".into()],
            ..rule(
                "clearance",
                Some(RuleObstacle::MissingInput),
                None,
                Text::new("Clearance sale", "清仓"),
            )
        },
    ]
}

fn search() -> CounterfactualSearch {
    let fewer =
        FeatureChange { feature: "order_quantity_sum".into(), from: Some(2.0), to: Some(1.0) };
    CounterfactualSearch {
        head: HeadId("payment_fraud".into()),
        direction: CounterfactualDirection::TowardRelease,
        aim: CounterfactualAim::OtherAction,
        target: Some(Probability::clamped(0.3)),
        counterfactuals: vec![Counterfactual {
            levers: vec![LeverChange {
                lever: fewer.feature.clone(),
                range: Some(LeverRange { lowest: 1.0, highest: 1.0, is_open: true }),
                features: vec![fewer],
            }],
            cost: 1.0,
            probability: Probability::clamped(0.25),
            first_action: ActionKind::ApproveAndWatch,
            is_proven_minimal: true,
            text: Text::new(
                "With Pieces in the basket: 1, the first action would be: approve and watch.",
                "若购买总件数：1，则首选动作为：放行并观察。",
            ),
        }],
        proof: CounterfactualProof::Complete,
    }
}

#[test]
fn an_answer_reads_well_in_english() {
    let page = Page { language: Language::English, ink: Ink::Plain };
    insta::assert_snapshot!(page.decision(&decision()));
}

#[test]
fn an_answer_reads_well_in_chinese() {
    let page = Page { language: Language::Chinese, ink: Ink::Plain };
    insta::assert_snapshot!(page.decision(&decision()));
}

#[test]
fn a_blind_answer_shows_evidence_and_no_advice() {
    for language in [Language::English, Language::Chinese] {
        let page = Page { language, ink: Ink::Plain };
        let open = decision();
        let told = page.decision(&Decision { is_blind: true, ..decision() });
        let title = open.actions[0].title.in_language(language);
        assert!(page.decision(&open).contains(title) && !told.contains(title), "{told}");
        assert!(told.contains("--json") && told.len() < page.decision(&open).len(), "{told}");
    }
}

/// What a smaller amount would change; the searches end with one that finds nothing.
fn what_if(language: Language) -> String {
    let page = Page { language, ink: Ink::Plain };
    let decision = decision();
    let probability = |value| Probability::clamped(value);
    let moved = |feature: &str, value: Change<Option<f64>>, log_odds| ContributionDifference {
        feature: feature.into(),
        group: FeatureGroup::Order,
        value,
        log_odds,
    };
    let difference = DecisionDifference {
        first_action: Change {
            before: Some(ActionKind::Review),
            after: Some(ActionKind::ApproveAndWatch),
        },
        risks: vec![RiskDifference {
            head: HeadId("payment_fraud".into()),
            probability: Change { before: probability(0.525), after: probability(0.18) },
            band: Change { before: RiskBand::Elevated, after: RiskBand::Low },
            raw_log_odds: Change { before: 0.1, after: -1.5 },
            weighted_log_odds: Change { before: 0.1, after: -1.5 },
            groups: Vec::new(),
            contributions: vec![
                moved(
                    "order_amount",
                    Change { before: Some(299.0), after: Some(87.5) },
                    Change { before: 0.75, after: -0.5 },
                ),
                moved(
                    "account_amount_to_mean_30d",
                    Change { before: None, after: None },
                    Change { before: 0.25, after: 0.0 },
                ),
            ],
            n_omitted: 3,
            omitted_log_odds: -0.1,
        }],
    };
    let nothing = CounterfactualSearch {
        aim: CounterfactualAim::GivenProbability,
        counterfactuals: Vec::new(),
        ..search()
    };
    difference_page(page, &decision.order, &difference, &[search(), nothing])
}

#[test]
fn a_what_if_reads_well_in_english() {
    insta::assert_snapshot!(what_if(Language::English));
}

#[test]
fn a_what_if_reads_well_in_chinese() {
    insta::assert_snapshot!(what_if(Language::Chinese));
}

#[test]
fn a_line_of_an_answer_names_the_order_the_risk_and_the_action() {
    let page = Page { language: Language::English, ink: Ink::Plain };
    insta::assert_snapshot!(
        page.line(&decision()),
        @"web/o-1001  payment fraud 52.5 %  → approve (60.0 %)"
    );
}

#[test]
fn colors_change_no_width() {
    let plain = Page { language: Language::Chinese, ink: Ink::Plain }.decision(&decision());
    let colored = Page { language: Language::Chinese, ink: Ink::Ansi }.decision(&decision());
    assert!(colored.contains("\u{1b}[1m"));
    let bare: String = colored
        .split('\u{1b}')
        .enumerate()
        .map(|(idx, part)| if idx == 0 { part } else { &part[part.find('m').expect("ends") + 1..] })
        .collect();
    let trimmed =
        |text: &str| -> Vec<usize> { text.lines().map(|line| width(line.trim_end())).collect() };
    assert_eq!(trimmed(&bare), trimmed(&plain));
}
