//! Which part of the graph a page shows, as its address says it.

use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::{decision_id, encoded};
use crate::domain::decision::DecisionId;
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::neighborhood::{HOPS_MAX, NeighborhoodQuery};
use crate::domain::record::ScoredOrder;
use crate::domain::time::{Span, Timestamp};

/// Most nodes of a picture that can still be read.
const NODES_MAX: u32 = 60;
/// Links followed from one node.
const FAN_OUT: u32 = 10;
/// Days that a link may be old, unless asked for otherwise.
const DAYS: u32 = 30;
/// Days that may be asked for: all that a graph remembers as shipped.
const DAYS_MAX: u32 = 400;

/// What an address asks for.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    /// Around the entities of this decision's order.
    #[serde(default)]
    pub decision: String,
    /// Around this entity: `kind:key`.
    #[serde(default)]
    pub focus: String,
    /// Nothing but this entity, what it touches and the links between.
    #[serde(default)]
    pub isolate: String,
    /// Links from the start.
    #[serde(default = "two")]
    pub hops: u32,
    /// Only links of orders of the last days.
    #[serde(default = "days")]
    pub days: u32,
    /// Only this kind beside the start; empty is every kind.
    #[serde(default)]
    pub kind: String,
    /// As of this instant; empty is that of the decision, or now.
    #[serde(default)]
    pub as_of: String,
}

fn two() -> u32 {
    2
}

fn days() -> u32 {
    DAYS
}

impl Asked {
    /// The same with numbers that the graph answers.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        self.hops = self.hops.clamp(1, HOPS_MAX);
        self.days = self.days.clamp(1, DAYS_MAX);
        self
    }

    /// The decision that it is about.
    pub fn decision(&self) -> Option<Result<DecisionId, Failure>> {
        (!self.decision.is_empty()).then(|| decision_id(&self.decision))
    }

    /// What to ask the graph; `None` when the address names no start.
    ///
    /// # Errors
    /// `Fields` with what cannot be read.
    pub fn query(
        &self,
        decision: Option<&ScoredOrder>,
        now: Timestamp,
    ) -> Result<Option<NeighborhoodQuery>, Failure> {
        let seeds = match (self.focus.as_str(), decision) {
            ("", None) => return Ok(None),
            // A region or channel links everybody to everybody.
            ("", Some(scored)) => scored
                .request
                .order
                .entities
                .iter()
                .filter(|it| it.kind.is_personal())
                .cloned()
                .collect(),
            (focus, _) => vec![entity("focus", focus)?],
        };
        let as_of = match self.as_of.as_str() {
            "" => decision.map(|scored| scored.decision.times.received_time),
            text => Some(
                Timestamp::parse(text)
                    .map_err(|error| Failure::field("as_of", error.to_string()))?,
            ),
        };
        let kinds = match self.kind.as_str() {
            "" => Vec::new(),
            name => vec![
                EntityKind::parse(name).ok_or_else(|| Failure::field("kind", "is not a kind"))?,
            ],
        };
        Ok(Some(NeighborhoodQuery {
            seeds,
            n_hops: self.hops,
            kinds,
            since: Some(as_of.unwrap_or(now) - Span::days(i64::from(self.days))),
            as_of,
            n_nodes_max: NODES_MAX,
            fan_out_max: FAN_OUT,
        }))
    }

    /// The address of the same view around another entity.
    pub fn around(&self, entity: &EntityRef) -> String {
        let focus = encoded(&name(entity));
        let as_of = encoded(&self.as_of);
        format!("/graph?focus={focus}&hops={}&days={}&as_of={as_of}", self.hops, self.days)
    }

    /// The address of this view with nothing but an entity and what it touches.
    pub fn isolated(&self, entity: &EntityRef) -> String {
        format!("{}&isolate={}", self.whole(), encoded(&name(entity)))
    }

    /// The address of this view with all of its nodes.
    pub fn whole(&self) -> String {
        let start = if self.focus.is_empty() {
            format!("decision={}", encoded(&self.decision))
        } else {
            format!("focus={}", encoded(&self.focus))
        };
        let (kind, as_of) = (encoded(&self.kind), encoded(&self.as_of));
        format!("/graph?{start}&hops={}&days={}&kind={kind}&as_of={as_of}", self.hops, self.days)
    }
}

/// An entity in an address: `kind:key`.
pub fn name(entity: &EntityRef) -> String {
    format!("{}:{}", entity.kind.as_str(), entity.key)
}

/// The entity that an address names.
///
/// # Errors
/// `Fields` when it is none.
pub fn entity(field: &str, text: &str) -> Result<EntityRef, Failure> {
    let read = text.split_once(':').and_then(|(kind, key)| {
        let kind = EntityKind::parse(kind)?;
        let key = EntityKey::parse(key);
        // A personal identifier in an address would be a person's data in a log.
        let is_hashed = matches!(key, EntityKey::Hashed(_));
        (is_hashed == kind.is_personal()).then_some(EntityRef { kind, key })
    });
    read.ok_or_else(|| Failure::field(field, "is not an entity such as sku:LIM-001"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_pseudonyms_and_things_but_never_a_person() {
        let ip = format!("ip:h1_{:032x}", 77);
        assert_eq!(name(&entity("focus", &ip).unwrap()), ip);
        assert!(entity("focus", "sku:LIM-001").is_ok());
        for wrong in ["ip:203.0.113.9", "phone:13800000000", "nothing", "color:red"] {
            assert!(entity("focus", wrong).is_err(), "{wrong}");
        }
    }
}
