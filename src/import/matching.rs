//! Finds the order that a later fact belongs to.
//!
//! A fact belongs to the most recent earlier order with the same entities (and
//! SKU, when that is matched too); an order takes one fact per SKU and rule, so
//! a further fact goes to the order before. A fact at the very time of an order
//! is not later than it.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{Fact, OrderAmount, OrderCancelled, OrderReturned, OrderStep};
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::import::error::Error;
use crate::import::labeling::{Judged, LaterFact, label_order};
use crate::import::line::FactLine;
use crate::import::mapping::{EventSpec, FactKind, LabelRule, LabelSpec, Rules, Target};
use crate::import::output::{EventSink, RejectSink};
use crate::import::reject::{Reason, Reject};
use crate::import::sorting::{Sorter, WorkFolder, sortable};
use crate::import::summary::ImportSummary;

/// Orders and facts on their way to each other.
pub(super) struct Matcher<'a> {
    rules: &'a Rules,
    /// By matched entities, then time.
    candidates: Sorter,
    /// By order, then time.
    hits: Sorter,
    has_later_labels: bool,
}

/// Where matched facts, labels and unmatched rows go.
pub(super) struct Sinks<'a> {
    pub(super) events: &'a mut EventSink,
    pub(super) rejects: &'a mut RejectSink,
    pub(super) summary: &'a mut ImportSummary,
}

#[derive(Serialize, Deserialize)]
struct Candidate {
    /// Bytes of the sort key that all candidates of one group share.
    group_bytes: usize,
    what: CandidateKind,
}

#[derive(Serialize, Deserialize)]
enum CandidateKind {
    Order { key: OrderKey, time: Timestamp },
    Fact(FactLine),
}

#[derive(Serialize, Deserialize)]
struct Hit {
    key: OrderKey,
    time: Timestamp,
    what: HitKind,
}

#[derive(Serialize, Deserialize)]
enum HitKind {
    /// The order itself; which rules of `[[events]]` could find it.
    Placed { findable: Vec<bool> },
    /// A fact that belongs to it.
    Fact { spec: usize, sku: Option<EntityRef>, amount: Option<Money> },
}

impl<'a> Matcher<'a> {
    pub(super) fn new(rules: &'a Rules, folder: &Rc<WorkFolder>, bytes_max: usize) -> Self {
        let is_later = |label: &LabelSpec| matches!(label.rule, LabelRule::LaterEvent { .. });
        Self {
            rules,
            candidates: Sorter::new(folder, "candidates", bytes_max),
            hits: Sorter::new(folder, "hits", bytes_max),
            has_later_labels: rules.labels.iter().any(is_later),
        }
    }

    /// Adds an order to be found by facts.
    pub(super) fn add_order(&mut self, order: &Order, time: Timestamp) -> Result<(), Error> {
        let rules = self.rules;
        let mut findable = Vec::with_capacity(rules.events.len());
        for (spec, event) in rules.events.iter().enumerate() {
            findable.push(match &event.target {
                Target::Named(_) => true,
                Target::Match { kinds, .. } => self.offer(order, time, spec, kinds)?,
            });
        }
        if self.has_later_labels {
            let key = order.key.clone();
            self.push_hit(&Hit { key, time, what: HitKind::Placed { findable } })?;
        }
        Ok(())
    }

    /// Offers an order under each of its SKUs, or once; false when it cannot be found.
    fn offer(
        &mut self,
        order: &Order,
        time: Timestamp,
        spec: usize,
        kinds: &[EntityKind],
    ) -> Result<bool, Error> {
        let mut skus: Vec<Option<&EntityRef>> =
            order.items.iter().map(|item| Some(&item.sku)).collect();
        skus.dedup();
        if !kinds.contains(&EntityKind::Sku) {
            skus = vec![None];
        }
        let mut is_findable = false;
        for sku in skus {
            let Some(mut key) = group_key(spec, kinds, &order.entities, sku) else { continue };
            is_findable = true;
            let what = CandidateKind::Order { key: order.key.clone(), time };
            let candidate = Candidate { group_bytes: key.len(), what };
            key.extend(sortable(time.0));
            key.push(1);
            key.extend(order.key.channel.as_bytes());
            key.push(0);
            key.extend(order.key.order_id.as_bytes());
            push(&mut self.candidates, &key, &candidate)?;
        }
        Ok(is_findable)
    }

    /// Adds a later fact; one that names its order is an event at once.
    pub(super) fn add_fact(&mut self, fact: FactLine, sinks: &mut Sinks<'_>) -> Result<(), Error> {
        let Some(spec) = self.rules.events.get(fact.spec) else { return Ok(()) };
        match (&spec.target, fact.order.clone()) {
            (Target::Match { kinds, .. }, _) => {
                let sku = fact.sku.as_ref();
                let Some(mut key) = group_key(fact.spec, kinds, &fact.entities, sku) else {
                    return reject_unmatched(fact.line, sinks);
                };
                let (group_bytes, amount) = (key.len(), fact.amount);
                key.extend(sortable(fact.time.0));
                key.push(0);
                key.extend(sortable(amount.map_or(0, |money| money.minor_units)));
                let what = CandidateKind::Fact(fact);
                push(&mut self.candidates, &key, &Candidate { group_bytes, what })
            }
            (Target::Named(_), Some(order)) => self.emit(spec, fact, &order, sinks),
            (Target::Named(_), None) => reject_unmatched(fact.line, sinks),
        }
    }

    fn emit(
        &mut self,
        spec: &EventSpec,
        line: FactLine,
        order: &OrderKey,
        sinks: &mut Sinks<'_>,
    ) -> Result<(), Error> {
        sinks.summary.accepted += 1;
        let sku = line.sku.as_ref().map(|sku| format!("/{}", sku.key)).unwrap_or_default();
        let what = match spec.target {
            // Found at most once for an order and SKU, so that names it.
            Target::Match { .. } => format!("{}{sku}", spec.fact.as_str()),
            Target::Named(_) => {
                let amount = line.amount.map_or(0, |money| money.minor_units);
                format!("{}{sku}/{}/{amount}", spec.fact.as_str(), line.time.0)
            }
        };
        if self.has_later_labels {
            let what =
                HitKind::Fact { spec: line.spec, sku: line.sku.clone(), amount: line.amount };
            self.push_hit(&Hit { key: order.clone(), time: line.time, what })?;
        }
        let time = line.time;
        if let Some(fact) = to_fact(spec, line, order.clone()) {
            sinks.events.push(order, &what, time, fact, sinks.summary)?;
        }
        Ok(())
    }

    fn push_hit(&mut self, hit: &Hit) -> Result<(), Error> {
        let (rank, sku) = match &hit.what {
            HitKind::Placed { .. } => (0, String::new()),
            HitKind::Fact { sku, .. } => {
                (1, sku.as_ref().map(|sku| sku.key.to_string()).unwrap_or_default())
            }
        };
        let mut key = order_sort_key(&hit.key);
        key.push(rank);
        key.extend(sortable(hit.time.0));
        key.extend(sku.as_bytes());
        push(&mut self.hits, &key, hit)
    }

    /// Gives every fact to its order, then every order its labels.
    pub(super) fn finish(
        mut self,
        data_end: Timestamp,
        sinks: &mut Sinks<'_>,
    ) -> Result<(), Error> {
        let mut sorted = self.candidates.take().finish()?;
        let mut group = Vec::new();
        // Earlier orders of the group that have no fact yet, oldest first.
        let mut open: Vec<(OrderKey, Timestamp)> = Vec::new();
        while let Some((key, value)) = sorted.next()? {
            let candidate: Candidate =
                postcard::from_bytes(&value).map_err(|_| sorted.folder().damaged())?;
            if key.get(..candidate.group_bytes) != Some(group.as_slice()) {
                group = key.get(..candidate.group_bytes).unwrap_or_default().to_vec();
                open.clear();
            }
            match candidate.what {
                CandidateKind::Order { key, time } => open.push((key, time)),
                CandidateKind::Fact(fact) => self.find_order(fact, &mut open, sinks)?,
            }
        }
        self.label_orders(data_end, sinks)
    }

    fn find_order(
        &mut self,
        fact: FactLine,
        open: &mut Vec<(OrderKey, Timestamp)>,
        sinks: &mut Sinks<'_>,
    ) -> Result<(), Error> {
        let Some(spec) = self.rules.events.get(fact.spec) else { return Ok(()) };
        let within = match &spec.target {
            Target::Match { within: Some(within), .. } => *within,
            Target::Match { within: None, .. } | Target::Named(_) => Span(i64::MAX),
        };
        // The last one is the most recent; when it is too old, all are, for good.
        match open.pop() {
            Some((order, time)) if fact.time - time <= within => {
                self.emit(spec, fact, &order, sinks)
            }
            Some(_) | None => {
                open.clear();
                reject_unmatched(fact.line, sinks)
            }
        }
    }

    fn label_orders(self, data_end: Timestamp, sinks: &mut Sinks<'_>) -> Result<(), Error> {
        let mut sorted = self.hits.finish()?;
        let mut placed: Option<(OrderKey, Timestamp, Vec<bool>)> = None;
        let mut facts: Vec<LaterFact> = Vec::new();
        while let Some((_, value)) = sorted.next()? {
            let hit: Hit = postcard::from_bytes(&value).map_err(|_| sorted.folder().damaged())?;
            match hit.what {
                HitKind::Placed { findable } => {
                    if let Some((key, time, findable)) = placed.take() {
                        let order = Judged { key, time, findable, facts: &facts };
                        label_order(self.rules, &order, data_end, sinks)?;
                    }
                    facts.clear();
                    placed = Some((hit.key, hit.time, findable));
                }
                HitKind::Fact { spec, sku, amount } => {
                    if placed.as_ref().is_some_and(|(key, _, _)| *key == hit.key) {
                        facts.push(LaterFact { spec, time: hit.time, sku, amount });
                    }
                }
            }
        }
        if let Some((key, time, findable)) = placed {
            let order = Judged { key, time, findable, facts: &facts };
            label_order(self.rules, &order, data_end, sinks)?;
        }
        Ok(())
    }
}

fn reject_unmatched(line: u64, sinks: &mut Sinks<'_>) -> Result<(), Error> {
    let reject = Reject { line, reason: Reason::Unmatched, column: "".into(), value: "".into() };
    sinks.rejects.push(&reject, sinks.summary)
}

/// What orders and facts must have in common; `None` when a part is unknown.
fn group_key(
    spec: usize,
    kinds: &[EntityKind],
    entities: &[EntityRef],
    sku: Option<&EntityRef>,
) -> Option<Vec<u8>> {
    let mut key = spec.to_be_bytes().to_vec();
    for &kind in kinds {
        let entity = if kind == EntityKind::Sku {
            sku?
        } else {
            entities.iter().find(|entity| entity.kind == kind)?
        };
        key.extend(entity.key.to_string().as_bytes());
        key.push(0);
    }
    Some(key)
}

/// Bytes that bring the rows of one order together.
pub(super) fn order_sort_key(order: &OrderKey) -> Vec<u8> {
    let mut key = Vec::with_capacity(order.channel.len() + order.order_id.len() + 24);
    key.extend(order.channel.as_bytes());
    key.push(0);
    key.extend(order.order_id.as_bytes());
    key.push(0);
    key
}

/// Sets a record aside under a key.
pub(super) fn push<T: Serialize>(sorter: &mut Sorter, key: &[u8], record: &T) -> Result<(), Error> {
    let bytes = postcard::to_stdvec(record).map_err(|_| sorter.damaged())?;
    sorter.push(key, &bytes)
}

fn to_fact(spec: &EventSpec, line: FactLine, order: OrderKey) -> Option<Fact> {
    let amount = line.amount;
    Some(match spec.fact {
        FactKind::OrderPaid => Fact::OrderPaid(OrderAmount { order, amount }),
        FactKind::OrderCancelled => {
            // The mapping's check demands a reason for cancellations.
            Fact::OrderCancelled(OrderCancelled { order, reason: spec.reason? })
        }
        FactKind::StockReserved => Fact::StockReserved(OrderStep { order }),
        FactKind::OrderShipped => Fact::OrderShipped(OrderStep { order }),
        FactKind::OrderDelivered => Fact::OrderDelivered(OrderStep { order }),
        FactKind::OrderReturned => {
            Fact::OrderReturned(OrderReturned { order, sku: line.sku, amount })
        }
        FactKind::OrderRefunded => Fact::OrderRefunded(OrderAmount { order, amount }),
        FactKind::OrderChargedBack => Fact::OrderChargedBack(OrderAmount { order, amount }),
    })
}
