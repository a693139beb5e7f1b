//! How far scores have moved: the newest decisions and those a week before.

use std::sync::Arc;

use crate::domain::decision::Decision;
use crate::domain::drift::{VALUES_MIN, stability_index};
use crate::domain::head::HeadId;
use crate::domain::query::{DecisionFilter, DecisionQuery};
use crate::domain::time::{Span, Timestamp};
use crate::workflow::error::Error;
use crate::workflow::service::OrderService;

/// Decisions of each of the two samples that are compared.
const SAMPLE: u32 = 200;
/// How much older the earlier sample is.
const SAMPLES_APART: Span = Span::days(7);

/// Decisions of two times.
#[derive(Clone, Debug, Default)]
pub struct ScoreSamples {
    /// The newest, the newest first.
    pub now: Vec<Arc<Decision>>,
    /// Those before the instant a week before the newest.
    pub before: Vec<Arc<Decision>>,
}

/// How far the score of a head has moved.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadDrift {
    /// Which head.
    pub head: HeadId,
    /// Mean probability of the earlier sample; `None` when it is too small.
    pub before: Option<f64>,
    /// The same of the newest.
    pub now: Option<f64>,
    /// The stability index of the two; `None` when one of them is too small.
    pub index: Option<f64>,
}

impl ScoreSamples {
    /// Reads both samples from the records; nothing waits for it.
    ///
    /// # Errors
    /// `Unavailable` when the records cannot be read.
    pub async fn read(service: &impl OrderService, until: Timestamp) -> Result<Self, Error> {
        let now = sample(service, until).await?;
        let newest = now.first().map_or(until, |it| it.times.received_time);
        Ok(Self { before: sample(service, newest - SAMPLES_APART).await?, now })
    }

    /// Every head that the newest decision has, in its order.
    pub fn drift(&self) -> Vec<HeadDrift> {
        let risks = self.now.first().map(|it| &it.risks);
        let heads = risks.into_iter().flatten().map(|risk| &risk.head);
        let drift = |head: &HeadId| {
            let (before, now) = (probabilities(&self.before, head), probabilities(&self.now, head));
            let index = stability_index(&before, &now);
            HeadDrift { head: head.clone(), before: mean(&before), now: mean(&now), index }
        };
        heads.map(drift).collect()
    }
}

/// The newest decisions received before an instant.
async fn sample(
    service: &impl OrderService,
    until: Timestamp,
) -> Result<Vec<Arc<Decision>>, Error> {
    let filter = DecisionFilter { received_until: Some(until), ..DecisionFilter::default() };
    let query = DecisionQuery { filter, older_than: None, n_max: SAMPLE };
    Ok(service.list_decisions(query).await?.decisions)
}

fn probabilities(decisions: &[Arc<Decision>], head: &HeadId) -> Vec<f64> {
    let risks = decisions.iter().filter_map(|it| it.risks.iter().find(|risk| risk.head == *head));
    risks.map(|risk| risk.probability.value()).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let is_enough = VALUES_MIN <= values.len();
    is_enough.then(|| values.iter().sum::<f64>() / values.len() as f64)
}
