//! Reasons: up to three sentences that tell the leading contributions.
//!
//! Made from contributions and evidence, never a new computation, and from
//! templates by family of feature: a new feature needs no text of its own.

use crate::decision::attribution::{Inputs, known};
use crate::decision::messages::{has, message};
use crate::decision::strategy::Strategy;
use crate::decision::told::told;
use crate::domain::decision::{Reason, ReasonArgument, ReasonValue};
use crate::domain::evidence::{Evidence, EvidenceNode};
use crate::domain::feature::{FeatureSpec, FeatureUnit};
use crate::domain::head::{HeadId, HeadScore};
use crate::domain::money::Money;
use crate::domain::risk::RiskAssessment;
use crate::domain::text::Text;

/// The risk that the reasons speak about.
#[derive(Clone, Copy, Debug)]
pub struct Leading<'a> {
    /// What the strategy makes of it.
    pub assessment: &'a RiskAssessment,
    /// What the model says.
    pub score: &'a HeadScore,
}

/// The sentences about the leading risk.
///
/// Which features they tell, [`told`] says.
pub fn reasons(
    strategy: &Strategy,
    leading: &Leading<'_>,
    inputs: Inputs<'_>,
    evidence: Option<&Evidence>,
) -> Vec<Reason> {
    let Leading { assessment, score } = *leading;
    let told = told(&strategy.weights, assessment.band, score, inputs.specs);
    let sentence = |idx: usize| {
        let spec = &inputs.specs[idx];
        let shift = strategy.weights.get(spec.group) * score.contributions[idx];
        let node = evidence.and_then(|evidence| witness(evidence, spec));
        reason(&assessment.head, spec, known(inputs.values, idx), shift, node)
    };
    told.into_iter().map(sentence).collect()
}

fn reason(
    head: &HeadId,
    spec: &FeatureSpec,
    value: Option<f64>,
    shift: f64,
    node: Option<&EvidenceNode>,
) -> Reason {
    let fact = fact(spec, value);
    let risk = risk_name(head);
    let effect = message("effect", if 0.0 < shift { "raises" } else { "lowers" }, &[]);
    let shift_text = same(format!("{shift:+.2}").replace('-', "−"));
    let label = node.map(|node| node.entity.label());
    let node_text = same(label.clone().unwrap_or_default());
    let key = match node {
        None => "plain",
        Some(node) if node.is_hub => "hub",
        Some(_) => "seen",
    };
    let text = message(
        "sentence",
        key,
        &[
            ("fact", &fact),
            ("risk", &risk),
            ("effect", &effect),
            ("shift", &shift_text),
            ("node", &node_text),
        ],
    );
    let mut arguments = Vec::new();
    let mut argue = |name: &str, value| {
        arguments.push(ReasonArgument { name: name.into(), value });
    };
    if let Some(value) = value {
        argue("value", ReasonValue::Number(value));
    }
    argue("shift", ReasonValue::Number(shift));
    if let Some(label) = label {
        argue("node", ReasonValue::Node(label));
    }
    Reason { code: spec.id.clone(), head: head.clone(), arguments, text }
}

/// What the feature saw, in words.
pub(crate) fn fact(spec: &FeatureSpec, value: Option<f64>) -> Text {
    let name = Text::new(capitalized(&spec.name.en), spec.name.zh.clone());
    let Some(value) = value else {
        return message("fact", "unknown", &[("name", &name)]);
    };
    let (key, number) = match spec.unit {
        FeatureUnit::Count => ("count", grouped(value, 0)),
        FeatureUnit::Money => ("money", grouped(value, 2)),
        FeatureUnit::Share => ("share", trimmed(value * 100.0)),
        FeatureUnit::Ratio => ("ratio", trimmed(value)),
        FeatureUnit::ZScore if value < 0.0 => ("z_below", trimmed(-value)),
        FeatureUnit::ZScore => ("z_above", trimmed(value)),
        FeatureUnit::Days => ("days", trimmed(value)),
        FeatureUnit::Hour => ("hour", format!("{:.0}", value.floor())),
        FeatureUnit::Flag if value < 0.5 => ("no", String::new()),
        FeatureUnit::Flag => ("yes", String::new()),
        FeatureUnit::Kilometers => ("kilometers", grouped(value, 0)),
        FeatureUnit::PercentPerDay => ("percent_per_day", trimmed(value)),
        FeatureUnit::Number | FeatureUnit::Declared => ("declared", trimmed(value)),
    };
    message("fact", key, &[("name", &name), ("value", &same(number))])
}

/// The amount of an order as a fact.
pub(crate) fn amount_fact(amount: Money) -> Text {
    let name = message("field", "amount", &[]);
    let value = number(FeatureUnit::Money, amount.as_major());
    message("fact", "money", &[("name", &name), ("value", &value)])
}

/// A value by itself.
pub(crate) fn number(unit: FeatureUnit, value: f64) -> Text {
    same(match unit {
        FeatureUnit::Count | FeatureUnit::Kilometers => grouped(value, 0),
        FeatureUnit::Money => grouped(value, 2),
        FeatureUnit::Share => trimmed(value * 100.0) + "%",
        FeatureUnit::PercentPerDay => trimmed(value) + "%",
        FeatureUnit::Ratio
        | FeatureUnit::ZScore
        | FeatureUnit::Days
        | FeatureUnit::Hour
        | FeatureUnit::Flag
        | FeatureUnit::Number
        | FeatureUnit::Declared => trimmed(value),
    })
}

/// A risk in words.
pub(crate) fn risk_name(head: &HeadId) -> Text {
    if has("risk", &head.0) {
        return message("risk", &head.0, &[]);
    }
    message("risk", "other", &[("head", &same(head.0.to_string()))])
}

/// The node that shows the feature: an end of an edge that is evidence for it, else
/// the order's own entity of its kind.
fn witness<'a>(evidence: &'a Evidence, spec: &FeatureSpec) -> Option<&'a EvidenceNode> {
    let kind = spec.entity.filter(|_| spec.is_graph)?;
    let of_edge = evidence
        .edges
        .iter()
        .filter(|edge| edge.features.contains(&spec.id))
        .flat_map(|edge| [edge.from, edge.to])
        .filter_map(|at| evidence.nodes.get(at as usize))
        .find(|node| node.entity.kind == kind && node.is_of_order);
    of_edge
        .or_else(|| evidence.nodes.iter().find(|node| node.entity.kind == kind && node.is_of_order))
}

fn same(text: String) -> Text {
    Text { en: text.clone(), zh: text }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// At most two decimals, no trailing zeros: `35`, `2.4`, `0.07`.
fn trimmed(value: f64) -> String {
    let text = grouped(value, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// With thousands separators: `12,500.00`.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}
