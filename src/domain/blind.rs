//! Decisions whose recommendation people see only once they have chosen.
//!
//! Who sees a recommendation leans toward it. A few orders that somebody has to look at are
//! therefore shown with their evidence alone: how often people would have chosen the same says
//! how much of their agreement is the recommendation's doing.

use crate::domain::assignment::draw_of_order;
use crate::domain::order::OrderKey;

/// Salt of the draws: independent of every other one.
const SALT: &str = "blind";

/// Whether an order is of the share that is shown blind: the same for all its revisions.
pub fn is_drawn_blind(order: &OrderKey, share: f64) -> bool {
    draw_of_order(SALT, order) < share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_is_drawn_and_a_revision_with_its_order() {
        let key = |n: u32, revision| OrderKey {
            channel: "app".into(),
            order_id: n.to_string().into(),
            revision,
        };
        let n = (0..100_000).filter(|n| is_drawn_blind(&key(*n, 0), 0.05)).count();
        // Six standard deviations: 6 · sqrt(100,000 · .05 · .95) = 414.
        assert!(n.abs_diff(5_000) < 414, "{n}");
        assert!(!is_drawn_blind(&key(1, 0), 0.0) && is_drawn_blind(&key(1, 0), 1.0));
        let is_same = |n| is_drawn_blind(&key(n, 0), 0.5) == is_drawn_blind(&key(n, 7), 0.5);
        assert!((0..100).all(is_same));
    }
}
