//! Two accounts that are one consumer's, and what says so.

use crate::domain::entity::EntityRef;
use crate::domain::time::Timestamp;

/// A link between two accounts of one consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The account that was asked about.
    pub account: EntityRef,
    /// The other account.
    pub other: EntityRef,
    /// How sure it is that both are one consumer's, in [0, 1].
    pub confidence: f64,
    /// Why; never empty.
    pub evidence: Vec<IdentityEvidence>,
}

/// Something that both accounts of an identity have used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityEvidence {
    /// A phone, a payment instrument, or a device and then the home it was used for.
    pub carriers: Vec<EntityRef>,
    /// Orders of the other account with the first of them.
    pub n_orders: u64,
    /// The first of these orders.
    pub first_seen: Timestamp,
    /// The last of these orders.
    pub last_seen: Timestamp,
}
