//! Models of the fake: the real ledger over bundles that are names alone.

use orderlens::domain::record::ModelActivated;
use orderlens::domain::strategy_version::{Signature, Signer};
use orderlens::domain::time::Timestamp;
use orderlens::workflow::error::Error;
use orderlens::workflow::model_ledger::ModelLedger;
use orderlens::workflow::model_service::ModelService;

use crate::fake::Fake;

/// Hash of a bundle that the fake has.
pub(crate) fn hash_of(name: &str) -> Result<Box<str>, Error> {
    let known = [("risk/1", "1"), ("risk/2", "2")];
    let found = known.iter().find(|(known, _)| *known == name);
    let found = found.ok_or_else(|| Error::UnknownModel(name.into()))?;
    Ok(found.1.repeat(64).into())
}

impl Fake {
    fn activate_model(
        &self,
        name: Box<str>,
        report_hash: Box<str>,
        by: Signer,
        at: Timestamp,
    ) -> Result<ModelLedger, Error> {
        let hash = hash_of(&name)?;
        let mut state = self.state();
        if state.models.active_hash() != &*hash {
            let signature = Signature { by: by.by, at, note: by.note };
            let position = state.models.deployments().len() as u64 + 1;
            let activated = ModelActivated { name, hash, signature, report_hash };
            state.models.fold(&activated, position);
        }
        Ok(state.models.clone())
    }
}

impl ModelService for Fake {
    async fn list_models(&self) -> Result<ModelLedger, Error> {
        Ok(self.state().models.clone())
    }

    async fn promote_model(
        &self,
        name: Box<str>,
        report_hash: Box<str>,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ModelLedger, Error> {
        self.activate_model(name, report_hash, operator, received)
    }

    async fn roll_back_model(
        &self,
        expected: Option<Box<str>>,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ModelLedger, Error> {
        let ledger = self.state().models.clone();
        if expected.is_some_and(|expected| *expected != *ledger.active_hash()) {
            return Err(Error::Refused { reason: "MODEL_CHANGED", why: "look again".into() });
        }
        let nothing = || Error::Refused { reason: "NOTHING_TO_ROLL_BACK", why: "none".into() };
        let before = ledger.before().ok_or_else(nothing)?;
        self.activate_model(before.name.clone(), Box::default(), operator, received)
    }
}
