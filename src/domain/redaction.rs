//! A recorded decision as it is shown after identifiers of it were erased.
//!
//! The journal keeps the bytes, so that the decision replays; every read goes through here.

use std::sync::Arc;

use crate::domain::decision::{Decision, ReasonValue};
use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::erasure::Erasures;
use crate::domain::record::ScoredOrder;

impl Erasures {
    /// The order and its answer without what was erased after it was answered.
    pub fn redacted(&self, scored: Arc<ScoredOrder>) -> Arc<ScoredOrder> {
        let named = scored.request.order.entities.iter();
        let gone = self.gone_in(named, &scored.decision);
        if gone.is_empty() {
            return scored;
        }
        let mut shown = ScoredOrder::clone(&scored);
        for entity in &mut shown.request.order.entities {
            replace(entity, &gone);
        }
        shown.decision = Arc::new(without(&scored.decision, &gone));
        Arc::new(shown)
    }

    /// The answer alone.
    pub fn redacted_decision(&self, decision: Arc<Decision>) -> Arc<Decision> {
        let gone = self.gone_in(std::iter::empty(), &decision);
        if gone.is_empty() { decision } else { Arc::new(without(&decision, &gone)) }
    }

    /// What of a decision was erased after it, and what is shown instead.
    fn gone_in<'e>(
        &'e self,
        named: impl Iterator<Item = &'e EntityRef>,
        decision: &'e Decision,
    ) -> Vec<(&'e EntityRef, &'e EntityRef)> {
        if self.is_empty() {
            return Vec::new();
        }
        let graph_position = decision.versions.graph_position;
        let is_gone = |entity: &'e EntityRef| {
            let erased = self.get(entity)?;
            (graph_position < erased.position).then_some((entity, &erased.shown))
        };
        let nodes = decision.evidence.nodes.iter().map(|node| &node.entity);
        let mut gone: Vec<_> = named.chain(nodes).filter_map(is_gone).collect();
        if let Some(unit) = decision.versions.assignment.as_ref().map(|it| &it.unit)
            && let Some((_, key)) = unit.split_once(':')
        {
            let key = EntityKey::parse(key);
            let known = self.iter().find(|(entity, _)| entity.key == key);
            let known = known.filter(|(_, erased)| graph_position < erased.position);
            gone.extend(known.map(|(entity, erased)| (entity, &erased.shown)));
        }
        gone.sort_unstable();
        gone.dedup();
        gone
    }
}

fn without(decision: &Decision, gone: &[(&EntityRef, &EntityRef)]) -> Decision {
    let mut shown = decision.clone();
    for node in &mut shown.evidence.nodes {
        replace(&mut node.entity, gone);
    }
    for (entity, instead) in gone {
        let (label, shown_label) = (entity.label(), instead.label());
        for reason in &mut shown.reasons {
            for text in [&mut reason.text.en, &mut reason.text.zh] {
                *text = text.replace(&label, &shown_label);
            }
            for argument in &mut reason.arguments {
                if let ReasonValue::Node(node) = &mut argument.value
                    && *node == label
                {
                    node.clone_from(&shown_label);
                }
            }
        }
        if let Some(assignment) = &mut shown.versions.assignment {
            let (key, instead) = (entity.key.to_string(), instead.key.to_string());
            assignment.unit = assignment.unit.replace(&key, &instead).into();
        }
    }
    shown
}

fn replace(entity: &mut EntityRef, gone: &[(&EntityRef, &EntityRef)]) {
    if let Some((_, instead)) = gone.iter().find(|(erased, _)| *erased == entity) {
        entity.clone_from(instead);
    }
}
