//! Where the journal ends: reads the last segment and judges its tail.
//!
//! A crash leaves a batch half written: some bytes are there, the others are
//! still the zeros that the segment was made of. Nobody was told that such a
//! batch is durable, so it is cut off. Anything else is damage and is refused,
//! because it may have destroyed what somebody was promised.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::store::error::Error;
use crate::store::journal::frame::{Damage, RECORD_HEADER_BYTES, RecordHeader};
use crate::store::journal::segment::{Cursor, Segment, Start, Step};
use crate::store::medium::Medium;

/// Disks write sectors of at least this size whole or not at all.
const SECTOR_BYTES: u64 = 512;
/// Fewer zeros than this at the end of a sector may be chance.
const ZEROS_MIN: u64 = 4;

/// What to do when the last write is damaged in a way that no crash explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedTail {
    /// Refuse to open: the records may have been acknowledged.
    Refuse,
    /// Cut it off; a person has decided that.
    Discard,
}

/// A half-written end that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Segment file.
    pub path: PathBuf,
    /// Where the first lost record started.
    pub offset: u64,
    /// Bytes from there to the last one that was not zero.
    pub bytes: u64,
}

/// The end of the journal.
#[derive(Debug)]
pub(crate) struct End {
    /// Position that the next record gets.
    pub(crate) next_position: u64,
    /// Where in the last segment it goes.
    pub(crate) offset: u64,
    /// What was cut off to get there.
    pub(crate) torn: Option<TornTail>,
}

/// Finds the end in the last segment, cutting off what a crash left half written.
///
/// # Errors
/// [`Error::Corrupt`] or [`Error::DamagedTail`] when durable records are or may be
/// lost; [`Error::Io`], [`Error::Format`].
pub(crate) fn find_end(
    segment: &Segment,
    medium: &dyn Medium,
    damaged_tail: DamagedTail,
) -> Result<End, Error> {
    let mut cursor = Cursor::open(&segment.path, segment.first_position)?;
    let mut starts = Vec::new();
    let mut last_batch = segment.first_position;
    let damage = loop {
        let start = Start { position: cursor.position, offset: cursor.offset };
        match cursor.step()? {
            Step::Record { batch_position, .. } => {
                starts.push(start);
                last_batch = batch_position;
            }
            Step::Damaged(damage) => break damage,
        }
    };
    segment.note_all(&starts);
    let torn = Tail::read(&cursor, damage, segment)?.cut(medium, damaged_tail)?;
    let offset = cursor.offset;
    let unsure = starts.partition_point(|start| start.position < last_batch);
    if let Some(start) = starts.get(unsure) {
        write_again(segment, start.offset..offset, medium)?;
    }
    Ok(End { next_position: cursor.position, offset, torn })
}

/// True when a sound record of a later write stands somewhere behind a cursor.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn has_later_batch(cursor: &Cursor, segment: &Segment) -> Result<bool, Error> {
    Ok(Tail::read(cursor, Damage::Unwritten, segment)?.has_later_batch())
}

/// Makes the last batch durable, which may so far be in the system's cache alone: the
/// process may have died before its sync, or the sync failed and forgot what was unwritten.
fn write_again(segment: &Segment, range: Range<u64>, medium: &dyn Medium) -> Result<(), Error> {
    let path = &segment.path;
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let mut bytes = vec![0_u8; usize::try_from(range.end - range.start).unwrap_or_default()];
    file.read_exact_at(&mut bytes, range.start).map_err(Error::io("read", path))?;
    medium.write_at(&file, &bytes, range.start).map_err(Error::io("write to", path))?;
    medium.sync(&file).map_err(Error::io("sync", path))
}

/// Everything in the last segment after its last sound record.
struct Tail<'a> {
    segment: &'a Segment,
    /// Up to the end of the file.
    bytes: Vec<u8>,
    /// How many of them come before the zeros that fill the rest.
    n_written: usize,
    /// Offset in the file of the first byte.
    offset: u64,
    /// Position that belongs there.
    position: u64,
    damage: Damage,
}

impl<'a> Tail<'a> {
    fn read(cursor: &Cursor, damage: Damage, segment: &'a Segment) -> Result<Self, Error> {
        let path = &segment.path;
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        file.seek(SeekFrom::Start(cursor.offset)).map_err(Error::io("read", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        let n_written = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let (offset, position) = (cursor.offset, cursor.position);
        Ok(Self { segment, bytes, n_written, offset, position, damage })
    }

    /// Overwrites the tail with zeros when that loses nothing that was promised.
    fn cut(
        &self,
        medium: &dyn Medium,
        damaged_tail: DamagedTail,
    ) -> Result<Option<TornTail>, Error> {
        if self.n_written == 0 {
            return Ok(None);
        }
        let (path, offset, position) = (&self.segment.path, self.offset, self.position);
        let damage = self.damage;
        // A batch is written only after the one before it is durable.
        if self.has_later_batch() {
            return Err(Error::Corrupt { path: path.clone(), offset, position, damage });
        }
        if damaged_tail == DamagedTail::Refuse && !self.is_torn() {
            return Err(Error::DamagedTail { path: path.clone(), offset, position, damage });
        }
        let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
        let zeros = vec![0_u8; self.n_written];
        medium.write_at(&file, &zeros, offset).map_err(Error::io("write to", path))?;
        medium.sync(&file).map_err(Error::io("sync", path))?;
        Ok(Some(TornTail { path: path.clone(), offset, bytes: self.n_written as u64 }))
    }

    /// True when a sound record of a later write stands somewhere behind the damage.
    fn has_later_batch(&self) -> bool {
        (1..self.n_written).any(|at| {
            let Some(header) = self.header_at(at) else { return false };
            let start = at + RECORD_HEADER_BYTES;
            self.position < header.batch_position()
                && self
                    .bytes
                    .get(start..start.saturating_add(header.length as usize))
                    .is_some_and(|payload| header.covers(payload))
        })
    }

    /// True when bytes that were never written explain the damage.
    fn is_torn(&self) -> bool {
        match self.header_at(0) {
            Some(header) if header.position == self.position => {
                let extent = header.record_bytes();
                // The end of the record or of the whole file is missing.
                self.is_zero(extent - 1, extent) || self.has_unwritten_sector(extent)
            }
            Some(_) => false,
            None => {
                self.n_written <= RECORD_HEADER_BYTES
                    || self.has_unwritten_sector(RECORD_HEADER_BYTES as u64)
            }
        }
    }

    /// True when a sector that the first `extent` bytes touch holds only zeros.
    fn has_unwritten_sector(&self, extent: u64) -> bool {
        let mut from = 0;
        while from < extent {
            let to = (self.offset + from + 1).next_multiple_of(SECTOR_BYTES) - self.offset;
            if ZEROS_MIN <= to - from && self.is_zero(from, to) {
                return true;
            }
            from = to;
        }
        false
    }

    /// True for a range of zeros; behind the end of the file all are.
    fn is_zero(&self, from: u64, to: u64) -> bool {
        let clamp = |at| usize::try_from(at).map_or(self.n_written, |at| at.min(self.n_written));
        self.bytes[clamp(from)..clamp(to)].iter().all(|&byte| byte == 0)
    }

    fn header_at(&self, at: usize) -> Option<RecordHeader> {
        RecordHeader::parse(self.bytes.get(at..)?.first_chunk()?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::store::journal::frame::{push_record, segment_header};
    use crate::store::medium::Unsynced;

    const FILE_BYTES: usize = 8192;

    /// A segment of batches of payloads; gives its bytes and where each record starts.
    fn segment_of(batches: &[&[&[u8]]]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = segment_header(1).to_vec();
        let mut starts = Vec::new();
        for batch in batches {
            for (idx, payload) in batch.iter().enumerate() {
                starts.push(bytes.len());
                let position = starts.len() as u64;
                push_record(&mut bytes, position, u32::try_from(idx).unwrap(), payload);
            }
        }
        starts.push(bytes.len());
        bytes.resize(FILE_BYTES, 0);
        (bytes, starts)
    }

    fn find_in(dir: &Path, bytes: &[u8], damaged_tail: DamagedTail) -> Result<End, Error> {
        let segment = Segment::fresh(dir, 1);
        fs::write(&segment.path, bytes).unwrap();
        find_end(&segment, &Unsynced, damaged_tail)
    }

    fn check_torn(bytes: &[u8], offset: usize, position: u64) {
        let dir = tempfile::tempdir().unwrap();
        let end = find_in(dir.path(), bytes, DamagedTail::Refuse).unwrap();
        assert_eq!((end.next_position, end.offset), (position, offset as u64));
        // What was cut off is gone for good, and the file as long as before.
        let path = Segment::fresh(dir.path(), 1).path;
        let kept = fs::read(&path).unwrap();
        assert_eq!(kept.len(), bytes.len());
        assert_eq!(kept[..offset], bytes[..offset]);
        assert!(kept[offset..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_tail_torn_at_any_byte_of_the_last_batch_is_cut_off() {
        let long = [0xA5; 700];
        for last in [&[&long[..]][..], &[&long, b"b", b""], &[b"", b""], &[b"\0\0\0", &long]] {
            let (whole, starts) = segment_of(&[&[b"first"], &[b"second", b"third"], last]);
            let n_before = 3;
            for torn_at in starts[n_before]..*starts.last().unwrap() {
                // The records of the batch that were written in full are kept.
                let n_kept = starts.iter().filter(|&&start| start <= torn_at).count() - 1;
                let mut zeroed = whole.clone();
                zeroed[torn_at..].fill(0);
                let lost_only_zeros = zeroed == whole;
                let n_kept = if lost_only_zeros { starts.len() - 1 } else { n_kept };
                let n_kept = whole_records(&zeroed, &whole, &starts, n_kept);
                check_torn(&zeroed, starts[n_kept], n_kept as u64 + 1);
                let n_kept = starts.iter().filter(|&&start| start <= torn_at).count() - 1;
                check_torn(&whole[..torn_at], starts[n_kept], n_kept as u64 + 1);
            }
        }
    }

    /// A record whose missing end was zeros anyway is whole.
    fn whole_records(torn: &[u8], whole: &[u8], starts: &[usize], at_least: usize) -> usize {
        let n_same = torn.iter().zip(whole).take_while(|(a, b)| a == b).count();
        let n_whole = starts.iter().filter(|&&start| start <= n_same).count() - 1;
        n_whole.max(at_least)
    }

    #[test]
    fn a_batch_whose_sectors_were_written_out_of_order_is_cut_off() {
        let (whole, starts) = segment_of(&[&[b"first"], &[&[1; 900], &[2; 900], &[3; 900]]]);
        for sector in starts[1].div_ceil(512)..starts[4] / 512 {
            let mut torn = whole.clone();
            torn[sector * 512..(sector + 1) * 512].fill(0);
            let n_kept = starts.iter().filter(|&&start| start <= sector * 512).count() - 1;
            check_torn(&torn, starts[n_kept], n_kept as u64 + 1);
        }
    }

    #[test]
    fn any_bit_flipped_before_the_last_batch_is_refused_and_named() {
        let (whole, starts) = segment_of(&[&[b"first"], &[b"second", b"third"], &[b"fourth"]]);
        let dir = tempfile::tempdir().unwrap();
        for bit in starts[0] * 8..starts[3] * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let n_before = starts.iter().filter(|&&start| start <= bit / 8).count() - 1;
            for damaged_tail in [DamagedTail::Refuse, DamagedTail::Discard] {
                let error = find_in(dir.path(), &flipped, damaged_tail).unwrap_err();
                let Error::Corrupt { path, offset, position, .. } = error else {
                    panic!("bit {bit}: {error}");
                };
                assert_eq!(path, Segment::fresh(dir.path(), 1).path);
                assert_eq!((offset, position), (starts[n_before] as u64, n_before as u64 + 1));
            }
        }
    }

    #[test]
    fn a_bit_flipped_in_the_last_batch_is_not_taken_for_a_crash() {
        let (whole, starts) = segment_of(&[&[b"first"], &[b"second", b"third"]]);
        let dir = tempfile::tempdir().unwrap();
        for bit in starts[1] * 8..starts[3] * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let n_before = starts.iter().filter(|&&start| start <= bit / 8).count() - 1;
            let error = find_in(dir.path(), &flipped, DamagedTail::Refuse).unwrap_err();
            assert!(matches!(error, Error::DamagedTail { .. }), "bit {bit}: {error}");
            let end = find_in(dir.path(), &flipped, DamagedTail::Discard).unwrap();
            assert_eq!(end.next_position, n_before as u64 + 1);
            assert_eq!(end.torn.unwrap().offset, starts[n_before] as u64);
        }
    }

    #[test]
    fn a_damaged_segment_header_is_refused() {
        let (whole, _) = segment_of(&[&[b"first"]]);
        let dir = tempfile::tempdir().unwrap();
        for bit in 0..32 * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = find_in(dir.path(), &flipped, DamagedTail::Discard).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "bit {bit}: {error}");
        }
    }
}
