//! One segment file: its name, its cursor, and where in it a record starts.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::store::error::Error;
use crate::store::journal::frame::{
    Damage, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, parse_segment_header,
};

/// A record's offset is remembered for every so many records: 2 bytes of memory a record, and
/// at most three headers to step over, each perhaps a look at the disk.
const INDEX_EVERY: u64 = 4;
/// Bytes read ahead of a cursor that goes on.
pub(crate) const READ_AHEAD_BYTES: usize = 128 << 10;
/// The same where one record is looked up: a few headers, since most records are longer.
pub(crate) const LOOK_AHEAD_BYTES: usize = 512;
/// Ending of segment files.
const SUFFIX: &str = ".log";

/// A segment that exists on disk.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Position of its first record, also its name.
    pub(crate) first_position: u64,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Offset of every [`INDEX_EVERY`]th record; `None` until somebody looks one up.
    offsets: Mutex<Option<Vec<u64>>>,
}

/// Reads the records of one segment in order.
#[derive(Debug)]
pub(crate) struct Cursor {
    input: BufReader<File>,
    path: PathBuf,
    /// Where the next record starts.
    pub(crate) offset: u64,
    /// Which record that must be.
    pub(crate) position: u64,
    file_bytes: u64,
}

/// Where a record starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// Its position in the journal.
    pub(crate) position: u64,
    /// Its offset in the segment.
    pub(crate) offset: u64,
}

/// What a cursor found.
#[derive(Debug)]
pub(crate) enum Step {
    /// The record that belongs there.
    Record {
        /// Position of the first record of the same write.
        batch_position: u64,
        /// What was told.
        payload: Vec<u8>,
    },
    /// Something else.
    Damaged(Damage),
}

impl Segment {
    /// A segment whose records will be noted from the first one on.
    pub(crate) fn fresh(dir: &Path, first_position: u64) -> Self {
        let path = dir.join(format!("{first_position:020}{SUFFIX}"));
        Self { first_position, path, offsets: Mutex::new(Some(Vec::new())) }
    }

    /// A segment found on disk; its index is built when first needed.
    pub(crate) fn existing(path: PathBuf, first_position: u64) -> Self {
        Self { first_position, path, offsets: Mutex::new(None) }
    }

    /// Remembers where records start; they must be told in order, without a gap.
    pub(crate) fn note(&self, starts: &[Start]) {
        let mut guard = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(offsets) = guard.as_mut() else { return };
        for start in starts {
            if (start.position - self.first_position).is_multiple_of(INDEX_EVERY) {
                offsets.push(start.offset);
            }
        }
    }

    /// The same for a segment found on disk, all of whose records are told.
    pub(crate) fn note_all(&self, starts: &[Start]) {
        *self.offsets.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        self.note(starts);
    }

    /// A cursor at one record of this segment, which must exist and be durable, with so many
    /// bytes read ahead.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Corrupt`] when a record before it is damaged.
    pub(crate) fn cursor_at(
        &self,
        position: u64,
        read_ahead_bytes: usize,
    ) -> Result<Cursor, Error> {
        let mut cursor = Cursor::open_reading(&self.path, self.first_position, read_ahead_bytes)?;
        if position == self.first_position {
            return Ok(cursor);
        }
        let near = (position - self.first_position) / INDEX_EVERY;
        cursor.jump(self.offset_of(near)?, self.first_position + near * INDEX_EVERY)?;
        while cursor.position < position {
            if let Some(damage) = cursor.skip()? {
                return Err(cursor.corrupt(damage));
            }
        }
        Ok(cursor)
    }

    fn offset_of(&self, idx: u64) -> Result<u64, Error> {
        let mut guard = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let offsets = match guard.as_mut() {
            Some(offsets) => offsets,
            None => guard.insert(self.index()?),
        };
        let offset = usize::try_from(idx).ok().and_then(|idx| offsets.get(idx).copied());
        offset.ok_or_else(|| Error::Corrupt {
            path: self.path.clone(),
            offset: offsets.last().copied().unwrap_or(SEGMENT_HEADER_BYTES as u64),
            position: self.first_position + idx * INDEX_EVERY,
            damage: Damage::Unwritten,
        })
    }

    /// All of it: only segments that are written to the end come here, for the starts of
    /// the others are noted from the first record on.
    fn index(&self) -> Result<Vec<u64>, Error> {
        let mut offsets = Vec::new();
        let mut cursor = Cursor::open(&self.path, self.first_position)?;
        loop {
            let (position, offset) = (cursor.position, cursor.offset);
            // The end of a segment that is followed by another one; or damage,
            // which whoever looks up a record behind it is told.
            if cursor.skip()?.is_some() {
                return Ok(offsets);
            }
            if (position - self.first_position).is_multiple_of(INDEX_EVERY) {
                offsets.push(offset);
            }
        }
    }
}

impl Cursor {
    /// A cursor before the first record, after checking the segment's header.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when the header is not one, or of another version.
    pub(crate) fn open(path: &Path, first_position: u64) -> Result<Self, Error> {
        Self::open_reading(path, first_position, READ_AHEAD_BYTES)
    }

    /// The same, with so many bytes read ahead.
    ///
    /// # Errors
    /// Those of [`Cursor::open`].
    pub(crate) fn open_reading(
        path: &Path,
        first_position: u64,
        read_ahead_bytes: usize,
    ) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let file_bytes = file.metadata().map_err(Error::io("look at", path))?.len();
        let mut input = BufReader::with_capacity(read_ahead_bytes, file);
        let mut header = [0_u8; SEGMENT_HEADER_BYTES];
        let format =
            |found| Error::Format { path: path.to_owned(), expected: "a journal segment", found };
        match input.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(format(format!("only {file_bytes} bytes long")));
            }
            Err(error) => return Err(Error::io("read", path)(error)),
        }
        let found = parse_segment_header(&header).map_err(format)?;
        if found != first_position {
            return Err(format(format!("its header says that record {found} comes first")));
        }
        let offset = SEGMENT_HEADER_BYTES as u64;
        Ok(Self { input, path: path.to_owned(), offset, position: first_position, file_bytes })
    }

    /// A cursor where another one stands, which sees what was written since.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn open_at(path: &Path, other: &Self) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let file_bytes = file.metadata().map_err(Error::io("look at", path))?.len();
        let input = BufReader::with_capacity(READ_AHEAD_BYTES, file);
        let (offset, position) = (other.offset, other.position);
        let mut cursor = Self { input, path: path.to_owned(), offset, position, file_bytes };
        cursor.jump(offset, position)?;
        Ok(cursor)
    }

    /// Reads the next record, or tells why there is none. Stays put on damage.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn step(&mut self) -> Result<Step, Error> {
        let header = match self.header()? {
            Ok(header) => header,
            Err(damage) => return Ok(Step::Damaged(damage)),
        };
        let end = self.offset + header.record_bytes();
        if self.file_bytes < end {
            return Ok(Step::Damaged(Damage::Cut));
        }
        let mut payload = vec![0_u8; header.length as usize];
        if !self.fill(&mut payload)? {
            return Ok(Step::Damaged(Damage::Cut));
        }
        if !header.covers(&payload) {
            return Ok(Step::Damaged(Damage::Payload));
        }
        self.offset = end;
        self.position += 1;
        Ok(Step::Record { batch_position: header.batch_position(), payload })
    }

    /// The error for damage at the place where the cursor stands.
    pub(crate) fn corrupt(&self, damage: Damage) -> Error {
        let (offset, position) = (self.offset, self.position);
        Error::Corrupt { path: self.path.clone(), offset, position, damage }
    }

    fn jump(&mut self, offset: u64, position: u64) -> Result<(), Error> {
        self.input.seek(SeekFrom::Start(offset)).map_err(Error::io("read", &self.path))?;
        self.offset = offset;
        self.position = position;
        Ok(())
    }

    /// Steps over a record by its header alone; whoever reads it checks its payload.
    fn skip(&mut self) -> Result<Option<Damage>, Error> {
        let header = match self.header()? {
            Ok(header) => header,
            Err(damage) => return Ok(Some(damage)),
        };
        let end = self.offset + header.record_bytes();
        if self.file_bytes < end {
            return Ok(Some(Damage::Cut));
        }
        self.input
            .seek_relative(i64::from(header.length))
            .map_err(Error::io("read", &self.path))?;
        self.offset = end;
        self.position += 1;
        Ok(None)
    }

    /// Steps over a record by its header; gives the first byte of its payload, if it has
    /// any, which is not checked.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn glance(&mut self) -> Result<Result<Option<u8>, Damage>, Error> {
        let header = match self.header()? {
            Ok(header) => header,
            Err(damage) => return Ok(Err(damage)),
        };
        let end = self.offset + header.record_bytes();
        if self.file_bytes < end {
            return Ok(Err(Damage::Cut));
        }
        let mut first = [0_u8; 1];
        let n_read = usize::from(0 < header.length);
        if !self.fill(&mut first[..n_read])? {
            return Ok(Err(Damage::Cut));
        }
        self.input
            .seek_relative(i64::from(header.length.saturating_sub(1)))
            .map_err(Error::io("read", &self.path))?;
        self.offset = end;
        self.position += 1;
        Ok(Ok((0 < n_read).then_some(first[0])))
    }

    /// Reads the header of the record that belongs here.
    fn header(&mut self) -> Result<Result<RecordHeader, Damage>, Error> {
        let mut raw = [0_u8; RECORD_HEADER_BYTES];
        let is_whole = self.fill(&mut raw)?;
        if raw.iter().all(|&byte| byte == 0) {
            return Ok(Err(Damage::Unwritten));
        }
        if !is_whole {
            return Ok(Err(Damage::Cut));
        }
        Ok(match RecordHeader::parse(&raw) {
            None => Err(Damage::Header),
            Some(header) if header.position != self.position => {
                Err(Damage::Position(header.position))
            }
            Some(header) => Ok(header),
        })
    }

    /// Fills the buffer; false when the file ends before (the rest is left as it is).
    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<bool, Error> {
        while !buffer.is_empty() {
            match self.input.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(n) => buffer = &mut buffer[n..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            }
        }
        Ok(true)
    }
}

/// Every segment of a folder, oldest first.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] for a `.log` file whose name is not a position.
pub(crate) fn list(dir: &Path) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    let entries = dir.read_dir().map_err(Error::io("list", dir))?;
    for entry in entries {
        let entry: io::Result<_> = entry;
        let path = entry.map_err(Error::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(SUFFIX) else { continue };
        let Ok(first_position) = stem.parse::<u64>() else {
            let found = format!("its name is `{name}`");
            return Err(Error::Format { path, expected: "a journal segment", found });
        };
        segments.push(Segment::existing(path, first_position));
    }
    segments.sort_by_key(|segment| segment.first_position);
    Ok(segments)
}
