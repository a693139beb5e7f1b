//! The sequencer's part for experiments: steps and guardrails.

use tokio::sync::oneshot;
use tracing::warn;

use crate::domain::proposal::ExperimentStep;
use crate::domain::record::Record;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::workflow::command::{Reply, Stepped};
use crate::workflow::sequencer::{Sequencer, answer};

impl Sequencer {
    pub(super) fn experiment(
        &mut self,
        step: &ExperimentStep,
        signature: Signature,
        reply: Reply<Stepped>,
    ) {
        match self.judges.change_experiment(&self.state, step, signature) {
            Ok(None) => answer(reply, Ok(Stepped::Before(self.state.position))),
            Ok(Some(change)) => {
                let told = Stepped::New(self.state.position + 1);
                if self.submit(&change.record, reply, told).is_some() {
                    self.fold(&change.record);
                    self.judges.follow(change.lineup);
                }
            }
            Err(error) => self.refuse(reply, error),
        }
    }

    /// Folds a record, and ends the experiment that it shows to do harm: by the next order, all
    /// are judged as before it.
    pub(super) fn fold_and_guard(&mut self, record: &Record, now: Timestamp) {
        self.guard_after(now, |sequencer| sequencer.fold(record));
    }

    /// The same for whatever folds a record.
    pub(super) fn guard_after(&mut self, now: Timestamp, fold: impl FnOnce(&mut Self)) {
        let before = self.state.experiments.n_changes();
        fold(self);
        if self.state.experiments.n_changes() != before {
            self.guard(now);
        }
    }

    /// Ends the running experiment when it has shown to do harm.
    pub(super) fn guard(&mut self, now: Timestamp) {
        let Some(run) = self.state.experiments.running() else { return };
        let Some(end) = run.breach() else { return };
        warn!(experiment = %run.plan.id, ?end, "a guardrail ends the experiment");
        let step = ExperimentStep::End { id: run.plan.id.clone(), end };
        let signature = Signature { by: Box::default(), at: now, note: Box::default() };
        let (reply, _) = oneshot::channel();
        self.experiment(&step, signature, reply);
    }
}
