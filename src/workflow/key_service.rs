//! What the doors ask about API keys.

use std::future::Future;
use std::sync::Arc;

use crate::domain::api_key::{ApiKey, KeyChange};
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::key_ring::KeyRing;

/// Knows the keys by which programs speak to the service.
///
/// It does not ask who is asking: a door looks at the caller's scopes first. Secrets never come
/// here, only their hashes.
pub trait KeyService: Send + Sync + 'static {
    /// The keys of the moment, for every call to look at.
    fn key_ring(&self) -> Arc<KeyRing>;

    /// Every key there ever was, by name.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_keys(&self) -> impl Future<Output = Result<Vec<ApiKey>, Error>> + Send;

    /// Makes, rotates or revokes a key and tells the audit log so in the same record; durable
    /// and in force when it is answered. Who revokes what is revoked is answered without a record.
    ///
    /// # Errors
    /// `Invalid` with every wrong field; `NotFound` for an unknown key; `Refused` when a name is
    /// used already (`KEY_NAME_USED`), the secret is somebody's (`KEY_TAKEN`), what was revoked
    /// would get another secret (`KEY_REVOKED`), or there are too many (`KEYS_FULL`).
    fn change_key(
        &self,
        change: KeyChange,
        by: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ApiKey, Error>> + Send;
}
