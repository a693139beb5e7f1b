//! Last meetings of an entity that met many: counted, no longer scanned.
//!
//! A bit per meeting says whether it is the last with its counterpart. The bits
//! from a position on count the counterparts seen since: a few words of popcount.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::graph::meetings::NOBODY;

/// Words of bits that share one running count.
const WORDS_PER_BLOCK: usize = 64;
/// Bits of one block.
const BITS_PER_BLOCK: usize = WORDS_PER_BLOCK * 64;

/// The last meeting with one counterpart, and how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PairLast {
    /// Sequence number of the last meeting.
    pub(super) sequence: u32,
    /// Meetings in all.
    pub(super) n_meetings: u32,
}

/// Last meetings by counterpart, and the same by position as bits.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PairIndex {
    lasts: IndexMap<u32, PairLast, FxBuildHasher>,
    words: Vec<u64>,
    n_bits: usize,
    /// Set bits of each block of words.
    blocks: Vec<u32>,
}

impl PairIndex {
    /// The last meeting with `who`.
    pub(super) fn last(&self, who: u32) -> Option<PairLast> {
        self.lasts.get(&who).copied()
    }

    /// Adds the newest meeting and returns the number of the previous one, 0 for none.
    pub(super) fn append(&mut self, who: u32, sequence: u32, n_dropped: u32) -> u32 {
        if who == NOBODY {
            self.push_bit(0);
            return 0;
        }
        let met = self.lasts.entry(who).or_insert(PairLast { sequence: 0, n_meetings: 0 });
        let previous = met.sequence;
        *met = PairLast { sequence, n_meetings: met.n_meetings + 1 };
        if n_dropped < previous {
            self.clear_bit((previous - n_dropped - 1) as usize);
        }
        self.push_bit(1);
        previous
    }

    /// Counts a meeting without touching the bits.
    pub(super) fn add_meeting(&mut self, who: u32, sequence: u32) {
        let met = self.lasts.entry(who).or_insert(PairLast { sequence, n_meetings: 0 });
        met.sequence = met.sequence.max(sequence);
        met.n_meetings += 1;
    }

    /// Renumbers the last meeting with `who`, if it has the old number.
    pub(super) fn renumber(&mut self, who: u32, old: u32, new: u32) {
        if let Some(last) = self.lasts.get_mut(&who).filter(|last| last.sequence == old) {
            last.sequence = new;
        }
    }

    /// Counterparts whose last meeting is at or after `position`.
    pub(super) fn n_last_from(&self, position: usize) -> u64 {
        if self.n_bits <= position {
            return 0;
        }
        if position == 0 {
            return self.lasts.len() as u64;
        }
        let word = position / 64;
        let first = self.words[word] >> (position % 64);
        let block_end = ((word / WORDS_PER_BLOCK + 1) * WORDS_PER_BLOCK).min(self.words.len());
        let words = self.words[word + 1..block_end].iter().map(|word| word.count_ones());
        let blocks = self.blocks[word / WORDS_PER_BLOCK + 1..].iter();
        u64::from(first.count_ones())
            + u64::from(words.sum::<u32>())
            + blocks.map(|&n| u64::from(n)).sum::<u64>()
    }

    /// Adds the bit of the next position: 1 when it is the last meeting with its counterpart.
    pub(super) fn push_bit(&mut self, bit: u8) {
        if self.n_bits.is_multiple_of(64) {
            self.words.push(0);
        }
        if self.n_bits.is_multiple_of(BITS_PER_BLOCK) {
            self.blocks.push(0);
        }
        self.words[self.n_bits / 64] |= u64::from(bit) << (self.n_bits % 64);
        self.blocks[self.n_bits / BITS_PER_BLOCK] += u32::from(bit);
        self.n_bits += 1;
    }

    /// Forgets the bits from `position` on.
    pub(super) fn truncate(&mut self, position: usize) {
        for at in position..self.n_bits {
            self.clear_bit(at);
        }
        self.n_bits = self.n_bits.min(position);
        self.words.truncate(self.n_bits.div_ceil(64));
        self.blocks.truncate(self.n_bits.div_ceil(BITS_PER_BLOCK));
    }

    fn clear_bit(&mut self, position: usize) {
        let mask = 1_u64 << (position % 64);
        if self.words[position / 64] & mask != 0 {
            self.words[position / 64] &= !mask;
            self.blocks[position / BITS_PER_BLOCK] -= 1;
        }
    }
}
