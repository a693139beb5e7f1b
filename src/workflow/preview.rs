//! A back-test beside a running service: on its own threads, told as it goes.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use crate::domain::backtest::BacktestReport;
use crate::domain::time::Span;
use crate::model::bundle::Bundle;
use crate::workflow::backtest::run::{Backtest, Progress};
use crate::workflow::error::Error;
use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::past::Past;
use crate::workflow::strategy_ledger::StrategyLedger;

/// Most previews that run at a time; orders are judged meanwhile.
pub const PREVIEWS_MAX: usize = 1;
/// How long a caller should wait before it tries again when one runs.
pub const PREVIEW_RETRY_AFTER: Span = Span::SECOND;
/// Threads that judge; the system shares them with the service.
const THREADS: usize = 2;
/// Items that wait for the caller; progress that finds no room is not told.
const ITEMS_MAX: usize = 16;

/// What a preview tells, its report last.
pub type Preview = Receiver<Result<PreviewItem, Error>>;

/// An item of a preview.
#[derive(Debug)]
pub enum PreviewItem {
    /// How far it is.
    Progress(Progress),
    /// What was found.
    Report(Box<BacktestReport>),
}

/// Starts a preview; it gives its place back when it ends.
pub fn start_preview(
    (past, bundle): (Arc<Past>, Arc<Bundle>),
    ledger: &StrategyLedger,
    draft: Arc<ActiveStrategy>,
    last: u64,
    place: OwnedSemaphorePermit,
) -> Preview {
    let versions = ledger.versions().iter();
    let known =
        versions.filter_map(|it| past.shelves.strategies.read(&it.hash, &it.toml).ok()).collect();
    let (items, preview) = channel(ITEMS_MAX);
    // Not waited for: it ends by itself, or once nobody receives.
    drop(spawn_blocking(move || {
        run((&past, &bundle), known, &draft, last, &items);
        drop(place);
    }));
    preview
}

fn run(
    (past, bundle): (&Past, &Bundle),
    known: Vec<Arc<ActiveStrategy>>,
    draft: &Arc<ActiveStrategy>,
    last: u64,
    items: &Sender<Result<PreviewItem, Error>>,
) {
    let backtest = Backtest {
        reader: &past.reader,
        bundle,
        read_strategy: past.shelves.strategies.reader(),
        known,
        last: Some(last),
        n_threads: THREADS,
    };
    let report =
        backtest.run(draft, &mut |at| match items.try_send(Ok(PreviewItem::Progress(at))) {
            Ok(()) | Err(TrySendError::Full(_)) => ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
        });
    let told = report.map(|report| PreviewItem::Report(Box::new(report)));
    // A caller that has left wants no report.
    let _: Result<(), _> = items.blocking_send(told);
}
