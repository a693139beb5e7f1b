//! The engine's part about records: how far they are, and when to ask them.

use std::time::Duration;

use crate::workflow::engine::Engine;
use crate::workflow::error::Error;

/// How often, and how long apart, a list waits for the records to catch up.
const CATCH_UP_TRIES: u32 = 500;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(2);

impl Engine {
    /// Waits until the records have all that was answered before now, for a second at most: a
    /// reader that lags farther behind gets what there is.
    pub(super) async fn records_caught_up(&self) -> Result<(), Error> {
        let target = self.durable_position();
        for _ in 0..CATCH_UP_TRIES {
            // Nobody waits for a database that is away.
            if let Some(failure) = self.follower.failure() {
                return Err(Error::records_behind(&failure));
            }
            if target <= self.follower.position() {
                break;
            }
            tokio::time::sleep(CATCH_UP_PAUSE).await;
        }
        Ok(())
    }
}
