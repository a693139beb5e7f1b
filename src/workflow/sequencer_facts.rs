//! The sequencer's part for facts: each is recorded once.

use std::sync::atomic::Ordering;

use tracing::warn;

use crate::domain::record::Record;
use crate::workflow::command::{Reply, Told};
use crate::workflow::error::Error;
use crate::workflow::sequencer::{Sequencer, answer};
use crate::workflow::told_fact::ToldFact;

impl Sequencer {
    /// Records a fact, unless it was told before; without a reply nobody waits for it.
    pub(super) fn ingest(&mut self, told: ToldFact, reply: Option<Reply<Told>>) {
        let (told, former) = self.recognize_fact(told);
        let about = told.received.event.fact.decision_id();
        if let Some(missing) = about.filter(|id| self.state.decision_position(*id).is_none()) {
            answer(reply, Err(Error::UnknownDecision(missing)));
            return;
        }
        if let Some(before) = self.state.told_as(told.digests.id) {
            let is_same = self.is_same_fact((before.content, former), &told);
            answer(reply, Ok(Told::Before { position: before.position, is_same }));
            return;
        }
        // Of a fact that only speaks of what was erased there is nothing to record.
        let Some(told) = told.without_erased(&self.state.erasures) else {
            return answer(reply, Ok(Told::New));
        };
        let ToldFact { received, bytes, digests } = told;
        self.work.told(&received.event, received.received_time);
        if let Some(position) = self.submit_bytes(bytes, reply, Told::New) {
            self.guard_after(received.received_time, |sequencer| {
                sequencer.state.fold_told(&received, digests);
                sequencer.look_for_shedding();
            });
            self.hand_on(position, Record::Event(received));
        }
    }

    /// Hands a record to those who follow the journal. While they wait, because the replica is
    /// far behind, they will read it.
    pub(super) fn hand_on(&self, position: u64, record: Record) {
        let membership = self.membership.as_ref();
        if !membership.is_some_and(|it| it.records_held.load(Ordering::Relaxed)) {
            self.outlets.tail.push(position, record);
        }
    }

    /// Tells the log when the graph has begun to shed orders.
    pub(super) fn look_for_shedding(&mut self) {
        let status = self.state.graph.status();
        if let Some(until) = self.shed_watch.news(&status) {
            let n_shed = status.counts.n_shed;
            warn!(%until, n_shed, "the graph is full: orders before {until} are shed");
        }
    }
}
