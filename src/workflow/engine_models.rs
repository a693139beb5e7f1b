//! The engine's part for models: bundles read, switches recorded.

use std::sync::Arc;

use crate::domain::model_description::{
    HeadDescription, ModelDescription, ModelFigure, ReliabilityRow,
};
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::model::calibration::CalibrationBin;
use crate::model::manifest::MetricSummary;
use crate::workflow::command::Command;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::model_service::ModelService;

impl Engine {
    /// What a bundle that judged says about itself.
    ///
    /// # Errors
    /// `NotFound` when no bundle with this hash judged, `Unavailable` when it does not load.
    pub async fn describe_model(&self, hash: Box<str>) -> Result<ModelDescription, Error> {
        let ledger = self.list_models().await?;
        let mut deployments = ledger.deployments().iter().rev();
        let Some(found) = deployments.find(|it| it.hash == hash) else {
            return Err(Error::UnknownModel(hash));
        };
        let (past, name, hash) = (self.past().clone(), found.name.clone(), found.hash.clone());
        block(move || Ok(description(&*past.shelves.models.get(&name, &hash)?))).await
    }

    async fn switch(
        &self,
        bundle: (Arc<Bundle>, Box<str>),
        expected: Option<Box<str>>,
        signature: Signature,
    ) -> Result<ModelLedger, Error> {
        let command = |reply| Command::Model { bundle, expected, signature, reply };
        let (ledger, position) = self.ask(command).await?;
        self.reached(position).await?;
        Ok(ledger)
    }
}

impl ModelService for Engine {
    async fn list_models(&self) -> Result<ModelLedger, Error> {
        let (ledger, position) = self.ask(|reply| Command::Models { reply }).await?;
        self.reached(position).await?;
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

fn description(bundle: &Bundle) -> ModelDescription {
    let manifest = bundle.manifest();
    let heads = bundle.heads().iter().zip(&manifest.heads);
    ModelDescription {
        name: bundle.full_name(),
        hash: bundle.hash().into(),
        is_synthetic: manifest.is_synthetic,
        from: manifest.window.from,
        to: manifest.window.to,
        n_rows: manifest.window.n_rows,
        n_features: manifest.features.len(),
        heads: heads
            .map(|(head, entry)| HeadDescription {
                head: entry.id.clone(),
                kind: entry.kind,
                n_trees: entry.n_trees,
                n_rows: entry.n_rows,
                n_positive: entry.n_positive,
                figures: entry.metrics.iter().map(figure).collect(),
                reliability: head.calibration().bins.iter().map(reliability).collect(),
            })
            .collect(),
    }
}

fn figure(metric: &MetricSummary) -> ModelFigure {
    let MetricSummary { name, value, low, high } = metric;
    ModelFigure { name: name.clone(), value: *value, low: *low, high: *high }
}

fn reliability(bin: &CalibrationBin) -> ReliabilityRow {
    ReliabilityRow { n: bin.n, predicted: bin.mean_predicted, observed: bin.mean_observed }
}

/// What a step is told that rests on a bundle which does not judge any more.
pub(super) fn model_changed() -> Error {
    let why = "another bundle became active in the meantime; look again".into();
    Error::Refused { reason: "MODEL_CHANGED", why }
}
