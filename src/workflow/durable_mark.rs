//! How far the journal is on disk, for whoever waits for it.

use tokio::sync::watch;

/// The last durable journal position, for whoever waits for one.
#[derive(Debug, Clone)]
pub struct DurableMark {
    position: watch::Sender<u64>,
}

impl DurableMark {
    /// Everything up to `position` is durable already.
    pub fn new(position: u64) -> Self {
        Self { position: watch::Sender::new(position) }
    }

    /// The last durable position.
    pub fn position(&self) -> u64 {
        *self.position.borrow()
    }

    /// Waits until `position` is durable.
    pub async fn reached(&self, position: u64) {
        // The sender lives in self, so waiting ends only with the condition.
        let _ = self.position.subscribe().wait_for(|durable| *durable >= position).await;
    }

    /// Moves the mark; it never goes back.
    pub(super) fn advance(&self, position: u64) {
        self.position.send_if_modified(|durable| {
            let is_new = *durable < position;
            *durable = position.max(*durable);
            is_new
        });
    }
}
