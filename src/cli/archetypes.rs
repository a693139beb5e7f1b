//! Who is stopped: a table per kind of synthetic buyer, beside the IP rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use miette::{Context, IntoDiagnostic};
use serde::Serialize;

use crate::domain::event::{Event, Fact};
use crate::domain::head::HeadKind;
use crate::domain::order::OrderKey;
use crate::simulator::rule::IpBurstRule;
use crate::training::evaluate::ScoredRow;

/// Share of good orders that the model's threshold may stop.
const GOOD_STOPPED_SHARE: f64 = 0.01;

/// Watches a stream with the truth in hand.
#[derive(Debug)]
pub struct Watch {
    truth: BTreeMap<Box<str>, Truth>,
    rule: IpBurstRule,
    stopped_by_rule: BTreeSet<OrderKey>,
}

#[derive(Clone, Debug)]
struct Truth {
    archetype: Box<str>,
    is_good: bool,
}

/// Orders stopped per kind of buyer, by the model and by the rule.
#[derive(Clone, Debug, Serialize)]
pub struct ArchetypeTable {
    /// Largest calibrated probability over the risk heads from which the model stops.
    pub threshold: f64,
    /// One per kind of buyer.
    pub rows: Vec<ArchetypeRow>,
}

/// One kind of buyer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ArchetypeRow {
    /// Kind of buyer.
    pub archetype: Box<str>,
    /// True when its orders are honest.
    pub is_good: bool,
    /// Orders judged.
    pub orders: u64,
    /// Stopped by the model.
    pub stopped_by_model: u64,
    /// Stopped by the rule.
    pub stopped_by_rule: u64,
}

impl Watch {
    /// Reads a truth file that `orderlens simulate` wrote.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn open(path: &Path) -> miette::Result<Self> {
        let file = std::fs::File::open(path)
            .into_diagnostic()
            .wrap_err_with(|| format!("reading {}", path.display()))?;
        let reader: Box<dyn std::io::Read> = if path.extension().is_some_and(|end| end == "gz") {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut rows = csv::Reader::from_reader(reader);
        let heading = rows.headers().into_diagnostic()?.clone();
        let column = |name: &str| {
            let at = heading.iter().position(|column| column == name);
            at.ok_or_else(|| miette::miette!("{} has no column `{name}`", path.display()))
        };
        let columns = (column("order_id")?, column("archetype")?, column("is_good")?);
        let mut truth = BTreeMap::new();
        for row in rows.records() {
            let row = row.into_diagnostic()?;
            let at = Truth { archetype: row[columns.1].into(), is_good: &row[columns.2] == "1" };
            truth.insert(row[columns.0].into(), at);
        }
        Ok(Self { truth, rule: IpBurstRule::default(), stopped_by_rule: BTreeSet::new() })
    }

    /// Lets the rule see an event.
    pub fn observe(&mut self, event: &Event) {
        if let Fact::OrderPlaced(order) = &event.fact {
            self.stopped_by_rule.extend(self.rule.observe(order, event.event_time));
        }
    }

    /// The table over the judged orders.
    pub fn table(self, rows: &[ScoredRow]) -> ArchetypeTable {
        let mut risk: BTreeMap<&str, f64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.kind == HeadKind::Risk) {
            let worst = risk.entry(&row.order).or_insert(0.0);
            *worst = worst.max(row.probability);
        }
        let threshold = self.threshold(&risk);
        let stopped: BTreeSet<&str> =
            self.stopped_by_rule.iter().map(|order| &*order.order_id).collect();
        let mut table: BTreeMap<&str, ArchetypeRow> = BTreeMap::new();
        for (order, probability) in &risk {
            let Some(truth) = self.truth.get(*order) else { continue };
            let row = table.entry(&truth.archetype).or_default();
            row.archetype = truth.archetype.clone();
            row.is_good = truth.is_good;
            row.orders += 1;
            row.stopped_by_model += u64::from(threshold <= *probability);
            row.stopped_by_rule += u64::from(stopped.contains(order));
        }
        let mut rows: Vec<_> = table.into_values().collect();
        rows.sort_by(|a, b| (a.is_good, &a.archetype).cmp(&(b.is_good, &b.archetype)));
        ArchetypeTable { threshold, rows }
    }

    /// The lowest threshold that stops at most the allowed share of good orders.
    fn threshold(&self, risk: &BTreeMap<&str, f64>) -> f64 {
        let is_good = |order: &str| self.truth.get(order).is_some_and(|truth| truth.is_good);
        let mut good: Vec<f64> =
            risk.iter().filter(|(order, _)| is_good(order)).map(|(_, p)| *p).collect();
        good.sort_by(|a, b| b.total_cmp(a));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let allowed = (good.len() as f64 * GOOD_STOPPED_SHARE).floor() as usize;
        good.get(allowed).map_or(f64::INFINITY, |first_spared| first_spared.next_up())
    }
}

impl fmt::Display for ArchetypeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SYNTHETIC buyers; the model stops at probability {:.4},", self.threshold)?;
        writeln!(
            f,
            "which is at most 1 % of all good orders; the rule: 12 orders of one IP in 5 min"
        )?;
        writeln!(f, "{:<26} {:>7} {:>9} {:>9} {:>9}", "buyer", "truth", "orders", "model", "rule")?;
        for row in &self.rows {
            let share = |n: u64| format!("{:.1} %", 100.0 * n as f64 / row.orders.max(1) as f64);
            writeln!(
                f,
                "{:<26} {:>7} {:>9} {:>9} {:>9}",
                row.archetype,
                if row.is_good { "good" } else { "bad" },
                row.orders,
                share(row.stopped_by_model),
                share(row.stopped_by_rule)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::head::HeadId;
    use crate::domain::time::Timestamp;
    use crate::training::evaluate::Standing;

    /// The table over orders named by position: true for good, and the risk.
    fn table(orders: &[(bool, f64)]) -> ArchetypeTable {
        let name = |at: usize| Box::<str>::from(format!("o{at}"));
        let truth = orders.iter().enumerate().map(|(at, &(is_good, _))| {
            let archetype = if is_good { "family" } else { "thief" };
            (name(at), Truth { archetype: archetype.into(), is_good })
        });
        let rows: Vec<ScoredRow> = orders
            .iter()
            .enumerate()
            .flat_map(|(at, &(_, risk))| {
                [
                    row(&name(at), HeadKind::Risk, risk),
                    row(&name(at), HeadKind::Risk, risk / 2.0),
                    row(&name(at), HeadKind::ImpactProbability, 1.0),
                ]
            })
            .chain([row("stranger", HeadKind::Risk, 1.0)])
            .collect();
        Watch {
            truth: truth.collect(),
            rule: IpBurstRule::default(),
            stopped_by_rule: BTreeSet::new(),
        }
        .table(&rows)
    }

    fn row(order: &str, kind: HeadKind, probability: f64) -> ScoredRow {
        ScoredRow {
            order: order.into(),
            time: Timestamp(0),
            head: HeadId("h".into()),
            kind,
            probability,
            raw: 0.0,
            label: f32::NAN,
            account: 0,
            standing: Standing::Counted,
        }
    }

    /// Orders stopped by the model: good ones and bad ones.
    fn stopped(orders: &[(bool, f64)]) -> (u64, u64) {
        let table = table(orders);
        let of = |is_good| {
            let rows = table.rows.iter().filter(|row| row.is_good == is_good);
            rows.map(|row| row.stopped_by_model).sum()
        };
        (of(true), of(false))
    }

    #[test]
    fn the_model_stops_the_riskiest_hundredth_of_good_orders_and_whoever_is_above_them() {
        let mut orders: Vec<(bool, f64)> =
            (0..250_u32).map(|n| (true, f64::from(n) / 1_000.0)).collect();
        // The third riskiest good order, at 0.247, is the first that must be spared.
        orders.extend([(false, 0.9), (false, 0.2471), (false, 0.247), (false, 0.1)]);
        assert_eq!(stopped(&orders), (2, 2));
    }

    #[test]
    fn good_orders_that_tie_are_spared_together() {
        let mut orders = vec![(true, 0.5); 200];
        orders.extend([(false, 0.5), (false, 0.6)]);
        assert_eq!(stopped(&orders), (0, 1));
    }
}
