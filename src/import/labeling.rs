//! Labels of orders, each at the time it becomes known.
//!
//! A column is known a fixed span after the order. Of later facts, a positive
//! is known when the fact comes and a negative when the horizon ends; an order
//! whose horizon ends after the data has no negative: it is censored. A sum of
//! later amounts is known when the horizon ends.

use crate::domain::entity::EntityRef;
use crate::domain::event::{Fact, Label};
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::time::Timestamp;
use crate::import::error::Error;
use crate::import::mapping::{LabelRule, LabelSpec, LaterValue, Rules};
use crate::import::matching::Sinks;

/// An order with all that was found to belong to it.
pub(super) struct Judged<'a> {
    pub(super) key: OrderKey,
    pub(super) time: Timestamp,
    /// Which rules of `[[events]]` could have found it.
    pub(super) findable: Vec<bool>,
    /// What came later.
    pub(super) facts: &'a [LaterFact],
}

/// A fact that was found to belong to an order.
pub(super) struct LaterFact {
    /// Position of its rule in `[[events]]`.
    pub(super) spec: usize,
    pub(super) time: Timestamp,
    pub(super) sku: Option<EntityRef>,
    pub(super) amount: Option<Money>,
}

/// Writes the labels that follow from later facts.
pub(super) fn label_order(
    rules: &Rules,
    order: &Judged<'_>,
    data_end: Timestamp,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    for spec in &rules.labels {
        let LabelRule::LaterEvent { fact, within, tells } = spec.rule else { continue };
        let is_about = |event: usize| rules.events.get(event).is_some_and(|e| e.fact == fact);
        let n_findable = order.findable.iter().enumerate().filter(|(i, ok)| is_about(*i) && **ok);
        let is_findable = 0 < n_findable.count();
        let matures_at = order.time + within;
        let is_in_time = |time: Timestamp| order.time < time && time <= matures_at;
        let facts: Vec<&LaterFact> = order
            .facts
            .iter()
            .filter(|fact| is_about(fact.spec) && is_in_time(fact.time))
            .collect();
        match tells {
            LaterValue::Occurrence => {}
            LaterValue::Amount => {
                let is_known = is_findable && matures_at <= data_end;
                push_amount(spec, order, &facts, is_known.then_some(matures_at), sinks)?;
                continue;
            }
        }
        let mut seen: Vec<Option<&EntityRef>> = Vec::new();
        for fact in facts {
            if seen.contains(&fact.sku.as_ref()) {
                continue;
            }
            seen.push(fact.sku.as_ref());
            let concerns = fact.sku.iter().cloned().collect();
            let told = Told { value: 1.0, time: fact.time, matures_at, concerns };
            push_label(spec, &order.key, told, sinks)?;
        }
        let counts = sinks.summary.labels.entry(spec.head.0.clone()).or_default();
        if !seen.is_empty() {
            counts.positive_orders += 1;
        } else if !is_findable {
            counts.unlabeled_orders += 1;
        } else if data_end < matures_at {
            counts.censored_orders += 1;
        } else {
            counts.negative_orders += 1;
            let concerns = Vec::new();
            let told = Told { value: 0.0, time: matures_at, matures_at, concerns };
            push_label(spec, &order.key, told, sinks)?;
        }
    }
    Ok(())
}

/// Writes the sum of later amounts, which is known only when no more can come; `None`
/// when it never is.
fn push_amount(
    spec: &LabelSpec,
    order: &Judged<'_>,
    facts: &[&LaterFact],
    matures_at: Option<Timestamp>,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    let counts = sinks.summary.labels.entry(spec.head.0.clone()).or_default();
    let Some(matures_at) = matures_at else {
        counts.censored_orders += 1;
        return Ok(());
    };
    // A fact without an amount leaves the sum unknown.
    let add = |sum: f64, fact: &&LaterFact| Some(sum + major_units(fact.amount?));
    let Some(value) = facts.iter().try_fold(0.0, add) else {
        counts.unlabeled_orders += 1;
        return Ok(());
    };
    if facts.is_empty() {
        counts.negative_orders += 1;
    } else {
        counts.positive_orders += 1;
    }
    let told = Told { value, time: matures_at, matures_at, concerns: Vec::new() };
    push_label(spec, &order.key, told, sinks)
}

fn major_units(money: Money) -> f64 {
    money.minor_units as f64 / 10_f64.powi(money.currency.exponent().cast_signed())
}

/// Writes the labels that columns tell.
pub(super) fn push_column_labels(
    rules: &Rules,
    order: &OrderKey,
    time: Timestamp,
    values: &[Option<f64>],
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    for (spec, value) in rules.labels.iter().zip(values) {
        let known_after = match spec.rule {
            LabelRule::Words { known_after, .. } | LabelRule::Number { known_after, .. } => {
                known_after
            }
            LabelRule::LaterEvent { .. } => continue,
        };
        let counts = sinks.summary.labels.entry(spec.head.0.clone()).or_default();
        let Some(value) = *value else {
            counts.unlabeled_orders += 1;
            continue;
        };
        if value == 0.0 {
            counts.negative_orders += 1;
        } else {
            counts.positive_orders += 1;
        }
        let known_at = time + known_after;
        let told = Told { value, time: known_at, matures_at: known_at, concerns: Vec::new() };
        push_label(spec, order, told, sinks)?;
    }
    Ok(())
}

/// A label and when it becomes known.
struct Told {
    value: f64,
    time: Timestamp,
    matures_at: Timestamp,
    concerns: Vec<EntityRef>,
}

/// Writes a label of one head.
fn push_label(
    spec: &LabelSpec,
    order: &OrderKey,
    told: Told,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    let Told { value, time, matures_at, concerns } = told;
    let mut what = format!("label/{}", spec.head);
    for entity in &concerns {
        what.push('/');
        what.push_str(&entity.key.to_string());
    }
    sinks.summary.labels.entry(spec.head.0.clone()).or_default().events += 1;
    let (order_key, head) = (order.clone(), spec.head.clone());
    let label = Label { order: order_key, head, value, matures_at: Some(matures_at), concerns };
    sinks.events.push(order, &what, time, Fact::Label(label), sinks.summary)
}

#[cfg(test)]
mod tests {
    use crate::import::laws::{HEADER, SHOP, import, line, told};
    use crate::import::sorting::RUN_BYTES_MAX;

    #[test]
    fn an_amount_label_sums_what_came_back_once_no_more_can_come() {
        let mapping = SHOP.replace("\"return_abuse\"", "\"returned_amount\"").replace(
            "fact = \"order_returned\"\nwithin = \"30d\"",
            "fact = \"order_returned\"\nwithin = \"30d\"\nvalue = \"amount\"",
        );
        let rows = [
            line("a", 0, "u", "tea", 1),
            line("a", 0, "u", "cup", 2),
            line("b", 1, "v", "tea", 1), // keeps its tea
            line("R1", 5, "u", "tea", -1),
            line("R2", 29, "u", "cup", -2),
            line("c", 40, "u", "pot", 1), // its 30 days end after the data
        ];
        let input = HEADER.to_owned() + &rows.join("\n");
        let imported = import(&mapping, input.as_bytes(), RUN_BYTES_MAX).unwrap();
        let labels: Vec<String> =
            told(&imported).into_iter().filter(|told| told.contains("label")).collect();
        let expected = ["30 a/label/returned_amount = 30", "31 b/label/returned_amount = 0"];
        assert_eq!(labels, expected);
    }
}
