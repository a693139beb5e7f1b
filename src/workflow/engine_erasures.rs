//! The engine's part for erasures.

use crate::domain::access::check_signer;
use crate::domain::entity::EntityRef;
use crate::domain::erasure::{ERASED_PER_CALL_MAX, Erased};
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::workflow::access_command::AccessCommand;
use crate::workflow::engine::Engine;
use crate::workflow::engine_experiments::check;
use crate::workflow::erasure_service::ErasureService;
use crate::workflow::error::Error;

impl ErasureService for Engine {
    async fn erase(
        &self,
        entities: Vec<EntityRef>,
        by: Signer,
        received: Timestamp,
    ) -> Result<Vec<Erased>, Error> {
        check(|note| {
            check_signer(&by, note);
            if entities.is_empty() || ERASED_PER_CALL_MAX < entities.len() {
                note("entities", format!("must be 1 to {ERASED_PER_CALL_MAX}"));
            }
            for (idx, entity) in entities.iter().enumerate() {
                if !entity.kind.is_personal() {
                    let kind = entity.kind.as_str();
                    note(&format!("entities[{idx}].kind"), format!("`{kind}` is no person's"));
                }
            }
        })?;
        let signature = Signature { by: by.by, at: received, note: by.note };
        let mut erased = Vec::with_capacity(entities.len());
        for entity in entities {
            let signature = signature.clone();
            let asked = |reply| AccessCommand::Erase { entity, signature, reply };
            erased.push(self.ask_access(asked).await?);
        }
        Ok(erased)
    }
}
