//! Which of several arms a unit belongs to: a keyed draw that never changes.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::order::{Order, OrderKey};

/// Which arm of an experiment judged an order, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The experiment.
    pub experiment: Box<str>,
    /// The arm's name.
    pub arm: Box<str>,
    /// Who is assigned as one, `account:` and the pseudonym that named the ring first.
    pub unit: Box<str>,
    /// How the arm was found.
    pub reason: AssignmentReason,
}

/// How an arm was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentReason {
    /// Drawn for a unit that was never seen before.
    Drawn,
    /// The account had it before.
    Kept,
    /// An account of the same ring had it before.
    Inherited,
}

/// 2^53: the draws are the multiples of its inverse, all exact in a double.
const STEPS: f64 = 9_007_199_254_740_992.0;

/// A draw in [0, 1) that depends on salt and unit alone.
///
/// The first 8 bytes, big endian, of SHA-256(u32be(len salt) ‖ salt ‖ u32be(len unit) ‖ unit),
/// without the last 11 bits, by 2^53.
pub fn draw(salt: &str, unit: &str) -> f64 {
    let mut hash = Sha256::new();
    for part in [salt, unit] {
        // Longer texts than 4 GiB do not reach this.
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / STEPS
}

/// The draw of an order: the same for all its revisions and however often it is asked about, so
/// that nobody can ask again for a better one.
pub fn draw_of_order(salt: &str, order: &OrderKey) -> f64 {
    let OrderKey { channel, order_id, .. } = order;
    draw(salt, &format!("{}:{channel}/{order_id}", channel.len()))
}

/// What is assigned as one: the account of the order, or the order when it names none.
/// Revisions of an order are one unit.
pub fn unit_of(order: &Order) -> String {
    order.entity(EntityKind::Account).map_or_else(
        || format!("order:{}/{}", order.key.channel, order.key.order_id),
        unit_of_account,
    )
}

/// The unit of an account alone.
pub fn unit_of_account(account: &EntityRef) -> String {
    format!("account:{}", account.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_an_independent_implementation() {
        // Source: Python's hashlib, by the definition above.
        for (salt, unit, expected) in [
            ("exp-2026-001:v1", "ring:0", 0.441_396_303_211_958_66),
            ("exp-2026-001:v1", "ring:1", 0.035_862_355_247_696_21),
            ("exp-2026-001:v1", "acct:42", 0.682_518_663_726_110_3),
            ("exp-2026-001:v1", "订单用户-7", 0.100_641_003_850_313_05),
            ("exp-2026-001:v1", "", 0.303_234_617_663_934_45),
        ] {
            assert_eq!(draw(salt, unit).to_bits(), f64::to_bits(expected), "{salt} {unit}");
        }
    }

    #[test]
    fn where_salt_ends_and_unit_begins_matters() {
        assert_ne!(draw("ab", "c").to_bits(), draw("a", "bc").to_bits());
    }

    #[test]
    fn a_tenth_of_many_units_draws_less_than_a_tenth() {
        let n = (0..100_000).filter(|n| draw("salt", &n.to_string()) < 0.1).count();
        // Six standard deviations: 6 · sqrt(100,000 · 0.09) = 569.
        assert!(n.abs_diff(10_000) < 569, "{n}");
    }
}
