//! The service's own files: segments of the journal, snapshots, saved states.

use std::fs;
use std::path::Path;

use orderlens::store::journal::frame::{
    RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, push_record, segment_header,
};
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::journal::recovery::DamagedTail;
use orderlens::store::journal::{Journal, JournalSettings};
use orderlens::store::medium::Disk;
use orderlens::store::snapshot::{self, Snapshot};
use orderlens::wire::record;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::state::State;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::messages::records;
use super::mutate::{bytes, pick};
use super::{Said, Target};

const SETTINGS: JournalSettings = JournalSettings {
    segment_bytes: 128 << 10,
    record_bytes_max: 64 << 10,
    queue_bytes_max: 1 << 20,
    damaged_tail: DamagedTail::Refuse,
};
const RULE: BackgroundRule = BackgroundRule { every_approved: 0, rows_min: 16, rows_max: 64 };
const SEGMENT_NAME: &str = "00000000000000000001.log";
/// Bytes of a snapshot before what its checksum covers.
const SNAPSHOT_COVERED_FROM: usize = 40;
const SCHEMA: &str = "fuzz/1";

pub(crate) fn targets() -> Vec<Target> {
    vec![segment(), saved_snapshot(), saved_state()]
}

/// In memory where there is such a folder: a disk would be what is measured.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// A segment file, as a start opens it and as a reader beside a service sees it.
fn segment() -> Target {
    let dir = folder();
    let payloads: Vec<Vec<u8>> = records().iter().map(record::encode).collect();
    Target {
        name: "segment",
        seeds: vec![framed(&payloads, 2), framed(&payloads[4..], 1)],
        damage: Box::new(damaged_segment),
        read: Box::new(move |raw| {
            let path = dir.path().join(SEGMENT_NAME);
            let mut file = raw.to_vec();
            file.resize(raw.len().next_multiple_of(512), 0);
            fs::write(&path, &file).unwrap();
            let n_seen = JournalReader::open(dir.path())
                .map(|reader| reader.read_from(1).take_while(Result::is_ok).count());
            match Journal::open(dir.path(), SETTINGS) {
                Ok((journal, opened)) => {
                    let n_read = journal.reader().read_from(1).flatten().count();
                    assert_eq!(n_read as u64, opened.last_position, "a record does not read");
                    // Whoever looked before saw no record that the service does not have.
                    assert!(n_seen.is_ok_and(|n_seen| n_seen <= n_read), "a reader saw more");
                    Said::accepted(&format!("{n_read} {}", opened.torn.is_some()))
                }
                Err(error) => Said::refused(&error.to_string()),
            }
        }),
        cost: 20,
    }
}

/// Records of so many to a write.
fn framed(payloads: &[Vec<u8>], n_batch: u32) -> Vec<u8> {
    let mut raw = segment_header(1).to_vec();
    for ((position, idx), payload) in (1..).zip((0..n_batch).cycle()).zip(payloads) {
        push_record(&mut raw, position, idx, payload);
    }
    raw
}

/// Damage below the checksums, and damage that they cover.
fn damaged_segment(dice: &mut ChaCha8Rng, raw: Vec<u8>, other: &[u8]) -> Vec<u8> {
    if dice.gen_bool(0.5) {
        return bytes(dice, raw, other);
    }
    let mut payloads = payloads_of(&raw);
    if payloads.is_empty() {
        return bytes(dice, raw, other);
    }
    let at = dice.gen_range(0..payloads.len());
    match dice.gen_range(0..4) {
        0 => drop(payloads.remove(at)),
        1 => payloads.insert(at, Vec::new()),
        _ => payloads[at] = bytes(dice, std::mem::take(&mut payloads[at]), other),
    }
    let mut raw = segment_header(u64::from(*pick(dice, &[1_u32, 1, 1, 2]))).to_vec();
    let mut position = 1;
    for payload in &payloads {
        push_record(&mut raw, position, dice.gen_range(0..3), payload);
        // Mostly in order; sometimes a place is skipped or told twice.
        position += *pick(dice, &[1, 1, 1, 1, 1, 1, 1, 0, 2]);
    }
    raw
}

fn payloads_of(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut rest = raw.get(SEGMENT_HEADER_BYTES..).unwrap_or_default();
    while let Some(header) = rest.first_chunk().and_then(RecordHeader::parse) {
        let end = RECORD_HEADER_BYTES + header.length as usize;
        let Some(payload) = rest.get(RECORD_HEADER_BYTES..end) else { break };
        payloads.push(payload.to_vec());
        rest = &rest[end..];
    }
    payloads
}

fn state_bytes() -> Vec<u8> {
    let mut state = State::empty(RULE);
    for record in records() {
        state.fold(&record);
    }
    postcard::to_stdvec(&state).unwrap()
}

/// A snapshot file whose state nobody reads yet.
fn saved_snapshot() -> Target {
    let dir = folder();
    let saved = Snapshot { position: 7, schema: SCHEMA.to_owned(), state: b"state".repeat(9) };
    let path = snapshot::save(&Disk, dir.path(), &saved, 1).unwrap();
    let seed = fs::read(&path).unwrap();
    Target {
        name: "snapshot",
        seeds: vec![seed],
        damage: Box::new(|dice, raw, other| {
            let mut raw = bytes(dice, raw, other);
            if dice.gen_bool(0.7) && SNAPSHOT_COVERED_FROM < raw.len() {
                let hash = blake3::hash(&raw[SNAPSHOT_COVERED_FROM..]);
                raw[8..SNAPSHOT_COVERED_FROM].copy_from_slice(hash.as_bytes());
            }
            raw
        }),
        read: Box::new(move |raw| {
            fs::write(&path, raw).unwrap();
            let (found, skipped) = snapshot::load(dir.path(), SCHEMA, 1_000).unwrap();
            match (found, skipped.first()) {
                (Some(found), _) => Said::accepted(&found.state.len().min(99).to_string()),
                (None, Some(why)) => Said::refused(&why.to_string()),
                (None, None) => Said::refused("nothing there"),
            }
        }),
        cost: 4,
    }
}

/// The state of a snapshot, whatever its checksum says.
fn saved_state() -> Target {
    Target {
        name: "state",
        seeds: vec![state_bytes()],
        damage: Box::new(bytes),
        read: Box::new(|raw| match State::read(raw, RULE) {
            Ok(state) => Said::accepted(&state.position.min(99).to_string()),
            Err(error) => Said::refused(&format!("{error} {}", raw.len().max(1).ilog2())),
        }),
        cost: 4,
    }
}
