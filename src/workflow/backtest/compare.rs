//! Judges one recorded order again, under its own strategy and under the draft.

use std::sync::Arc;

use crate::decision::attribution::{Recalibrate, assess_briefly};
use crate::decision::decide::options;
use crate::decision::options::Options;
use crate::decision::rule_facts::OrderView;
use crate::decision::strategy::Strategy;
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadKind, HeadScore};
use crate::domain::order::{Order, OrderKey};
use crate::domain::recorded_order::{ActionName, RecordedFact, RecordedOrder, Truth};
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::time::{Span, Timestamp};
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;
use crate::workflow::backtest::past_judges::{FittedStrategy, PastJudges, PastStrategy};
use crate::workflow::backtest::solve::{MinuteSteps, minute_steps};
use crate::workflow::backtest::truths::{About, Print};
use crate::workflow::error::Error;

/// Accounts younger than this are new.
const NEW_ACCOUNT: Span = Span::days(30);

/// What a record says to a back-test.
#[derive(Debug)]
pub enum Compared {
    /// An order under both strategies.
    Order(Box<ComparedOrder>),
    /// A decision that cannot be compared.
    Not(NotCompared),
    /// How an order turned out.
    Truth(About, Truth),
    /// Nothing.
    Nothing,
}

/// Why a decision cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCompared {
    /// Another bundle made it.
    OtherBundle,
    /// The journal does not hold its background.
    BackgroundGone,
    /// It recommends nothing, or has other features than the bundle.
    Incomplete,
}

/// An order under both strategies.
#[derive(Debug)]
pub struct ComparedOrder {
    /// Where in the journal.
    pub position: u64,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Names the decision.
    pub decision_id: DecisionId,
    /// Finds the order of a fact.
    pub order_print: Print,
    /// Finds the decision of a fact.
    pub decision_print: Print,
    /// Into which of 256 groups its account falls.
    pub group: u8,
    /// Hash of the strategy that decided.
    pub strategy_hash: Box<str>,
    /// Its name; `None` when its text does not read any more.
    pub strategy_name: Option<Box<str>>,
    /// True when its strategy was drawn for it by chance.
    pub is_drawn: bool,
    /// What was recommended first.
    pub recorded: ActionName,
    /// What the draft recommends first.
    pub draft: ActionName,
    /// What its own strategy recommends first, made again; `None` when that does not read.
    pub again: Option<ActionName>,
    /// Minutes of the recorded first action.
    pub recorded_minutes: Option<f64>,
    /// Minutes of the new one.
    pub draft_minutes: f64,
    /// Value of the new minus the recorded first action by the recorded coefficients.
    pub recorded_difference: Option<f64>,
    /// The same by the coefficients of the draft.
    pub draft_difference: Option<f64>,
    /// What a review gains over the best other action under the draft, when it is first.
    pub review_gain: Option<f64>,
    /// Channel.
    pub channel: Box<str>,
    /// Region.
    pub region: Option<Box<str>>,
    /// Whether the account is new; `None` when the order does not tell its age.
    pub is_new_account: Option<bool>,
    /// Amount in the draft's currency.
    pub amount_minor: Option<f64>,
    /// How its minutes fall with their price; empty unless asked for.
    pub steps: MinuteSteps,
}

/// Whether the price of a minute is to be solved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// It is not.
    Skip,
    /// It is.
    Keep,
}

/// Judges recorded orders again; one per thread.
#[derive(Debug)]
pub struct Comparer<'a> {
    bundle: &'a Bundle,
    draft: &'a FittedStrategy,
    judges: &'a PastJudges<'a>,
    steps: Steps,
    scratch: Scratch,
    /// The last strategy, which mostly is the next one's, too.
    last: Option<(Box<str>, PastStrategy)>,
}

impl<'a> Comparer<'a> {
    /// A comparer against a draft.
    pub fn new(
        bundle: &'a Bundle,
        draft: &'a FittedStrategy,
        judges: &'a PastJudges<'a>,
        steps: Steps,
    ) -> Self {
        Self { bundle, draft, judges, steps, scratch: Scratch::default(), last: None }
    }

    /// What the record at a position says.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    pub fn compare(&mut self, position: u64, fact: RecordedFact) -> Result<Compared, Error> {
        match fact {
            RecordedFact::Other => Ok(Compared::Nothing),
            RecordedFact::Truth(told) => {
                let about = About {
                    order: told.order.as_ref().map(order_print),
                    decision: told.decision_id.map(decision_print),
                };
                Ok(Compared::Truth(about, told.truth))
            }
            RecordedFact::Order(order) => self.compare_order(position, *order),
        }
    }

    fn compare_order(&mut self, position: u64, told: RecordedOrder) -> Result<Compared, Error> {
        if *told.model_hash != *self.bundle.hash() {
            return Ok(Compared::Not(NotCompared::OtherBundle));
        }
        let specs = &self.bundle.manifest().features;
        let is_whole = told.features.len() == specs.len();
        let Some(recorded) = told.first_action.clone().filter(|_| is_whole) else {
            return Ok(Compared::Not(NotCompared::Incomplete));
        };
        let past = self.past_strategy(&told.strategy_hash, position)?;
        let Some(scores) = self.scores(&told, past.as_deref(), position)? else {
            return Ok(Compared::Not(NotCompared::BackgroundGone));
        };
        let draft = &self.draft.active.strategy;
        let new = self.options(self.draft, &told, &scores);
        let old = past.as_ref().map(|it| self.options(it, &told, &scores));
        let Some(first) = new.first() else {
            return Ok(Compared::Not(NotCompared::Incomplete));
        };
        let chosen = first.policy.action_name();
        let has_one_currency =
            past.as_ref().is_some_and(|it| it.active.strategy.currency == draft.currency);
        let recorded_difference = old.as_ref().filter(|_| has_one_currency);
        let minutes_of = |past: &Arc<FittedStrategy>| {
            let mut actions = past.active.strategy.actions.iter();
            actions.find(|it| it.is_called(&recorded)).map(|it| it.review_minutes)
        };
        let gain = |best: f64| first.value_minor - best;
        let is_review = chosen.action == ActionKind::Review;
        let compared = ComparedOrder {
            position,
            event_time: told.event_time,
            decision_id: told.decision_id,
            order_print: order_print(&told.order.key),
            decision_print: decision_print(told.decision_id),
            group: group(&told.order),
            strategy_name: past.as_ref().map(|it| it.active.strategy.name.clone()),
            is_drawn: told.propensity != Probability::ONE,
            again: old.as_ref().and_then(Options::first).map(|it| it.policy.action_name()),
            recorded_minutes: past.as_ref().and_then(minutes_of),
            draft_minutes: first.policy.review_minutes,
            recorded_difference: recorded_difference
                .and_then(|options| difference(options, &chosen, &recorded)),
            draft_difference: difference(&new, &chosen, &recorded),
            review_gain: new.best_without_review().filter(|_| is_review).map(gain),
            region: told.order.entity(EntityKind::Region).map(|it| it.key.to_string().into()),
            is_new_account: told
                .order
                .account_created_at
                .map(|created| told.event_time < created + NEW_ACCOUNT),
            amount_minor: told.order.amount.and_then(|amount| draft.in_own_currency(amount)),
            steps: match self.steps {
                Steps::Skip => MinuteSteps::default(),
                Steps::Keep => minute_steps(&new, draft.money.review_minute_minor),
            },
            channel: told.order.key.channel,
            strategy_hash: told.strategy_hash,
            recorded,
            draft: chosen,
        };
        Ok(Compared::Order(Box::new(compared)))
    }

    fn past_strategy(&mut self, hash: &str, position: u64) -> Result<PastStrategy, Error> {
        if let Some((_, strategy)) = self.last.as_ref().filter(|(known, _)| **known == *hash) {
            return Ok(strategy.clone());
        }
        let strategy = self.judges.strategy(hash, position)?;
        self.last = Some((hash.into(), strategy.clone()));
        Ok(strategy)
    }

    /// What the heads say; contributions only where a strategy weights them, since only
    /// those depend on the background.
    fn scores(
        &mut self,
        told: &RecordedOrder,
        past: Option<&FittedStrategy>,
        position: u64,
    ) -> Result<Option<Vec<HeadScore>>, Error> {
        let (bundle, scratch) = (self.bundle, &mut self.scratch);
        let is_plain = past.is_none_or(|it| it.active.strategy.weights.are_one());
        if is_plain && self.draft.active.strategy.weights.are_one() {
            return Ok(Some(bundle.score_plain(scratch, &told.features)));
        }
        if *told.background_hash == *bundle.parts().background.hash() {
            return Ok(Some(bundle.score_with(bundle.engine(), scratch, &told.features)));
        }
        let explainer = self.judges.background(&told.background_hash, position)?;
        Ok(explainer.map(|it| bundle.score_with(&it.engine, scratch, &told.features)))
    }

    fn options<'s>(
        &self,
        fitted: &'s FittedStrategy,
        told: &RecordedOrder,
        scores: &[HeadScore],
    ) -> Options<'s> {
        let strategy = &fitted.active.strategy;
        let specs = &self.bundle.manifest().features;
        let risks = assess_risks(strategy, self.bundle, specs, scores);
        let RecordedOrder { order, event_time, features: values, .. } = told;
        let (event_time, places) = (*event_time, &*fitted.rule_places);
        options(strategy, OrderView { order, event_time, values, places }, scores, &risks)
    }
}

/// The risks under a strategy, as far as the choice of an action reads them.
pub fn assess_risks(
    strategy: &Strategy,
    bundle: &Bundle,
    specs: &[FeatureSpec],
    scores: &[HeadScore],
) -> Vec<RiskAssessment> {
    let heads = scores.iter().enumerate().filter(|(_, score)| score.kind == HeadKind::Risk);
    let assess = |(idx, score)| {
        assess_briefly(strategy, score, specs, |log_odds| bundle.calibrate(idx, log_odds))
    };
    heads.map(assess).collect()
}

/// Value of one action minus that of another, if both are eligible.
fn difference(options: &Options<'_>, new: &ActionName, old: &ActionName) -> Option<f64> {
    Some(options.of(new)?.value_minor - options.of(old)?.value_minor)
}

/// Orders of one account fall into one group; an order without an account is one by itself.
fn group(order: &Order) -> u8 {
    match order.entity(EntityKind::Account) {
        Some(account) => blake3::hash(account.key.to_string().as_bytes()).as_bytes()[0],
        None => order_print(&order.key)[0],
    }
}

fn order_print(key: &OrderKey) -> Print {
    let OrderKey { channel, order_id, revision } = key;
    print(format!("{channel}\u{0}{order_id}\u{0}{revision}").as_bytes())
}

fn decision_print(id: DecisionId) -> Print {
    print(id.0.as_bytes())
}

fn print(bytes: &[u8]) -> Print {
    let mut print = Print::default();
    print.copy_from_slice(&blake3::hash(bytes).as_bytes()[..6]);
    print
}
