//! What the doors ask about models: promote, roll back, and what was live when.

use std::future::Future;

use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::model_ledger::ModelLedger;

/// Lets other bundles judge.
///
/// Every step is durable before it is answered, and the answer shows the bundles after it.
pub trait ModelService: Send + Sync + 'static {
    /// Every bundle that judged, the one that does at the end.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_models(&self) -> impl Future<Output = Result<ModelLedger, Error>> + Send;

    /// Lets the bundle with a name and version judge from here on; `report_hash` names the
    /// report that this rests on, empty without one.
    ///
    /// # Errors
    /// `NotFound` when there is no such bundle, `Unavailable` when it does not load, `Internal`
    /// when it does not fit.
    fn promote_model(
        &self,
        name: Box<str>,
        report_hash: Box<str>,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ModelLedger, Error>> + Send;

    /// Lets the bundle judge again that did before this one; `expected` is the hash of this one,
    /// so that who asks twice does not go back twice. `None` leaves whichever judges.
    ///
    /// # Errors
    /// `Refused` when no other has judged, or another became active in the meantime.
    fn roll_back_model(
        &self,
        expected: Option<Box<str>>,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ModelLedger, Error>> + Send;
}
