//! The evidence of a decision on a terminal page.

use std::fmt::Write as _;

use crate::cli::paint::Tone;
use crate::cli::render::{Page, percent};
use crate::domain::evidence::{DeltaIfRemoved, Evidence, EvidenceEdge, EvidenceNode};
use crate::domain::text::Language;

/// Links of the evidence shown.
const EDGES_SHOWN: usize = 5;

impl Page {
    /// The links that features count, those that move the risk most first.
    pub(super) fn evidence(self, evidence: &Evidence) -> String {
        let mut text = String::new();
        let mut edges: Vec<&EvidenceEdge> = evidence.edges.iter().collect();
        // Links that were not weighed stay as they are.
        let moved = |edge: &EvidenceEdge| edge.delta_if_removed.map_or(0.0, |it| it.log_odds.abs());
        edges.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
        for edge in edges.into_iter().take(EDGES_SHOWN) {
            let node = |idx: u32| evidence.nodes.get(idx as usize);
            let Some((from, to)) = node(edge.from).zip(node(edge.to)) else { continue };
            let orders = self.word(if edge.n_orders == 1 { "order" } else { "orders" }, "单");
            let _ = writeln!(
                text,
                "  {} ── {} {orders} ── {}{}",
                self.node(from),
                edge.n_orders,
                self.node(to),
                edge.delta_if_removed.map_or_else(String::new, |delta| self.without_link(delta)),
            );
        }
        let n_more = evidence.edges.len().saturating_sub(EDGES_SHOWN);
        if 0 < n_more || evidence.is_truncated {
            let more = match self.language {
                Language::English => format!("  … and {n_more} more links"),
                Language::Chinese => format!("  … 另有 {n_more} 条关联"),
            };
            let _ = writeln!(text, "{}", self.ink.paint(Tone::Quiet, &more));
        }
        if text.is_empty() {
            return text;
        }
        format!("\n  {}\n{text}", self.ink.paint(Tone::Strong, self.word("Evidence", "图谱证据")))
    }

    /// What the leading risk would be without a link.
    fn without_link(self, delta: DeltaIfRemoved) -> String {
        let without = self.word("without it", "若无此关联");
        let probability = percent(delta.probability.value());
        let text = format!("  {without} {probability} ({:+.2})", delta.log_odds);
        self.ink.paint(Tone::Quiet, &text.replace('-', "−"))
    }

    fn node(self, node: &EvidenceNode) -> String {
        let label = node.entity.label();
        let bad = match (node.n_bad, self.language) {
            (0, _) => String::new(),
            (n, Language::English) => format!(" ({n} of {} bad)", node.n_orders),
            (n, Language::Chinese) => format!("（{} 单中 {n} 单有问题）", node.n_orders),
        };
        let hub = if node.is_hub { self.word(" [hub]", "［公共节点］") } else { "" };
        let tone = if 0 < node.n_bad { Tone::Bad } else { Tone::Normal };
        format!("{}{hub}", self.ink.paint(tone, &format!("{label}{bad}")))
    }
}
