//! The bytes of a segment: one header, then records.
//!
//! `docs/journal-format.md` is the specification. All integers are little-endian.

use std::fmt;

/// First bytes of every segment.
const MAGIC: [u8; 8] = *b"olensjnl";
/// The one version there is.
const VERSION: u32 = 1;

/// Bytes before the first record of a segment.
pub const SEGMENT_HEADER_BYTES: usize = 32;
/// Bytes before the payload of a record.
pub const RECORD_HEADER_BYTES: usize = 24;

/// Why the bytes at some place are not the record that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Only zeros.
    Unwritten,
    /// The record would go past the end of the file.
    Cut,
    /// The checksum of the header does not fit.
    Header,
    /// The checksum of the payload does not fit.
    Payload,
    /// A sound record, but another one.
    Position(u64),
}

/// The fixed part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Bytes of payload.
    pub length: u32,
    /// Place in the journal, from 1.
    pub position: u64,
    /// Records of the same write that come before this one.
    pub batch_idx: u32,
    /// CRC-32 (IEEE) of the payload.
    pub payload_crc: u32,
}

impl RecordHeader {
    /// Reads the fixed part; `None` when its own checksum does not fit.
    pub fn parse(bytes: &[u8; RECORD_HEADER_BYTES]) -> Option<Self> {
        (u32_at(bytes, 0) == crc32fast::hash(&bytes[4..])).then(|| Self {
            length: u32_at(bytes, 4),
            position: u64_at(bytes, 8),
            batch_idx: u32_at(bytes, 16),
            payload_crc: u32_at(bytes, 20),
        })
    }

    /// True when the checksum fits this payload.
    pub fn covers(&self, payload: &[u8]) -> bool {
        self.payload_crc == crc32fast::hash(payload)
    }

    /// Bytes from the start of this record to the start of the next one.
    pub fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.length)
    }

    /// Position of the first record of the same write.
    pub fn batch_position(&self) -> u64 {
        self.position.saturating_sub(u64::from(self.batch_idx))
    }
}

/// Appends one record to a buffer.
pub fn push_record(buffer: &mut Vec<u8>, position: u64, batch_idx: u32, payload: &[u8]) {
    // Payloads are limited far below 4 GiB where they enter (`record_bytes_max`).
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut header = [0_u8; RECORD_HEADER_BYTES];
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[8..16].copy_from_slice(&position.to_le_bytes());
    header[16..20].copy_from_slice(&batch_idx.to_le_bytes());
    header[20..].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    let crc = crc32fast::hash(&header[4..]);
    header[..4].copy_from_slice(&crc.to_le_bytes());
    buffer.extend_from_slice(&header);
    buffer.extend_from_slice(payload);
}

/// The header of a segment.
pub fn segment_header(first_position: u64) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut bytes = [0_u8; SEGMENT_HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..20].copy_from_slice(&first_position.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// First position of the segment with this header; an error tells what is wrong.
///
/// # Errors
/// A sentence about the magic, the version or the checksum.
pub fn parse_segment_header(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<u64, String> {
    if bytes[..8] != MAGIC {
        return Err("its first bytes are not `olensjnl`".to_owned());
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Err(format!("version {version}, this build reads {VERSION}"));
    }
    if u32_at(bytes, 28) != crc32fast::hash(&bytes[..28]) {
        return Err("the checksum of its header does not fit".to_owned());
    }
    Ok(u64_at(bytes, 12))
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritten => f.write_str("only zeros"),
            Self::Cut => f.write_str("the record goes past the end of the file"),
            Self::Header => f.write_str("the checksum of its header does not fit"),
            Self::Payload => f.write_str("the checksum of its payload does not fit"),
            Self::Position(found) => write!(f, "record {found} stands there"),
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut raw = [0_u8; 4];
    raw.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(raw)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut raw = [0_u8; 8];
    raw.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(raw)
}
