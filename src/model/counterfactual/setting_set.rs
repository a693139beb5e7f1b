//! Settings of one lever as bits.

/// Words of a set; a lever has at most 255 settings.
const WORDS: usize = 4;

/// A set of settings of one lever, by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SettingSet([u64; WORDS]);

impl SettingSet {
    pub(super) fn insert(&mut self, setting: u8) {
        self.0[usize::from(setting) / 64] |= 1 << (setting % 64);
    }

    pub(super) fn contains(self, setting: u8) -> bool {
        self.0[usize::from(setting) / 64] >> (setting % 64) & 1 == 1
    }

    pub(super) fn add_all(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Settings whose membership differs from that of the setting before them; the
    /// first setting has none before it.
    pub(super) fn flips(self) -> Self {
        let mut flips = self;
        let mut carry = self.0[0] & 1;
        for (flip, word) in flips.0.iter_mut().zip(self.0) {
            *flip ^= word << 1 | carry;
            carry = word >> 63;
        }
        flips
    }

    /// Calls on every position, ascending.
    pub(super) fn for_each(self, mut call: impl FnMut(u8)) {
        for (mut left, first) in self.0.into_iter().zip([0_u8, 64, 128, 192]) {
            while let Ok(position @ 0..64) = u8::try_from(left.trailing_zeros()) {
                call(first + position);
                left &= left - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flips_are_where_membership_changes() {
        let mut set = SettingSet::default();
        for at in [0, 1, 5, 63, 64, 65, 200] {
            set.insert(at);
        }
        let positions = |set: SettingSet| {
            let mut positions = Vec::new();
            set.for_each(|position| positions.push(position));
            positions
        };
        assert_eq!(positions(set), [0, 1, 5, 63, 64, 65, 200]);
        assert_eq!(positions(set.flips()), [2, 5, 6, 63, 66, 200, 201]);
    }
}
