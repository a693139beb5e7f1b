//! Who is stopped, per kind of synthetic buyer, beside the rule of one IP.
//!
//! Everything here is judged against the truth file, not against the labels that
//! the stream tells (some of which come late, never or wrong). Two ways to stop
//! are shown, each at the same price: at most 1 % of all good orders.
//! `model`: every risk head may stop the same share of the good orders, so that a
//! frequent risk that is hard to see does not use up the price of the others.
//! `largest p`: one threshold on the largest calibrated probability.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::cli::identity_check::{IdentityCheck, Persons};
use crate::cli::kept_orders::KeptOrders;
use crate::cli::truth_file::{OrderTruth, TruthFile};
use crate::domain::event::{Event, Fact};
use crate::domain::head::{HeadId, HeadKind, RiskType};
use crate::domain::order::OrderKey;
use crate::domain::share::Share;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::KnowledgeGraph;
use crate::simulator::rule::IpBurstRule;
use crate::training::evaluate::{FPR_MAX, ScoredRow};
use crate::workflow::judge_actions::KnownOrder;

/// Share of good orders that the model's threshold may stop.
const GOOD_STOPPED_SHARE: f64 = 0.01;

/// Watches a stream with the truth in hand.
#[derive(Debug)]
pub struct Watch {
    truth: TruthFile,
    rule: IpBurstRule,
    stopped_by_rule: BTreeSet<OrderKey>,
    persons: Persons,
    kept: KeptOrders,
}

/// Orders stopped per kind of buyer, by the model and by the rule.
#[derive(Clone, Debug, Serialize)]
pub struct ArchetypeTable {
    /// Share of the good orders that each risk head may stop, so that all heads
    /// together stop at most 1 %.
    pub head_budget: f64,
    /// Largest calibrated probability over the risk heads that is spared.
    pub threshold: f64,
    /// One per kind of buyer and care; bad kinds first.
    pub rows: Vec<ArchetypeRow>,
    /// All good orders together, then all bad ones.
    pub totals: Vec<ArchetypeRow>,
    /// One per risk head, each with a threshold of its own.
    pub heads: Vec<HeadTruth>,
}

/// One kind of buyer.
#[derive(Clone, Debug, Serialize)]
pub struct ArchetypeRow {
    /// Kind of buyer.
    pub archetype: Box<str>,
    /// `all`; or `open` or `careful`, the two parts of a bad kind.
    pub part: &'static str,
    /// True when its orders are honest.
    pub is_good: bool,
    /// Orders judged.
    pub orders: u64,
    /// Rings, campaigns or families they belong to: orders of one are alike,
    /// so the intervals, which count orders, are too narrow where rings are few.
    pub rings: u64,
    /// Stopped by any risk head within its budget.
    pub model: Share,
    /// Stopped by one threshold on the largest probability.
    pub by_probability: Share,
    /// Stopped by the rule.
    pub rule: Share,
}

/// How well a head finds its risk, by the truth.
#[derive(Clone, Debug, Serialize)]
pub struct HeadTruth {
    /// Which head.
    pub head: HeadId,
    /// Orders that are not this risk; at most 1 % of them reach the threshold.
    pub negatives: u64,
    /// Found at a false positive rate of at most 1 %.
    pub recall: Share,
}

impl Watch {
    /// Reads a truth file that `orderlens simulate` wrote.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn open(path: &Path) -> miette::Result<Self> {
        Ok(Self::new(TruthFile::open(path)?))
    }

    fn new(truth: TruthFile) -> Self {
        Self {
            truth,
            rule: IpBurstRule::default(),
            stopped_by_rule: BTreeSet::new(),
            persons: Persons::default(),
            kept: KeptOrders::default(),
        }
    }

    /// Lets the rule see an event, and keeps whose account it is about.
    pub fn observe(&mut self, event: &Event) {
        self.persons.observe(event, &self.truth);
        if let Fact::OrderPlaced(order) = &event.fact {
            self.kept.observe(order, event.event_time, &self.truth);
            self.stopped_by_rule.extend(self.rule.observe(order, event.event_time));
        }
    }

    /// Keeps the orders placed since an instant, with what they truly were.
    #[must_use]
    pub fn keeping_from(mut self, from: Timestamp) -> Self {
        self.kept.keep_from(from);
        self
    }

    /// The orders that were kept.
    pub fn kept(&self) -> &BTreeMap<OrderKey, KnownOrder> {
        self.kept.orders()
    }

    /// How right the identity links of accounts that ordered since `from` are in the end.
    pub fn identity(
        &self,
        graph: &KnowledgeGraph,
        from: Timestamp,
        end: Timestamp,
    ) -> Option<IdentityCheck> {
        self.persons.check(graph, from, end)
    }

    /// The tables over the judged orders; orders without a truth are left out.
    pub fn table(self, rows: &[ScoredRow]) -> ArchetypeTable {
        let judged = self.judged(rows);
        let good = || judged.iter().filter(|order| order.truth.is_good);
        let limits = Limits {
            suspicion: lowest_threshold(
                good().map(|order| order.suspicion).collect(),
                GOOD_STOPPED_SHARE,
            ),
            probability: lowest_threshold(
                good().map(|order| order.probability).collect(),
                GOOD_STOPPED_SHARE,
            ),
        };
        let mut groups: BTreeMap<(bool, &str, &'static str), Tally> = BTreeMap::new();
        let mut totals: BTreeMap<bool, Tally> = BTreeMap::new();
        for order in &judged {
            let OrderTruth { archetype, is_good, is_careful, .. } = order.truth;
            let part = if *is_careful { "careful" } else { "open" };
            let parts: &[&'static str] = if *is_good { &["all"] } else { &["all", part] };
            for part in parts {
                groups.entry((*is_good, archetype, part)).or_default().add(order, &limits);
            }
            totals.entry(*is_good).or_default().add(order, &limits);
        }
        let kinds = groups.into_iter().map(|(group, tally)| tally.row(group));
        let totals = totals.into_iter().map(|(is_good, tally)| {
            let name = if is_good { "every good order" } else { "every bad order" };
            tally.row((is_good, name, "all"))
        });
        ArchetypeTable {
            head_budget: 1.0 - limits.suspicion,
            threshold: limits.probability,
            rows: kinds.collect(),
            totals: totals.collect(),
            heads: self.heads(rows),
        }
    }

    /// One entry per order, with the most suspicious answer over the risk heads.
    fn judged(&self, rows: &[ScoredRow]) -> Vec<Judged<'_>> {
        let risk_rows = || rows.iter().filter(|row| row.kind == HeadKind::Risk);
        let mut good_scores: BTreeMap<&HeadId, Vec<f64>> = BTreeMap::new();
        for row in risk_rows() {
            if self.truth.get(&row.order).is_some_and(|truth| truth.is_good) {
                good_scores.entry(&row.head).or_default().push(row.raw);
            }
        }
        for scores in good_scores.values_mut() {
            scores.sort_by(f64::total_cmp);
        }
        let mut worst: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for row in risk_rows() {
            let scores = good_scores.get(&row.head).map_or(&[][..], Vec::as_slice);
            let below = scores.partition_point(|score| *score < row.raw);
            let suspicion = below as f64 / scores.len().max(1) as f64;
            let order = worst.entry(&row.order).or_insert((0.0, 0.0));
            *order = (order.0.max(suspicion), order.1.max(row.probability));
        }
        let by_rule: BTreeSet<&str> =
            self.stopped_by_rule.iter().map(|order| &*order.order_id).collect();
        let judged = worst.into_iter().filter_map(|(order, (suspicion, probability))| {
            let is_stopped_by_rule = by_rule.contains(order);
            let truth = self.truth.get(order)?;
            Some(Judged { truth, suspicion, probability, is_stopped_by_rule })
        });
        judged.collect()
    }

    /// Recall per risk head: every order that is not this risk counts as a negative.
    fn heads(&self, rows: &[ScoredRow]) -> Vec<HeadTruth> {
        let head = |(position, risk): (usize, RiskType)| {
            let of_head = rows.iter().filter(|row| &*row.head.0 == risk.as_str());
            let known = of_head.filter_map(|row| Some((self.truth.get(&row.order)?, row.raw)));
            let (bad, other): (Vec<_>, Vec<_>) =
                known.partition(|(truth, _)| truth.risks[position]);
            if bad.is_empty() {
                return None;
            }
            let negatives = other.len() as u64;
            let scores = other.into_iter().map(|(_, raw)| raw).collect();
            let threshold = lowest_threshold(scores, FPR_MAX);
            let found = bad.iter().filter(|(_, raw)| threshold <= *raw).count() as u64;
            let recall = Share::new(found, bad.len() as u64);
            Some(HeadTruth { head: HeadId(risk.as_str().into()), negatives, recall })
        };
        RiskType::ALL.into_iter().enumerate().filter_map(head).collect()
    }
}

/// One order with all that the table needs.
struct Judged<'a> {
    truth: &'a OrderTruth,
    /// Largest share over the heads of the good orders that score lower.
    suspicion: f64,
    /// Largest calibrated probability over the heads.
    probability: f64,
    is_stopped_by_rule: bool,
}

/// From where on orders are stopped.
struct Limits {
    suspicion: f64,
    probability: f64,
}

/// Counts on their way to a row.
#[derive(Default)]
struct Tally {
    orders: u64,
    rings: BTreeSet<u32>,
    stopped_by_model: u64,
    stopped_by_probability: u64,
    stopped_by_rule: u64,
}

impl Tally {
    fn add(&mut self, order: &Judged<'_>, limits: &Limits) {
        self.orders += 1;
        self.rings.extend(order.truth.ring);
        self.stopped_by_model += u64::from(limits.suspicion <= order.suspicion);
        self.stopped_by_probability += u64::from(limits.probability <= order.probability);
        self.stopped_by_rule += u64::from(order.is_stopped_by_rule);
    }

    fn row(self, (is_good, archetype, part): (bool, &str, &'static str)) -> ArchetypeRow {
        ArchetypeRow {
            archetype: archetype.into(),
            part,
            is_good,
            orders: self.orders,
            rings: self.rings.len() as u64,
            model: Share::new(self.stopped_by_model, self.orders),
            by_probability: Share::new(self.stopped_by_probability, self.orders),
            rule: Share::new(self.stopped_by_rule, self.orders),
        }
    }
}

/// The lowest threshold that at most the given share of these scores reaches.
fn lowest_threshold(mut scores: Vec<f64>, share: f64) -> f64 {
    scores.sort_by(|a, b| b.total_cmp(a));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let allowed = (scores.len() as f64 * share).floor() as usize;
    scores.get(allowed).map_or(f64::NEG_INFINITY, |first_spared| first_spared.next_up())
}

impl fmt::Display for ArchetypeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SYNTHETIC buyers, judged by the truth: orders stopped in percent, [95 %]")?;
        writeln!(f, "model, largest p: each stops at most 1 % of all good orders")?;
        writeln!(f, "  model: every risk head stops {:.2} % of them", 100.0 * self.head_budget)?;
        writeln!(f, "  largest p: the largest risk probability is above {:.4}", self.threshold)?;
        writeln!(f, "rule: 12 orders of one IP within 5 minutes")?;
        writeln!(
            f,
            "{:<20} {:<8} {:<5} {:>7} {:>5}  {:<21} {:<21} {:<21}",
            "buyer", "part", "truth", "orders", "rings", "model", "largest p", "rule"
        )?;
        for row in self.rows.iter().chain(&self.totals) {
            let truth = if row.is_good { "good" } else { "bad" };
            let ArchetypeRow { archetype, part, orders, rings, .. } = row;
            write!(f, "{archetype:<20} {part:<8} {truth:<5} {orders:>7} {rings:>5}  ")?;
            writeln!(f, "{:<21} {:<21} {:<21}", row.model, row.by_probability, row.rule)?;
        }
        writeln!(f, "\nrecall per head at 1 % of all orders that are not its risk, by the truth")?;
        for HeadTruth { head, recall, .. } in &self.heads {
            writeln!(f, "{:<20} {:>8} bad  {recall}", &*head.0, recall.of)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::training::evaluate::Standing;

    const HEADING: &str = "order_id,archetype,ring,is_careful,is_good,\
        payment_fraud,reseller_hoarding,promo_abuse,fake_order,return_abuse";

    /// 200 shoppers `g0…` and ten gang orders `b0…`, the last five of a careful ring.
    fn watch() -> Watch {
        let mut csv = format!("{HEADING}\n");
        for n in 0..200 {
            writeln!(csv, "g{n},shopper,,0,1,0,0,0,0,0").unwrap();
        }
        for n in 0..10 {
            writeln!(csv, "b{n},coupon_gang,{0},{0},0,0,0,1,0,0", n / 5).unwrap();
        }
        Watch::new(TruthFile::read(csv.as_bytes()).unwrap())
    }

    fn row(order: &str, head: RiskType, probability: f64) -> ScoredRow {
        ScoredRow {
            order: order.into(),
            time: Timestamp(0),
            head: HeadId(head.as_str().into()),
            kind: HeadKind::Risk,
            probability,
            raw: probability,
            interval: (probability, probability),
            order_idx: 0,
            // What the stream told is wrong everywhere: the truth has to win.
            label: 1.0,
            account: 0,
            standing: Standing::Counted,
        }
    }

    #[test]
    fn at_most_one_percent_of_the_good_orders_pays_for_what_is_caught() {
        let mut rows: Vec<ScoredRow> = (0..200)
            .map(|n| row(&format!("g{n}"), RiskType::PromoAbuse, f64::from(n) / 1_000.0))
            .collect();
        rows.extend((0..10).map(|n| {
            let probability = if n < 5 { 0.9 } else { 0.1 };
            row(&format!("b{n}"), RiskType::PromoAbuse, probability)
        }));
        // The largest probability over the heads counts.
        rows.push(row("b9", RiskType::FakeOrder, 0.8));
        rows.extend((0..200).map(|n| row(&format!("g{n}"), RiskType::FakeOrder, 0.0)));
        rows.push(row("nobody", RiskType::FakeOrder, 0.8));
        let table = watch().table(&rows);
        let found: Vec<_> = table
            .rows
            .iter()
            .map(|row| (&*row.archetype, row.part, row.orders, row.rings, row.model.count))
            .collect();
        let expected = [
            ("coupon_gang", "all", 10, 2, 6),
            ("coupon_gang", "careful", 5, 1, 1),
            ("coupon_gang", "open", 5, 1, 5),
            ("shopper", "all", 200, 0, 2),
        ];
        assert_eq!(found, expected);
        assert_eq!(table.totals.iter().map(|row| row.model.count).collect::<Vec<_>>(), [6, 2]);
        let recall: Vec<_> = table.heads.iter().map(|h| (&*h.head.0, h.recall.count)).collect();
        assert_eq!(recall, [("promo_abuse", 5)]);
    }
}
