//! Takes the strategy file again whenever its text changes.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::cli::clock;
use crate::domain::strategy_version::StrategyMistake;
use crate::wire::what_if::STRATEGY_BYTES_MAX;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::strategy_file::{LastReload, ReloadEnd, StrategyReload};

/// Looks at the file until the task is aborted. Reading a small file once a second costs less
/// than telling apart the ways in which editors and deployments replace one.
///
/// A text with mistakes is told in the log, once; the running strategy stays.
pub async fn watch_strategy(
    engine: Arc<Engine>,
    file: PathBuf,
    pause: Duration,
    last: Arc<LastReload>,
) {
    if pause.is_zero() {
        return;
    }
    let mut seen = None;
    loop {
        tokio::time::sleep(pause).await;
        // A file that is gone is being replaced, or was never there: the built-in one judges.
        let Some(bytes) = read(file.clone()).await else { continue };
        if seen.as_ref() == Some(&bytes) {
            continue;
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let remember =
            |end| last.set(StrategyReload { at: clock::now(), file: (&*name).into(), end });
        let taken = match text_of(&bytes) {
            Ok(text) => engine.take_strategy_file(text, clock::now()).await,
            Err(mistake) => Err(Error::InvalidStrategy(vec![mistake])),
        };
        match taken {
            Ok(is_new) => {
                remember(ReloadEnd::Taken);
                if is_new {
                    info!("the strategy file changed and judges now");
                }
            }
            Err(Error::InvalidStrategy(mistakes)) => {
                warn!(
                    "the strategy file has {} mistakes: the running strategy stays",
                    mistakes.len()
                );
                for mistake in &mistakes {
                    warn!("{mistake}");
                }
                remember(ReloadEnd::Mistakes(mistakes));
            }
            // It is taken at the next look.
            Err(error) => {
                warn!(%error, "the strategy file could not be taken");
                remember(ReloadEnd::Failed);
                continue;
            }
        }
        seen = Some(bytes);
    }
}

/// The bytes of the file; of one that is too long a byte too many.
async fn read(file: PathBuf) -> Option<Vec<u8>> {
    let whole = move || {
        let mut bytes = Vec::new();
        let file = File::open(file).ok()?;
        file.take(STRATEGY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    tokio::task::spawn_blocking(whole).await.ok().flatten()
}

fn text_of(bytes: &[u8]) -> Result<&str, StrategyMistake> {
    let wrong = |message: String| {
        let message = message.into();
        StrategyMistake { message, line: 1, start: 0, end: 0, suggestion: None }
    };
    if STRATEGY_BYTES_MAX < bytes.len() {
        return Err(wrong(format!("it is longer than {STRATEGY_BYTES_MAX} bytes")));
    }
    str::from_utf8(bytes)
        .map_err(|error| wrong(format!("it is not UTF-8 from byte {} on", error.valid_up_to())))
}
