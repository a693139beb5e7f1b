//! Learns a challenger from the journal and lets the gate judge it.

use serde::Serialize;

use crate::decision::strategy::Strategy;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::UnknownFeature;
use crate::graph::settings::GraphSettings;
use crate::model::bundle::Bundle;
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::training::bundle::{BundleParams, Progress, fit_bundle};
use crate::training::error::FitError;
use crate::workflow::evaluate_bundle::evaluation_catalog;
use crate::workflow::learn_from_journal::{
    LearnedSet, SetManifest, learn, orders_between, received_until,
};
use crate::workflow::play_history::{HistoryPlan, Window, play_history};
use crate::workflow::promotion_gate::{Contest, GateReport, promotion_gate};

/// What to learn from, and who is challenged.
#[derive(Clone, Copy, Debug)]
pub struct Retraining<'a> {
    /// Reads the journal.
    pub reader: &'a JournalReader,
    /// Judges now.
    pub champion: &'a Bundle,
    /// Under which both are compared.
    pub strategy: &'a Strategy,
    /// How the graph remembers.
    pub graph: &'a GraphSettings,
    /// First orders that are learned from.
    pub from: Timestamp,
    /// Only what was received until then is known.
    pub as_of: Timestamp,
    /// After which every label is final: the gate judges by orders that are older.
    pub maturity: Span,
}

/// A challenger with what it was made of and what the gate says.
#[derive(Debug)]
pub struct Challenger {
    /// The bundle, not saved yet.
    pub bundle: Bundle,
    /// What it learned from.
    pub manifest: SetManifest,
    /// Whether it may be promoted; `None` when no order's whole truth is known.
    pub gate: Option<GateReport>,
}

/// Why there is no challenger.
#[derive(Debug, thiserror::Error)]
pub enum RetrainError {
    /// The journal cannot be read.
    #[error("reading the journal: {0}")]
    Store(#[from] StoreError),
    /// No model could be fitted.
    #[error("{0}")]
    Fit(#[from] FitError),
    /// The champion reads a feature that this build has not.
    #[error("{0}")]
    Feature(#[from] UnknownFeature),
}

/// What is being done.
#[derive(Clone, Debug, PartialEq)]
pub enum RetrainStep {
    /// So many events of the journal are played.
    Playing(u64),
    /// The trees grow.
    Fitting(Progress),
    /// Both are judged on the orders of the gate.
    Judging,
}

impl Retraining<'_> {
    /// The challenger that the journal gives.
    ///
    /// # Errors
    /// [`RetrainError`].
    pub fn challenger(
        &self,
        params: &BundleParams,
        progress: &mut dyn FnMut(RetrainStep),
    ) -> Result<Challenger, RetrainError> {
        let gate = Window { from: self.from, to: self.as_of - self.maturity };
        let plan = self.plan(vec![Window { from: self.from, to: self.as_of }]);
        let played = &mut |n| progress(RetrainStep::Playing(n));
        let LearnedSet { set, manifest, .. } = learn(self.reader, (&plan, self.as_of), played)?;
        let bundle = fit_bundle(&set, params, &mut |step| progress(RetrainStep::Fitting(step)))?;
        progress(RetrainStep::Judging);
        let gate = self.gate(&bundle, gate)?;
        Ok(Challenger { bundle, manifest, gate })
    }

    fn gate(
        &self,
        challenger: &Bundle,
        window: Window,
    ) -> Result<Option<GateReport>, RetrainError> {
        let catalog = evaluation_catalog(challenger, Some(self.champion))?;
        let events = received_until(self.reader, self.as_of);
        let history = play_history(events, catalog, &self.plan(vec![window]), &mut |_| {})?;
        let orders = orders_between(self.reader, (window.from, window.to))?;
        Ok(promotion_gate(&Contest {
            champion: self.champion,
            challenger,
            strategy: self.strategy,
            history: &history,
            orders: &orders,
            as_of: self.as_of,
        }))
    }

    fn plan(&self, windows: Vec<Window>) -> HistoryPlan {
        HistoryPlan { windows, label_delay: Span(0), graph: self.graph.clone() }
    }
}

/// What became of a retraining, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetrainReport {
    /// The challenger.
    pub bundle: Box<str>,
    /// BLAKE3 of its manifest.
    pub hash: Box<str>,
    /// What it learned from.
    pub training_set: SetManifest,
    /// What the gate said; `None` when it had nothing to judge.
    pub gate: Option<GateReport>,
    /// BLAKE3 of what the gate said, to be named when the bundle is promoted; empty without one.
    pub gate_hash: Box<str>,
}

impl Challenger {
    /// Its report.
    pub fn report(&self) -> RetrainReport {
        RetrainReport {
            bundle: self.bundle.full_name(),
            hash: self.bundle.hash().into(),
            training_set: self.manifest.clone(),
            gate_hash: self.gate.as_ref().map(GateReport::hash).unwrap_or_default(),
            gate: self.gate.clone(),
        }
    }

    /// True when the gate lets it pass.
    pub fn is_passed(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_passed)
    }
}
