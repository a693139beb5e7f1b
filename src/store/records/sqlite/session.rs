//! Statements and questions of the embedded database.

use std::collections::BTreeSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, Transaction, params, params_from_iter};

use crate::store::records::database::{DatabaseError, Statements, Table};
use crate::store::records::value::{Row, Value};

const INSERT_EVENT: &str = "INSERT INTO events VALUES (?1, ?2) ON CONFLICT DO NOTHING";

/// One transaction.
#[derive(Debug)]
pub(super) struct Session<'c>(pub(super) Transaction<'c>);

impl Statements for Session<'_> {
    fn put(&mut self, table: Table, row: Vec<Value>) -> Result<(), DatabaseError> {
        self.0.prepare_cached(insert(table))?.execute(params_from_iter(row))?;
        Ok(())
    }

    fn put_events(&mut self, events: &[(&str, u64)]) -> Result<BTreeSet<u64>, DatabaseError> {
        let mut statement = self.0.prepare_cached(INSERT_EVENT)?;
        let mut fresh = BTreeSet::new();
        for (event_id, position) in events {
            if statement.execute(params![event_id, position])? == 1 {
                fresh.insert(*position);
            }
        }
        Ok(fresh)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), DatabaseError> {
        self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        ask(&self.0, sql, values)
    }
}

/// Reads rows.
pub(super) fn ask(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    let mut statement = connection.prepare_cached(sql)?;
    let n_columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        let cells = (0..n_columns).map(|column| row.get_ref(column).map(value));
        cells.collect::<Result<_, _>>().map(Row)
    };
    Ok(statement.query_map(params_from_iter(values), read)?.collect::<Result<_, _>>()?)
}

fn insert(table: Table) -> &'static str {
    match table {
        Table::Decisions => {
            "INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
             ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) ON CONFLICT DO NOTHING"
        }
        Table::OrderEvents => {
            "INSERT INTO order_events VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"
        }
        Table::Choices => {
            "INSERT INTO choices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
        }
        Table::Outcomes => {
            "INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"
        }
        Table::Activations => {
            "INSERT INTO activations VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"
        }
        Table::Audit => {
            "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING"
        }
        Table::Notes => {
            "INSERT INTO notes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
        }
    }
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
