//! What can go wrong with anything on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::journal::frame::Damage;
use crate::store::records::database::DatabaseError;
use crate::wire::error::Error as WireError;

/// Why a call on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, `write to` or `create`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("{} is held by another process; stop that one first", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Records that were durable are damaged; no program can repair that.
    #[error(
        "{} is damaged at byte {offset}, record {position}: {damage}; restore the file from a \
         copy, because later records cannot be trusted", path.display()
    )]
    Corrupt {
        /// Segment file.
        path: PathBuf,
        /// Where the damaged record starts.
        offset: u64,
        /// Position of the first record that is lost.
        position: u64,
        /// What was found.
        damage: Damage,
    },
    /// The last write is damaged, and not in the way a crash leaves it.
    #[error(
        "{} is damaged at byte {offset}, record {position}: {damage}; no crash explains it and \
         the last records may have been acknowledged: restore the file from a copy, or open it \
         once with the damaged tail discarded", path.display()
    )]
    DamagedTail {
        /// Segment file.
        path: PathBuf,
        /// Where the damaged record starts.
        offset: u64,
        /// Position of the first record that is lost.
        position: u64,
        /// What was found.
        damage: Damage,
    },
    /// A file is not of a format that this build reads.
    #[error("{} is not {expected}: {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A record is longer than the journal takes.
    #[error("a record of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        /// Length of the payload.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The writer is behind; try again later.
    #[error("the journal is busy: {queued_bytes} bytes wait, the limit is {queue_bytes_max}")]
    Exhausted {
        /// Bytes that wait to be written.
        queued_bytes: usize,
        /// The limit.
        queue_bytes_max: usize,
    },
    /// A write or sync failed earlier, so nothing more is taken until a restart.
    #[error(
        "the journal takes no more records after a failed write; restart when its cause is gone"
    )]
    Stopped {
        /// The first failure.
        #[source]
        cause: Arc<Error>,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// A folder that should hold a journal holds none.
    #[error("there is no journal in {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A setting cannot work.
    #[error("{name} = {value} must be at least {min}")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The least that works.
        min: u64,
    },
    /// A record is sound but says nothing that this build understands.
    #[error("record {position} of the journal cannot be read by this build")]
    Undecodable {
        /// Which record.
        position: u64,
        /// Why not.
        source: WireError,
    },
    /// The records' database refused.
    #[error("cannot {action} the records in {place}")]
    Database {
        /// What was tried, `open` or `list`.
        action: &'static str,
        /// The database file, or the server without its password.
        place: Box<str>,
        /// Why not.
        source: DatabaseError,
    },
}

impl Error {
    /// Wraps a failed file operation; made for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// Wraps a failed statement; made for `map_err`.
    pub(crate) fn database<E: Into<DatabaseError>>(
        action: &'static str,
        place: &str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Database { action, place: place.into(), source: source.into() }
    }

    /// True when the records' database cannot be asked now, and nothing else is wrong.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Database { source, .. } if source.is_away())
    }

    /// True when the cause is a full disk or an exceeded quota: making room cures it.
    pub fn is_full_disk(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                source.kind() == io::ErrorKind::StorageFull
                    || source.kind() == io::ErrorKind::QuotaExceeded
            }
            Self::Database { source, .. } => source.is_full_disk(),
            Self::Stopped { cause } => cause.is_full_disk(),
            Self::Locked { .. }
            | Self::Corrupt { .. }
            | Self::DamagedTail { .. }
            | Self::Format { .. }
            | Self::TooLarge { .. }
            | Self::Exhausted { .. }
            | Self::Closed
            | Self::Empty { .. }
            | Self::Undecodable { .. }
            | Self::Setting { .. } => false,
        }
    }
}
