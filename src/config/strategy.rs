//! Reads the strategy file into a checked [`Strategy`].

use std::collections::BTreeMap;

use crate::config::mistake::ConfigErrors;
use crate::config::reader::{Found, Section, read_document};
use crate::config::rule_names::{Names, RuleFeatures};
use crate::config::strategy_actions::actions;
use crate::config::strategy_plans::{notices, plans};
use crate::config::strategy_rules::rules;
use crate::decision::strategy::{
    ExplorationPolicy, GroupWeights, MoneyPolicy, ReviewerPolicy, RiskPolicy, Strategy, TrustPolicy,
};
use crate::domain::confirmation::ConfirmPrior;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::money::Currency;
use crate::domain::near::nearest;

/// Key of the entry that stands for all that are not named.
pub const DEFAULT: &str = "default";
/// Largest amount of money in one setting: 10 million yuan in fen.
pub const MONEY_MAX: f64 = 1e9;
/// Largest weight of a theme or risk; more would let one theme drown the model.
const WEIGHT_MAX: f64 = 10.0;
/// Of fewer reported cases nothing could be learned.
const REPORTED_SHARE_MIN: f64 = 0.05;
/// Of more orders nobody would see what is recommended.
pub const BLIND_SHARE_MAX: f64 = 0.5;
/// A release counts for at most a thousand of its kind.
pub const PROPENSITY_MIN: f64 = 0.001;
/// Most hours that all reviewers together have on one day: ten thousand people.
const REVIEWER_HOURS_MAX: f64 = 100_000.0;

/// Checks the text of a strategy file whose rules may ask for these features.
///
/// # Errors
/// [`ConfigErrors`] with every mistake of the file.
pub fn parse(
    file_name: &str,
    toml: &str,
    features: RuleFeatures<'_>,
) -> Result<Strategy, ConfigErrors> {
    let hash: Box<str> = blake3::hash(toml.as_bytes()).to_hex().as_str().into();
    read_document(file_name, toml, |root| strategy(root, features, hash))
}

/// Reads everything before giving up on anything, so that all mistakes show.
fn strategy(root: &Section<'_>, features: RuleFeatures<'_>, hash: Box<str>) -> Option<Strategy> {
    let name = root.text("name");
    let currency = root.text("currency").and_then(|code| currency(root, &code));
    let weights = root.section("weights").map(|section| weights(&section));
    let risks_section = root.section("risks");
    let heads = risks_section.as_ref().map(known_heads).unwrap_or_default();
    let risks = risks_section.and_then(|section| risks(&section));
    let money = root.section("money").and_then(|section| money(&section));
    let trust = root.section("trust").and_then(|section| trust(&section));
    let reviewers = root.section("reviewers").and_then(|section| reviewers(&section));
    let exploration = root.optional_section("exploration").map(|section| exploration(&section));
    let actions = root.section("actions").map(|section| actions(&section, &heads));
    let notices = root.optional_section("notices").map(|section| notices(&section));
    let notices = notices.unwrap_or_default();
    let catalog = actions.as_ref().map_or(&[][..], |actions| &actions.catalog);
    let plans = root
        .optional_section("plans")
        .map_or_else(Vec::new, |section| plans(&section, catalog, &notices, &heads));
    let enabled = actions.as_ref().map_or(&[][..], |actions| &actions.enabled);
    let rules = root
        .optional_section("rules")
        .map(|section| rules(&section, &mut Names::new(features, &heads), enabled));
    let (default_risk, risks) = risks?;
    Some(Strategy {
        name: name?.value.into(),
        hash,
        currency: currency?,
        weights: weights?,
        risks,
        default_risk,
        money: money?,
        trust: trust?,
        reviewers: reviewers?,
        exploration: exploration.flatten(),
        actions: actions?.catalog.into_iter().chain(plans).collect(),
        rules: rules.unwrap_or_default(),
    })
}

fn currency(section: &Section<'_>, code: &Found<String>) -> Option<Currency> {
    let parsed = Currency::parse(&code.value);
    if let Err(error) = &parsed {
        section.report(code, format!("{}: {error}", code.key), "not a currency");
    }
    parsed.ok()
}

fn weights(section: &Section<'_>) -> GroupWeights {
    let mut weights = GroupWeights::ONE;
    for group in FeatureGroup::ALL {
        if let Some(weight) = section.number(group.as_str(), 0.0..=WEIGHT_MAX) {
            weights = weights.with(group, weight.value);
        }
    }
    section.finish();
    weights
}

/// Heads that conditions may name: the shipped risk types and those of `[risks]`.
fn known_heads(section: &Section<'_>) -> Vec<String> {
    let mut heads: Vec<String> =
        RiskType::ALL.iter().map(|risk| risk.as_str().to_owned()).collect();
    for name in section.names() {
        if name.value != DEFAULT && !heads.contains(&name.value) {
            heads.push(name.value);
        }
    }
    heads
}

fn risks(section: &Section<'_>) -> Option<(RiskPolicy, BTreeMap<HeadId, RiskPolicy>)> {
    let default = section.section(DEFAULT).and_then(|entry| risk(&entry));
    let mut named = BTreeMap::new();
    for name in section.names() {
        if name.value == DEFAULT {
            continue;
        }
        check_slip(section, &name);
        if let Some(policy) = section.section(&name.value).and_then(|entry| risk(&entry)) {
            named.insert(HeadId(name.value.into()), policy);
        }
    }
    Some((default?, named))
}

/// Any name may be a head of its own; one letter off a shipped risk is a slip.
fn check_slip(section: &Section<'_>, name: &Found<String>) {
    let shipped = RiskType::ALL.map(RiskType::as_str);
    if shipped.contains(&name.value.as_str()) {
        return;
    }
    if let Some(near) = nearest(&name.value, shipped) {
        let message = format!("{} is not a risk, but nearly `{near}`", name.key);
        section.report_suggesting(name, message, Some(format!("did you mean `{near}`?")));
    }
}

fn risk(section: &Section<'_>) -> Option<RiskPolicy> {
    let weight = section.number("weight", 0.0..=WEIGHT_MAX);
    let loss_share = section.number("loss_share", 0.0..=1.0);
    let loss_fixed = section.number("loss_fixed_minor", 0.0..=MONEY_MAX);
    let penalty = section.number("penalty_minor", 0.0..=MONEY_MAX);
    let reported = section.number("reported_share", REPORTED_SHARE_MIN..=1.0);
    let review = section.number("review_above", 0.0..=1.0);
    let decline = section.number("decline_above", 0.0..=1.0);
    section.finish();
    let (review, decline) = (review?, decline?);
    if decline.value <= review.value {
        section.report_pair(
            format!(
                "{} = {} is not below {} = {}",
                review.key, review.value, decline.key, decline.value
            ),
            (&review, "review starts here"),
            (&decline, "so this must be above it"),
        );
    }
    Some(RiskPolicy {
        weight: weight?.value,
        loss_share: loss_share?.value,
        loss_fixed_minor: loss_fixed?.value,
        penalty_minor: penalty?.value,
        reported_share: reported?.value,
        review_above: review.value,
        decline_above: decline.value,
    })
}

fn money(section: &Section<'_>) -> Option<MoneyPolicy> {
    let share = |name| section.number(name, 0.0..=1.0).map(|found| found.value);
    let minor = |name| section.number(name, 0.0..=MONEY_MAX).map(|found| found.value);
    let margin_share = share("margin_share");
    let unknown_amount_minor = minor("unknown_amount_minor");
    let return_share = share("return_share");
    let return_fixed_minor = minor("return_fixed_minor");
    let return_rate = share("return_rate");
    let future_purchases_minor = minor("future_purchases_minor");
    let churn_share = share("churn_share");
    let complaint_minor = minor("complaint_minor");
    let review_minute_minor = minor("review_minute_minor");
    let delay_hour_minor = minor("delay_hour_minor");
    let price_index_alarm = section.number("price_index_alarm", 0.0..=100.0);
    let exchange = section.section("exchange").map(|entry| exchange(&entry));
    section.finish();
    Some(MoneyPolicy {
        margin_share: margin_share?,
        unknown_amount_minor: unknown_amount_minor?,
        exchange: exchange?,
        return_share: return_share?,
        return_fixed_minor: return_fixed_minor?,
        return_rate: return_rate?,
        future_purchases_minor: future_purchases_minor?,
        churn_share: churn_share?,
        complaint_minor: complaint_minor?,
        review_minute_minor: review_minute_minor?,
        delay_hour_minor: delay_hour_minor?,
        price_index_alarm: price_index_alarm?.value,
    })
}

fn exchange(section: &Section<'_>) -> BTreeMap<Currency, f64> {
    let mut rates = BTreeMap::new();
    for name in section.names() {
        let rate = section.number(&name.value, 1e-6..=1e6);
        if let (Some(code), Some(rate)) = (currency(section, &name), rate) {
            rates.insert(code, rate.value);
        }
    }
    rates
}

fn trust(section: &Section<'_>) -> Option<TrustPolicy> {
    let support = section.integer("n_support_min", 0..=1_000_000);
    let close_minor = section.number("close_call_minor", 0.0..=MONEY_MAX);
    let close_share = section.number("close_call_share", 0.0..=0.5);
    let confirm = ["confirm_first", "confirm_second", "confirm_third"]
        .map(|name| section.number(name, 0.0..=1.0).map(|found| found.value));
    let prior_choices = section.number("confirm_prior_choices", 0.0..=1e6);
    let choices_min = section.integer("confirm_choices_min", 0..=1_000_000);
    section.finish();
    Some(TrustPolicy {
        n_support_min: support?.value.unsigned_abs(),
        close_call_minor: close_minor?.value,
        close_call_share: close_share?.value,
        confirm_prior: ConfirmPrior {
            shares: [confirm[0]?, confirm[1]?, confirm[2]?],
            n: prior_choices?.value,
        },
        confirm_choices_min: choices_min?.value.unsigned_abs(),
    })
}

fn reviewers(section: &Section<'_>) -> Option<ReviewerPolicy> {
    let hours = section.number("hours_per_day", 0.0..=REVIEWER_HOURS_MAX);
    let random = section.number("random_share", 0.0..=1.0);
    // Texts of before it was there are strategies as well.
    let is_told = section.has("blind_share");
    let blind = if is_told { section.number("blind_share", 0.0..=BLIND_SHARE_MAX) } else { None };
    section.finish();
    Some(ReviewerPolicy {
        hours_per_day: hours?.value,
        random_share: random?.value,
        blind_share: blind.map_or(0.0, |found| found.value),
    })
}

/// The policy; `None` when it is not enabled, or has mistakes.
fn exploration(section: &Section<'_>) -> Option<ExplorationPolicy> {
    let enabled = section.flag("enabled");
    let rate = section.number("rate", 0.0..=1.0);
    let propensity_min = section.number("propensity_min", PROPENSITY_MIN..=1.0);
    let minor = |name| section.number(name, 0.0..=MONEY_MAX);
    let amount_max = minor("amount_max_minor");
    let (hour_max, day_max, month_max) =
        (minor("hour_max_minor"), minor("day_max_minor"), minor("month_max_minor"));
    section.finish();
    at_most(section, propensity_min.as_ref(), rate.as_ref());
    at_most(section, hour_max.as_ref(), day_max.as_ref());
    at_most(section, day_max.as_ref(), month_max.as_ref());
    let policy = ExplorationPolicy {
        rate: rate?.value,
        propensity_min: propensity_min?.value,
        amount_max_minor: amount_max?.value,
        hour_max_minor: hour_max?.value,
        day_max_minor: day_max?.value,
        month_max_minor: month_max?.value,
    };
    enabled?.then_some(policy)
}

/// Reports when the first number is above the second.
fn at_most(section: &Section<'_>, low: Option<&Found<f64>>, high: Option<&Found<f64>>) {
    let (Some(low), Some(high)) = (low, high) else { return };
    if high.value < low.value {
        let message = format!("{} = {} is above {} = {}", low.key, low.value, high.key, high.value);
        section.report_pair(message, (low, "this"), (high, "must not be above this"));
    }
}
