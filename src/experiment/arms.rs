//! Which arm a draw falls into.

/// Arms of an experiment: shares of all units, of which a part takes part.
///
/// The range of an arm starts where the whole shares of the earlier ones end, and `coverage` says
/// how much of each range is used. So raising or lowering the coverage moves nobody from one arm
/// to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Arms {
    shares: Vec<f64>,
    coverage: f64,
}

/// How far shares may be from 1 in sum.
const SUM_TOLERANCE: f64 = 1e-9;

impl Arms {
    /// `None` unless shares are 0 or more and sum to 1, and the coverage is in [0, 1].
    pub fn new(shares: &[f64], coverage: f64) -> Option<Self> {
        let is_sound = shares.iter().all(|share| 0.0 <= *share)
            && (shares.iter().sum::<f64>() - 1.0).abs() < SUM_TOLERANCE
            && (0.0..=1.0).contains(&coverage);
        is_sound.then(|| Self { shares: shares.to_vec(), coverage })
    }

    /// The arm of a draw in [0, 1); `None` when it takes no part.
    pub fn arm(&self, draw: f64) -> Option<usize> {
        let mut start = 0.0;
        for (at, share) in self.shares.iter().enumerate() {
            let is_last = self.shares[at + 1..].iter().all(|later| *later <= 0.0);
            // Rounded shares may end below 1: what is left belongs to the last one.
            let whole = if is_last { 1.0 - start } else { *share };
            if draw < start + whole {
                let is_in = start <= draw && draw < start + whole * self.coverage;
                return is_in.then_some(at);
            }
            start += share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_coverage_moves_a_unit_to_another_arm(
            draw in 0.0..1.0_f64,
            first in 0.0..1.0_f64,
            coverages in proptest::collection::vec(0.0..=1.0_f64, 2..6),
        ) {
            let shares = [first / 2.0, first / 2.0, 1.0 - first];
            let full = Arms::new(&shares, 1.0).unwrap().arm(draw);
            prop_assert!(full.is_some(), "everybody has an arm");
            for coverage in coverages {
                let arm = Arms::new(&shares, coverage).unwrap().arm(draw);
                prop_assert!(arm.is_none() || arm == full);
            }
        }
    }

    #[test]
    fn the_top_of_the_range_has_an_arm_and_an_empty_arm_has_no_unit() {
        let top = 1.0 - f64::EPSILON / 2.0;
        let arms = Arms::new(&[0.1; 10], 1.0).unwrap();
        assert_eq!(arms.arm(top), Some(9));
        let with_empty = Arms::new(&[0.0, 1.0, 0.0], 1.0).unwrap();
        assert_eq!((with_empty.arm(0.0), with_empty.arm(top)), (Some(1), Some(1)));
        assert_eq!(Arms::new(&[0.5, 0.4], 1.0), None);
        assert_eq!(Arms::new(&[1.5, -0.5], 1.0), None);
    }
}
