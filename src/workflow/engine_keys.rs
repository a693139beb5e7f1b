//! The engine's part for API keys.

use std::sync::Arc;

use crate::domain::access::check_signer;
use crate::domain::api_key::{ApiKey, KeyChange};
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::workflow::access_command::AccessCommand;
use crate::workflow::engine::Engine;
use crate::workflow::engine_experiments::check;
use crate::workflow::error::Error;
use crate::workflow::key_ring::KeyRing;
use crate::workflow::key_service::KeyService;

impl KeyService for Engine {
    fn key_ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys)
    }

    async fn list_keys(&self) -> Result<Vec<ApiKey>, Error> {
        self.ask_access(|reply| AccessCommand::Keys { reply }).await
    }

    async fn change_key(
        &self,
        change: KeyChange,
        by: Signer,
        received: Timestamp,
    ) -> Result<ApiKey, Error> {
        check(|note| {
            change.check(received, note);
            check_signer(&by, note);
        })?;
        let signature = Signature { by: by.by, at: received, note: by.note };
        self.ask_access(|reply| AccessCommand::ChangeKey { change, signature, reply }).await
    }
}
