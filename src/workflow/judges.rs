//! The judges of a running service, and what changes of strategies do to them.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::record::Record;
use crate::domain::strategy_version::Signature;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::Judge;
use crate::workflow::lineup::Lineup;
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use crate::workflow::strategy_shelf::StrategyShelf;

/// Who judges now, with all that it takes to let others judge.
#[derive(Debug)]
pub struct Judges {
    base: Judge,
    lineup: Lineup,
    shelf: StrategyShelf,
    active_name: watch::Sender<Arc<str>>,
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

impl Judges {
    /// The judges that a ledger names, with the bundle and the background of `base`.
    ///
    /// # Errors
    /// `Invalid` when a text that judges does not read any more.
    pub fn new(base: Judge, ledger: &StrategyLedger, shelf: StrategyShelf) -> Result<Self, Error> {
        let lineup = Lineup::of(&base, ledger, &shelf)?;
        let active_name = watch::Sender::new(name_of(&lineup));
        Ok(Self { base, lineup, shelf, active_name })
    }

    /// Who judges.
    pub fn lineup(&self) -> &Lineup {
        &self.lineup
    }

    /// Name of the active strategy, from now on.
    pub fn active_name(&self) -> watch::Receiver<Arc<str>> {
        self.active_name.subscribe()
    }

    /// What a step would change; `None` when everything is so already.
    ///
    /// # Errors
    /// As [`StrategyLedger::record_of`], and `Invalid` for a text that does not read any more.
    pub fn change(
        &self,
        ledger: &StrategyLedger,
        step: &StrategyStep,
        signature: Signature,
    ) -> Result<Option<Change>, Error> {
        let Some(record) = ledger.record_of(step, signature)? else { return Ok(None) };
        let mut ledger = ledger.clone();
        ledger.fold(&record);
        let lineup = Lineup::of(&self.base, &ledger, &self.shelf)?;
        Ok(Some(Change { record, ledger, lineup }))
    }

    /// Lets others judge.
    pub fn follow(&mut self, lineup: Lineup) {
        self.active_name.send_replace(name_of(&lineup));
        self.lineup = lineup;
    }

    /// Lets the same judges compare with other orders.
    pub fn explain(&mut self, explainer: &Arc<Explainer>) {
        self.base = self.base.with_explainer(Some(explainer.clone()));
        self.lineup = self.lineup.with_explainer(Some(explainer));
    }
}

fn name_of(lineup: &Lineup) -> Arc<str> {
    (&*lineup.active().strategy().strategy.name).into()
}
