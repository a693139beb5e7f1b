//! The form of a start.

use super::act::StartedForm;
use crate::domain::experiment::Harm;
use crate::domain::time::Span;

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const FORM: [(&str, &str); 14] = [
    ("id", "ab"),
    ("control_name", "control"),
    ("control_share", "0.5"),
    ("control_model", ""),
    ("control_strategy", ""),
    ("arm_name", "bold"),
    ("arm_share", "0.5"),
    ("arm_strategy", "abcdef012345"),
    ("percent", "5"),
    ("holdout_percent", "1"),
    ("orders_min", "1000"),
    ("horizon_days", "90"),
    ("guardrails", "chargeback"),
    ("guardrails", "complaint"),
];

#[test]
fn a_form_is_an_experiment() {
    let form = pairs(&FORM);
    let mut form = StartedForm::new(&form);
    let draft = form.draft();
    assert_eq!(form.mistakes, []);
    assert_eq!(draft.guardrails, [Harm::Chargeback, Harm::Complaint]);
    assert_eq!((draft.percent, draft.orders_min, draft.horizon), (5, 1_000, Span::days(90)));
    let arm = |at: usize| (&*draft.arms[at].name, draft.arms[at].strategy.as_deref());
    assert_eq!((arm(0), arm(1)), (("control", None), ("bold", Some("abcdef012345"))));
    assert_eq!((draft.arms[0].model.as_deref(), draft.arms[1].model.as_deref()), (None, None));
}

#[test]
fn every_wrong_field_of_a_form_is_named() {
    let wrong = [
        ("id", ""),
        ("control_name", "same"),
        ("control_share", "half"),
        ("arm_name", "same"),
        ("arm_share", "0.4"),
        ("percent", "0"),
        ("holdout_percent", "6"),
        ("orders_min", "-1"),
        ("horizon_days", "9000"),
    ];
    let form = pairs(&wrong);
    let mut form = StartedForm::new(&form);
    form.draft();
    let fields: Vec<&str> = form.mistakes.iter().map(|it| &*it.field).collect();
    let named = [
        "control_share",
        "guardrails",
        "orders_min",
        "experiment_id",
        "arms",
        "arms",
        "percent",
        "holdout_percent",
        "horizon_days",
    ];
    assert_eq!(fields, named);
}
