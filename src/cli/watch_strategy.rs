//! Takes the strategy file again whenever its text changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::cli::clock;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;

/// Looks at the file until the task is aborted. Reading a small file once a second costs less
/// than telling apart the ways in which editors and deployments replace one.
///
/// A text with mistakes is told in the log, once; the running strategy stays.
pub async fn watch_strategy(engine: Arc<Engine>, file: PathBuf, pause: Duration) {
    if pause.is_zero() {
        return;
    }
    let mut seen = None;
    loop {
        tokio::time::sleep(pause).await;
        // A file that is gone is being replaced, or was never there: the built-in one judges.
        let Some(text) = read(file.clone()).await else { continue };
        if seen.as_ref() == Some(&text) {
            continue;
        }
        match engine.take_strategy_file(&text, clock::now()).await {
            Ok(true) => info!("the strategy file changed and judges now"),
            Ok(false) => {}
            Err(Error::InvalidStrategy(mistakes)) => {
                warn!(
                    "the strategy file has {} mistakes: the running strategy stays",
                    mistakes.len()
                );
                for mistake in mistakes {
                    warn!("{mistake}");
                }
            }
            // It is taken at the next look.
            Err(error) => {
                warn!(%error, "the strategy file could not be taken");
                continue;
            }
        }
        seen = Some(text);
    }
}

async fn read(file: PathBuf) -> Option<String> {
    tokio::task::spawn_blocking(|| std::fs::read_to_string(file).ok()).await.ok().flatten()
}
