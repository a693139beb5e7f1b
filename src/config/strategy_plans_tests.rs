//! Plans: how steps combine, and what is told about wrong ones.

use crate::config::fixtures::{MINIMAL, shipped_features};
use crate::config::mistake::ConfigErrors;
use crate::config::rule_names::RuleFeatures;
use crate::config::strategy;
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKind;
use crate::domain::head::HeadId;
use crate::domain::impact::StepKind;
use crate::domain::risk::RiskBand;

const PLAN: &str = r#"
[notices.tell_stock]
cost_minor = 7
title = { en = "Tell the stock", zh = "通知库存" }

[plans.hold_and_look]
enabled = true
steps = ["hold", "tell_stock", "review"]
title = { en = "Hold and look", zh = "暂扣并审核" }
customer_message = { en = "", zh = "" }
when = { band_at_least = "high" }
"#;

fn parse(toml: &str) -> Result<Strategy, ConfigErrors> {
    let read = shipped_features();
    strategy::parse("strategy.toml", toml, RuleFeatures { read: &read, possible: &[] })
}

fn plan() -> ActionPolicy {
    let strategy = parse(&format!("{MINIMAL}{PLAN}")).unwrap();
    strategy.actions.last().unwrap().clone()
}

fn told(from: &str, to: &str) -> Vec<String> {
    assert!(PLAN.contains(from), "{from}");
    let errors = parse(&format!("{MINIMAL}{}", PLAN.replacen(from, to, 1))).unwrap_err();
    let told = |mistake: &crate::config::mistake::Mistake| {
        let suggestion = mistake.suggestion.as_deref().unwrap_or_default();
        format!("{} {suggestion}", mistake.message).trim().to_owned()
    };
    errors.mistakes.iter().map(told).collect()
}

#[test]
fn each_step_acts_on_what_the_ones_before_it_left_over() {
    let plan = plan();
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
    // hold: catches .6 (.7 of payment fraud), loses .08; review: catches .8, loses .02.
    near(plan.catches_default, 1.0 - 0.4 * 0.2);
    near(plan.catches(&HeadId("payment_fraud".into())), 1.0 - 0.3 * 0.2);
    near(plan.loses, 1.0 - 0.92 * 0.98);
    // 100 for holding, 7 for telling; 1 + 6 minutes; the longer wait of 24 and 2 hours.
    near(plan.cost_minor, 107.0);
    near(plan.review_minutes, 7.0);
    near(plan.delay_hours, 24.0);
    assert_eq!((plan.kind, plan.plan_id()), (ActionKind::Hold, "hold_and_look"));
    assert!(plan.requires_approval, "holding needs an approval");
}

#[test]
fn a_plan_keeps_its_steps_in_order_and_the_conditions_of_all_of_them() {
    let plan = plan();
    let conditions: Vec<_> = plan.conditions().collect();
    assert_eq!(conditions[0].band_at_least, Some(RiskBand::High));
    assert!(conditions.iter().any(|when| when.needs == [EntityKind::Phone]));
    let steps = plan.plan.unwrap().steps;
    let kinds: Vec<StepKind> = steps.into_iter().map(|step| step.kind).collect();
    let expected = [
        StepKind::Action(ActionKind::Hold),
        StepKind::Notice("tell_stock".into()),
        StepKind::Action(ActionKind::Review),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_wrong_plan_is_told_with_what_was_meant() {
    for (from, to, expected) in [
        (
            "\"hold\", ",
            "\"hodl\", ",
            "plans.hold_and_look.steps: `hodl` is no enabled action and no `[notices]` entry \
             did you mean `hold`?",
        ),
        (
            "\"tell_stock\", \"review\"",
            "\"hold\"",
            "plans.hold_and_look.steps: `hold` is there twice",
        ),
        (
            "[\"hold\", \"tell_stock\", \"review\"]",
            "[\"hold\"]",
            "plans.hold_and_look.steps has 1 steps, 2 to 8 make a plan",
        ),
        ("[\"hold\", \"tell_stock\", \"review\"]", "[]", "plans.hold_and_look.steps is empty"),
    ] {
        assert_eq!(told(from, to), [expected]);
    }
}
