//! Numbers that look random and follow from another number alone.

/// What neighboring seeds are apart: 2⁶⁴ over the golden ratio, made odd.
pub const SEED_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output step of `SplitMix64` (Steele, Lea, Flood 2014).
#[inline]
pub const fn scramble(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
