//! What the doors ask about what followed from an action.

use std::future::Future;

use crate::decision::case_text::case_texts;
use crate::domain::case::{Case, CaseFacts};
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::query::DecisionKey;
use crate::domain::risk::{RiskBand, top_risk};
use crate::domain::similar::{SimilarCases, SimilarQuery};
use crate::domain::time::Timestamp;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::similar_cases::{SEARCH_RETRY_AFTER, Sources};

/// Tells what followed from what was done.
pub trait CaseService: Send + Sync + 'static {
    /// What was done about an order and what followed until `now`.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision or order, `Exhausted` or `Unavailable`.
    fn get_case(
        &self,
        key: DecisionKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Case, Error>> + Send;

    /// Cases like a case, what was done about them and what followed until `now`.
    ///
    /// # Errors
    /// As [`CaseService::get_case`]; `Unavailable` also when the bundle of the decision is not
    /// loaded.
    fn find_similar_cases(
        &self,
        query: SimilarQuery,
        now: Timestamp,
    ) -> impl Future<Output = Result<SimilarCases, Error>> + Send;
}

impl CaseService for Engine {
    async fn get_case(&self, key: DecisionKey, now: Timestamp) -> Result<Case, Error> {
        let scored = self.find(key).await?;
        // What was acknowledged before now is in the case, unless the records lag far behind.
        self.records_caught_up().await?;
        let (records, id) = (self.records.clone(), scored.decision.decision_id);
        let told = block(move || {
            let failed = |error| Error::unread("reading what followed", error);
            Ok((records.choices(id).map_err(failed)?, records.outcomes(id).map_err(failed)?))
        });
        let (choices, outcomes) = told.await?;
        Ok(case(&scored.decision, &choices, &outcomes, now))
    }

    async fn find_similar_cases(
        &self,
        query: SimilarQuery,
        now: Timestamp,
    ) -> Result<SimilarCases, Error> {
        let scored = self.find(query.key.clone()).await?;
        let Ok(place) = self.similar_searches.clone().try_acquire_owned() else {
            return Err(Error::Exhausted { retry_after: SEARCH_RETRY_AFTER });
        };
        self.records_caught_up().await?;
        let (past, records) = (self.past().clone(), self.records.clone());
        block(move || {
            let found = Sources { past: &past, records: &records }.find(&scored, &query, now);
            drop(place);
            found
        })
        .await
    }
}

/// The case of a decision, with its sentences.
pub fn case(
    decision: &Decision,
    choices: &[OperatorChoice],
    outcomes: &[Outcome],
    now: Timestamp,
) -> Case {
    let suspected = top_risk(&decision.risks).filter(|risk| risk.band != RiskBand::Low);
    let recommended = decision.actions.first().map_or(ActionKind::Review, |it| it.action);
    let facts = CaseFacts {
        decision_id: decision.decision_id,
        order: &decision.order,
        placed_at: decision.times.event_time,
        suspected: suspected.map(|risk| &risk.head),
        recommended,
        choices,
        outcomes,
    };
    let mut case = Case::new(&facts, now);
    case.texts = case_texts(&case);
    case
}
