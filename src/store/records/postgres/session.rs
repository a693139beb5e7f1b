//! Statements and questions of one connection, and how values travel over it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Row as Line, Statement, Transaction};

use crate::store::records::database::{DatabaseError, Statements, Table};
use crate::store::records::postgres::words::{INSERT_EVENTS, insert, translated};
use crate::store::records::value::{Row, Value};

/// What the server has parsed for this connection, by how it is asked here.
pub(super) type Prepared = BTreeMap<Box<str>, Statement>;

/// One transaction. Rows that are put travel together, table by table, as soon as somebody
/// asks or the transaction ends: a batch is a few round trips.
pub(super) struct Session<'c> {
    transaction: Transaction<'c>,
    prepared: &'c mut Prepared,
    waiting: BTreeMap<Table, Vec<Vec<Value>>>,
}

impl<'c> Session<'c> {
    pub(super) fn begin(
        client: &'c mut Client,
        prepared: &'c mut Prepared,
    ) -> Result<Self, DatabaseError> {
        let transaction = client.transaction()?;
        Ok(Self { transaction, prepared, waiting: BTreeMap::new() })
    }

    pub(super) fn commit(mut self) -> Result<(), DatabaseError> {
        self.send()?;
        Ok(self.transaction.commit()?)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, DatabaseError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(&translated(sql))?;
        self.prepared.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    fn send(&mut self) -> Result<(), DatabaseError> {
        for (table, rows) in std::mem::take(&mut self.waiting) {
            let statement = self.prepare(insert(table))?;
            let columns = columns(&statement, &rows);
            let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|it| it as _).collect();
            self.transaction.execute(&statement, &columns)?;
        }
        Ok(())
    }
}

impl Statements for Session<'_> {
    fn put(&mut self, table: Table, row: Vec<Value>) -> Result<(), DatabaseError> {
        self.waiting.entry(table).or_default().push(row);
        Ok(())
    }

    fn put_events(&mut self, events: &[(&str, u64)]) -> Result<BTreeSet<u64>, DatabaseError> {
        if events.is_empty() {
            return Ok(BTreeSet::new());
        }
        let statement = self.prepare(INSERT_EVENTS)?;
        let rows: Vec<Vec<Value>> =
            events.iter().map(|(id, position)| vec![(*id).into(), (*position).into()]).collect();
        let columns = columns(&statement, &rows);
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|it| it as _).collect();
        let fresh = self.transaction.query(&statement, &columns)?;
        fresh.iter().map(|line| Ok(line.try_get::<_, i64>(0)?.cast_unsigned())).collect()
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), DatabaseError> {
        self.send()?;
        let statement = self.prepare(sql)?;
        self.transaction.execute(&statement, &parameters(values))?;
        Ok(())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        self.send()?;
        let statement = self.prepare(sql)?;
        let lines = self.transaction.query(&statement, &parameters(values))?;
        lines.iter().map(row).collect()
    }
}

/// Reads rows outside of a transaction.
pub(super) fn ask(
    client: &mut Client,
    prepared: &mut Prepared,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, DatabaseError> {
    let statement = if let Some(statement) = prepared.get(sql) {
        statement.clone()
    } else {
        let statement = client.prepare(&translated(sql))?;
        prepared.insert(sql.into(), statement.clone());
        statement
    };
    client.query(&statement, &parameters(values))?.iter().map(row).collect()
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

/// Cells of one column, and of which type the server wants them.
#[derive(Debug)]
struct Column<'r> {
    rows: &'r [Vec<Value>],
    at: usize,
}

fn columns<'r>(statement: &Statement, rows: &'r [Vec<Value>]) -> Vec<Column<'r>> {
    (0..statement.params().len()).map(|at| Column { rows, at }).collect()
}

type Written = Result<IsNull, Box<dyn StdError + Sync + Send>>;

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        let cells: Vec<&Value> =
            self.rows.iter().map(|row| row.get(self.at).unwrap_or(&Value::Null)).collect();
        cells.to_sql(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql(ty, out),
            Self::Real(number) => number.to_sql(ty, out),
            Self::Text(text) => escaped(text).to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::FLOAT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// The character that escapes; nobody writes it, since it is no character by definition.
const ESCAPE: char = '\u{10fffe}';

/// A text that PostgreSQL takes: it knows no text with a zero in it, and the contract does.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let escape = text.replace(ESCAPE, "\u{10fffe}1");
    Cow::Owned(escape.replace('\0', "\u{10fffe}0"))
}

fn unescaped(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    text.replace("\u{10fffe}0", "\0").replace("\u{10fffe}1", "\u{10fffe}")
}

fn row(line: &Line) -> Result<Row, DatabaseError> {
    let cells = line.columns().iter().enumerate().map(|(at, column)| {
        let ty = column.type_();
        let cell = if *ty == Type::INT8 {
            line.try_get::<_, Option<i64>>(at)?.map(Value::Integer)
        } else if *ty == Type::FLOAT8 {
            line.try_get::<_, Option<f64>>(at)?.map(Value::Real)
        } else if *ty == Type::BYTEA {
            line.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes)
        } else if *ty == Type::BOOL {
            line.try_get::<_, Option<bool>>(at)?.map(Value::from)
        } else {
            line.try_get::<_, Option<String>>(at)?.map(unescaped).map(Value::Text)
        };
        Ok(cell.unwrap_or(Value::Null))
    });
    cells.collect::<Result<_, _>>().map(Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_went() {
        for text in ["", "plain", "a\0b", "\u{10fffe}0", "\0\u{10fffe}1\0", "\u{10fffe}"] {
            let sent = escaped(text);
            assert!(!sent.contains('\0'), "{text:?}");
            assert_eq!(unescaped(sent.into_owned()), text);
        }
    }
}
