//! What was done since the start, in numbers for those who watch the service.
//!
//! Kept by the sequencer beside the state, as plain numbers that only its thread touches: a
//! decision adds a few dozen nanoseconds, and whoever asks gets a copy.

use std::collections::BTreeMap;

use crate::domain::assignment::Assignment;
use crate::domain::decision::{ActionKind, Decision, DecisionId, DegradedReason, Stage};
use crate::domain::event::{Event, Fact};
use crate::domain::feedback::{OperatorChoice, OutcomeKind};
use crate::domain::head::HeadId;
use crate::domain::histogram::Histogram;
use crate::domain::review_trace::Explanation;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::feature_sample::FeatureSample;

/// Most pairs of strategy and arm that are told apart; later ones count as [`OTHER`].
pub const JUDGES_MAX: usize = 32;
/// Most risk heads that are told apart; scores of others are left out.
pub const HEADS_MAX: usize = 32;
/// The strategy and arm of judges beyond [`JUDGES_MAX`].
pub const OTHER: &str = "other";

/// Upper ends for stages, seconds.
const STAGE_SECONDS: &[f64] = &[
    0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01,
    0.05, 0.25, 1.0,
];
/// Upper ends for probabilities.
const SCORES: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
    0.95, 0.99,
];
/// Upper ends for reviews, seconds.
const REVIEW_SECONDS: &[f64] =
    &[5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1_320.0, 3_600.0];
/// Upper ends for labels, seconds: a minute to half a year.
const LABEL_SECONDS: &[f64] = &[
    60.0,
    3_600.0,
    21_600.0,
    86_400.0,
    3.0 * 86_400.0,
    7.0 * 86_400.0,
    14.0 * 86_400.0,
    30.0 * 86_400.0,
    45.0 * 86_400.0,
    60.0 * 86_400.0,
    90.0 * 86_400.0,
    120.0 * 86_400.0,
    180.0 * 86_400.0,
];

/// What was done since the start.
#[derive(Clone, Debug)]
pub struct WorkTally {
    /// Decisions by who made them.
    pub judges: Vec<JudgeTally>,
    /// Probabilities by risk head, under the strategy.
    pub scores: Vec<(HeadId, Histogram)>,
    /// Seconds by stage.
    pub stages: BTreeMap<Stage, Histogram>,
    /// Answers that lacked something; one may lack several things.
    pub degraded: BTreeMap<DegradedReason, u64>,
    /// Choices by action and agreement, in the order of [`ActionKind::ALL`].
    pub choices: [[u64; Agreement::ALL.len()]; ActionKind::ALL.len()],
    /// Seconds of attention per review, in the order of [`Explanation::ALL`].
    pub reviews: [Histogram; Explanation::ALL.len()],
    /// Outcomes, in the order of [`OutcomeKind::ALL`].
    pub outcomes: [u64; OutcomeKind::ALL.len()],
    /// Labels told.
    pub n_labels: u64,
    /// Seconds from a decision to what the world said about it.
    pub label_delay: Histogram,
    /// Features of some of the newest orders.
    pub features: FeatureSample,
}

/// Decisions of one strategy, in one arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeTally {
    /// Name of the strategy.
    pub strategy: Box<str>,
    /// `experiment/arm`; empty without an experiment.
    pub arm: Box<str>,
    /// Decisions by first action, in the order of [`ActionKind::ALL`]; those without any last.
    pub first_actions: [u64; ActionKind::ALL.len() + 1],
}

/// Whether somebody chose what was recommended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// They did.
    Agreed,
    /// They chose something else.
    Overrode,
    /// They had not seen it.
    Blind,
}

impl Agreement {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Agreed, Self::Overrode, Self::Blind];

    /// The name used in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Overrode => "overrode",
            Self::Blind => "blind",
        }
    }

    fn of(choice: &OperatorChoice) -> Self {
        let explanation = choice.review.as_ref().map(|review| review.explanation);
        match explanation {
            Some(Explanation::Blind | Explanation::EvidenceOnly) => Self::Blind,
            Some(Explanation::Full) | None if choice.chosen_rank == Some(1) => Self::Agreed,
            Some(Explanation::Full) | None => Self::Overrode,
        }
    }
}

impl Default for WorkTally {
    fn default() -> Self {
        Self {
            judges: Vec::new(),
            scores: Vec::new(),
            stages: BTreeMap::new(),
            degraded: BTreeMap::new(),
            choices: Default::default(),
            reviews: std::array::from_fn(|_| Histogram::new(REVIEW_SECONDS)),
            outcomes: Default::default(),
            n_labels: 0,
            label_delay: Histogram::new(LABEL_SECONDS),
            features: FeatureSample::default(),
        }
    }
}

impl WorkTally {
    /// Takes in a decision that was made now.
    pub fn made(&mut self, decision: &Decision) {
        let first = decision.actions.first().map_or(ActionKind::ALL.len(), |it| it.action as usize);
        let versions = &decision.versions;
        self.judge(&versions.strategy, versions.assignment.as_ref()).first_actions[first] += 1;
        for risk in &decision.risks {
            if let Some(scores) = self.scores_of(&risk.head) {
                scores.add(risk.probability.value());
            }
        }
        for timing in &decision.stage_timings {
            let stage = self.stages.entry(timing.stage);
            stage.or_insert_with(|| Histogram::new(STAGE_SECONDS)).add(timing.nanos as f64 / 1e9);
        }
        for reason in &decision.degraded_reasons {
            *self.degraded.entry(*reason).or_default() += 1;
        }
        self.features.see(decision);
    }

    /// Takes in a fact that was told now; of interest is what people and the world say.
    pub fn told(&mut self, event: &Event, received: Timestamp) {
        match &event.fact {
            Fact::Choice(choice) => {
                self.choices[choice.action as usize][Agreement::of(choice) as usize] += 1;
                if let Some(review) = &choice.review {
                    let seconds = review.active_ms as f64 / 1e3;
                    self.reviews[review.explanation as usize].add(seconds);
                }
            }
            Fact::Outcome(outcome) => {
                self.outcomes[outcome.kind as usize] += 1;
                let asked = outcome.decision_id.and_then(received_time);
                if let Some(asked) = asked {
                    let delay = received - asked;
                    self.label_delay.add(delay.0.max(0) as f64 / Span::SECOND.0 as f64);
                }
            }
            Fact::Label(_) => self.n_labels += 1,
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_) => {}
        }
    }

    /// The one who judged; looked for among a few, without making a text.
    fn judge(&mut self, strategy: &str, assignment: Option<&Assignment>) -> &mut JudgeTally {
        let is_same = |it: &JudgeTally| {
            *it.strategy == *strategy
                && match assignment {
                    None => it.arm.is_empty(),
                    Some(arm) => it.arm.split_once('/') == Some((&arm.experiment, &arm.arm)),
                }
        };
        let at = self.judges.iter().position(is_same).unwrap_or_else(|| {
            if JUDGES_MAX <= self.judges.len() {
                return self.judges.len() - 1;
            }
            let is_last = self.judges.len() + 1 == JUDGES_MAX;
            let arm = assignment.map(|it| format!("{}/{}", it.experiment, it.arm));
            let (strategy, arm) = if is_last {
                (OTHER.into(), OTHER.into())
            } else {
                (strategy.into(), arm.unwrap_or_default().into())
            };
            self.judges.push(JudgeTally { strategy, arm, first_actions: Default::default() });
            self.judges.len() - 1
        });
        &mut self.judges[at]
    }

    fn scores_of(&mut self, head: &HeadId) -> Option<&mut Histogram> {
        let at = self.scores.iter().position(|(known, _)| known == head);
        if at.is_none() && HEADS_MAX <= self.scores.len() {
            return None;
        }
        let at = at.unwrap_or_else(|| {
            self.scores.push((head.clone(), Histogram::new(SCORES)));
            self.scores.len() - 1
        });
        self.scores.get_mut(at).map(|(_, scores)| scores)
    }
}

/// When a decision was asked for: its id says so, to the millisecond.
fn received_time(id: DecisionId) -> Option<Timestamp> {
    let (seconds, nanos) = id.0.get_timestamp()?.to_unix();
    let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
    Some(Timestamp(micros + i64::from(nanos / 1_000)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::feedback::{Outcome, OutcomeSource};

    #[test]
    fn judges_beyond_the_limit_share_the_last_line() {
        let mut tally = WorkTally::default();
        for n in 0..2 * JUDGES_MAX {
            tally.judge(&format!("s{n}"), None).first_actions[0] += 1;
            tally.judge("s0", None).first_actions[0] += 1;
        }
        assert_eq!(tally.judges.len(), JUDGES_MAX);
        let last = tally.judges.last().unwrap();
        assert_eq!((&*last.strategy, last.first_actions[0]), (OTHER, 33));
        assert_eq!(tally.judges[0].first_actions[0], 65);
    }

    #[test]
    fn the_delay_of_a_label_is_counted_from_its_decision() {
        let asked = uuid::Timestamp::from_unix(uuid::NoContext, 1_771_272_000, 0);
        let at = Timestamp(1_771_272_000_000_000);
        let outcome = Outcome {
            outcome_id: "o".into(),
            decision_id: Some(DecisionId(Uuid::new_v7(asked))),
            order: None,
            kind: OutcomeKind::Refund,
            amount: None,
            occurred_at: at,
            source: OutcomeSource::Platform,
            source_ref: None,
            retracts: None,
            told_by: None,
        };
        let event = Event {
            event_id: "outcome/o".into(),
            event_time: at,
            ingest_time: None,
            fact: Fact::Outcome(outcome),
        };
        let mut tally = WorkTally::default();
        tally.told(&event, at + Span::hours(2));
        let cells: Vec<_> = tally.label_delay.cells().collect();
        assert_eq!(cells[2], (21_600.0, 1));
        assert!((tally.label_delay.sum() - 7_200.0).abs() < 1e-6);
        assert_eq!(tally.outcomes[OutcomeKind::Refund as usize], 1);
    }
}
