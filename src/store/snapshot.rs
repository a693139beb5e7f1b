//! Saved states, for short starts: the journal folded up to a position.
//!
//! A snapshot is only a shortcut: the journal makes it again. So one that is
//! damaged, of another schema or ahead of the journal is passed over, said so,
//! and the one before it is used, or none.
//!
//! A file is `magic, blake3 of all the rest, position, tag length, tag, state`.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::store::error::Error;
use crate::store::medium::Medium;

/// First bytes of every snapshot; the digit is the version.
const MAGIC: [u8; 8] = *b"olsnap_1";
/// Bytes before the tag.
const HEADER_BYTES: usize = 8 + 32 + 8 + 4;
/// Ending of snapshot files.
const SUFFIX: &str = ".snapshot";
/// Name of a snapshot that is being written.
const TEMPORARY_NAME: &str = "snapshot.tmp";

/// A saved state.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Journal position of the last record that the state has folded.
    pub position: u64,
    /// What the bytes are: changes whenever their meaning does.
    pub schema: String,
    /// The state.
    pub state: Vec<u8>,
}

/// A snapshot that was passed over.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// It is damaged or no snapshot.
    #[error("snapshot {} is damaged: {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
    /// Another build wrote it.
    #[error("snapshot {} has schema `{found}`", path.display())]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
    },
    /// It has folded records that the journal does not have.
    #[error("snapshot {} is at record {position}, past the end of the journal", path.display())]
    AheadOfJournal {
        /// The file.
        path: PathBuf,
        /// Its position.
        position: u64,
    },
}

/// Saves a state, then deletes all but the newest `n_kept` (at least one) snapshots.
/// When it returns, the snapshot survives a crash; before, the older ones do.
///
/// # Errors
/// [`Error::Io`]; a full disk leaves the older snapshots as they were.
pub fn save(
    medium: &dyn Medium,
    dir: &Path,
    snapshot: &Snapshot,
    n_kept: usize,
) -> Result<PathBuf, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let temporary = dir.join(TEMPORARY_NAME);
    let bytes = encode(snapshot);
    let write = || {
        let file = medium.allocate(&temporary, 0).map_err(Error::io("create", &temporary))?;
        medium.write_at(&file, &bytes, 0).map_err(Error::io("write to", &temporary))?;
        medium.sync(&file).map_err(Error::io("sync", &temporary))
    };
    if let Err(error) = write() {
        // Gives the room back; the first error is the one that counts.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    let path = dir.join(format!("{:020}{SUFFIX}", snapshot.position));
    medium.publish(&temporary, &path).map_err(Error::io("rename", &temporary))?;
    for old in list(dir)?.into_iter().skip(n_kept.max(1)).filter(|old| *old != path) {
        fs::remove_file(&old).map_err(Error::io("remove", &old))?;
    }
    Ok(path)
}

/// The newest snapshot that fits `schema` and a journal that ends at `journal_end`,
/// and every newer one that was passed over.
///
/// # Errors
/// [`Error::Io`] when the folder or a file cannot be read.
pub fn load(
    dir: &Path,
    schema: &str,
    journal_end: u64,
) -> Result<(Option<Snapshot>, Vec<Skipped>), Error> {
    let mut skipped = Vec::new();
    for path in list(dir)? {
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        match decode(bytes) {
            Err(found) => skipped.push(Skipped::Damaged { path, found: found.to_owned() }),
            Ok(Snapshot { schema: found, .. }) if found != schema => {
                skipped.push(Skipped::OtherSchema { path, found });
            }
            Ok(Snapshot { position, .. }) if journal_end < position => {
                skipped.push(Skipped::AheadOfJournal { path, position });
            }
            Ok(snapshot) => return Ok((Some(snapshot), skipped)),
        }
    }
    Ok((None, skipped))
}

/// Snapshot files, newest first.
fn list(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", dir))?.path();
        if path.to_str().is_some_and(|name| name.ends_with(SUFFIX)) {
            paths.push(path);
        }
    }
    // Names are positions with leading zeros.
    paths.sort_by(|a, b| b.cmp(a));
    Ok(paths)
}

fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let schema = snapshot.schema.as_bytes();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + schema.len() + snapshot.state.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 32]);
    bytes.extend_from_slice(&snapshot.position.to_le_bytes());
    // A tag is a short name; a longer one than 4 GiB would not be read back.
    bytes.extend_from_slice(&u32::try_from(schema.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(schema);
    bytes.extend_from_slice(&snapshot.state);
    let hash = blake3::hash(&bytes[40..]);
    bytes[8..40].copy_from_slice(hash.as_bytes());
    bytes
}

fn decode(mut bytes: Vec<u8>) -> Result<Snapshot, &'static str> {
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or("too short")?;
    if *magic != MAGIC {
        return Err("its first bytes are not `olsnap_1`");
    }
    let (hash, body) = rest.split_first_chunk::<32>().ok_or("too short")?;
    if blake3::hash(body) != *hash {
        return Err("the checksum does not fit");
    }
    let (position, body) = body.split_first_chunk::<8>().ok_or("too short")?;
    let (length, body) = body.split_first_chunk::<4>().ok_or("too short")?;
    let length = u32::from_le_bytes(*length) as usize;
    let schema = body.get(..length).ok_or("too short")?;
    let schema = str::from_utf8(schema).map_err(|_| "its schema is not text")?.to_owned();
    let position = u64::from_le_bytes(*position);
    // The state is large: moved to the front, not copied.
    bytes.drain(..HEADER_BYTES + length);
    Ok(Snapshot { position, schema, state: bytes })
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, schema, state } = self;
        write!(f, "Snapshot({schema} at {position}, {} bytes)", state.len())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;

    use super::*;
    use crate::store::medium::Unsynced;

    fn snapshot(position: u64) -> Snapshot {
        let state = format!("state at {position}").into_bytes();
        Snapshot { position, schema: "graph/1".to_owned(), state }
    }

    #[test]
    fn the_newest_snapshots_are_kept_and_the_last_one_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("new");
        assert_eq!(load(&dir, "graph/1", 9).unwrap(), (None, vec![]));
        for position in [3, 9, 20, 100] {
            save(&Unsynced, &dir, &snapshot(position), 2).unwrap();
        }
        assert_eq!(list(&dir).unwrap().len(), 2);
        assert_eq!(load(&dir, "graph/1", 100).unwrap(), (Some(snapshot(100)), vec![]));
        let (found, skipped) = load(&dir, "graph/1", 99).unwrap();
        assert_eq!(found, Some(snapshot(20)));
        assert!(matches!(skipped[..], [Skipped::AheadOfJournal { position: 100, .. }]));
        let (found, skipped) = load(&dir, "graph/2", 100).unwrap();
        assert_eq!(found, None);
        assert!(matches!(skipped[..], [Skipped::OtherSchema { .. }, _]), "{skipped:?}");
    }

    #[test]
    fn a_snapshot_damaged_at_any_byte_is_passed_over_for_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        save(&Unsynced, dir.path(), &snapshot(1), 2).unwrap();
        let path = save(&Unsynced, dir.path(), &snapshot(2), 2).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x40;
            for broken in [&flipped[..], &whole[..at]] {
                fs::write(&path, broken).unwrap();
                let (found, skipped) = load(dir.path(), "graph/1", 2).unwrap();
                assert_eq!(found, Some(snapshot(1)));
                assert!(matches!(skipped[..], [Skipped::Damaged { .. }]), "{skipped:?}");
            }
        }
    }

    /// A disk with no room for what is written.
    #[derive(Debug)]
    struct FullDisk;

    impl Medium for FullDisk {
        fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File> {
            Unsynced.allocate(path, bytes)
        }
        fn write_at(&self, _: &File, _: &[u8], _: u64) -> io::Result<()> {
            Err(ErrorKind::StorageFull.into())
        }
        fn sync(&self, file: &File) -> io::Result<()> {
            Unsynced.sync(file)
        }
        fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
            Unsynced.publish(from, to)
        }
    }

    #[test]
    fn a_full_disk_leaves_the_older_snapshots_and_no_half_one() {
        let dir = tempfile::tempdir().unwrap();
        save(&Unsynced, dir.path(), &snapshot(1), 1).unwrap();
        let error = save(&FullDisk, dir.path(), &snapshot(2), 1).unwrap_err();
        assert!(error.is_full_disk(), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(load(dir.path(), "graph/1", 2).unwrap().0, Some(snapshot(1)));
    }
}
