//! Labels of orders, each at the time it becomes known.
//!
//! A column is known a fixed span after the order. Of later facts, a positive
//! is known when the fact comes and a negative when the horizon ends; an order
//! whose horizon ends after the data has no negative: it is censored.

use crate::domain::entity::EntityRef;
use crate::domain::event::{Fact, Label};
use crate::domain::order::OrderKey;
use crate::domain::time::Timestamp;
use crate::import::error::Error;
use crate::import::mapping::{LabelRule, LabelSpec, Rules};
use crate::import::matching::Sinks;

/// An order with all that was found to belong to it.
pub(super) struct Judged<'a> {
    pub(super) key: OrderKey,
    pub(super) time: Timestamp,
    /// Which rules of `[[events]]` could have found it.
    pub(super) findable: Vec<bool>,
    /// Rule, time and SKU of each later fact.
    pub(super) facts: &'a [(usize, Timestamp, Option<EntityRef>)],
}

/// Writes the labels that follow from later facts.
pub(super) fn label_order(
    rules: &Rules,
    order: &Judged<'_>,
    data_end: Timestamp,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    for spec in &rules.labels {
        let LabelRule::LaterEvent { fact, within } = spec.rule else { continue };
        let is_about = |event: usize| rules.events.get(event).is_some_and(|e| e.fact == fact);
        let matures_at = order.time + within;
        let mut seen: Vec<Option<&EntityRef>> = Vec::new();
        for (event, time, sku) in order.facts {
            let is_in_time = order.time < *time && *time <= matures_at;
            if !is_about(*event) || !is_in_time || seen.contains(&sku.as_ref()) {
                continue;
            }
            seen.push(sku.as_ref());
            let concerns = sku.iter().cloned().collect();
            let told = Told { value: 1.0, time: *time, matures_at, concerns };
            push_label(spec, &order.key, told, sinks)?;
        }
        let n_findable = order.findable.iter().enumerate().filter(|(i, ok)| is_about(*i) && **ok);
        let is_findable = 0 < n_findable.count();
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
