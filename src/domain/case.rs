//! A case: an action and what followed from it, as far as it is known.

use serde::Serialize;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::head::HeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::standing::{NaturalKey, Said, Standing, standing};
use crate::domain::text::Text;
use crate::domain::time::{Span, Timestamp};

/// Days after the action that consequences are counted over.
pub const WINDOW_DAYS: [u32; 4] = [7, 30, 90, 180];
/// Most outcomes that are named as evidence of a consequence; its count has all of them.
pub const EVIDENCE_MAX: usize = 20;

/// An action and what followed from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Which decision.
    pub decision_id: DecisionId,
    /// About which order.
    pub order: OrderKey,
    /// The risk of the highest band, then probability, when any is not low.
    pub suspected: Option<HeadId>,
    /// What was done.
    pub action: ActionKind,
    /// The choice that says so; `None` when nobody chose and the first recommendation is
    /// taken for done.
    pub choice_id: Option<Box<str>>,
    /// When it was done: windows begin here.
    pub acted_at: Timestamp,
    /// What followed, by window, shortest first.
    pub windows: Vec<CaseWindow>,
    /// What was told and does not count, since a better source or a later word contradicts it.
    pub overruled: Vec<Overruled>,
    /// What was told and taken back, by time and id.
    pub retracted: Vec<Retracted>,
    /// Outcomes that were sent again under another id; each counts once.
    pub n_repeated: u32,
    /// Outcomes from before the action: no consequences of it.
    pub n_before: u32,
    /// Each window in a sentence, in both languages.
    pub texts: Vec<Text>,
}

/// What followed within some days of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseWindow {
    /// Days.
    pub days: u32,
    /// Share of them that has passed; 1 is complete.
    pub elapsed: f64,
    /// By kind, kinds that did not happen left out.
    pub consequences: Vec<Consequence>,
    /// What all of them are worth to the shop, by currency; costs are negative.
    pub net: Vec<Money>,
}

/// How often something happened, and what it was worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Consequence {
    /// What.
    pub kind: OutcomeKind,
    /// How often.
    pub count: u32,
    /// Sums of what it was worth to the shop, by currency; costs are negative.
    pub worth: Vec<Money>,
    /// The first outcomes that show it, by time.
    pub outcome_ids: Vec<Box<str>>,
}

/// An outcome that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overruled {
    /// Which one.
    pub outcome_id: Box<str>,
    /// The one that counts instead.
    pub by: Box<str>,
}

/// An outcome that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retracted {
    /// Which one.
    pub outcome_id: Box<str>,
    /// The outcome that takes it back.
    pub by: Box<str>,
}

/// Questions that have one answer: of their outcomes one counts.
const EITHER_OR: [&[OutcomeKind]; 3] = [
    &[OutcomeKind::ChargebackWon, OutcomeKind::ChargebackLost],
    &[OutcomeKind::ConfirmedFraud, OutcomeKind::ConfirmedLegit],
    &[OutcomeKind::DeliveredOk, OutcomeKind::DeliveryFailed],
];

/// What a case is made of.
#[derive(Clone, Debug)]
pub struct CaseFacts<'a> {
    /// Which decision.
    pub decision_id: DecisionId,
    /// About which order.
    pub order: &'a OrderKey,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// The risk of the highest band, then probability, when any is not low.
    pub suspected: Option<&'a HeadId>,
    /// What was recommended first.
    pub recommended: ActionKind,
    /// What operators chose about it, in any order.
    pub choices: &'a [OperatorChoice],
    /// What happened later and what was taken back, in any order, each id once.
    pub outcomes: &'a [Outcome],
}

impl Case {
    /// The case at an instant. It does not depend on the order in which facts came; its texts
    /// are still to be written.
    pub fn new(facts: &CaseFacts<'_>, now: Timestamp) -> Self {
        let choices = facts.choices.iter();
        // Who changes their mind has the last word.
        let choice = choices.max_by_key(|choice| (choice.decided_at, &choice.choice_id));
        let acted_at = choice.map_or(facts.placed_at, |choice| choice.decided_at);
        let mut outcomes: Vec<&Outcome> = facts.outcomes.iter().collect();
        outcomes.sort_by_key(|outcome| (outcome.occurred_at, &outcome.outcome_id));
        let Weeded { retracted, n_repeated } = weed(&mut outcomes);
        let overruled = overruled(&outcomes);
        outcomes.retain(|it| overruled.iter().all(|lost| lost.outcome_id != it.outcome_id));
        let (before, after): (Vec<&Outcome>, Vec<&Outcome>) =
            outcomes.iter().partition(|outcome| outcome.occurred_at < acted_at);
        Self {
            decision_id: facts.decision_id,
            order: facts.order.clone(),
            suspected: facts.suspected.cloned(),
            action: choice.map_or(facts.recommended, |choice| choice.action),
            choice_id: choice.map(|choice| choice.choice_id.clone()),
            acted_at,
            windows: WINDOW_DAYS.map(|days| window(days, acted_at, now, &after)).into(),
            overruled,
            retracted,
            n_repeated,
            n_before: u32::try_from(before.len()).unwrap_or(u32::MAX),
            texts: Vec::new(),
        }
    }
}

/// What was weeded out.
struct Weeded {
    retracted: Vec<Retracted>,
    n_repeated: u32,
}

/// Leaves the outcomes that stand: each once, and none that was taken back.
fn weed(outcomes: &mut Vec<&Outcome>) -> Weeded {
    let said: Vec<Said<&str, NaturalKey<'_>>> = outcomes.iter().map(|it| (*it).into()).collect();
    let mut weeded = Weeded { retracted: Vec::new(), n_repeated: 0 };
    let mut left = Vec::new();
    for (outcome, found) in outcomes.iter().zip(standing(&said)) {
        match found {
            Standing::Stands => left.push(*outcome),
            Standing::Repeats(_) => weeded.n_repeated += 1,
            Standing::Retracts => {}
            Standing::Retracted(by) => weeded.retracted.push(Retracted {
                outcome_id: outcome.outcome_id.clone(),
                by: outcomes[by].outcome_id.clone(),
            }),
        }
    }
    *outcomes = left;
    weeded
}

/// What was told about a question that another outcome answers: the better source, then the
/// later word, then the smaller id wins.
fn overruled(outcomes: &[&Outcome]) -> Vec<Overruled> {
    let mut lost = Vec::new();
    for kinds in EITHER_OR {
        let told = || outcomes.iter().filter(|outcome| kinds.contains(&outcome.kind));
        let rank =
            |it: &&&Outcome| (weight_of(it.source), -it.occurred_at.0, it.outcome_id.clone());
        let Some(winner) = told().min_by_key(rank) else { continue };
        // The same answer twice is no contradiction.
        let others = told().filter(|outcome| outcome.kind != winner.kind);
        lost.extend(others.map(|outcome| Overruled {
            outcome_id: outcome.outcome_id.clone(),
            by: winner.outcome_id.clone(),
        }));
    }
    lost
}

/// Whose word counts: 0 most.
fn weight_of(source: OutcomeSource) -> u8 {
    match source {
        OutcomeSource::Network | OutcomeSource::Platform => 0,
        OutcomeSource::Carrier => 1,
        OutcomeSource::Crm => 2,
        OutcomeSource::Analyst => 3,
    }
}

/// Whether money of an outcome comes to the shop or leaves it; 0 when it is only at stake.
fn sign_of(kind: OutcomeKind) -> i64 {
    match kind {
        OutcomeKind::Repurchase => 1,
        OutcomeKind::ChargebackLost
        | OutcomeKind::Refund
        | OutcomeKind::Return
        | OutcomeKind::PlatformPenalty => -1,
        OutcomeKind::ChargebackOpened
        | OutcomeKind::ChargebackWon
        | OutcomeKind::DeliveredOk
        | OutcomeKind::DeliveryFailed
        | OutcomeKind::PlatformAudit
        | OutcomeKind::Complaint
        | OutcomeKind::AccountClosed
        | OutcomeKind::ConfirmedFraud
        | OutcomeKind::ConfirmedLegit => 0,
    }
}

fn window(days: u32, from: Timestamp, now: Timestamp, after: &[&Outcome]) -> CaseWindow {
    let length = Span::days(i64::from(days));
    let inside = || after.iter().filter(|it| it.occurred_at - from < length);
    let mut kinds: Vec<OutcomeKind> = inside().map(|outcome| outcome.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let worth = |of: &dyn Fn(&Outcome) -> bool| {
        let mut sums: Vec<Money> = Vec::new();
        for outcome in inside().filter(|outcome| of(outcome)) {
            let sign = sign_of(outcome.kind);
            if let Some(amount) = outcome.amount.filter(|_| sign != 0) {
                add(&mut sums, amount.currency, amount.minor_units.saturating_mul(sign));
            }
        }
        sums
    };
    let consequence = |kind: OutcomeKind| {
        let of_kind = || inside().filter(|outcome| outcome.kind == kind);
        let ids = of_kind().take(EVIDENCE_MAX).map(|outcome| outcome.outcome_id.clone());
        Consequence {
            kind,
            count: u32::try_from(of_kind().count()).unwrap_or(u32::MAX),
            worth: worth(&|outcome| outcome.kind == kind),
            outcome_ids: ids.collect(),
        }
    };
    CaseWindow {
        days,
        elapsed: ((now - from).as_days() / f64::from(days)).clamp(0.0, 1.0),
        consequences: kinds.into_iter().map(consequence).collect(),
        net: worth(&|_| true),
    }
}

/// Adds to the sum of a currency; currencies stay sorted by code.
fn add(sums: &mut Vec<Money>, currency: Currency, minor_units: i64) {
    match sums.binary_search_by(|sum| sum.currency.as_str().cmp(currency.as_str())) {
        Ok(at) => sums[at].minor_units = sums[at].minor_units.saturating_add(minor_units),
        Err(at) => sums.insert(at, Money { currency, minor_units }),
    }
}

#[cfg(test)]
#[path = "case_tests.rs"]
mod tests;
