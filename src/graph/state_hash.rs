//! One hash of what the graph knows, whatever the order of telling.
//!
//! Orders, entities, words, markets and waiting facts are hashed one by one, with names
//! where the graph keeps numbers of arrival; the hash of the graph is that of their
//! sorted hashes. What retention and budget forget counts as forgotten, whether or not it
//! was swept yet. Left out is what only tells how things came here ([`GraphCounts`]) or is
//! worked out of the rest: pairs and traits of hubs, and who ever shared a thing.
//!
//! [`GraphCounts`]: crate::domain::graph_status::GraphCounts

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::entity::EntityRef;
use crate::domain::head::HeadId;
use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, NOBODY, OrderNo, column};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::label_log::LabelLog;
use crate::graph::node::Node;
use crate::graph::order_table::{OrderDigest, OrderFact};
use crate::graph::order_truths::{OrderTruth, OrderTruths};
use crate::graph::totals::Totals;

type Hash = [u8; 32];
/// A word of a category, by the names of both.
type Word<'a> = (&'a str, Option<&'a str>);

/// The graph as it is hashed.
struct View<'a> {
    graph: &'a KnowledgeGraph,
    /// What is older is forgotten.
    horizon: Timestamp,
    /// Words by place.
    words: BTreeMap<u32, Word<'a>>,
    parts: Vec<Hash>,
}

impl KnowledgeGraph {
    /// Digest of what the graph knows: 256 bits of BLAKE3.
    ///
    /// Equal for the same facts told in any order, as far as the graph promises the same
    /// reads. Takes about a microsecond and 32 bytes for each order and entity.
    pub fn state_hash(&self) -> [u8; 32] {
        let words =
            self.categories.words().map(|(category, word, place)| (place, (category, word)));
        let mut view = View {
            graph: self,
            horizon: self.horizon(),
            words: words.collect(),
            parts: Vec::new(),
        };
        view.add(&("settings", &self.settings, self.newest, view.horizon));
        view.add_orders();
        for (at, (entity, node)) in (0_u32..).zip(&self.nodes) {
            view.add_node((at, entity), node);
        }
        view.add_words();
        view.add_market();
        view.add_early();
        let heads = self.heads.iter().zip(&self.head_labels);
        for (head, labels) in heads {
            view.add(&("head", head, labels.since(view.horizon)));
        }
        view.finish()
    }
}

impl<'a> View<'a> {
    fn add(&mut self, part: &impl Serialize) {
        // Hashing writes to memory, which cannot fail; an error would show as the hash of nothing.
        let hasher = postcard::to_io(part, blake3::Hasher::new());
        self.parts.push(hasher.map_or([0; 32], |hasher| *hasher.finalize().as_bytes()));
    }

    fn finish(mut self) -> Hash {
        self.parts.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        for part in &self.parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    fn add_orders(&mut self) {
        let arena = &self.graph.arena;
        for (digest, no, told) in self.graph.orders.iter() {
            let row = arena.row(no);
            if row.time < self.horizon {
                continue;
            }
            let who = row.who.map(|node| self.entity(node));
            let lines = arena.lines(no).iter().map(|line| (self.entity(line.sku), line.size));
            let lines: Vec<_> = lines.collect();
            let words = arena.categories(no).iter().map(|place| self.words.get(place).copied());
            let words: Vec<_> = words.collect();
            let event_id = arena.event_id(no);
            self.add(&("order", digest, event_id, row.time, row.size, who, lines, words));
            if let Some(told) = told {
                self.add(&("told", digest, &told.steps, self.truths(&told.truths)));
            }
        }
    }

    /// By the names of heads, whose slots go by arrival.
    fn truths(&self, truths: &OrderTruths) -> Vec<(Option<&'a HeadId>, OrderTruth)> {
        let named = truths.iter().map(|&it| (self.head(it.head), OrderTruth { head: 0, ..it }));
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        named
    }

    fn add_node(&mut self, (at, entity): (u32, &EntityRef), node: &Node) {
        let arena = &self.graph.arena;
        let member = Member { node: at, column: column(entity.kind) };
        let mut totals = node.dropped_totals();
        let mut orders: Vec<OrderDigest> = Vec::new();
        for (no, time) in node.postings.newest_first(arena, Timestamp(i64::MAX)) {
            if time < self.horizon {
                totals = totals.plus(Totals::of(arena.size(no, member)));
            } else {
                orders.push(arena.digest(no));
            }
        }
        let labels = node.labels.iter().map(|(head, log)| (*head, log.since(self.horizon)));
        let labels = self.by_head(labels);
        let first_seen = node.first_seen(arena);
        self.add(&("node", entity, first_seen, totals, orders, labels, &node.facts));
    }

    fn add_words(&mut self) {
        let categories = &self.graph.categories;
        for (place, word) in self.words.clone() {
            let (orders, labels) = categories.since(place, self.horizon);
            if orders.is_empty() && labels.iter().all(LabelLog::is_empty) {
                continue;
            }
            let labels = self.by_head((0_u8..).zip(labels).filter(|(_, log)| !log.is_new()));
            self.add(&("word", word, orders, labels));
        }
        for (category, times) in categories.orders() {
            let times: Vec<_> = times.iter().filter(|&&time| self.horizon <= time).collect();
            if !times.is_empty() {
                self.add(&("category", category, times));
            }
        }
    }

    fn add_market(&mut self) {
        for (&(sku, region), log) in &self.graph.market {
            let mut kept = log.clone();
            kept.expire(self.graph.retained_since());
            let (before, newest) =
                (Timestamp(self.horizon.0.saturating_sub(1)), Timestamp(i64::MAX));
            let sales = kept.sales.newest(before, newest);
            let sales: Vec<_> = sales.map(|(no, n)| (self.digest(no), n)).collect();
            self.add(&("market", self.entity(sku), self.entity(region), kept.told(), sales));
        }
    }

    fn add_early(&mut self) {
        for (order, time, fact) in self.graph.orders.early() {
            if time < self.horizon {
                continue;
            }
            match fact {
                OrderFact::Step(step) => self.add(&("early", order, time, step)),
                OrderFact::Truth { head, verdict, concerns } => {
                    self.add(&("early", order, time, self.head(*head), verdict, concerns));
                }
            }
        }
    }

    fn by_head(
        &self,
        labels: impl Iterator<Item = (u8, LabelLog)>,
    ) -> BTreeMap<Option<&'a HeadId>, LabelLog> {
        labels.map(|(head, log)| (self.head(head), log)).collect()
    }

    fn head(&self, slot: u8) -> Option<&'a HeadId> {
        self.graph.heads.get(usize::from(slot))
    }

    fn entity(&self, node: u32) -> Option<&'a EntityRef> {
        if node == NOBODY {
            return None;
        }
        self.graph.nodes.get_index(node as usize).map(|(entity, _)| entity)
    }

    fn digest(&self, no: OrderNo) -> Option<OrderDigest> {
        self.graph.arena.holds(no).then(|| self.graph.arena.digest(no))
    }
}
