//! The judges of a running service, and what changes who judges.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::proposal::ExperimentStep;
use crate::domain::record::{ModelActivated, Record};
use crate::domain::strategy_version::Signature;
use crate::model::bundle::Bundle;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::Judge;
use crate::workflow::lineup::Lineup;
use crate::workflow::shelves::Shelves;
use crate::workflow::state::State;
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};

/// Who judges now, with all that it takes to let others judge.
#[derive(Debug)]
pub struct Judges {
    base: Judge,
    lineup: Lineup,
    shelves: Shelves,
    active: watch::Sender<Judge>,
}

/// A step on strategies that is allowed, and what it leads to.
#[derive(Debug)]
pub struct Change {
    /// What the journal has to hold first.
    pub record: Record,
    /// The strategies after it.
    pub ledger: StrategyLedger,
    /// The judges after it.
    pub lineup: Lineup,
}

/// Another bundle that may judge, and what it leads to.
#[derive(Debug)]
pub struct ModelChange {
    /// What the journal has to hold first.
    pub record: Record,
    base: Judge,
    lineup: Lineup,
}

/// A step of an experiment that is allowed, and what it leads to.
#[derive(Debug)]
pub struct ExperimentChange {
    /// What the journal has to hold first.
    pub record: Record,
    /// The judges after it.
    pub lineup: Lineup,
}

impl Judges {
    /// The judges that a state names, with the bundle and the background of `base`.
    ///
    /// # Errors
    /// As [`Lineup::of`].
    pub fn new(base: Judge, state: &State, shelves: Shelves) -> Result<Self, Error> {
        let named = (&state.strategies, state.experiments.running_plan());
        let lineup = Lineup::of(&base, named, &shelves)?;
        let active = watch::Sender::new(lineup.active().clone());
        Ok(Self { base, lineup, shelves, active })
    }

    /// Who judges.
    pub fn lineup(&self) -> &Lineup {
        &self.lineup
    }

    /// Reads strategies and bundles.
    pub fn shelves(&self) -> &Shelves {
        &self.shelves
    }

    /// Who judges what nobody else does, from now on.
    pub fn active(&self) -> watch::Receiver<Judge> {
        self.active.subscribe()
    }

    /// What a step on strategies would change; `None` when everything is so already.
    ///
    /// # Errors
    /// As [`StrategyLedger::record_of`], and `Invalid` for a text that does not read any more.
    pub fn change(
        &self,
        state: &State,
        step: &StrategyStep,
        signature: Signature,
    ) -> Result<Option<Change>, Error> {
        let Some(record) = state.strategies.record_of(step, signature)? else { return Ok(None) };
        let mut ledger = state.strategies.clone();
        ledger.fold(&record);
        let named = (&ledger, state.experiments.running_plan());
        let lineup = Lineup::of(&self.base, named, &self.shelves)?;
        Ok(Some(Change { record, ledger, lineup }))
    }

    /// What another bundle would change; `None` when it judges already.
    ///
    /// # Errors
    /// `Internal` when the bundle does not fit this program or the strategy.
    pub fn change_model(
        &self,
        state: &State,
        (bundle, report_hash): (&Arc<Bundle>, Box<str>),
        signature: Signature,
    ) -> Result<Option<ModelChange>, Error> {
        if state.models.active_hash() == bundle.hash() {
            return Ok(None);
        }
        let base = self.base.with_bundle(bundle.clone());
        let base =
            base.map_err(|error| Error::failed("fitting the strategy to a bundle", error))?;
        let named = (&state.strategies, state.experiments.running_plan());
        let lineup = Lineup::of(&base, named, &self.shelves)?;
        let record = Record::ModelActivated(ModelActivated {
            name: bundle.full_name(),
            hash: bundle.hash().into(),
            signature,
            report_hash,
        });
        Ok(Some(ModelChange { record, base, lineup }))
    }

    /// What a step of an experiment would change; `None` when everything is so already.
    ///
    /// # Errors
    /// As [`ExperimentStep::record`], and `Unavailable` when the bundle of an arm is not there.
    pub fn change_experiment(
        &self,
        state: &State,
        step: &ExperimentStep,
        signature: Signature,
    ) -> Result<Option<ExperimentChange>, Error> {
        let Some(record) = step.record(&state.experiments, signature)? else { return Ok(None) };
        let running = state.experiments.running_plan();
        let after = match &step {
            ExperimentStep::Start { plan, percent } => Some((plan, *percent)),
            ExperimentStep::Ramp { percent, .. } => running.map(|(plan, _)| (plan, *percent)),
            ExperimentStep::End { .. } => None,
        };
        let lineup = Lineup::of(&self.base, (&state.strategies, after), &self.shelves)?;
        Ok(Some(ExperimentChange { record, lineup }))
    }

    /// Lets others judge.
    pub fn follow(&mut self, lineup: Lineup) {
        self.active.send_replace(lineup.active().clone());
        self.lineup = lineup;
    }

    /// Lets another bundle judge.
    pub fn follow_model(&mut self, change: ModelChange) {
        self.base = change.base;
        self.follow(change.lineup);
    }

    /// Lets the same judges compare with other orders.
    pub fn explain(&mut self, explainer: &Arc<Explainer>) {
        self.base = self.base.with_explainer(Some(explainer.clone()));
        let lineup = self.lineup.with_explainer(Some(explainer));
        self.follow(lineup);
    }
}
