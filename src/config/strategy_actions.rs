//! Reads the action catalog of a strategy file.

use std::collections::BTreeMap;

use crate::config::reader::{Found, Section};
use crate::config::strategy::{DEFAULT, MONEY_MAX};
use crate::decision::strategy::{ActionPolicy, Eligibility};
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKind;
use crate::domain::head::HeadId;
use crate::domain::near::nearest;
use crate::domain::order::AddressKind;
use crate::domain::risk::RiskBand;
use crate::domain::text::Text;

/// Longest wait of an order, hours.
const HOURS_MAX: f64 = 720.0;
/// Longest review of an order, minutes.
const MINUTES_MAX: f64 = 480.0;

/// What a file says about actions.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    /// The enabled ones that are right.
    pub catalog: Vec<ActionPolicy>,
    /// All that are enabled, also those with mistakes.
    pub enabled: Vec<ActionKind>,
}

/// Reads every action; disabled ones are checked too, then left out.
pub fn actions(section: &Section<'_>, heads: &[String]) -> Actions {
    // Asked for by name first, so that a missing one is reported.
    let always = [ActionKind::Approve, ActionKind::Review];
    for kind in always {
        section.section(kind.as_str());
    }
    let mut actions = Actions::default();
    for name in section.names() {
        let Some(kind) = section.one_of(&name, &ActionKind::ALL, |kind| kind.as_str()) else {
            section.has(&name.value); // reported already
            // A rule that forces what was meant is not wrong, too.
            let meant = nearest(&name.value, ActionKind::ALL.map(ActionKind::as_str));
            actions.enabled.extend(meant.and_then(ActionKind::parse));
            continue;
        };
        let Some(entry) = section.optional_section(&name.value) else { continue };
        let is_enabled = entry.flag("enabled");
        let policy = action(&entry, kind, heads);
        if always.contains(&kind) {
            check_always_there(section, &name, is_enabled, policy.as_ref());
        }
        if is_enabled != Some(false) {
            actions.enabled.push(kind);
        }
        if let (Some(true), Some(policy)) = (is_enabled, policy) {
            actions.catalog.push(policy);
        }
    }
    actions
}

fn check_always_there(
    section: &Section<'_>,
    name: &Found<String>,
    is_enabled: Option<bool>,
    policy: Option<&ActionPolicy>,
) {
    if is_enabled == Some(false) {
        let message = format!("{} must be enabled: it is the fallback of every order", name.key);
        section.report(name, message, "disabled");
    }
    if policy.is_some_and(|policy| policy.when != Eligibility::default()) {
        let message =
            format!("{} must have no `when`: it is the fallback of every order", name.key);
        section.report(name, message, "has conditions");
    }
}

fn action(section: &Section<'_>, kind: ActionKind, heads: &[String]) -> Option<ActionPolicy> {
    let cost = section.number("cost_minor", 0.0..=MONEY_MAX);
    let minutes = section.number("review_minutes", 0.0..=MINUTES_MAX);
    let delay = section.number("delay_hours", 0.0..=HOURS_MAX);
    let loses = section.number("loses", 0.0..=1.0);
    let uplift = section.number("future_uplift", -1.0..=1.0);
    let requires_approval = section.flag("requires_approval");
    let title = section.text_pair("title");
    let message = section.section("customer_message").and_then(|pair| optional_pair(&pair));
    let catches = section.section("catches").and_then(|entry| catches(&entry, heads));
    let when = section
        .optional_section("when")
        .map_or_else(Eligibility::default, |entry| eligibility(&entry, heads));
    section.finish();
    let (catches_default, catches) = catches?;
    Some(ActionPolicy {
        kind,
        cost_minor: cost?.value,
        review_minutes: minutes?.value,
        delay_hours: delay?.value,
        catches,
        catches_default,
        loses: loses?.value,
        future_uplift: uplift?.value,
        requires_approval: requires_approval?,
        when,
        title: title?,
        customer_message: message?,
        plan: None,
    })
}

/// Both languages or neither: half a message would leave some customers without.
pub fn optional_pair(pair: &Section<'_>) -> Option<Text> {
    let (en, zh) = (pair.any_text("en"), pair.any_text("zh"));
    pair.finish();
    let (en, zh) = (en?, zh?);
    if en.value.is_empty() != zh.value.is_empty() {
        pair.report_pair(
            format!("{} must be in both languages or in none", pair.path()),
            (&en, "English"),
            (&zh, "Chinese"),
        );
    }
    Some(Text { en: en.value, zh: zh.value })
}

fn catches(section: &Section<'_>, heads: &[String]) -> Option<(f64, BTreeMap<HeadId, f64>)> {
    let default = section.number(DEFAULT, 0.0..=1.0);
    let mut by_head = BTreeMap::new();
    for name in section.names() {
        if name.value == DEFAULT {
            continue;
        }
        let share = section.number(&name.value, 0.0..=1.0);
        if let (Some(head), Some(share)) = (known_head(section, &name, heads), share) {
            by_head.insert(head, share.value);
        }
    }
    Some((default?.value, by_head))
}

fn known_head(section: &Section<'_>, name: &Found<String>, heads: &[String]) -> Option<HeadId> {
    if heads.contains(&name.value) {
        return Some(HeadId(name.value.as_str().into()));
    }
    let message = format!("{}: there is no `[risks.{}]`", name.key, name.value);
    let near = nearest(&name.value, heads.iter().map(String::as_str));
    let suggestion = near.map(|near| format!("did you mean `{near}`?"));
    section.report_suggesting(name, message, suggestion);
    None
}

/// Reads the conditions of an action or a plan.
pub fn eligibility(section: &Section<'_>, heads: &[String]) -> Eligibility {
    let amount_min = optional_number(section, "amount_min_minor");
    let amount_max = optional_number(section, "amount_max_minor");
    let quantity_min = optional_count(section, "quantity_min");
    let quantity_max = optional_count(section, "quantity_max");
    check_order(section, amount_min.as_ref(), amount_max.as_ref());
    check_order(section, quantity_min.as_ref(), quantity_max.as_ref());
    let address_kinds =
        optional_words(section, "address_kinds", &AddressKind::ALL, |kind| kind.as_str());
    let needs = optional_words(section, "needs", &EntityKind::ALL, |kind| kind.as_str());
    let risks = optional_heads(section, heads);
    let band_at_least = optional_band(section, "band_at_least");
    let band_at_most = optional_band(section, "band_at_most");
    section.finish();
    Eligibility {
        amount_min_minor: amount_min.map(|found| found.value),
        amount_max_minor: amount_max.map(|found| found.value),
        quantity_min: quantity_min.map(|found| found.value.unsigned_abs()),
        quantity_max: quantity_max.map(|found| found.value.unsigned_abs()),
        address_kinds,
        needs,
        risks,
        band_at_least,
        band_at_most,
    }
}

fn check_order<T: PartialOrd + std::fmt::Display>(
    section: &Section<'_>,
    min: Option<&Found<T>>,
    max: Option<&Found<T>>,
) {
    let (Some(min), Some(max)) = (min, max) else { return };
    if max.value < min.value {
        let message = format!("{} = {} is above {} = {}", min.key, min.value, max.key, max.value);
        section.report_pair(message, (min, "at least this"), (max, "and at most this"));
    }
}

fn optional_number(section: &Section<'_>, name: &str) -> Option<Found<f64>> {
    if section.has(name) { section.number(name, 0.0..=MONEY_MAX) } else { None }
}

fn optional_count(section: &Section<'_>, name: &str) -> Option<Found<i64>> {
    if section.has(name) { section.integer(name, 1..=1_000_000) } else { None }
}

fn optional_band(section: &Section<'_>, name: &str) -> Option<RiskBand> {
    if !section.has(name) {
        return None;
    }
    section.text(name).and_then(|word| section.one_of(&word, &RiskBand::ALL, |b| b.as_str()))
}

fn optional_words<T: Copy>(
    section: &Section<'_>,
    name: &str,
    all: &[T],
    name_of: impl Fn(&T) -> &'static str,
) -> Vec<T> {
    if !section.has(name) {
        return Vec::new();
    }
    let words = section.words(name).unwrap_or_default();
    words.iter().filter_map(|word| section.one_of(word, all, &name_of)).collect()
}

fn optional_heads(section: &Section<'_>, heads: &[String]) -> Vec<HeadId> {
    if !section.has("risks") {
        return Vec::new();
    }
    let words = section.words("risks").unwrap_or_default();
    words.iter().filter_map(|word| known_head(section, word, heads)).collect()
}
