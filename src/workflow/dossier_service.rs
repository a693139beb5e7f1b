//! What people look at: one order with all that is known, and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use crate::domain::closed_case::{ClosedCasePage, ClosedCaseQuery};
use crate::domain::decision::DecisionId;
use crate::domain::decision_short::DecisionShort;
use crate::domain::feature::FeatureSpec;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::query::DecisionKey;
use crate::domain::record::ScoredOrder;
use crate::domain::time::Timestamp;
use crate::domain::timeline::TimelineEntry;
use crate::workflow::error::Error;
use crate::workflow::linked_orders::LinkedOrder;
use crate::workflow::recent_work::RecentWork;
use crate::workflow::system_status::SystemStatus;

/// A decision with all that is known about its order.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The decision, and the order as it was asked about.
    pub scored: Arc<ScoredOrder>,
    /// What people chose about it, in the order of the journal.
    pub choices: Vec<OperatorChoice>,
    /// What followed, and what takes any of that back; in the order of the journal.
    pub outcomes: Vec<Outcome>,
    /// What was told about the order in all its revisions, and the newest decisions before this
    /// one about other orders of its account; oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// True when more was told about the order than the timeline shows.
    pub is_timeline_truncated: bool,
}

/// What features are called and how they are counted, by id.
pub type FeatureSpecs = BTreeMap<Arc<str>, FeatureSpec>;

/// Those of some features that are among these ids.
pub fn specs_named(features: &[FeatureSpec], ids: &BTreeSet<&str>) -> FeatureSpecs {
    let named = features.iter().filter(|spec| ids.contains(&*spec.id));
    named.map(|spec| (spec.id.clone(), spec.clone())).collect()
}

/// Reads for people: bounded, and from what is durable.
pub trait DossierService: Send + Sync + 'static {
    /// One decision, its order, and what was told about both.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision or order, `Exhausted` or `Unavailable`.
    fn get_dossier(&self, key: DecisionKey) -> impl Future<Output = Result<Dossier, Error>> + Send;

    /// Decisions that somebody chose about or that something followed, newest word first.
    ///
    /// # Errors
    /// `Unavailable` when the records lag behind, `Internal` when they cannot be read.
    fn list_closed_cases(
        &self,
        query: ClosedCaseQuery,
    ) -> impl Future<Output = Result<ClosedCasePage, Error>> + Send;

    /// At most [`DECISIONS_SHORT_MAX`] decisions as lines of a list, in the order of their ids;
    /// unknown ones are left out.
    ///
    /// [`DECISIONS_SHORT_MAX`]: crate::domain::decision_short::DECISIONS_SHORT_MAX
    ///
    /// # Errors
    /// `Unavailable` when the records lag behind, `Internal` when they cannot be read.
    fn decisions_in_short(
        &self,
        ids: &[DecisionId],
    ) -> impl Future<Output = Result<Vec<DecisionShort>, Error>> + Send;

    /// The orders that wait for a review and share something strong with the order of a
    /// decision as of `now`, newest first: account, device, phone, e-mail, payment instrument
    /// or address, unless it is a hub. Bounded, see [`crate::workflow::linked_orders`].
    ///
    /// # Errors
    /// `NotFound` for an unknown decision, `Exhausted`, `Unavailable` when the records lag
    /// behind, or `Internal` when they cannot be read.
    fn linked_waiting(
        &self,
        id: DecisionId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<LinkedOrder>, Error>> + Send;

    /// What features are called and how they are counted, by id: as the bundle that judges now
    /// says it, since ids are never used again for something else. Those that it does not read
    /// are left out.
    fn feature_specs(&self, ids: &BTreeSet<&str>) -> FeatureSpecs;

    /// How the newest `n` decisions since the start were made; more than are kept are all.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn recent_work(&self, n: u32) -> impl Future<Output = Result<RecentWork, Error>> + Send;

    /// How far journal and records are, who judges, and what the data folder takes.
    ///
    /// # Errors
    /// `Internal` when the data folder cannot be read.
    fn get_system_status(&self) -> impl Future<Output = Result<SystemStatus, Error>> + Send;
}
