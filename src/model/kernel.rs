//! The AVX2 forms of ranking and of finding leaves: the only `unsafe` code.
//!
//! They compute the same whole numbers as [`Ranker::fill`] and [`Forest::fill`],
//! which tests and every loaded bundle check. A look-up of 32 ranks is one byte
//! shuffle per 16 features.
#![expect(unsafe_code, reason = "vector instructions need it; nothing else does")]
#![expect(clippy::cast_ptr_alignment, reason = "loadu and storeu need no alignment")]

use std::arch::x86_64::{
    __m128i, __m256i, _CMP_LT_OQ, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm256_adds_epu8,
    _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_cmp_ps, _mm256_cmpeq_epi8,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_ps, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_set1_ps, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_storeu_si256, _mm256_sub_epi8, _mm256_xor_si256,
};

use crate::model::binning::RANK_MISSING;
use crate::model::forest::{Block, Forest, LANES};
use crate::model::ranker::{BLOCK, Ranker};

/// Ranks that one byte shuffle can look up.
const CHUNK: usize = 16;

/// Proof that this machine has AVX2 and POPCNT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where it holds.
    pub(crate) fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
        is_there.then_some(Self(()))
    }

    /// As [`Ranker::fill`].
    #[expect(clippy::unused_self, reason = "it is the proof that the instructions are there")]
    pub(crate) fn ranks(self, ranker: &Ranker, values: &[f32], ranks: &mut [u8]) {
        // SAFETY: `self` proves that the instructions are there.
        unsafe { ranks_avx2(ranker, values, ranks) }
    }

    /// As [`Forest::fill`].
    #[expect(clippy::unused_self, reason = "it is the proof that the instructions are there")]
    pub(crate) fn leaves(self, forest: &Forest<u8>, ranks: &[u8], leaves: &mut [u8]) {
        let (chunks, _) = ranks.as_chunks::<CHUNK>();
        // SAFETY: `self` proves that the instructions are there.
        unsafe {
            match chunks {
                [a] => leaves_of(forest, &[*a], leaves),
                [a, b] => leaves_of(forest, &[*a, *b], leaves),
                [a, b, c] => leaves_of(forest, &[*a, *b, *c], leaves),
                [a, b, c, d] => leaves_of(forest, &[*a, *b, *c, *d], leaves),
                more => leaves_of_many(forest, more, leaves),
            }
        }
    }
}

/// Asks the memory for an item that is read soon.
#[inline]
pub(crate) fn fetch<T>(item: &T) {
    // SAFETY: every x86-64 machine has the instruction; it reads nothing and cannot fault.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) }
}

#[target_feature(enable = "avx2,popcnt")]
fn ranks_avx2(ranker: &Ranker, values: &[f32], ranks: &mut [u8]) {
    ranks.fill(RANK_MISSING);
    for ((rank, &value), &feature) in ranks.iter_mut().zip(values).zip(&ranker.features) {
        *rank = ranker.rank(feature, value, |block, value| count_below(block, value));
    }
}

/// How many of 16 borders are below the value.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn count_below(block: &[f32; BLOCK], value: f32) -> u8 {
    let value = _mm256_set1_ps(value);
    let start = block.as_ptr();
    // SAFETY: a block is 16 floats, two loads of 8 that need no alignment.
    let (low, high) = unsafe { (_mm256_loadu_ps(start), _mm256_loadu_ps(start.add(8))) };
    let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(low, value));
    let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(high, value));
    // 16 at most.
    (low | high << 8).count_ones().to_le_bytes()[0]
}

/// With a number of chunks known to the compiler, so that they stay in registers.
#[target_feature(enable = "avx2")]
fn leaves_of<const N: usize>(forest: &Forest<u8>, chunks: &[[u8; CHUNK]; N], leaves: &mut [u8]) {
    let tables: [__m256i; N] = std::array::from_fn(|at| table(&chunks[at]));
    let (leaves, _) = leaves.as_chunks_mut::<LANES>();
    for (block, leaves) in forest.blocks.iter().zip(leaves) {
        leaves_of_block(block, &tables, leaves);
    }
}

/// With any number of chunks up to 256 features.
#[target_feature(enable = "avx2")]
fn leaves_of_many(forest: &Forest<u8>, chunks: &[[u8; CHUNK]], leaves: &mut [u8]) {
    let mut tables = [_mm256_setzero_si256(); 256 / CHUNK];
    for (slot, chunk) in tables.iter_mut().zip(chunks) {
        *slot = table(chunk);
    }
    let n_tables = chunks.len().min(tables.len());
    let (leaves, _) = leaves.as_chunks_mut::<LANES>();
    for (block, leaves) in forest.blocks.iter().zip(leaves) {
        leaves_of_block(block, &tables[..n_tables], leaves);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn leaves_of_block(block: &Block<u8>, tables: &[__m256i], leaves: &mut [u8; LANES]) {
    let mut bits = _mm256_setzero_si256();
    let mut bit = 1_i8;
    for questions in &block.levels {
        let asked = look_up(tables, load(&questions.features));
        let rank = _mm256_sub_epi8(asked, load(&questions.offsets));
        let is_at_most = _mm256_cmpeq_epi8(_mm256_min_epu8(rank, load(&questions.at_most)), rank);
        bits = _mm256_or_si256(bits, _mm256_andnot_si256(is_at_most, _mm256_set1_epi8(bit)));
        bit <<= 1;
    }
    store(leaves, bits);
}

/// The ranks at 32 positions. A shuffle gives 0 where the top bit of a position is
/// set, which each table arranges for positions that are not its own.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(tables: &[__m256i], positions: __m256i) -> __m256i {
    let mut found = _mm256_setzero_si256();
    let mut first = 0_u8;
    for table in tables {
        let own = _mm256_xor_si256(positions, _mm256_set1_epi8(first.cast_signed()));
        // 0 to 15 stay below 128 and keep their low half; all others reach it.
        let marked = _mm256_adds_epu8(own, _mm256_set1_epi8(0x70));
        found = _mm256_or_si256(found, _mm256_shuffle_epi8(*table, marked));
        first = first.wrapping_add(16);
    }
    found
}

/// 16 ranks in both halves of a register.
#[inline]
#[target_feature(enable = "avx2")]
fn table(ranks: &[u8; CHUNK]) -> __m256i {
    // SAFETY: 16 bytes are read, and `loadu` needs no alignment.
    let half = unsafe { _mm_loadu_si128(ranks.as_ptr().cast::<__m128i>()) };
    _mm256_broadcastsi128_si256(half)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LANES]) -> __m256i {
    // SAFETY: 32 bytes are read, and `loadu` needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast::<__m256i>()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; LANES], register: __m256i) {
    // SAFETY: 32 bytes are written, and `storeu` needs no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast::<__m256i>(), register) }
}
