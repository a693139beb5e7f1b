//! Questions to a PostgreSQL server, a few at a time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use postgres::Client;

use crate::store::error::Error;
use crate::store::records::database::{Answering, DatabaseError};
use crate::store::records::postgres::server::{Readable, Server};
use crate::store::records::postgres::session::{Prepared, ask};
use crate::store::records::value::{Row, Value};

/// Most connections that answer questions.
pub(super) const CONNECTIONS_MAX: usize = 4;
/// How long a question waits for one of them.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Questions change nothing and end.
const SET_UP: &str = "SET default_transaction_read_only = on; SET statement_timeout = '10s'";
const BYTES: &str = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relkind = 'r'";

/// Answers from a server.
#[derive(Debug)]
pub(super) struct Answers {
    server: Arc<Server>,
    readable: Arc<Readable>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    n_busy: usize,
}

struct Connection {
    client: Client,
    prepared: Prepared,
    schema: Arc<str>,
}

impl Answers {
    pub(super) fn new(server: Arc<Server>, readable: Arc<Readable>) -> Self {
        Self { server, readable, pool: Mutex::default(), freed: Condvar::new() }
    }

    /// Takes a place and, if there is one, a connection that waits there.
    fn take(&self) -> Result<Option<Connection>, DatabaseError> {
        let pool = self.lock();
        let is_full = |pool: &mut Pool| CONNECTIONS_MAX <= pool.n_busy;
        let waited = self.freed.wait_timeout_while(pool, WAIT_MAX, is_full);
        let (mut pool, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(DatabaseError::Away("the database does not answer in time".into()));
        }
        pool.n_busy += 1;
        Ok(pool.idle.pop())
    }

    fn give_back(&self, connection: Option<Connection>) {
        let mut pool = self.lock();
        pool.n_busy -= 1;
        pool.idle.extend(connection.filter(|it| !it.client.is_closed()));
        drop(pool);
        self.freed.notify_one();
    }

    /// Asks over a connection that waited, else over a new one; one that was cut while it
    /// waited is replaced.
    fn ask_over(
        &self,
        connection: &mut Option<Connection>,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<Row>, DatabaseError> {
        let schema = self.readable.get()?;
        if let Some(waited) = connection.as_mut().filter(|it| it.schema == schema) {
            let outcome = ask(&mut waited.client, &mut waited.prepared, sql, values);
            if outcome.is_ok() || !waited.client.is_closed() {
                return outcome;
            }
        }
        let client = self.server.connect(&schema, SET_UP)?;
        let fresh = connection.insert(Connection { client, prepared: Prepared::new(), schema });
        ask(&mut fresh.client, &mut fresh.prepared, sql, values)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering for Answers {
    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let mut connection = self.take()?;
        let outcome = self.ask_over(&mut connection, sql, values);
        self.give_back(connection);
        outcome
    }

    fn bytes(&self) -> Result<u64, Error> {
        let rows = self.query(BYTES, &[]);
        let bytes = rows.and_then(|rows| rows.first().map_or(Ok(0), |row| row.get(0)));
        bytes.map_err(Error::database("measure", &self.server.place()))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.lock().idle);
        // A connection drives its own runtime, which must not end inside of another one.
        if let Ok(closing) = thread::Builder::new().spawn(move || drop(idle)) {
            drop(closing.join());
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("schema", &self.schema).finish_non_exhaustive()
    }
}
