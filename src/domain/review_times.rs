//! How long people look at orders, and whether they are right.
//!
//! By what of the answer they saw, so it measures the explanations: whether they save time, sway choices or help to choose well.
//! What is measured is the first choice about an order that somebody had to look at.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::event::{Event, Fact};
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::order::{AnyRevision, OrderKey};
use crate::domain::recorded_order::{natural_name, outcome_name};
use crate::domain::review_trace::{AlertWorth, Explanation, ReasonCode, ReviewTrace};
use crate::domain::share::Share;
use crate::domain::standing::{Said, Standing, standing};

/// Newest choices per explanation that a report is of.
pub const RECENT_REVIEWS_MAX: usize = 1_000;
/// Fewest to say anything of times or shares.
pub const REVIEWS_MIN: usize = 30;
/// Most outcomes of one order that are remembered; later ones are passed over.
const WORDS_MAX: usize = 16;
/// A label this high says that the risk came true.
const LABEL_MIN: f64 = 0.5;

/// The newest choices that say how the order was looked at.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ReviewTimes([Reviews; Explanation::ALL.len()]);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Reviews {
    n: u64,
    recent: VecDeque<Review>,
}

/// A choice, and how the order turned out.
#[derive(Debug, Serialize, Deserialize)]
struct Review {
    decision_id: DecisionId,
    order: AnyRevision,
    action: ActionKind,
    is_override: bool,
    active_ms: u64,
    wall_ms: Option<u64>,
    alert_worth: Option<AlertWorth>,
    reason_codes: Vec<ReasonCode>,
    words: Vec<Word>,
    /// Charged back, or labeled as bad: nobody takes that back.
    is_known_bad: bool,
}

/// What an outcome says about an order; `None` when it takes another one back.
#[derive(Debug, Serialize, Deserialize)]
struct Word {
    said: Said<u64, u64>,
    is_bad: Option<bool>,
}

/// How the newest orders were looked at, with one part of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReviewTimesReport {
    /// What was seen of the answer.
    pub explanation: Explanation,
    /// Choices in all.
    pub n_choices: u64,
    /// The newest of them, which all that follows is of; at most [`RECENT_REVIEWS_MAX`].
    pub n_recent: u64,
    /// Time on the page without pauses; `None` below [`REVIEWS_MIN`] choices.
    pub active: Option<ReviewSeconds>,
    /// Time from opening to choosing; `None` below [`REVIEWS_MIN`] choices that say when.
    pub wall: Option<ReviewSeconds>,
    /// Chose another action than the first recommendation; `None` below [`REVIEWS_MIN`].
    pub overrides: Option<Share>,
    /// Of the orders that were released or stopped and turned out good or bad: released and
    /// good, or stopped and bad; `None` below [`REVIEWS_MIN`] of them.
    pub agreement: Option<Share>,
    /// How often each reason was named, in the order of [`ReasonCode::ALL`], others left out.
    pub reason_codes: Vec<(ReasonCode, u64)>,
    /// How often each worth was named, others left out.
    pub alert_worth: Vec<(AlertWorth, u64)>,
}

/// How long reviews took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReviewSeconds {
    /// Of how many.
    pub n: u64,
    /// Median.
    pub median: f64,
    /// 95 % interval of the median, from order statistics: no shape is assumed.
    pub median_interval: (f64, f64),
    /// 90 % took no longer: nearest rank.
    pub p90: f64,
}

impl ReviewTimes {
    /// Takes in the first choice about a decision of an order, and what was recommended first;
    /// nothing when it does not say how the order was looked at.
    pub fn chose(&mut self, choice: &OperatorChoice, order: AnyRevision, first: ActionKind) {
        let Some(trace) = &choice.review else { return };
        let reviews = &mut self.0[trace.explanation as usize];
        reviews.n += 1;
        reviews.recent.push_back(Review::new(choice, trace, order, first));
        if RECENT_REVIEWS_MAX < reviews.recent.len() {
            reviews.recent.pop_front();
        }
    }

    /// Takes in how an order turned out.
    pub fn told(&mut self, event: &Event) {
        match &event.fact {
            Fact::OrderChargedBack(step) => self.turned_bad(&step.order.any_revision()),
            // Labels of other heads are quantities, not verdicts.
            Fact::Label(label) if label.head.risk_type().is_some() && LABEL_MIN <= label.value => {
                self.turned_bad(&label.order.any_revision());
            }
            Fact::Outcome(outcome) => self.followed(outcome),
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Label(_)
            | Fact::Choice(_) => {}
        }
    }

    /// One report per explanation, in the order of [`Explanation::ALL`].
    pub fn reports(&self) -> Vec<ReviewTimesReport> {
        let each = Explanation::ALL.into_iter().zip(&self.0);
        each.map(|(explanation, reviews)| reviews.report(explanation)).collect()
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Review> {
        self.0.iter_mut().flat_map(|reviews| reviews.recent.iter_mut())
    }

    fn turned_bad(&mut self, order: &AnyRevision) {
        self.all().filter(|it| it.order == *order).for_each(|it| it.is_known_bad = true);
    }

    fn followed(&mut self, outcome: &Outcome) {
        let is_bad = outcome.kind.shows_bad();
        // Most outcomes show neither and are looked for nowhere.
        if outcome.retracts.is_none() && is_bad.is_none() {
            return;
        }
        let said = Said::from(outcome);
        let said = Said {
            id: outcome_name(said.id),
            key: said.key.map(natural_name),
            occurred_at: said.occurred_at,
            retracts: said.retracts.map(outcome_name),
        };
        let order = outcome.order.as_ref().map(OrderKey::any_revision);
        let is_about = |it: &&mut Review| match (said.retracts, outcome.decision_id) {
            (Some(retracted), _) => it.words.iter().any(|word| word.said.id == retracted),
            (None, Some(decision_id)) => it.decision_id == decision_id,
            (None, None) => order.as_ref().is_some_and(|order| it.order == *order),
        };
        for review in self.all().filter(is_about).filter(|it| it.words.len() < WORDS_MAX) {
            let is_bad = is_bad.filter(|_| said.retracts.is_none());
            review.words.push(Word { said, is_bad });
        }
    }
}

impl Review {
    fn new(
        choice: &OperatorChoice,
        trace: &ReviewTrace,
        order: AnyRevision,
        first: ActionKind,
    ) -> Self {
        let wall = choice.opened_at.map(|opened| (choice.decided_at - opened).0 / 1_000);
        Self {
            decision_id: choice.decision_id,
            order,
            action: choice.action,
            is_override: choice.action != first,
            active_ms: trace.active_ms,
            wall_ms: wall.and_then(|ms| u64::try_from(ms).ok()),
            alert_worth: trace.alert_worth,
            reason_codes: trace.reason_codes.clone(),
            words: Vec::new(),
            is_known_bad: false,
        }
    }

    /// True when the order turned out bad, false when good, as far as it is known: of words that
    /// contradict each other the bad one counts.
    fn turned_out(&self) -> Option<bool> {
        if self.is_known_bad {
            return Some(true);
        }
        let said: Vec<Said<u64, u64>> = self.words.iter().map(|word| word.said).collect();
        let found = self.words.iter().zip(standing(&said));
        let stands = found.filter(|(_, it)| *it == Standing::Stands);
        stands.filter_map(|(word, _)| word.is_bad).max()
    }

    /// True when what was chosen fits how it turned out; who asks for more has not judged yet.
    fn agrees(&self) -> Option<bool> {
        let is_stopped = match self.action {
            ActionKind::Hold | ActionKind::Decline => Some(true),
            ActionKind::Approve
            | ActionKind::ApproveAndWatch
            | ActionKind::SplitShipment
            | ActionKind::Expedite => Some(false),
            ActionKind::Challenge
            | ActionKind::PhoneCheck
            | ActionKind::Review
            | ActionKind::LimitQuantity
            | ActionKind::OfferReservation => None,
        };
        Some(is_stopped? == self.turned_out()?)
    }
}

impl Reviews {
    fn report(&self, explanation: Explanation) -> ReviewTimesReport {
        let all = || self.recent.iter();
        let is_override: Vec<bool> = all().map(|it| it.is_override).collect();
        let agrees: Vec<bool> = all().filter_map(Review::agrees).collect();
        let named = |code: &ReasonCode| all().filter(|it| it.reason_codes.contains(code)).count();
        let worth = |worth: &AlertWorth| all().filter(|it| it.alert_worth == Some(*worth)).count();
        let worths = [AlertWorth::Confirmed, AlertWorth::Valuable, AlertWorth::FalsePositive];
        ReviewTimesReport {
            explanation,
            n_choices: self.n,
            n_recent: self.recent.len() as u64,
            active: ReviewSeconds::of(all().map(|it| it.active_ms).collect()),
            wall: ReviewSeconds::of(all().filter_map(|it| it.wall_ms).collect()),
            overrides: share(&is_override),
            agreement: share(&agrees),
            reason_codes: counts(&ReasonCode::ALL, named),
            alert_worth: counts(&worths, worth),
        }
    }
}

impl ReviewSeconds {
    /// Of fewer than [`REVIEWS_MIN`] nothing is said.
    fn of(mut millis: Vec<u64>) -> Option<Self> {
        let n = millis.len();
        if n < REVIEWS_MIN {
            return None;
        }
        millis.sort_unstable();
        let seconds = |rank: usize| millis[rank - 1] as f64 / 1_000.0;
        let rank = median_rank(n);
        Some(Self {
            n: n as u64,
            median: f64::midpoint(seconds(n.div_ceil(2)), seconds(n / 2 + 1)),
            median_interval: (seconds(rank), seconds(n + 1 - rank)),
            p90: seconds((9 * n).div_ceil(10)),
        })
    }
}

/// The rank `r`, from 1, such that the order statistics `r` and `n + 1 − r` hold the median
/// with at least 95 %: the largest with `2 · P(Bin(n, ½) < r) ≤ 5 %` (David and Nagaraja, Order
/// Statistics, 3rd ed. 2003, section 7.1). `n` from 6, the fewest that can say it, to 1,000.
fn median_rank(n: usize) -> usize {
    // Above 2^-1022 for these n: no term is lost.
    let mut term = 0.5_f64.powf(n as f64);
    let (mut below, mut rank) = (0.0, 0);
    while 2.0 * (below + term) <= 0.05 {
        below += term;
        term *= (n - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    rank.max(1)
}

fn share(all: &[bool]) -> Option<Share> {
    let count = all.iter().filter(|it| **it).count();
    (REVIEWS_MIN <= all.len()).then(|| Share::new(count as u64, all.len() as u64))
}

fn counts<T: Copy>(all: &[T], count: impl Fn(&T) -> usize) -> Vec<(T, u64)> {
    let counted = all.iter().map(|it| (*it, count(it) as u64));
    counted.filter(|(_, n)| 0 < *n).collect()
}

#[cfg(test)]
#[path = "review_times_tests.rs"]
mod tests;
