//! The same features from SQL over SQLite.

use orderlens::domain::order::Order;
use orderlens::domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::peers::{Past, Peer, WINDOWS, minor_units, number};
use crate::stream::KINDS;

const CREATE: &str = "CREATE TABLE meeting (
    kind INTEGER, entity INTEGER, time INTEGER, number INTEGER, amount INTEGER, account INTEGER,
    PRIMARY KEY (kind, entity, time, number)) WITHOUT ROWID";
const INSERT: &str = "INSERT INTO meeting VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const SELECT: &str = "SELECT
    count(*) FILTER (WHERE ?3 < time), count(*) FILTER (WHERE ?4 < time),
    count(*) FILTER (WHERE ?5 < time), count(*),
    ifnull(sum(amount) FILTER (WHERE ?3 < time), 0),
    ifnull(sum(amount) FILTER (WHERE ?4 < time), 0),
    ifnull(sum(amount) FILTER (WHERE ?5 < time), 0), ifnull(sum(amount), 0),
    count(DISTINCT CASE WHEN ?3 < time THEN account END),
    count(DISTINCT CASE WHEN ?4 < time THEN account END),
    count(DISTINCT CASE WHEN ?5 < time THEN account END), count(DISTINCT account)
    FROM meeting WHERE kind = ?1 AND entity = ?2 AND ?6 < time";

/// One table in memory, a row per entity of an order, by entity and time.
pub(crate) struct Sql {
    connection: Connection,
    n_orders: i64,
}

impl Sql {
    /// Its name in the table.
    pub(crate) const NAME: &'static str = "SQLite, memory";
}

impl Default for Sql {
    fn default() -> Self {
        let connection = Connection::open_in_memory().expect("a database in memory");
        connection.execute_batch(CREATE).expect("a table");
        Self { connection, n_orders: 0 }
    }
}

impl Peer for Sql {
    fn apply(&mut self, time: Timestamp, order: &Order) {
        self.n_orders += 1;
        let account = key(0, order);
        let mut insert = self.connection.prepare_cached(INSERT).expect("a statement");
        for kind in 0..KINDS.len() {
            let (entity, amount) = (key(kind, order), minor_units(order));
            let row = params![kind, entity, time.0, self.n_orders, amount, account];
            insert.execute(row).expect("a row");
        }
    }

    fn extract(&mut self, time: Timestamp, order: &Order) -> [Past; KINDS.len()] {
        let mut select = self.connection.prepare_cached(SELECT).expect("a statement");
        let [hour, day, week, month] = WINDOWS.map(|window| (time - window).0);
        std::array::from_fn(|kind| {
            let given = params![kind, key(kind, order), hour, day, week, month];
            select
                .query_row(given, |row| {
                    let mut past = Past::default();
                    for at in 0..past.len() * WINDOWS.len() {
                        past[at / WINDOWS.len()][at % WINDOWS.len()] = row.get(at)?;
                    }
                    Ok(past)
                })
                .expect("one row")
        })
    }
}

/// The key of an order's entity as SQLite holds numbers.
fn key(kind: usize, order: &Order) -> i64 {
    (number(kind, order) as u64).cast_signed()
}
