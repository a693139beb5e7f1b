//! Evidence: the part of the graph that shows why features have their values.
//!
//! Each feature says what it counts ([`Shows`]); the witness is those links, and for
//! rings the shortest ways through shared entities (`joined_evidence`), on a small
//! petgraph graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graph::{NodeIndex, UnGraph};

use crate::domain::entity::EntityKind;
use crate::domain::evidence::{
    EVIDENCE_NODES_MAX, Evidence, EvidenceEdge, EvidenceNode, LINK_EVENTS_MAX,
};
use crate::domain::head::HeadId;
use crate::domain::order::Order;
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx, has_meetings};
use crate::graph::removal::other_leaves;
use crate::graph::settings::COHORT_ACCOUNTS_MAX;

/// Most counterparts shown for one feature of one entity.
pub(super) const COUNTERPARTS_MAX: usize = 6;
/// Most entities of the order, SKUs of a basket, that one feature is shown for.
const OWN_MAX: usize = 6;
/// Most counterparts looked at to find those that count.
pub(super) const CANDIDATES_MAX: usize = 48;
/// By whom or what an entity's orders are shown, the first kind that there is.
const TELLING_KINDS: [EntityKind; 4] =
    [EntityKind::Account, EntityKind::Sku, EntityKind::Merchant, EntityKind::PaymentInstrument];

/// A feature that evidence is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceWant {
    /// Feature id.
    pub feature: Arc<str>,
    /// Kind of the order's entity whose past the feature reads.
    pub entity: EntityKind,
    /// What the feature reads of it.
    pub shows: Shows,
}

/// What a feature reads of an entity's past, hence what its witness shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The entity by itself: nothing that it met is remembered with the fact.
    Itself,
    /// Counterparts of a kind that were met in a window.
    Met(EntityKind, Window),
    /// Accounts met in a window that were not a day old at the judgment.
    FreshAccounts(Window),
    /// The orders of a window: by who placed them, for accounts by what they bought.
    Orders(Window),
    /// The last order alone.
    LastOrder,
    /// Bad verdicts of a head in a window, by the accounts that have such verdicts: a verdict
    /// does not know its order, so another order of the account may be meant.
    Bad(HeadId, Window),
    /// Meetings with the order's own entities of a kind in a window.
    Pair(EntityKind, Window),
    /// The linked accounts, with what links them.
    Ring,
    /// The consumer's other accounts, with the strong things that they share with this one.
    Identity,
    /// The accounts of the last day, with the things that two of them named before.
    Acquainted,
    /// Buyers of a SKU in the order's region in a window who are of one ring, with the things
    /// that join them.
    JoinedBuyers(Window),
}

/// What links two nodes, gathered over all features that need the link.
#[derive(Debug)]
pub(super) struct Link {
    /// The end that would leave the orders, and the other.
    ends: (NodeIdx, NodeIdx),
    n_orders: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    pub(super) features: BTreeSet<Arc<str>>,
}

/// Evidence in the making: what is shown, and what paths are looked for in.
pub(super) struct Surroundings<'a> {
    pub(super) graph: &'a KnowledgeGraph,
    pub(super) order: &'a Order,
    pub(super) as_of: Timestamp,
    pub(super) around: UnGraph<NodeIdx, Link>,
    places: BTreeMap<NodeIdx, NodeIndex>,
    pub(super) witness: BTreeSet<NodeIndex>,
    pub(super) is_truncated: bool,
}

/// Counterparts to show, the most telling first, and how many there are to tell.
struct Shown {
    kind: EntityKind,
    counterparts: Vec<NodeIdx>,
    n_counted: u64,
}

impl KnowledgeGraph {
    /// The witness of the wanted features, deterministic: the order's entities first, then
    /// the counterparts that each feature counts, most recently met first. Marked as
    /// truncated when fewer are shown than counted.
    pub fn evidence(&self, order: &Order, as_of: Timestamp, wants: &[EvidenceWant]) -> Evidence {
        let mut around = Surroundings {
            graph: self,
            order,
            as_of,
            around: UnGraph::default(),
            places: BTreeMap::new(),
            witness: BTreeSet::new(),
            is_truncated: false,
        };
        let own: Vec<NodeIdx> = order.nodes().filter_map(|entity| self.find(entity)).collect();
        for want in wants {
            if want.shows == Shows::Identity {
                around.show_identity(want);
            }
            let of_kind = self.own_of(order, want.entity);
            around.is_truncated |= OWN_MAX < of_kind.len();
            for node in of_kind.into_iter().take(OWN_MAX) {
                around.show(node, want);
            }
        }
        around.into_evidence(&own)
    }

    /// Nodes of the order's entities of a kind, each once: of one, unless they are SKUs.
    fn own_of(&self, order: &Order, kind: EntityKind) -> Vec<NodeIdx> {
        if kind != EntityKind::Sku {
            return order.entity(kind).and_then(|entity| self.find(entity)).into_iter().collect();
        }
        let mut skus = Vec::new();
        for sku in order.items.iter().filter_map(|item| self.find(&item.sku)) {
            if !skus.contains(&sku) {
                skus.push(sku);
            }
        }
        skus
    }
}

impl<'a> Surroundings<'a> {
    fn show(&mut self, node: NodeIdx, want: &EvidenceWant) {
        let place = self.place(node);
        self.witness.insert(place);
        let Some(past) = self.graph.history(node, self.as_of) else { return };
        let shown = match &want.shows {
            Shows::Ring => return self.show_ring(node, want),
            Shows::JoinedBuyers(window) => return self.show_buyers(node, *window, want),
            Shows::Itself | Shows::Identity => return,
            Shows::Acquainted => {
                self.show_acquaintances(&past, want);
                met(&past, EntityKind::Account, Window::Day)
            }
            Shows::Met(kind, window) => met(&past, *kind, *window),
            Shows::FreshAccounts(window) => self.fresh_accounts(&past, *window),
            Shows::Orders(window) => {
                let Some(kind) = telling_kind(&past, want.entity, *window) else { return };
                met(&past, kind, *window)
            }
            Shows::LastOrder => {
                let Some(kind) = telling_kind(&past, want.entity, Window::Ever) else { return };
                let counterparts = past.recent(kind, Window::Ever, 1);
                Shown { kind, n_counted: 1, counterparts }
            }
            Shows::Bad(head, window) => self.known_bad(&past, head, *window),
            Shows::Pair(kind, window) => self.own_pairs(&past, *kind, *window),
        };
        let n_counted = usize::try_from(shown.n_counted).unwrap_or(usize::MAX);
        self.is_truncated |= shown.counterparts.len().min(COUNTERPARTS_MAX) < n_counted;
        for &counterpart in shown.counterparts.iter().take(COUNTERPARTS_MAX) {
            self.connect(node, counterpart, shown.kind);
            self.tell(node, counterpart, &want.feature);
        }
    }

    fn fresh_accounts(&self, past: &History<'_>, window: Window) -> Shown {
        let kind = EntityKind::Account;
        let mut counterparts = past.recent(kind, window, COHORT_ACCOUNTS_MAX);
        counterparts.retain(|&account| {
            let opened = self.history(account).and_then(|past| past.opened());
            opened.is_some_and(|at| self.as_of - at <= Span::DAY)
        });
        Shown { kind, n_counted: counterparts.len() as u64, counterparts }
    }

    /// Accounts with bad verdicts; none for an account, whose verdicts are its own.
    fn known_bad(&self, past: &History<'_>, head: &HeadId, window: Window) -> Shown {
        let kind = EntityKind::Account;
        let slot = self.graph.head_slot(head);
        let n_bad = |past: &History<'_>| slot.map_or(0, |slot| past.labels(slot, window).n_bad);
        let n_of_entity = n_bad(past);
        let mut counterparts = Vec::new();
        if 0 < n_of_entity {
            counterparts = past.recent(kind, Window::Ever, CANDIDATES_MAX);
            counterparts.retain(|&account| self.history(account).is_some_and(|it| 0 < n_bad(&it)));
        }
        // One account may have several.
        let n_counted = (counterparts.len() as u64).max(n_of_entity.min(1));
        Shown { kind, counterparts, n_counted }
    }

    /// The order's own counterparts, those that were met in the window. All are part of the
    /// witness: that two never met is told by the link that is missing.
    fn own_pairs(&mut self, past: &History<'_>, kind: EntityKind, window: Window) -> Shown {
        let mut counterparts = Vec::new();
        let own = self.graph.own_of(self.order, kind);
        self.is_truncated |= OWN_MAX < own.len();
        for other in own.into_iter().take(OWN_MAX) {
            let place = self.place(other);
            self.witness.insert(place);
            let is_met = past.pair(other, kind).is_some_and(|pair| {
                window.span().is_none_or(|span| self.as_of - span < pair.last_seen)
            });
            if is_met {
                counterparts.push(other);
            }
        }
        Shown { kind, n_counted: counterparts.len() as u64, counterparts }
    }

    /// Marks a link as evidence for a feature.
    pub(super) fn tell(&mut self, node: NodeIdx, other: NodeIdx, feature: &str) {
        let (from, to) = (self.place(node), self.place(other));
        if let Some(edge) = self.around.find_edge(from, to) {
            self.around[edge].features.insert(feature.into());
            self.witness.extend([from, to]);
        }
    }

    pub(super) fn history(&self, node: NodeIdx) -> Option<History<'a>> {
        self.graph.history(node, self.as_of)
    }

    pub(super) fn place(&mut self, node: NodeIdx) -> NodeIndex {
        let around = &mut self.around;
        *self.places.entry(node).or_insert_with(|| around.add_node(node))
    }

    pub(super) fn connect(&mut self, node: NodeIdx, other: NodeIdx, kind: EntityKind) {
        let (from, to) = (self.place(node), self.place(other));
        if self.around.find_edge(from, to).is_some() {
            return;
        }
        let Some(past) = self.history(node) else { return };
        let Some(pair) = past.pair(other, kind) else { return };
        let link = Link {
            ends: if other_leaves(past.kind, kind) { (other, node) } else { (node, other) },
            n_orders: pair.n_orders,
            first_seen: past.first_met(other, kind).unwrap_or(pair.last_seen),
            last_seen: pair.last_seen,
            features: BTreeSet::new(),
        };
        self.around.add_edge(from, to, link);
    }

    fn into_evidence(mut self, own: &[NodeIdx]) -> Evidence {
        let shown = own.iter().filter_map(|node| self.places.get(node));
        let mut kept: Vec<NodeIndex> = Vec::new();
        for &place in shown.chain(&self.witness) {
            if self.witness.contains(&place) && !kept.contains(&place) {
                kept.push(place);
            }
        }
        self.is_truncated |= EVIDENCE_NODES_MAX < kept.len();
        kept.truncate(EVIDENCE_NODES_MAX);
        let nodes = kept.iter().filter_map(|&place| self.node(self.around[place], own)).collect();
        let position = |place: NodeIndex| {
            kept.iter().position(|&kept| kept == place).and_then(|at| u32::try_from(at).ok())
        };
        let mut edges = Vec::new();
        for link in self.around.edge_weights() {
            let [from, to] = [link.ends.0, link.ends.1].map(|end| self.places[&end]);
            if let (Some(from), Some(to)) = (position(from), position(to))
                && !link.features.is_empty()
            {
                edges.push(EvidenceEdge {
                    from,
                    to,
                    n_orders: link.n_orders,
                    event_ids: self.events(link.ends),
                    first_seen: link.first_seen,
                    last_seen: link.last_seen,
                    features: link.features.iter().cloned().collect(),
                    delta_if_removed: None,
                });
            }
        }
        edges.sort_by_key(|edge| (edge.from, edge.to));
        Evidence { nodes, edges, is_truncated: self.is_truncated }
    }

    /// Events that told the orders of two nodes.
    fn events(&self, (one, other): (NodeIdx, NodeIdx)) -> Vec<Box<str>> {
        let (Some(past), Some(entity)) = (self.history(one), self.graph.entity(other)) else {
            return Vec::new();
        };
        past.events_with(other, entity.kind, LINK_EVENTS_MAX)
    }

    fn node(&self, node: NodeIdx, own: &[NodeIdx]) -> Option<EvidenceNode> {
        let past = self.history(node)?;
        Some(EvidenceNode {
            entity: self.graph.entity(node)?.clone(),
            n_orders: past.totals(Window::Ever).n_orders,
            n_bad: past.n_bad(),
            is_hub: past.is_hub(),
            is_of_order: own.contains(&node),
        })
    }
}

fn met(past: &History<'_>, kind: EntityKind, window: Window) -> Shown {
    let counterparts = past.recent(kind, window, COUNTERPARTS_MAX);
    Shown { kind, counterparts, n_counted: past.n_distinct(kind, window) }
}

/// The kind that an entity's orders are shown by; none for regions and channels, of which
/// nobody remembers whom they met.
fn telling_kind(past: &History<'_>, entity: EntityKind, window: Window) -> Option<EntityKind> {
    if !has_meetings(entity) {
        return None;
    }
    let mut others = TELLING_KINDS.into_iter().filter(|&kind| kind != entity);
    others.find(|&kind| 0 < past.n_distinct(kind, window))
}
