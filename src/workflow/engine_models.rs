//! The engine's part for models: bundles read, switches recorded.

use std::sync::Arc;

use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::workflow::command::Command;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::model_service::ModelService;

impl Engine {
    async fn switch(
        &self,
        bundle: (Arc<Bundle>, Box<str>),
        expected: Option<Box<str>>,
        signature: Signature,
    ) -> Result<ModelLedger, Error> {
        let command = |reply| Command::Model { bundle, expected, signature, reply };
        let (ledger, position) = self.ask(command).await?;
        self.reached(position).await;
        Ok(ledger)
    }
}

impl ModelService for Engine {
    async fn list_models(&self) -> Result<ModelLedger, Error> {
        let (ledger, position) = self.ask(|reply| Command::Models { reply }).await?;
        self.reached(position).await;
        Ok(ledger)
    }

    async fn promote_model(
        &self,
        name: Box<str>,
        report_hash: Box<str>,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ModelLedger, Error> {
        let past = self.past().clone();
        let bundle = block(move || past.shelves.models.find(&name)).await?;
        let signature = Signature { by: operator.by, at: received, note: operator.note };
        self.switch((bundle, report_hash), None, signature).await
    }

    async fn roll_back_model(
        &self,
        expected: Option<Box<str>>,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ModelLedger, Error> {
        let ledger = self.list_models().await?;
        let leaving: Box<str> = ledger.active_hash().into();
        if expected.is_some_and(|expected| expected != leaving) {
            return Err(model_changed());
        }
        let before = ledger.before().ok_or_else(|| Error::Refused {
            reason: "NOTHING_TO_ROLL_BACK",
            why: "no other model has judged before".into(),
        })?;
        let (past, name, hash) = (self.past().clone(), before.name.clone(), before.hash.clone());
        let bundle = block(move || past.shelves.models.get(&name, &hash)).await?;
        let signature = Signature { by: operator.by, at: received, note: operator.note };
        self.switch((bundle, Box::default()), Some(leaving), signature).await
    }
}

/// What a step is told that rests on a bundle which does not judge any more.
pub(super) fn model_changed() -> Error {
    let why = "another bundle became active in the meantime; look again".into();
    Error::Refused { reason: "MODEL_CHANGED", why }
}
