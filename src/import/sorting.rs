//! External sort: orders any number of records in bounded memory.
//!
//! Records are collected up to [`RUN_BYTES_MAX`], sorted and set aside as a run
//! on disk; at the end all runs are merged. What fits into one run never
//! touches the disk. Memory: one run per open sorter, plus 64 KiB and an open
//! file per run while merging: 1,000 runs are 64 GB of records.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::import::error::Error;

/// Bytes of records collected before a run is set aside.
pub(super) const RUN_BYTES_MAX: usize = 64 * 1024 * 1024;
const BUFFER_BYTES: usize = 64 * 1024;

/// A folder for sorting runs that is removed when the import ends.
#[derive(Debug)]
pub(super) struct WorkFolder(PathBuf);

/// Key and value.
type Record = (Vec<u8>, Vec<u8>);

/// Takes records in any order.
pub(super) struct Sorter {
    folder: Rc<WorkFolder>,
    name: &'static str,
    bytes_max: usize,
    arena: Vec<u8>,
    places: Vec<Place>,
    runs: Vec<PathBuf>,
}

/// Gives records by key; equal keys in the order they came.
pub(super) struct Sorted {
    folder: Rc<WorkFolder>,
    source: Source,
}

/// The next record of a run: key, which run, value.
type Head = (Vec<u8>, usize, Vec<u8>);

enum Source {
    Memory { arena: Vec<u8>, places: std::vec::IntoIter<Place> },
    Runs { readers: Vec<BufReader<File>>, heap: BinaryHeap<Reverse<Head>> },
}

#[derive(Clone, Copy)]
struct Place {
    start: usize,
    key_bytes: u32,
    value_bytes: u32,
}

impl WorkFolder {
    pub(super) fn create(path: PathBuf) -> Result<Rc<Self>, Error> {
        let failed = |source| Error::Output { path: path.clone(), source };
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir(&path).map_err(failed)?;
        Ok(Rc::new(Self(path)))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Output { path: self.0.clone(), source }
    }

    /// What to say when a record does not read back.
    pub(super) fn damaged(&self) -> Error {
        Error::Damaged { path: self.0.clone() }
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // Left-over runs only cost disk; the next import removes them.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    fn key<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        &arena[self.start..self.start + self.key_bytes as usize]
    }

    fn value<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        let start = self.start + self.key_bytes as usize;
        &arena[start..start + self.value_bytes as usize]
    }
}

impl Sorter {
    pub(super) fn new(folder: &Rc<WorkFolder>, name: &'static str, bytes_max: usize) -> Self {
        let folder = Rc::clone(folder);
        Self { folder, name, bytes_max, arena: Vec::new(), places: Vec::new(), runs: Vec::new() }
    }

    /// Takes what was collected and starts anew.
    pub(super) fn take(&mut self) -> Self {
        let fresh = Self::new(&self.folder, self.name, self.bytes_max);
        std::mem::replace(self, fresh)
    }

    /// What to say when a record cannot be set aside.
    pub(super) fn damaged(&self) -> Error {
        self.folder.damaged()
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let used = self.arena.len() + self.places.len() * size_of::<Place>();
        if self.bytes_max < used + key.len() + value.len() && !self.places.is_empty() {
            self.set_aside()?;
        }
        let too_long = |_| self.folder.damaged();
        let key_bytes = u32::try_from(key.len()).map_err(too_long)?;
        let value_bytes = u32::try_from(value.len()).map_err(too_long)?;
        self.places.push(Place { start: self.arena.len(), key_bytes, value_bytes });
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(value);
        Ok(())
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.places
            .sort_unstable_by(|a, b| a.key(arena).cmp(b.key(arena)).then(a.start.cmp(&b.start)));
    }

    fn set_aside(&mut self) -> Result<(), Error> {
        self.sort();
        let path = self.folder.0.join(format!("{}-{}", self.name, self.runs.len()));
        self.write_run(&path).map_err(|source| self.folder.failed(source))?;
        self.runs.push(path);
        self.arena.clear();
        self.places.clear();
        Ok(())
    }

    fn write_run(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        for place in &self.places {
            file.write_all(&place.key_bytes.to_le_bytes())?;
            file.write_all(&place.value_bytes.to_le_bytes())?;
            file.write_all(place.key(&self.arena))?;
            file.write_all(place.value(&self.arena))?;
        }
        file.flush()
    }

    pub(super) fn finish(mut self) -> Result<Sorted, Error> {
        let folder = Rc::clone(&self.folder);
        if self.runs.is_empty() {
            self.sort();
            let places = self.places.into_iter();
            return Ok(Sorted { folder, source: Source::Memory { arena: self.arena, places } });
        }
        self.set_aside()?;
        self.arena = Vec::new();
        let mut readers = Vec::with_capacity(self.runs.len());
        let mut heap = BinaryHeap::with_capacity(self.runs.len());
        for (run, path) in self.runs.iter().enumerate() {
            let file = File::open(path).map_err(|source| folder.failed(source))?;
            let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
            let first = read_record(&mut reader).map_err(|source| folder.failed(source))?;
            heap.extend(first.map(|(key, value)| Reverse((key, run, value))));
            readers.push(reader);
        }
        Ok(Sorted { folder, source: Source::Runs { readers, heap } })
    }
}

impl Sorted {
    /// The next record, smallest key first.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Error> {
        match &mut self.source {
            Source::Memory { arena, places } => Ok(places
                .next()
                .map(|place| (place.key(arena).to_vec(), place.value(arena).to_vec()))),
            Source::Runs { readers, heap } => {
                let Some(Reverse((key, run, value))) = heap.pop() else { return Ok(None) };
                let next =
                    read_record(&mut readers[run]).map_err(|source| self.folder.failed(source))?;
                heap.extend(next.map(|(key, value)| Reverse((key, run, value))));
                Ok(Some((key, value)))
            }
        }
    }

    /// The folder the runs are in.
    pub(super) fn folder(&self) -> &WorkFolder {
        &self.folder
    }
}

fn read_record(reader: &mut impl Read) -> io::Result<Option<Record>> {
    let mut key_bytes = [0_u8; 4];
    match reader.read_exact(&mut key_bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        given => given?,
    }
    let mut value_bytes = [0_u8; 4];
    reader.read_exact(&mut value_bytes)?;
    let mut key = vec![0; u32::from_le_bytes(key_bytes) as usize];
    let mut value = vec![0; u32::from_le_bytes(value_bytes) as usize];
    reader.read_exact(&mut key)?;
    reader.read_exact(&mut value)?;
    Ok(Some((key, value)))
}

/// Big-endian bytes of a signed number that sort as the number does.
pub(super) fn sortable(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_disk_give_the_same_order_as_memory() {
        let place = tempfile::tempdir().unwrap();
        let sort = |bytes_max: usize| {
            let folder = WorkFolder::create(place.path().join("runs")).unwrap();
            let mut numbers = Sorter::new(&folder, "n", bytes_max);
            for i in 0..1_000_i64 {
                let number = (i * 7_919) % 501 - 250;
                numbers.push(&sortable(number), &sortable(i)).unwrap();
            }
            let mut sorted = numbers.finish().unwrap();
            let mut all = Vec::new();
            while let Some(record) = sorted.next().unwrap() {
                all.push(record);
            }
            all
        };
        let in_memory = sort(RUN_BYTES_MAX);
        assert_eq!(in_memory.len(), 1_000);
        assert!(in_memory.is_sorted());
        assert_eq!(sort(1_000), in_memory);
        assert!(!place.path().join("runs").exists());
    }
}
