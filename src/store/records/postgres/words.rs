//! What PostgreSQL says differently.

use crate::store::records::database::Table;

/// A question or change as PostgreSQL writes it: parameters are `$1`, and joins are ordered by
/// its planner.
pub(super) fn translated(sql: &str) -> String {
    sql.replace('?', "$").replace("CROSS JOIN", "JOIN")
}

/// Adds whole columns of events, and tells the positions of those that were not there; within
/// one statement the first of two alike is added.
pub(super) const INSERT_EVENTS: &str = "INSERT INTO events \
    SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING RETURNING position";

/// Adds whole columns of rows, so that a batch is one statement for each table.
pub(super) fn insert(table: Table) -> &'static str {
    match table {
        Table::Decisions => {
            "INSERT INTO decisions SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], \
             $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], \
             $10::text[], $11::float8[], $12::bigint[], $13::text[], $14::bigint[], \
             $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::bigint[]) \
             ON CONFLICT DO NOTHING"
        }
        Table::OrderEvents => {
            "INSERT INTO order_events SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], \
             $4::bigint[], $5::text[]) ON CONFLICT DO NOTHING"
        }
        Table::Choices => {
            "INSERT INTO choices SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], \
             $4::text[], $5::text[], $6::bigint[], $7::text[]) ON CONFLICT DO NOTHING"
        }
        Table::Outcomes => {
            "INSERT INTO outcomes SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], \
             $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[]) ON CONFLICT DO NOTHING"
        }
        Table::Activations => {
            "INSERT INTO activations SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], \
             $4::text[], $5::bigint[]) ON CONFLICT DO NOTHING"
        }
        Table::Audit => {
            "INSERT INTO audit SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
             $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) \
             ON CONFLICT DO NOTHING"
        }
        Table::Notes => {
            "INSERT INTO notes SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], \
             $4::text[], $5::bigint[], $6::text[], $7::text[]) ON CONFLICT DO NOTHING"
        }
    }
}
