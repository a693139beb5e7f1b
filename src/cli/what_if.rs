//! `orderlens what-if`: how an answer would change, and what would turn it.

use std::fs;

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::ask::{AskArgs, refused};
use crate::cli::difference_page::difference_page;
use crate::cli::output::{say, say_json};
use crate::cli::score::{Question, questions, read};
use crate::domain::counterfactual::CounterfactualSearch;
use crate::domain::decision::Decision;
use crate::domain::difference::DecisionDifference;
use crate::domain::entity::EntityKind;
use crate::domain::money::{Currency, Money};
use crate::domain::order::Order;
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::what_if_request::Subject;
use crate::wire::{counterfactual, difference, order, stored_decision};

/// Fields that are written as in an order file.
const PLAIN_FIELDS: [&str; 5] =
    ["items", "account_created_at", "address_kind", "payment_kind", "device_distance_km"];

/// Ask a running server what it would have decided, had something been different.
///
/// Nothing is recorded. Without any change it shows what would turn the first action.
#[derive(Clone, Debug, Args)]
pub struct WhatIfArgs {
    /// Id of a recorded decision to start from.
    #[arg(value_name = "DECISION", required_unless_present = "order")]
    pub decision: Option<String>,
    /// Start from an order that need not be known, judged as of now: the first one of a
    /// JSON file as `orderlens score` takes it; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "decision")]
    pub order: Option<String>,
    /// Another value of a field of the order, empty for unknown: `amount=87.50 CNY`,
    /// `payment_kind=card`, `entities.ip=203.0.113.7`, `attributes.source=app`, or JSON.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub sets: Vec<String>,
    /// A value that a feature takes whatever order and graph say, empty for unknown.
    #[arg(long = "feature", value_name = "ID=NUMBER")]
    pub features: Vec<String>,
    /// File of another strategy to judge with.
    #[arg(long, value_name = "FILE", conflicts_with = "strategy_ref")]
    pub strategy: Option<String>,
    /// Name or hash of a strategy that the server has judged with.
    #[arg(long, value_name = "NAME")]
    pub strategy_ref: Option<String>,
    /// A probability to search the smallest changes to: `payment_fraud=0.2`.
    #[arg(long, value_name = "RISK=PROBABILITY")]
    pub target: Option<String>,
    #[command(flatten)]
    asking: AskArgs,
}

/// The answer, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Answer {
    baseline: Decision,
    changed: Decision,
    difference: DecisionDifference,
    counterfactuals: Vec<CounterfactualSearch>,
}

/// Asks one what-if and prints the answer.
///
/// # Errors
/// A report naming the argument or file that cannot be read, the address of a server that
/// does not answer, or every violation that the server found.
pub fn run(args: &WhatIfArgs) -> miette::Result<()> {
    let request = request(args)?;
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let answer = runtime.block_on(ask(&args.asking, request))?;
    if args.asking.json {
        return say_json(&answer);
    }
    say(difference_page(
        args.asking.page(),
        &answer.changed.order,
        &answer.difference,
        &answer.counterfactuals,
    ));
    Ok(())
}

async fn ask(asking: &AskArgs, request: pb::WhatIfRequest) -> miette::Result<Answer> {
    let mut client = asking.connect().await?;
    let answer = client.what_if(request).await.map_err(|status| refused(&status))?.into_inner();
    let lacks = |part: &str| miette!("the server sent no {part}");
    let decision = |decision: Option<pb::Decision>, part| {
        let decision = decision.ok_or_else(|| lacks(part))?;
        stored_decision::of_answer(decision).into_diagnostic()
    };
    let moved = answer.difference.ok_or_else(|| lacks("difference"))?;
    Ok(Answer {
        baseline: decision(answer.baseline, "baseline")?,
        changed: decision(answer.changed, "changed decision")?,
        difference: difference::of_answer(moved).into_diagnostic()?,
        counterfactuals: counterfactual::of_answer(answer.counterfactuals).into_diagnostic()?,
    })
}

fn request(args: &WhatIfArgs) -> miette::Result<pb::WhatIfRequest> {
    let (overrides, paths) = overrides(&args.sets)?;
    let strategy_toml = match &args.strategy {
        Some(file) => fs::read_to_string(file)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {file}"))?,
        None => String::new(),
    };
    let features: miette::Result<Vec<pb::FeatureOverride>> =
        args.features.iter().map(|text| feature(text)).collect();
    Ok(pb::WhatIfRequest {
        subject: Some(subject(args)?),
        overrides: Some(order::to_pb(&overrides)),
        override_mask: Some(prost_types::FieldMask { paths }),
        strategy_toml,
        explain_level: pb::ExplainLevel::Unspecified.into(),
        feature_overrides: features?,
        target: args.target.as_deref().map(target).transpose()?,
        strategy_ref: args.strategy_ref.clone().unwrap_or_default(),
    })
}

fn subject(args: &WhatIfArgs) -> miette::Result<Subject> {
    let Some(file) = &args.order else {
        return Ok(Subject::DecisionId(args.decision.clone().unwrap_or_default()));
    };
    let first = questions(file, &read(file)?)?.into_iter().next();
    let first = first.ok_or_else(|| miette!("{file} holds no order"))?;
    let Question { request_id, event_time, order } = first;
    Ok(Subject::Request(pb::ScoreOrderRequest {
        request_id,
        event_time: Some(time_to_pb(event_time)),
        order: Some(order::to_pb(&order)),
        ..pb::ScoreOrderRequest::default()
    }))
}

fn target(text: &str) -> miette::Result<pb::ProbabilityTarget> {
    let (risk, probability) = assignment("--target", text)?;
    let probability = number(text, probability)?;
    let (risk_type, head_id) = (pb::RiskType::Custom.into(), risk.to_owned());
    Ok(pb::ProbabilityTarget { risk_type, head_id, probability })
}

fn feature(text: &str) -> miette::Result<pb::FeatureOverride> {
    let (feature, value) = assignment("--feature", text)?;
    let value = if value.is_empty() { None } else { Some(number(text, value)?) };
    Ok(pb::FeatureOverride { feature: feature.to_owned(), value })
}

fn assignment<'t>(flag: &str, text: &'t str) -> miette::Result<(&'t str, &'t str)> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| miette!("{flag} {text}: expected NAME=VALUE"))?;
    Ok((name.trim(), value.trim()))
}

fn number(text: &str, value: &str) -> miette::Result<f64> {
    value.parse().map_err(|_| miette!("`{text}`: `{value}` is not a number"))
}

/// An order with the new values, and the paths of all fields that were named. A path that
/// is none is left to the server, which names all that it does not know at once.
fn overrides(sets: &[String]) -> miette::Result<(Order, Vec<String>)> {
    let mut fields = Map::new();
    let mut paths = Vec::with_capacity(sets.len());
    for text in sets {
        let (path, value) = assignment("--set", text)?;
        paths.push(path.to_owned());
        if !value.is_empty() {
            put(&mut fields, path, value)?;
        }
    }
    fields.insert("key".to_owned(), json!({ "channel": "-", "order_id": "-" }));
    let order =
        serde_json::from_value(Value::Object(fields)).map_err(|error| miette!("--set: {error}"))?;
    Ok((order, paths))
}

fn put(fields: &mut Map<String, Value>, path: &str, value: &str) -> miette::Result<()> {
    // JSON where it is JSON, else the text itself.
    let parsed: Value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    let (group, name) = path.split_once('.').unwrap_or(("", path));
    match (group, name) {
        ("", "amount" | "discount") => {
            let money = if parsed.is_object() { parsed } else { money(value)? };
            fields.insert(name.to_owned(), money);
        }
        ("", name) if PLAIN_FIELDS.contains(&name) => drop(fields.insert(name.to_owned(), parsed)),
        ("entities", kind) if EntityKind::parse(kind).is_some() => {
            let list = fields.entry(group).or_insert_with(|| json!([]));
            let entity = json!({ "kind": kind, "key": value });
            if let Value::Array(list) = list {
                list.push(entity);
            }
        }
        // A country is a text even where it looks like something else.
        ("countries", "ip" | "payment" | "shipping") => put_in(fields, group, name, json!(value)),
        ("attributes", name) => put_in(fields, group, name, parsed),
        _ => {}
    }
    Ok(())
}

fn put_in(fields: &mut Map<String, Value>, group: &str, name: &str, value: Value) {
    let group = fields.entry(group).or_insert_with(|| json!({}));
    if let Value::Object(group) = group {
        group.insert(name.to_owned(), value);
    }
}

/// `87.50 CNY` as JSON.
fn money(text: &str) -> miette::Result<Value> {
    let wrong = || miette!("`{text}` is not an amount such as 87.50 CNY");
    let (major, code) = text.split_once(' ').ok_or_else(wrong)?;
    let major: f64 = major.parse().map_err(|_| wrong())?;
    let currency = Currency::parse(code.trim()).into_diagnostic()?;
    serde_json::to_value(Money::of_major(currency, major)).into_diagnostic()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::{AttributeValue, PaymentKind};

    fn read_sets(sets: &[&str]) -> miette::Result<(Order, Vec<String>)> {
        overrides(&sets.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn fields_are_set_as_people_write_them() {
        let (order, paths) = read_sets(&[
            "amount=87.50 CNY",
            "discount=",
            "payment_kind=card",
            "countries.ip=US",
            "entities.ip=203.0.113.7",
            "attributes.share=0.25",
            "attributes.source=app",
            r#"items=[{"sku":{"kind":"sku","key":"s"},"quantity":2,"unit_price":null}]"#,
        ])
        .unwrap();
        assert_eq!(order.amount.map(|it| it.to_string()).as_deref(), Some("CNY 87.50"));
        assert_eq!((order.discount, order.payment_kind), (None, Some(PaymentKind::Card)));
        assert_eq!(order.countries.ip.as_deref(), Some("US"));
        let ip = order.entity(EntityKind::Ip).unwrap();
        assert_eq!(ip.key.to_string(), "203.0.113.7");
        assert_eq!(order.attributes["share"], AttributeValue::Number(0.25));
        assert_eq!(order.attributes["source"], AttributeValue::Category("app".into()));
        assert_eq!(order.items[0].quantity, 2);
        assert_eq!((paths.len(), &*paths[1]), (8, "discount"));
    }

    #[test]
    fn a_field_that_is_none_is_left_to_the_server() {
        let sets = ["shoes=44", "entities.sku=s", "countries.moon=MN", "key.order_id=x"];
        let (order, paths) = read_sets(&sets).unwrap();
        assert_eq!((order.entities.len(), order.countries.is_empty()), (1, true));
        assert_eq!(paths, ["shoes", "entities.sku", "countries.moon", "key.order_id"]);
    }

    #[test]
    fn a_value_that_does_not_read_is_named() {
        for (set, expected) in [
            ("amount", "--set amount: expected NAME=VALUE"),
            ("amount=87.50", "`87.50` is not an amount such as 87.50 CNY"),
            ("amount=x CNY", "`x CNY` is not an amount such as 87.50 CNY"),
        ] {
            assert_eq!(read_sets(&[set]).unwrap_err().to_string(), expected);
        }
        let wrong = feature("shoe_size=large").unwrap_err().to_string();
        assert_eq!(wrong, "`shoe_size=large`: `large` is not a number");
    }
}
