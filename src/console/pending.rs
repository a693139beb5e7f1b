//! Choices that can still be undone.
//!
//! A choice waits here for a few seconds before it is recorded, so that undoing one leaves
//! nothing behind that other systems may have acted on. Nobody is told that it is recorded
//! before it is: the page says that it *will* be. A crash in between loses it, and the order is
//! back in the queue. A server that stops records what waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{error, warn};

use crate::console::parts::Console;
use crate::domain::decision::DecisionId;
use crate::domain::feedback::OperatorChoice;
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::service::OrderService as _;

/// How often recording is tried while the engine is busy, and how long apart.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Choices by id, until they are recorded.
#[derive(Debug, Default)]
pub struct PendingChoices(Mutex<BTreeMap<Box<str>, Pending>>);

/// A choice that waits.
#[derive(Debug)]
struct Pending {
    choice: OperatorChoice,
    /// True once it is on its way to the journal: nobody is told that it is undone then.
    is_leaving: bool,
}

impl PendingChoices {
    /// True while a choice about this decision waits.
    pub fn is_chosen(&self, id: DecisionId) -> bool {
        self.lock().values().any(|it| it.choice.decision_id == id)
    }

    /// Takes a choice of this person back; `None` when it is recorded or was never made.
    pub fn undo(&self, choice_id: &str, person_id: &str) -> Option<OperatorChoice> {
        let mut waiting = self.lock();
        let found = waiting.get(choice_id)?;
        if found.is_leaving || &*found.choice.operator_id != person_id {
            return None;
        }
        waiting.remove(choice_id).map(|it| it.choice)
    }

    /// The newest choice of a person that can still be undone.
    pub fn newest_of(&self, person_id: &str) -> Option<OperatorChoice> {
        let waiting = self.lock();
        let choices = waiting.values().filter(|it| !it.is_leaving).map(|it| &it.choice);
        let own = choices.filter(|choice| &*choice.operator_id == person_id);
        own.max_by_key(|choice| choice.decided_at).cloned()
    }

    /// How many wait.
    pub fn n_waiting(&self) -> usize {
        self.lock().len()
    }

    /// Keeps a choice in place of an earlier one of the same person about the same decision: a
    /// form that a browser sends twice is one choice.
    fn put(&self, choice: OperatorChoice) {
        let mut waiting = self.lock();
        waiting.retain(|_, Pending { choice: it, is_leaving }| {
            let is_other =
                it.decision_id != choice.decision_id || it.operator_id != choice.operator_id;
            is_other || *is_leaving
        });
        let id = choice.choice_id.clone();
        waiting.insert(id, Pending { choice, is_leaving: false });
    }

    /// The choice with this id, which nobody can undo any more; `None` when somebody has.
    fn leave(&self, choice_id: &str) -> Option<OperatorChoice> {
        let mut waiting = self.lock();
        let found = waiting.get_mut(choice_id)?;
        found.is_leaving = true;
        Some(found.choice.clone())
    }

    fn ids(&self) -> Vec<Box<str>> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Pending>> {
        // Every change is one call on the map, so a panicked neighbor has left it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a choice for the time to undo it, then records it.
pub fn hold(console: &Arc<Console>, choice: OperatorChoice) {
    let id = choice.choice_id.clone();
    console.pending.put(choice);
    let wait = u64::try_from(console.settings.undo.0).unwrap_or_default();
    // A server that stops does not wait for the clock: it has recorded everything by then.
    let console = Arc::downgrade(console);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_micros(wait)).await;
        if let Some(console) = console.upgrade() {
            record(&console, &id).await;
        }
    });
}

/// Records everything that waits: the server stops.
pub async fn record_all(console: &Console) {
    for id in console.pending.ids() {
        record(console, &id).await;
    }
}

/// Records one choice, if nobody has undone it; it stays here until it is on disk.
async fn record(console: &Console, id: &str) {
    let Some(choice) = console.pending.leave(id) else { return };
    for _ in 0..TRIES {
        match record_once(console, &choice).await {
            Ok(()) => {
                console.pending.lock().remove(id);
                return;
            }
            Err(failure) if failure.kind() == ErrorKind::Exhausted => {
                warn!(%failure, "a choice waits for the engine");
                tokio::time::sleep(PAUSE).await;
            }
            Err(failure) => {
                error!(%failure, choice_id = id, "a choice could not be recorded");
                console.pending.lock().remove(id);
                return;
            }
        }
    }
    error!(choice_id = id, "a choice was given up: the engine stayed busy");
    console.pending.lock().remove(id);
}

async fn record_once(console: &Console, choice: &OperatorChoice) -> Result<(), Error> {
    console.engine.record_choice(choice.clone(), console.now()).await?;
    let subject = choice.decision_id.to_string();
    let detail = choice.action.as_str();
    console.audit(&choice.operator_id, "decision.chosen", &subject, detail).await
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::decision::ActionKind;
    use crate::domain::time::Timestamp;

    fn choice(id: &str, decision: u128, person: &str) -> OperatorChoice {
        OperatorChoice {
            choice_id: id.into(),
            decision_id: DecisionId(Uuid::from_u128(decision)),
            operator_id: person.into(),
            action: ActionKind::Approve,
            chosen_rank: None,
            override_reason: None,
            note: None,
            opened_at: None,
            decided_at: Timestamp(0),
            review: None,
        }
    }

    #[test]
    fn a_form_that_is_sent_twice_is_one_choice_and_only_its_person_undoes_it() {
        let pending = PendingChoices::default();
        for it in [choice("a", 1, "li"), choice("b", 1, "li"), choice("c", 1, "wang")] {
            pending.put(it);
        }
        assert_eq!(pending.ids(), ["b".into(), "c".into()]);
        assert_eq!(pending.undo("b", "wang"), None);
        assert_eq!(pending.leave("c").map(|it| it.choice_id), Some("c".into()));
        assert_eq!(pending.undo("c", "wang"), None, "it is on its way to the journal");
        assert_eq!(pending.undo("b", "li").map(|it| it.choice_id), Some("b".into()));
        assert_eq!(pending.undo("b", "li"), None);
        assert!(pending.is_chosen(DecisionId(Uuid::from_u128(1))));
        assert_eq!(pending.newest_of("li"), None);
    }
}
