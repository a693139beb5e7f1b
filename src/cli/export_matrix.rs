//! Writes extracted rows as a CSV table, for a look with other tools.

use std::io::{BufWriter, Write};
use std::path::Path;

use indexmap::IndexMap;
use miette::{Context, IntoDiagnostic};

use crate::cli::output::csv_field;
use crate::domain::head::HeadId;
use crate::domain::time::Timestamp;
use crate::workflow::play_history::History;

/// Writes one row per order of a window: `order_id,event_time,account`, then every
/// feature, then `label:<head>` for every head as known at `as_of`. Unknown is empty.
///
/// Accounts are numbered by first appearance: the file says which rows share one, not whose.
///
/// # Errors
/// When the file cannot be written.
pub fn export_matrix(
    path: &Path,
    history: &History,
    window: usize,
    as_of: Timestamp,
) -> miette::Result<()> {
    write_rows(path, history, window, as_of)
        .into_diagnostic()
        .wrap_err_with(|| format!("writing {}", path.display()))
}

fn write_rows(
    path: &Path,
    history: &History,
    window: usize,
    as_of: Timestamp,
) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let heads: Vec<&HeadId> = history.labels.keys().collect();
    write!(file, "order_id,event_time,account")?;
    for spec in history.catalog.specs() {
        write!(file, ",{}", csv_field(&spec.id))?;
    }
    for head in &heads {
        write!(file, ",label:{head}")?;
    }
    writeln!(file)?;
    let mut accounts: IndexMap<u128, ()> = IndexMap::new();
    for row in history.rows_of(window) {
        let at = &history.rows[row];
        write!(file, "{},{},", csv_field(&at.order.order_id), at.event_time)?;
        if let Some(account) = at.account {
            write!(file, "{}", accounts.insert_full(account, ()).0)?;
        }
        let labels = heads.iter().map(|head| history.truth(row, head, as_of));
        for value in history.features.row(row).iter().copied().chain(labels) {
            if value.is_nan() {
                write!(file, ",")?;
            } else {
                write!(file, ",{value}")?;
            }
        }
        writeln!(file)?;
    }
    file.flush()
}
