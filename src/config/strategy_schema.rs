//! A JSON Schema of the strategy file, for editors that complete and check.
//!
//! It knows keys, types and ranges; what depends on other places of the file or on the
//! bundle (names of risks, conditions of rules) is told by `orderlens check-config`.

use serde_json::{Map, Value, json};

use crate::config::strategy::{BLIND_SHARE_MAX, DEFAULT, MONEY_MAX, PROPENSITY_MIN};
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::order::AddressKind;
use crate::domain::risk::RiskBand;

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "orderlens strategy",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "currency", "weights", "risks", "money", "trust", "reviewers", "actions"],
        "properties": {
            "name": text("Name for people."),
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217." },
            "weights": weights(),
            "risks": {
                "type": "object",
                "required": [DEFAULT],
                "additionalProperties": risk(),
            },
            "money": money(),
            "trust": trust(),
            "reviewers": reviewers(),
            "exploration": exploration(),
            "actions": actions(),
            "notices": { "type": "object", "additionalProperties": notice() },
            "plans": { "type": "object", "additionalProperties": plan() },
            "rules": { "type": "object", "additionalProperties": rule() },
        },
    })
}

/// A table all of whose keys must be there.
fn table(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let properties: Map<String, Value> =
        fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// The same table, where one key may be missing.
fn with_optional(mut table: Value, name: &str, schema: Value) -> Value {
    if let Some(Value::Object(properties)) = table.get_mut("properties") {
        properties.insert(name.to_owned(), schema);
    }
    table
}

fn number(low: f64, high: f64, description: &str) -> Value {
    json!({ "type": "number", "minimum": low, "maximum": high, "description": description })
}

fn share(description: &str) -> Value {
    number(0.0, 1.0, description)
}

fn minor(description: &str) -> Value {
    number(0.0, MONEY_MAX, description)
}

fn count(high: u32, description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": high, "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> Value {
    let words: Vec<&str> = words.into_iter().collect();
    json!({ "enum": words, "description": description })
}

fn words(description: &str) -> Value {
    let word = json!({ "type": "string", "pattern": "^[a-z0-9_]{1,64}$" });
    json!({ "type": "array", "items": word, "description": description })
}

fn pair(description: &str) -> Value {
    let language = json!({ "type": "string" });
    let mut pair = table([("en", language.clone()), ("zh", language)]);
    pair["description"] = description.into();
    pair
}

fn weights() -> Value {
    let of = |group: FeatureGroup| (group.as_str(), number(0.0, 10.0, "1 = as the model has it."));
    table(FeatureGroup::ALL.map(of))
}

fn risk() -> Value {
    table([
        ("weight", number(0.0, 10.0, "Multiplies the losses.")),
        ("loss_share", share("Part of the amount that is lost.")),
        ("loss_fixed_minor", minor("Fees on top.")),
        ("penalty_minor", minor("Audits and penalties of the platform on top.")),
        ("reported_share", number(0.05, 1.0, "Part of the real cases that become known in time.")),
        ("review_above", share("From this probability on the order is elevated.")),
        ("decline_above", share("From this probability on it is high.")),
    ])
}

fn money() -> Value {
    let rate = number(1e-6, 1e6, "One of theirs in the strategy's currency.");
    table([
        ("margin_share", share("Margin of an order that goes through.")),
        ("unknown_amount_minor", minor("Taken when an order does not tell its amount.")),
        ("return_share", share("Loss in value when goods come back.")),
        ("return_fixed_minor", minor("Freight and handling of one return.")),
        ("return_rate", share("Chance of a return while no model predicts it.")),
        ("future_purchases_minor", minor("Margin of later purchases while no model predicts it.")),
        ("churn_share", share("Part of those lost when an honest order is stopped.")),
        ("complaint_minor", minor("One honest buyer who was stopped.")),
        ("review_minute_minor", minor("One minute of a reviewer.")),
        ("delay_hour_minor", minor("One hour that an honest order waits.")),
        ("price_index_alarm", number(0.0, 100.0, "Price level that is called overheated.")),
        ("exchange", json!({ "type": "object", "additionalProperties": rate })),
    ])
}

fn trust() -> Value {
    table([
        ("n_support_min", count(1_000_000, "Fewer known cases: review comes first.")),
        ("close_call_minor", minor("A smaller gap is a close call.")),
        ("close_call_share", number(0.0, 0.5, "So is one that vanishes this often.")),
        ("confirm_first", share("How often people take the first recommendation.")),
        ("confirm_second", share("The second.")),
        ("confirm_third", share("The third.")),
        ("confirm_prior_choices", number(0.0, 1e6, "How many choices these are worth.")),
        ("confirm_choices_min", count(1_000_000, "Fewer choices say prior only.")),
    ])
}

fn exploration() -> Value {
    table([
        ("enabled", flag("Whether any declined order is released to learn from it.")),
        ("rate", share("Chance of release of an order without risk.")),
        ("propensity_min", number(PROPENSITY_MIN, 1.0, "Smallest chance of release.")),
        ("amount_max_minor", minor("Larger orders are never released.")),
        ("hour_max_minor", minor("Most money at risk in an hour.")),
        ("day_max_minor", minor("Most in 24 hours.")),
        ("month_max_minor", minor("Most in 30 days.")),
    ])
}

fn reviewers() -> Value {
    let needed = table([
        ("hours_per_day", number(0.0, 100_000.0, "Hours that all reviewers together have.")),
        ("random_share", share("Share of it for orders drawn by chance.")),
    ]);
    let blind =
        number(0.0, BLIND_SHARE_MAX, "Share of orders whose advice is seen after choosing.");
    with_optional(needed, "blind_share", blind)
}

fn actions() -> Value {
    let properties: Map<String, Value> =
        ActionKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), action())).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": [ActionKind::Approve.as_str(), ActionKind::Review.as_str()],
        "properties": properties,
    })
}

fn action() -> Value {
    let catches = json!({
        "type": "object",
        "required": [DEFAULT],
        "additionalProperties": share("Share of the bad orders of this risk that it stops."),
    });
    let action = table([
        ("enabled", flag("False takes it out of the catalog.")),
        ("cost_minor", minor("What taking it costs.")),
        ("review_minutes", number(0.0, 480.0, "A person's time.")),
        ("delay_hours", number(0.0, 720.0, "How long an honest order waits.")),
        ("loses", share("Share of honest orders lost by it.")),
        ("future_uplift", number(-1.0, 1.0, "Growth of later purchases.")),
        ("requires_approval", flag("A person confirms before it is done.")),
        ("title", pair("Its name.")),
        ("customer_message", pair("What the customer is told; empty says nothing.")),
        ("catches", catches),
    ]);
    with_optional(action, "when", when())
}

fn when() -> Value {
    let kinds = |words: Vec<&'static str>, description: &str| json!({ "type": "array", "items": { "enum": words }, "description": description });
    let band = || one_of(RiskBand::ALL.map(RiskBand::as_str), "A risk band.");
    let mut when = table([
        ("amount_min_minor", minor("Smallest amount.")),
        ("amount_max_minor", minor("Largest amount.")),
        ("quantity_min", count(1_000_000, "Fewest pieces.")),
        ("quantity_max", count(1_000_000, "Most pieces.")),
        ("address_kinds", kinds(AddressKind::ALL.map(AddressKind::as_str).into(), "Places.")),
        ("needs", kinds(EntityKind::ALL.map(EntityKind::as_str).into(), "What it must name.")),
        ("risks", json!({ "type": "array", "items": { "type": "string" } })),
        ("band_at_least", band()),
        ("band_at_most", band()),
    ]);
    // Conditions are there or not; no other table has optional keys only.
    when["required"] = json!([]);
    when
}

fn notice() -> Value {
    table([("cost_minor", minor("What telling it costs.")), ("title", pair("Its name."))])
}

fn plan() -> Value {
    let plan = table([
        ("enabled", flag("False leaves it out.")),
        ("steps", words("Actions and notices, in their order.")),
        ("title", pair("Its name.")),
        ("customer_message", pair("What the customer is told; empty says nothing.")),
    ]);
    with_optional(plan, "when", when())
}

fn rule() -> Value {
    let force = ActionKind::ALL.map(ActionKind::as_str).into_iter().chain(["none"]);
    table([
        ("enabled", flag("False leaves it out.")),
        ("when", text("A condition in CEL.")),
        ("priority", json!({ "type": "integer", "minimum": -1_000, "maximum": 1_000 })),
        ("force", one_of(force, "An action that comes first, or none.")),
        ("tags", words("Words shown with the order.")),
        ("emit", words("Notices that other systems react to.")),
        ("title", pair("What people read.")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EMBEDDED_STRATEGY;
    use crate::config::fixtures::MINIMAL;

    /// Everything in a value that its schema does not allow.
    fn faults(path: &str, value: &toml::Value, schema: &Value) -> Vec<String> {
        let toml::Value::Table(entries) = value else {
            return fault(path, value, schema).into_iter().collect();
        };
        let required = schema["required"].as_array().into_iter().flatten();
        let missing =
            required.filter_map(Value::as_str).filter(|name| !entries.contains_key(*name));
        let mut found: Vec<String> = missing.map(|name| format!("{path}.{name} missing")).collect();
        for (name, entry) in entries {
            let own = schema["properties"].get(name);
            match own.or_else(|| schema.get("additionalProperties")) {
                Some(of_entry @ Value::Object(_)) => {
                    found.extend(faults(&format!("{path}.{name}"), entry, of_entry));
                }
                _ => found.push(format!("{path}.{name} unknown")),
            }
        }
        found
    }

    fn fault(path: &str, value: &toml::Value, schema: &Value) -> Option<String> {
        let number = value.as_float().or_else(|| value.as_integer().map(|it| it as f64));
        let is_right = match schema["type"].as_str() {
            Some("number") => number.is_some_and(|number| in_range(number, schema)),
            Some("integer") => {
                value.is_integer() && number.is_some_and(|number| in_range(number, schema))
            }
            Some("boolean") => value.is_bool(),
            Some("string") => value.is_str(),
            Some("array") => value.as_array().is_some_and(|items| {
                items.iter().all(|item| fault(path, item, &schema["items"]).is_none())
            }),
            _ => schema["enum"]
                .as_array()
                .is_some_and(|words| words.iter().any(|word| word.as_str() == value.as_str())),
        };
        (!is_right).then(|| format!("{path} = {value}"))
    }

    fn in_range(number: f64, schema: &Value) -> bool {
        schema["minimum"].as_f64().is_none_or(|low| low <= number)
            && schema["maximum"].as_f64().is_none_or(|high| number <= high)
    }

    #[test]
    fn the_schema_allows_the_shipped_files_and_nothing_misspelled_or_missing() {
        for text in [EMBEDDED_STRATEGY, MINIMAL] {
            let file: toml::Value = toml::from_str(text).unwrap();
            assert_eq!(faults("", &file, &schema()), Vec::<String>::new());
        }
        for (from, to, expected) in [
            (
                "address = 1.0",
                "adress = 1.0",
                vec![".weights.address missing", ".weights.adress unknown"],
            ),
            ("return_rate = 0.06", "return_rate = 6", vec![".money.return_rate = 6"]),
            (
                "requires_approval = false",
                "requires_approval = 0",
                vec![".actions.approve.requires_approval = 0"],
            ),
            (
                "band_at_least = \"elevated\"",
                "band_at_least = \"mid\"",
                vec![".actions.hold.when.band_at_least = \"mid\""],
            ),
        ] {
            assert!(MINIMAL.contains(from), "{from}");
            let file: toml::Value = toml::from_str(&MINIMAL.replacen(from, to, 1)).unwrap();
            assert_eq!(faults("", &file, &schema()), expected);
        }
    }
}
