//! The file operations that durability rests on.
//!
//! A trait, so that tests can make any one of them fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes written at once while a file is filled with zeros.
const ZEROS_BYTES: usize = 1 << 20;

/// Where files live. When a call returns `Ok`, its effect survives a crash,
/// except for [`Medium::write_at`], which needs [`Medium::sync`].
pub trait Medium: fmt::Debug + Send + Sync {
    /// A new file of this many zeros; replaces an old one.
    ///
    /// # Errors
    /// Any error of the operating system, a full disk above all.
    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File>;

    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// Any error; then an unknown part of the bytes is written.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes everything written to the file durable.
    ///
    /// # Errors
    /// Any error; then nothing is known about what was written since the last sync.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Gives a file its final name in the same folder.
    ///
    /// # Errors
    /// Any error; then the name may or may not be there.
    fn publish(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Medium for Disk {
    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        // Real zeros, not a hole: a later sync then has no block to allocate or convert.
        let zeros = vec![0_u8; ZEROS_BYTES];
        let mut left = bytes;
        while 0 < left {
            let n = usize::try_from(left).map_or(ZEROS_BYTES, |left| left.min(ZEROS_BYTES));
            file.write_all(&zeros[..n])?;
            left -= n as u64;
        }
        file.sync_all()?;
        Ok(file)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        match to.parent() {
            Some(dir) => sync_dir(dir),
            None => Ok(()),
        }
    }
}

/// Writes a small file that is there whole or not at all, whatever happens meanwhile.
///
/// # Errors
/// Any error of the operating system; then the file is as it was, or as it is to be.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let file = Disk.allocate(temporary, 0)?;
    Disk.write_at(&file, bytes, 0)?;
    Disk.sync(&file)?;
    Disk.publish(temporary, path)
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Any error of the operating system.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The file system without syncs: tests do not cut the power, so they need not wait.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsynced;

#[cfg(test)]
impl Medium for Unsynced {
    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File> {
        let file = File::create(path)?;
        file.set_len(bytes)?;
        Ok(file)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}
