//! The schema of one journal in one version, and who may change it.

use std::sync::Arc;

use postgres::Client;

use crate::store::records::SCHEMA_VERSION;
use crate::store::records::database::DatabaseError;

/// Tables and indexes.
const TABLES: &str = include_str!("schema.sql");
/// Bytes of a hash that tell journals apart.
const ID_BYTES: usize = 16;

/// The name of the schema of a journal: `orderlens_` + 32 digits + `_v3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SchemaName {
    /// The name up to the version.
    journal: Arc<str>,
    version: i64,
}

/// How far the records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) position: u64,
    pub(super) digest: Vec<u8>,
    pub(super) is_whole: bool,
}

impl SchemaName {
    /// By the first record of the journal, which holds the instant that it was written at.
    pub(super) fn of_journal(first: &[u8]) -> Self {
        let mut journal = String::from("orderlens_");
        journal.extend(blake3::hash(first).to_hex().chars().take(2 * ID_BYTES));
        journal.push_str("_v");
        Self { journal: journal.into(), version: SCHEMA_VERSION }
    }

    pub(super) fn name(&self) -> Arc<str> {
        format!("{}{}", self.journal, self.version).into()
    }

    /// Tries to become the one that fills, until the connection ends.
    pub(super) fn try_lock(&self, client: &mut Client) -> Result<bool, DatabaseError> {
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&self.key()])?;
        Ok(row.try_get(0)?)
    }

    fn unlock(&self, client: &mut Client) -> Result<(), DatabaseError> {
        client.execute("SELECT pg_advisory_unlock($1)", &[&self.key()])?;
        Ok(())
    }

    fn key(&self) -> i64 {
        let hash = blake3::hash(self.name().as_bytes());
        hash.as_bytes().first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }
}

/// What of a record is kept to know it again.
pub(super) fn digest(record: &[u8]) -> Vec<u8> {
    blake3::hash(record).as_bytes()[..ID_BYTES].to_vec()
}

/// How far the records of the connection's schema are; `None` when there are none.
pub(super) fn progress(client: &mut Client) -> Result<Option<Progress>, DatabaseError> {
    let is_there = client.query_one("SELECT to_regclass('progress') IS NOT NULL", &[])?;
    if !is_there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_one("SELECT position, digest, is_whole FROM progress", &[])?;
    Ok(Some(Progress {
        position: row.try_get::<_, i64>(0)?.cast_unsigned(),
        digest: row.try_get(1)?,
        is_whole: row.try_get(2)?,
    }))
}

/// Makes the schema empty, whatever it held.
pub(super) fn make(client: &mut Client, schema: &SchemaName) -> Result<(), DatabaseError> {
    let name = schema.name();
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&format!(
        "DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; {TABLES}"
    ))?;
    Ok(transaction.commit()?)
}

/// Drops what older programs made of the same journal, unless one of them still fills it.
pub(super) fn drop_older(client: &mut Client, schema: &SchemaName) -> Result<(), DatabaseError> {
    let found = client.query(
        "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, $1)",
        &[&&*schema.journal],
    )?;
    for row in found {
        let name: String = row.try_get(0)?;
        let version = name.strip_prefix(&*schema.journal).and_then(|it| it.parse().ok());
        let Some(version) = version.filter(|version| *version < schema.version) else { continue };
        let older = SchemaName { journal: schema.journal.clone(), version };
        if older.try_lock(client)? {
            client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE"))?;
            older.unlock(client)?;
        }
    }
    Ok(())
}
