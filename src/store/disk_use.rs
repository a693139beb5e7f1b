//! How many bytes files take.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use crate::store::error::Error;

/// Bytes of the files in a folder whose name starts with `prefix`; 0 when there is no folder.
/// A file that goes while it is looked at counts nothing.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn bytes_in(dir: &Path, prefix: &str) -> Result<u64, Error> {
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry.map_err(Error::io("list", dir))?;
        if entry.file_name().to_str().is_none_or(|name| !name.starts_with(prefix)) {
            continue;
        }
        bytes += match fs::metadata(entry.path()) {
            Ok(file) if file.is_file() => file.len(),
            Ok(_) => 0,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(Error::io("look at", &entry.path())(error)),
        };
    }
    Ok(bytes)
}

/// When the newest file of a folder was written; `None` when there is none.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn newest_in(dir: &Path) -> Result<Option<SystemTime>, Error> {
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    // A file that goes while it is looked at was not the newest.
    let written = entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok());
    Ok(written.max())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_files_of_the_folder_with_the_prefix_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        fs::write(path.join("records.sqlite"), [0; 7]).unwrap();
        fs::write(path.join("records.sqlite-wal"), [0; 5]).unwrap();
        fs::create_dir(path.join("records.folder")).unwrap();
        fs::write(path.join("records.folder").join("records"), [0; 3]).unwrap();
        fs::write(path.join("other"), [0; 11]).unwrap();
        assert_eq!(bytes_in(path, "records.sqlite").unwrap(), 12);
        assert_eq!(bytes_in(path, "records").unwrap(), 12);
        assert_eq!(bytes_in(path, "").unwrap(), 23);
        assert_eq!(bytes_in(&path.join("none"), "").unwrap(), 0);
    }

    #[test]
    fn the_newest_file_is_found_by_when_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest_in(&dir.path().join("none")).unwrap(), None);
        assert_eq!(newest_in(dir.path()).unwrap(), None);
        for (name, seconds) in [("b", 3_000), ("a", 7_000), ("c", 5_000)] {
            let file = fs::File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        let newest = newest_in(dir.path()).unwrap().unwrap();
        assert_eq!(newest, SystemTime::UNIX_EPOCH + Duration::from_secs(7_000));
    }
}
