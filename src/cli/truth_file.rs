//! The truth file of a synthetic stream, by order.

use std::collections::BTreeMap;
use std::path::Path;

use miette::{Context, IntoDiagnostic};

use crate::domain::head::RiskType;

/// What `orderlens simulate` knows about its orders.
#[derive(Debug, Default)]
pub struct TruthFile {
    by_order: BTreeMap<Box<str>, OrderTruth>,
}

/// What one order truly was.
#[derive(Clone, Debug)]
pub struct OrderTruth {
    /// Kind of buyer.
    pub archetype: Box<str>,
    /// Whether a bad ring hid its traces.
    pub is_careful: bool,
    /// True when stopping the order would be a mistake.
    pub is_good: bool,
    /// The ring, campaign or family it belongs to.
    pub ring: Option<u32>,
    /// Who holds the account; `None` in files without persons.
    pub person: Option<u64>,
    /// Truth per risk, in catalog order.
    pub risks: [bool; RiskType::ALL.len()],
}

impl TruthFile {
    /// Reads a file that `orderlens simulate` wrote; `.gz` too.
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
        Self::read(reader).wrap_err_with(|| format!("reading {}", path.display()))
    }

    /// The truth about an order; `None` when the file does not name it.
    pub fn get(&self, order_id: &str) -> Option<&OrderTruth> {
        self.by_order.get(order_id)
    }

    /// Reads the columns by name, in any order.
    pub(crate) fn read(reader: impl std::io::Read) -> miette::Result<Self> {
        let mut rows = csv::Reader::from_reader(reader);
        let heading = rows.headers().into_diagnostic()?.clone();
        let column = |name: &str| {
            let at = heading.iter().position(|column| column == name);
            at.ok_or_else(|| miette::miette!("no column `{name}`"))
        };
        let [order, archetype, ring] = [column("order_id")?, column("archetype")?, column("ring")?];
        let [careful, good] = [column("is_careful")?, column("is_good")?];
        let person = heading.iter().position(|column| column == "person");
        let mut risks = [0; RiskType::ALL.len()];
        for (at, risk) in risks.iter_mut().zip(RiskType::ALL) {
            *at = column(risk.as_str())?;
        }
        let mut by_order = BTreeMap::new();
        for row in rows.records() {
            let row = row.into_diagnostic()?;
            let truth = OrderTruth {
                archetype: row[archetype].into(),
                is_careful: &row[careful] == "1",
                is_good: &row[good] == "1",
                ring: row[ring].parse().ok(),
                person: person.and_then(|at| row[at].parse().ok()),
                risks: risks.map(|at| &row[at] == "1"),
            };
            by_order.insert(row[order].into(), truth);
        }
        Ok(Self { by_order })
    }
}
