//! Reads the plans of a strategy file: several actions taken together.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::reader::{Found, Section};
use crate::config::strategy::MONEY_MAX;
use crate::config::strategy_actions::{eligibility, optional_pair};
use crate::config::strategy_rules::check_word;
use crate::decision::strategy::{ActionPolicy, Eligibility, Plan};
use crate::domain::head::HeadId;
use crate::domain::impact::{PlanStep, StepKind};
use crate::domain::near::nearest;
use crate::domain::text::Text;

/// Most steps of a plan.
const STEPS_MAX: usize = 8;

/// What a plan may tell other systems, and what that costs.
#[derive(Clone, Debug)]
pub struct Notice {
    cost_minor: f64,
    title: Text,
}

/// Reads what plans may tell other systems.
pub fn notices(section: &Section<'_>) -> BTreeMap<String, Notice> {
    let mut notices = BTreeMap::new();
    for name in section.names() {
        check_word(section, &name, &name.value);
        let Some(entry) = section.optional_section(&name.value) else { continue };
        let cost = entry.number("cost_minor", 0.0..=MONEY_MAX);
        let title = entry.text_pair("title");
        entry.finish();
        if let (Some(cost), Some(title)) = (cost, title) {
            notices.insert(name.value, Notice { cost_minor: cost.value, title });
        }
    }
    notices
}

/// Reads every plan; disabled ones are checked too, then left out.
pub fn plans(
    section: &Section<'_>,
    catalog: &[ActionPolicy],
    notices: &BTreeMap<String, Notice>,
    heads: &[String],
) -> Vec<ActionPolicy> {
    let mut plans = Vec::new();
    for name in section.names() {
        check_word(section, &name, &name.value);
        let Some(entry) = section.optional_section(&name.value) else { continue };
        let is_enabled = entry.flag("enabled");
        let plan = plan(&entry, &name.value, (catalog, notices), heads);
        if let (Some(true), Some(plan)) = (is_enabled, plan) {
            plans.push(plan);
        }
    }
    plans
}

/// One step as it was read: an action with its policy, or a notice.
enum Read<'c> {
    Action(&'c ActionPolicy),
    Notice(Box<str>, &'c Notice),
}

fn plan(
    section: &Section<'_>,
    id: &str,
    (catalog, notices): (&[ActionPolicy], &BTreeMap<String, Notice>),
    heads: &[String],
) -> Option<ActionPolicy> {
    let words = section.words("steps");
    let steps = words.and_then(|words| steps(section, &words, catalog, notices));
    let title = section.text_pair("title");
    let message = section.section("customer_message").and_then(|pair| optional_pair(&pair));
    let when = section
        .optional_section("when")
        .map_or_else(Eligibility::default, |entry| eligibility(&entry, heads));
    section.finish();
    Some(combined(id, &steps?, title?, message?, when))
}

fn steps<'c>(
    section: &Section<'_>,
    words: &[Found<String>],
    catalog: &'c [ActionPolicy],
    notices: &'c BTreeMap<String, Notice>,
) -> Option<Vec<Read<'c>>> {
    let mut seen = BTreeSet::new();
    let mut steps = Vec::with_capacity(words.len());
    for word in words {
        if !seen.insert(&*word.value) {
            section.report(word, format!("{}: `{}` is there twice", word.key, word.value), "again");
            return None;
        }
        let action = catalog.iter().find(|policy| policy.kind.as_str() == word.value);
        let notice = notices.get(&word.value);
        steps.push(match (action, notice) {
            (Some(action), _) => Read::Action(action),
            (None, Some(notice)) => Read::Notice(word.value.as_str().into(), notice),
            (None, None) => return unknown_step(section, word, catalog, notices),
        });
    }
    let n_actions = steps.iter().filter(|step| matches!(step, Read::Action(_))).count();
    match words {
        [first, _, ..] if n_actions == 0 => {
            let message = format!("{} has no action: somebody has to be done something", first.key);
            section.report(first, message, "only notices");
            None
        }
        [_, _, ..] if words.len() <= STEPS_MAX => Some(steps),
        [] => {
            let key = section.key("steps");
            let at = Found { value: (), key: key.clone(), span: section.span() };
            section.report(&at, format!("{key} is empty"), "needs two steps or more");
            None
        }
        [first, ..] => {
            let n = words.len();
            let message = format!("{} has {n} steps, 2 to {STEPS_MAX} make a plan", first.key);
            section.report(first, message, "not 2 to 8 steps");
            None
        }
    }
}

fn unknown_step<'c>(
    section: &Section<'_>,
    word: &Found<String>,
    catalog: &'c [ActionPolicy],
    notices: &'c BTreeMap<String, Notice>,
) -> Option<Vec<Read<'c>>> {
    let actions = catalog.iter().map(|policy| policy.kind.as_str());
    let known = actions.chain(notices.keys().map(String::as_str));
    let near = nearest(&word.value, known).map(|near| format!("did you mean `{near}`?"));
    let message =
        format!("{}: `{}` is no enabled action and no `[notices]` entry", word.key, word.value);
    section.report_suggesting(word, message, near);
    None
}

/// The plan as an entry of the catalog. Steps act one after the other and know nothing of
/// each other: of the bad orders that the first lets through the second catches its share, and
/// of the good ones that stay it loses its share. Costs and minutes add up; waiting does not,
/// since the steps wait side by side.
fn combined(
    id: &str,
    steps: &[Read<'_>],
    title: Text,
    customer_message: Text,
    when: Eligibility,
) -> ActionPolicy {
    let actions: Vec<&ActionPolicy> = steps
        .iter()
        .filter_map(|step| match step {
            Read::Action(policy) => Some(*policy),
            Read::Notice(..) => None,
        })
        .collect();
    let told: f64 = steps
        .iter()
        .map(|step| match step {
            Read::Action(_) => 0.0,
            Read::Notice(_, notice) => notice.cost_minor,
        })
        .sum();
    let either = |share: &dyn Fn(&ActionPolicy) -> f64| {
        1.0 - actions.iter().map(|policy| 1.0 - share(policy)).product::<f64>()
    };
    let heads: BTreeSet<&HeadId> =
        actions.iter().flat_map(|policy| policy.catches.keys()).collect();
    let catches = heads.into_iter().map(|head| (head.clone(), either(&|it| it.catches(head))));
    let sum = |of: &dyn Fn(&ActionPolicy) -> f64| actions.iter().map(|policy| of(policy)).sum();
    let cost: f64 = sum(&|it| it.cost_minor);
    ActionPolicy {
        // The plan is done when its first action is.
        kind: actions[0].kind,
        cost_minor: cost + told,
        review_minutes: sum(&|it| it.review_minutes),
        delay_hours: actions.iter().map(|it| it.delay_hours).fold(0.0, f64::max),
        catches: catches.collect(),
        catches_default: either(&|it| it.catches_default),
        loses: either(&|it| it.loses),
        future_uplift: sum(&|it| it.future_uplift),
        requires_approval: actions.iter().any(|it| it.requires_approval),
        when,
        title,
        customer_message,
        plan: Some(Plan {
            id: id.into(),
            steps: steps.iter().map(step).collect(),
            conditions: actions.iter().map(|policy| policy.when.clone()).collect(),
        }),
    }
}

fn step(read: &Read<'_>) -> PlanStep {
    match read {
        Read::Action(policy) => {
            PlanStep { kind: StepKind::Action(policy.kind), title: policy.title.clone() }
        }
        Read::Notice(name, notice) => {
            PlanStep { kind: StepKind::Notice(name.clone()), title: notice.title.clone() }
        }
    }
}
