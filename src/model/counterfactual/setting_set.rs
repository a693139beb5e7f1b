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

    /// Positions, ascending.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip([0_u8, 64, 128, 192]).flat_map(|(word, first)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let position = u8::try_from(left.trailing_zeros()).ok().filter(|at| *at < 64)?;
                left &= left - 1;
                Some(first + position)
            })
        })
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
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 5, 63, 64, 65, 200]);
        assert_eq!(set.flips().iter().collect::<Vec<_>>(), [2, 5, 6, 63, 66, 200, 201]);
    }
}
