//! What a person looks at: one order with all that is known, and what is closed.

use std::future::Future;
use std::sync::Arc;

use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::query::DecisionKey;
use crate::domain::record::ScoredOrder;
use crate::workflow::error::Error;

/// A decision with all that is known about its order.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The decision, and the order as it was asked about.
    pub scored: Arc<ScoredOrder>,
    /// What people chose about it, in the order of the journal.
    pub choices: Vec<OperatorChoice>,
    /// What followed, and what takes any of that back; in the order of the journal.
    pub outcomes: Vec<Outcome>,
}

/// Reads for people: bounded, and from what is durable.
pub trait DossierService: Send + Sync + 'static {
    /// One decision, its order, and what was told about both.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision or order, `Exhausted` or `Unavailable`.
    fn get_dossier(&self, key: DecisionKey) -> impl Future<Output = Result<Dossier, Error>> + Send;
}
