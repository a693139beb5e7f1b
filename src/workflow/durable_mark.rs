//! How far the journal is on disk, for whoever waits for it.

use std::error::Error as _;
use std::mem;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::error;

use crate::store::error::Error as StoreError;
use crate::workflow::error::Error;

/// The last durable journal position, for whoever waits for one.
#[derive(Debug, Clone)]
pub struct DurableMark {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mark: watch::Sender<Mark>,
    /// Apart from the mark, which moves with every record: who waits for this sleeps.
    is_lost: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    position: u64,
    /// The journal has failed: the position stays as it is.
    is_lost: bool,
}

impl DurableMark {
    /// Everything up to `position` is durable already.
    pub fn new(position: u64) -> Self {
        let mark = watch::Sender::new(Mark { position, is_lost: false });
        Self { shared: Arc::new(Shared { mark, is_lost: watch::Sender::new(false) }) }
    }

    /// The last durable position.
    pub fn position(&self) -> u64 {
        self.shared.mark.borrow().position
    }

    /// Waits until `position` is durable.
    ///
    /// # Errors
    /// `Unavailable` when it never will be, because the journal has failed.
    pub async fn reached(&self, position: u64) -> Result<(), Error> {
        let mut marks = self.shared.mark.subscribe();
        // The sender lives in self, so waiting ends only with the condition.
        let ended = marks.wait_for(|mark| position <= mark.position || mark.is_lost).await;
        match ended {
            Ok(mark) if position <= mark.position => Ok(()),
            Ok(_) | Err(_) => Err(Error::Unavailable("the journal takes no more records".into())),
        }
    }

    /// Resolves when the journal has failed.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut is_lost = self.shared.is_lost.subscribe();
        async move { drop(is_lost.wait_for(|is_lost| *is_lost).await) }
    }

    /// Moves the mark; it never goes back.
    pub(super) fn advance(&self, position: u64) {
        self.shared.mark.send_if_modified(|mark| {
            let is_new = mark.position < position;
            mark.position = position.max(mark.position);
            is_new
        });
    }

    /// A record was not taken. Unless it alone was too long, the journal has failed: nobody
    /// waits for it any more. The log is told once, not for each order.
    pub(super) fn lose(&self, error: &StoreError) {
        if let StoreError::TooLarge { .. } = error {
            error!("{error}");
            return;
        }
        if self.shared.mark.send_if_modified(|mark| !mem::replace(&mut mark.is_lost, true)) {
            error!(cause = error.source(), "{error}: nothing is recorded until a restart");
            self.shared.is_lost.send_replace(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_a_journal_that_has_failed() {
        let mark = DurableMark::new(3);
        let waiting = {
            let mark = mark.clone();
            tokio::spawn(async move { mark.reached(5).await })
        };
        mark.advance(4);
        mark.lose(&StoreError::TooLarge { bytes: 2, bytes_max: 1 });
        mark.reached(4).await.unwrap();
        assert!(!waiting.is_finished());
        let lost = mark.lost();
        assert!(mark.lost().now_or_never().is_none());
        mark.lose(&StoreError::Closed);
        lost.await;
        assert!(matches!(waiting.await.unwrap(), Err(Error::Unavailable(_))));
        // What is on disk stays on disk.
        mark.reached(4).await.unwrap();
        assert_eq!(mark.position(), 4);
    }
}
