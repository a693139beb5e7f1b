//! What the doors ask when a person wants to be forgotten.

use std::future::Future;

use crate::domain::entity::EntityRef;
use crate::domain::erasure::Erased;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;

/// Erases identifiers.
///
/// It does not ask who is asking: a door looks at the caller's scopes first.
pub trait ErasureService: Send + Sync + 'static {
    /// Erases sealed identifiers one after the other, and tells the audit log so in the same
    /// records; durable and in force when it is answered, in the order of the question. What
    /// was erased and did not come again is answered without a record.
    ///
    /// # Errors
    /// `Invalid` for an identifier of a kind that is no person's, or too many of them.
    fn erase(
        &self,
        entities: Vec<EntityRef>,
        by: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<Vec<Erased>, Error>> + Send;
}
