//! Writes events by time and rejects by line; nothing half done is left behind.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::domain::event::{Event, Fact};
use crate::domain::order::{OrderKey, TEXT_BYTES_MAX};
use crate::domain::time::Timestamp;
use crate::import::error::Error;
use crate::import::reject::{Reason, Reject};
use crate::import::sorting::{Sorter, WorkFolder, sortable};
use crate::import::summary::ImportSummary;

/// Rejected rows that the summary shows.
const REJECTS_SHOWN: usize = 10;

/// Collects events; they leave sorted by time, then orders before facts before labels.
pub(super) struct EventSink {
    prefix: Box<str>,
    sorter: Sorter,
}

/// Collects rejects; they leave sorted by line.
pub(super) struct RejectSink {
    sorter: Sorter,
    n_by_column: BTreeMap<(Reason, Box<str>), u64>,
}

impl EventSink {
    pub(super) fn new(folder: &Rc<WorkFolder>, prefix: &str, bytes_max: usize) -> Self {
        let sorter = Sorter::new(folder, "events", bytes_max);
        Self { prefix: prefix.into(), sorter }
    }

    /// Adds the event `what` about an order at `time`.
    pub(super) fn push(
        &mut self,
        order: &OrderKey,
        what: &str,
        time: Timestamp,
        fact: Fact,
        summary: &mut ImportSummary,
    ) -> Result<(), Error> {
        let (rank, name) = kind(&fact);
        let event_id = self.event_id(order, what);
        let mut key = Vec::with_capacity(9 + event_id.len());
        key.extend(sortable(time.0));
        key.push(rank);
        key.extend(event_id.as_bytes());
        let event = Event { event_id, event_time: time, ingest_time: None, fact };
        let json = serde_json::to_vec(&event)
            .map_err(|error| Error::Output { path: PathBuf::new(), source: error.into() })?;
        summary.events += 1;
        *summary.events_by_fact.entry(name).or_default() += 1;
        self.sorter.push(&key, &json)
    }

    /// `prefix/channel/order/what`; an id that is too long is replaced by its hash.
    fn event_id(&self, order: &OrderKey, what: &str) -> Box<str> {
        let prefix = if self.prefix.is_empty() { "" } else { "/" };
        let id = format!("{}{prefix}{}/{}/{what}", self.prefix, order.channel, order.order_id);
        if TEXT_BYTES_MAX < id.len() {
            return blake3::hash(id.as_bytes()).to_hex().as_str().into();
        }
        id.into()
    }

    /// Writes one JSON line per event; the file appears only when it is whole.
    pub(super) fn write(self, path: &Path) -> Result<(), Error> {
        let mut sorted = self.sorter.finish()?;
        let partial = with_suffix(path, ".partial");
        let failed = |source| Error::Output { path: path.to_owned(), source };
        let file = File::create(&partial).map_err(failed)?;
        let mut writer = BufWriter::with_capacity(256 * 1024, file);
        while let Some((_, mut json)) = sorted.next()? {
            json.push(b'\n');
            writer.write_all(&json).map_err(failed)?;
        }
        writer.flush().map_err(failed)?;
        drop(writer);
        fs::rename(&partial, path).map_err(failed)
    }
}

impl RejectSink {
    pub(super) fn new(folder: &Rc<WorkFolder>, bytes_max: usize) -> Self {
        Self { sorter: Sorter::new(folder, "rejects", bytes_max), n_by_column: BTreeMap::new() }
    }

    pub(super) fn push(
        &mut self,
        reject: &Reject,
        summary: &mut ImportSummary,
    ) -> Result<(), Error> {
        if reject.reason == Reason::Unmatched {
            summary.unmatched += 1;
        } else {
            summary.rejected += 1;
            *summary.rejected_by_reason.entry(reject.reason.as_str()).or_default() += 1;
        }
        *self.n_by_column.entry((reject.reason, reject.column.clone())).or_default() += 1;
        let value = serde_json::to_vec(reject)
            .map_err(|error| Error::Output { path: PathBuf::new(), source: error.into() })?;
        self.sorter.push(&reject.line.to_be_bytes(), &value)
    }

    /// The most frequent reason that is about a column, and the column.
    pub(super) fn worst(&self) -> Option<(Reason, Box<str>)> {
        let about_columns = self.n_by_column.iter().filter(|((_, column), _)| !column.is_empty());
        about_columns.max_by_key(|(_, n)| **n).map(|(worst, _)| worst.clone())
    }

    /// Writes `line,reason,column,value`; without rejects an old file is removed.
    pub(super) fn write(self, path: &Path, summary: &mut ImportSummary) -> Result<(), Error> {
        let failed = |source| Error::Output { path: path.to_owned(), source };
        if self.n_by_column.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let mut sorted = self.sorter.finish()?;
        let file = File::create(path).map_err(failed)?;
        let mut writer = csv::Writer::from_writer(file);
        let header = ["line", "reason", "column", "value"];
        writer.write_record(header).map_err(|error| failed(error.into()))?;
        while let Some((_, value)) = sorted.next()? {
            let reject: Reject =
                serde_json::from_slice(&value).map_err(|_| sorted.folder().damaged())?;
            let line = reject.line.to_string();
            let fields = [&*line, reject.reason.as_str(), &*reject.column, &*reject.value];
            writer.write_record(fields).map_err(|error| failed(error.into()))?;
            if reject.reason != Reason::Unmatched && summary.first_rejects.len() < REJECTS_SHOWN {
                summary.first_rejects.push(reject);
            }
        }
        writer.flush().map_err(failed)?;
        summary.rejects_path = Some(path.to_owned());
        Ok(())
    }
}

/// The path with more text at the end of its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Order among events of one instant, and the name of the fact.
fn kind(fact: &Fact) -> (u8, &'static str) {
    match fact {
        Fact::AccountCreated(_) => (0, "account_created"),
        Fact::StockLevel(_) => (0, "stock_level"),
        Fact::MarketPrice(_) => (0, "market_price"),
        Fact::OrderPlaced(_) => (1, "order_placed"),
        Fact::OrderPaid(_) => (2, "order_paid"),
        Fact::OrderCancelled(_) => (2, "order_cancelled"),
        Fact::StockReserved(_) => (2, "stock_reserved"),
        Fact::OrderShipped(_) => (2, "order_shipped"),
        Fact::OrderDelivered(_) => (2, "order_delivered"),
        Fact::OrderReturned(_) => (2, "order_returned"),
        Fact::OrderRefunded(_) => (2, "order_refunded"),
        Fact::OrderChargedBack(_) => (2, "order_charged_back"),
        Fact::Label(_) => (3, "label"),
        Fact::Choice(_) => (3, "choice"),
        Fact::Outcome(_) => (3, "outcome"),
    }
}
