//! The file operations that durability rests on.
//!
//! A trait, so that tests can make any one of them fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
#[cfg(target_os = "linux")]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::fs::OFlags;

/// Bytes written at once while a file is filled with zeros: what a commit of the journal may
/// find in front of it at the disk.
const ZEROS_BYTES: usize = 256 << 10;
/// What direct writes are aligned to: no disk has larger sectors.
const ALIGN_BYTES: usize = 4_096;

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
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        // Real zeros, not a hole: a later sync then has no block to allocate or convert.
        let done = fill_directly(path, bytes).unwrap_or(0);
        fill(&file, done, bytes, &vec![0; ZEROS_BYTES])?;
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

/// Fills a file with zeros past the page cache, so that no sync of another file waits for more
/// than one write; tells up to where it is filled.
///
/// # Errors
/// When the file system knows no such writes, or at the end of the disk: what is missing is
/// for ordinary writes, which say why they fail.
#[cfg(target_os = "linux")]
fn fill_directly(path: &Path, bytes: u64) -> io::Result<u64> {
    let flags = i32::try_from(OFlags::DIRECT.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    let room = vec![0; ZEROS_BYTES + ALIGN_BYTES];
    let start = room.as_ptr().align_offset(ALIGN_BYTES);
    let Some(zeros) = room.get(start..start + ZEROS_BYTES) else { return Ok(0) };
    let end = bytes - bytes % ALIGN_BYTES as u64;
    fill(&file, 0, end, zeros)?;
    Ok(end)
}

#[cfg(not(target_os = "linux"))]
fn fill_directly(_: &Path, _: u64) -> io::Result<u64> {
    Ok(0)
}

/// Writes zeros from one offset to another.
fn fill(file: &File, from: u64, to: u64, zeros: &[u8]) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let n = usize::try_from(to - at).map_or(zeros.len(), |left| left.min(zeros.len()));
        file.write_all_at(&zeros[..n], at)?;
        at += n as u64;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocated_file_is_zeros_to_its_end_whatever_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for bytes in [0, 1, 4_095, 4_096, 4_097, ZEROS_BYTES as u64 * 2 + 4_097] {
            fs::write(&path, [7; 64]).unwrap();
            drop(Disk.allocate(&path, bytes).unwrap());
            let read = fs::read(&path).unwrap();
            assert_eq!(read.len() as u64, bytes);
            assert!(read.iter().all(|byte| *byte == 0), "{bytes} bytes");
        }
    }
}
