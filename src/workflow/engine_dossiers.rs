//! The engine's part for people: reads of journal and records, beside the sequencer.

use crate::domain::query::DecisionKey;
use crate::workflow::dossier_service::{Dossier, DossierService};
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;

impl DossierService for Engine {
    async fn get_dossier(&self, key: DecisionKey) -> Result<Dossier, Error> {
        let scored = self.find(key).await?;
        // What was acknowledged before now is in it, unless the records lag far behind.
        self.records_caught_up().await?;
        let (records, id) = (self.records.clone(), scored.decision.decision_id);
        let told = block(move || {
            let failed = |error| Error::failed("reading what followed", error);
            Ok((records.choices(id).map_err(failed)?, records.outcomes(id).map_err(failed)?))
        });
        let (choices, outcomes) = told.await?;
        Ok(Dossier { scored, choices, outcomes })
    }
}
