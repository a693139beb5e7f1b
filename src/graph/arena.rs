//! Orders, written once: who took part in each, how large it was, what it held.
//!
//! Rows are kept in chunks by number of arrival; the nodes of the graph list
//! numbers. A row fills one cache line. Orders go by the minute they happened in, and
//! chunks as a whole when their last row does.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::order_table::OrderDigest;
use crate::graph::totals::OrderSize;

/// No entity of this kind in the order.
pub(super) const NOBODY: u32 = u32::MAX;
/// Kinds that an order has at most one of: all but SKUs.
pub(super) const COLUMNS: usize = EntityKind::ALL.len() - 1;
/// Rows of one chunk.
const CHUNK_ROWS: u32 = 4_096;
/// Orders are forgotten by the minute.
pub(super) const MINUTE: Span = Span::minutes(1);
/// Time of an order that was forgotten.
const FORGOTTEN: Timestamp = Timestamp(i64::MIN);

/// Number of an order: how many came before it.
pub(super) type OrderNo = u32;

/// What every walk over orders reads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct OrderRow {
    /// When it was placed.
    pub(super) time: Timestamp,
    /// What it adds to its entities, SKUs apart.
    pub(super) size: OrderSize,
    /// Its node of each kind by [`column()`], or [`NOBODY`].
    pub(super) who: [u32; COLUMNS],
}

/// What was bought of one SKU.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Its node.
    pub(super) sku: u32,
    /// How much of it.
    pub(super) size: OrderSize,
}

/// Orders of neighboring numbers. What few walks read is apart from the rows.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Chunk {
    rows: Vec<OrderRow>,
    digests: Vec<OrderDigest>,
    lines: Vec<Line>,
    /// Where the lines of each row end; they begin where those of the one before end.
    line_ends: Vec<u32>,
    categories: Vec<u32>,
    category_ends: Vec<u32>,
    /// Ids of the events that told the orders, one after the other.
    event_ids: String,
    event_id_ends: Vec<u32>,
    /// Rows that were not forgotten.
    n_kept: u32,
}

/// The orders of the retained past by number.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderArena {
    /// An empty chunk holds nothing that was not forgotten.
    chunks: VecDeque<Chunk>,
    /// Chunks that went before the first kept one.
    n_chunks_dropped: u32,
    /// Number of the next order.
    next: OrderNo,
    n_kept: usize,
    /// Kept orders by the minute they happened in.
    minutes: BTreeMap<i64, Vec<OrderNo>>,
}

/// An order's other parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// Digest of its natural key.
    pub(super) digest: OrderDigest,
    /// Its SKUs, each once.
    pub(super) lines: &'a [Line],
    /// Places of the values of its categories.
    pub(super) categories: &'a [u32],
    /// Id of the event that told it.
    pub(super) event_id: &'a str,
}

/// A node that took part in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The node.
    pub(super) node: u32,
    /// Where rows name it; SKUs are in lines instead.
    pub(super) column: Option<usize>,
}

impl OrderRow {
    /// Its node of a kind; none of SKUs, which are in lines instead.
    pub(super) fn node_of(&self, kind: EntityKind) -> Option<u32> {
        let node = self.who[column(kind)?];
        (node != NOBODY).then_some(node)
    }
}

impl Member {
    /// True when the node remembers meeting the other: regions and channels meet everybody,
    /// and the SKUs of one basket are not said to meet.
    pub(super) fn meets(self, other: Self) -> bool {
        match self.column {
            None => other.column.is_some(),
            Some(own) => ![EntityKind::Region, EntityKind::Channel]
                .into_iter()
                .any(|kind| column(kind) == Some(own)),
        }
    }
}

/// Column of a kind in rows; SKUs have none.
pub(super) fn column(kind: EntityKind) -> Option<usize> {
    match kind {
        EntityKind::Sku => None,
        EntityKind::Account
        | EntityKind::Device
        | EntityKind::Ip
        | EntityKind::Address
        | EntityKind::Phone
        | EntityKind::Email
        | EntityKind::PaymentInstrument => Some(kind as usize),
        EntityKind::Merchant | EntityKind::Region | EntityKind::Channel => Some(kind as usize - 1),
    }
}

impl OrderArena {
    /// Adds an order and gives its number.
    pub(super) fn push(&mut self, row: OrderRow, parts: Parts<'_>) -> OrderNo {
        if self.next.is_multiple_of(CHUNK_ROWS) {
            self.chunks.push_back(Chunk::default());
        }
        let no = self.next;
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(row, parts);
            self.next += 1;
            self.n_kept += 1;
            self.minutes.entry(minute(row.time)).or_default().push(no);
        }
        no
    }

    /// How many orders are kept.
    pub(super) fn len(&self) -> usize {
        self.n_kept
    }

    /// An order of a minute that ended before `horizon`.
    pub(super) fn expired(&self, horizon: Timestamp) -> Option<OrderNo> {
        let (&oldest, orders) = self.minutes.first_key_value()?;
        if oldest < minute(horizon) { orders.last().copied() } else { None }
    }

    /// The end of the minute of the last of the oldest `n_orders`; looks at that many minutes
    /// at most. `None` when it is none of them, or more than there are.
    pub(super) fn end_of_oldest(&self, n_orders: usize) -> Option<Timestamp> {
        let mut n_older = 0;
        for (&minute, orders) in self.minutes.iter().take(n_orders) {
            n_older += orders.len();
            if n_orders <= n_older {
                return Some(Timestamp(minute.saturating_add(1).saturating_mul(MINUTE.0)));
            }
        }
        None
    }

    /// Forgets an order.
    pub(super) fn forget(&mut self, no: OrderNo) {
        let minute = minute(self.row(no).time);
        if let Some(orders) = self.minutes.get_mut(&minute) {
            orders.retain(|&kept| kept != no);
            if orders.is_empty() {
                self.minutes.remove(&minute);
            }
        }
        self.n_kept -= 1;
        let (chunk, at) = self.place(no);
        let chunk = &mut self.chunks[chunk];
        chunk.rows[at].time = FORGOTTEN;
        chunk.n_kept -= 1;
        if chunk.n_kept == 0 && chunk.rows.len() == CHUNK_ROWS as usize {
            *chunk = Chunk::default();
        }
        while 1 < self.chunks.len() && self.chunks[0].rows.is_empty() {
            self.chunks.pop_front();
            self.n_chunks_dropped += 1;
        }
    }

    /// True when the order was not forgotten.
    pub(super) fn holds(&self, no: OrderNo) -> bool {
        let chunk = (no / CHUNK_ROWS).checked_sub(self.n_chunks_dropped);
        let chunk = chunk.and_then(|chunk| self.chunks.get(chunk as usize));
        let row = chunk.and_then(|chunk| chunk.rows.get((no % CHUNK_ROWS) as usize));
        row.is_some_and(|row| row.time != FORGOTTEN)
    }

    /// The row of a kept order.
    pub(super) fn row(&self, no: OrderNo) -> &OrderRow {
        let (chunk, at) = self.place(no);
        &self.chunks[chunk].rows[at]
    }

    /// What a kept order holds of each SKU.
    pub(super) fn lines(&self, no: OrderNo) -> &[Line] {
        let (chunk, at) = self.place(no);
        let chunk = &self.chunks[chunk];
        &chunk.lines[part(&chunk.line_ends, at)]
    }

    /// Places of the values of a kept order's categories.
    pub(super) fn categories(&self, no: OrderNo) -> &[u32] {
        let (chunk, at) = self.place(no);
        let chunk = &self.chunks[chunk];
        &chunk.categories[part(&chunk.category_ends, at)]
    }

    /// Digest of a kept order's natural key.
    pub(super) fn digest(&self, no: OrderNo) -> OrderDigest {
        let (chunk, at) = self.place(no);
        self.chunks[chunk].digests[at]
    }

    /// Id of the event that told a kept order.
    pub(super) fn event_id(&self, no: OrderNo) -> &str {
        let (chunk, at) = self.place(no);
        let chunk = &self.chunks[chunk];
        &chunk.event_ids[part(&chunk.event_id_ends, at)]
    }

    /// Names another node of a column in a kept order, or nobody.
    pub(super) fn name(&mut self, no: OrderNo, column: usize, node: u32) {
        let (chunk, at) = self.place(no);
        self.chunks[chunk].rows[at].who[column] = node;
    }

    /// Order of time; orders of one instant go by digest, not by arrival.
    pub(super) fn cmp(&self, one: OrderNo, other: OrderNo) -> Ordering {
        let by_time = self.row(one).time.cmp(&self.row(other).time);
        by_time.then_with(|| self.digest(one).cmp(&self.digest(other)))
    }

    /// What a kept order adds to one of its nodes.
    pub(super) fn size(&self, no: OrderNo, member: Member) -> OrderSize {
        let row = self.row(no);
        if member.column.is_some() {
            return row.size;
        }
        let line = self.lines(no).iter().find(|line| line.sku == member.node);
        line.map_or(row.size, |line| line.size)
    }

    /// True when a node took part in a kept order.
    pub(super) fn touches(&self, no: OrderNo, member: Member) -> bool {
        match member.column {
            Some(column) => self.row(no).who[column] == member.node,
            None => self.lines(no).iter().any(|line| line.sku == member.node),
        }
    }

    /// The nodes of a kept order, its SKUs last.
    pub(super) fn members(&self, no: OrderNo) -> impl Iterator<Item = Member> {
        let who = self.row(no).who.into_iter().enumerate();
        let met = who.filter(|&(_, node)| node != NOBODY);
        let met = met.map(|(column, node)| Member { node, column: Some(column) });
        met.chain(self.lines(no).iter().map(|line| Member { node: line.sku, column: None }))
    }

    fn place(&self, no: OrderNo) -> (usize, usize) {
        ((no / CHUNK_ROWS - self.n_chunks_dropped) as usize, (no % CHUNK_ROWS) as usize)
    }
}

/// The minute that an instant lies in.
fn minute(time: Timestamp) -> i64 {
    time.0.div_euclid(MINUTE.0)
}

impl Chunk {
    fn push(&mut self, row: OrderRow, parts: Parts<'_>) {
        self.rows.push(row);
        self.digests.push(parts.digest);
        self.lines.extend_from_slice(parts.lines);
        self.line_ends.push(end(&self.lines));
        self.categories.extend_from_slice(parts.categories);
        self.category_ends.push(end(&self.categories));
        self.event_ids.push_str(parts.event_id);
        self.event_id_ends.push(end(self.event_ids.as_bytes()));
        self.n_kept += 1;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "4,096 rows have no more than 2^32 parts")]
fn end<T>(parts: &[T]) -> u32 {
    parts.len() as u32
}

/// Where the parts of a row are, by the ends of those of every row.
fn part(ends: &[u32], at: usize) -> Range<usize> {
    let start = if at == 0 { 0 } else { ends[at - 1] };
    start as usize..ends[at] as usize
}
