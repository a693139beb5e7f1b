//! Decides about one order: pure, deterministic, total.

use crate::decision::attribution::{Inputs, Recalibrate, assess};
use crate::decision::explore::{Candidate, explore};
use crate::decision::options::{Options, Worth};
use crate::decision::ranking::{Ranking, action_means};
use crate::decision::reasons::{Leading, reasons};
use crate::decision::rule::Ruling;
use crate::decision::rule_facts::{Facts, OrderView};
use crate::decision::strategy::{ActionPolicy, Eligibility, Strategy};
use crate::decision::urgency::{Urgency, most_urgent};
use crate::domain::blind::is_drawn_blind;
use crate::domain::confirmation::Confirmations;
use crate::domain::decision::{ActionKind, DecisionState, Reason};
use crate::domain::evidence::Evidence;
use crate::domain::exploration::{Exploration, ExplorationRoom};
use crate::domain::head::{HeadKind, HeadScore};
use crate::domain::impact::{ActionImpact, RecommendedAction};
use crate::domain::order::Order;
use crate::domain::risk::{RiskAssessment, RiskBand};
use crate::domain::time::Timestamp;

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct DecideInput<'a> {
    /// What every head of the bundle says.
    pub scores: &'a [HeadScore],
    /// Calibration of re-weighted scores.
    pub recalibrate: &'a dyn Recalibrate,
    /// Features and their values.
    pub inputs: Inputs<'a>,
    /// The order.
    pub order: &'a Order,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Where among the features those are that the strategy's rules name, see
    /// [`crate::decision::rule::Rules::places`].
    pub rule_places: &'a [Option<usize>],
    /// Graph evidence, for the nodes that reasons name.
    pub evidence: Option<&'a Evidence>,
    /// True when the graph was not read: a person decides first, unless a rule does.
    pub is_without_graph: bool,
    /// How often people took what was recommended.
    pub confirmations: &'a Confirmations,
    /// What earlier releases to learn left; `None` releases nothing to learn.
    pub room: Option<&'a ExplorationRoom>,
    /// Most actions to recommend.
    pub actions_max: usize,
    /// Most contributions to list per risk.
    pub contributions_max: usize,
}

/// The decided parts of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// `Final`, or `Abstained` when support is too thin to trust the ranking, whatever a rule
    /// forces.
    pub state: DecisionState,
    /// One per risk head, in bundle order.
    pub risks: Vec<RiskAssessment>,
    /// One per eligible action, in strategy order.
    pub impacts: Vec<ActionImpact>,
    /// The best actions, best first; one that a rule forces comes before them.
    pub actions: Vec<RecommendedAction>,
    /// What the rules of the strategy make of the order.
    pub ruling: Ruling,
    /// What was drawn for an order that would be declined; `None` when nothing was.
    pub exploration: Option<Exploration>,
    /// True when people see the actions only once they have chosen.
    pub is_blind: bool,
    /// At most three sentences about the leading risk.
    pub reasons: Vec<Reason>,
}

/// Decides about one order under a strategy.
pub fn decide(strategy: &Strategy, input: &DecideInput<'_>) -> Decided {
    let inputs = input.inputs;
    let risk_idxs: Vec<usize> =
        (0..input.scores.len()).filter(|idx| input.scores[*idx].kind == HeadKind::Risk).collect();
    let risks: Vec<RiskAssessment> = risk_idxs
        .iter()
        .map(|idx| {
            let calibrate = |log_odds| input.recalibrate.calibrate(*idx, log_odds);
            assess(strategy, &input.scores[*idx], inputs, calibrate, input.contributions_max)
        })
        .collect();
    let leading = leading_risk(strategy, &risks);
    let is_thin = is_thin(strategy, &risks);
    let eligible = eligible(strategy, input.order, &risks);
    let ranking = Ranking::new(strategy, input.order, input.scores, &risks, &eligible);
    let ruling = strategy.rules.apply(&Facts::new(strategy, input.view(), &risks), &eligible);
    // A rule is the business speaking: it comes before what the model would rather be safe with.
    let forced = ruling.forced.iter().map(|(action, _)| *action);
    let is_safer = is_thin || input.is_without_graph;
    let tops: Vec<ActionKind> = forced.chain(is_safer.then_some(ActionKind::Review)).collect();
    // The first action decides what follows, however few were asked for.
    let n_max = input.actions_max.max(1);
    let mut actions = ranking.recommend(&tops, input.confirmations, n_max);
    if let (Some(first), Some((_, rule))) = (actions.first_mut(), &ruling.forced) {
        first.forced_by = Some(rule.clone());
    }
    let exploration =
        leading.zip(actions.first()).zip(input.room).and_then(|((at, first), room)| {
            let candidate =
                Candidate { order: input.order, risks: &risks, leading: at, first, room };
            explore(strategy, &candidate)
        });
    if exploration.is_some_and(|drawn| drawn.is_released) {
        actions = ranking.recommend(&[ActionKind::Approve], input.confirmations, n_max);
    }
    actions.truncate(input.actions_max);
    let is_looked_at = actions.first().is_some_and(|first| !first.action.is_release());
    let is_blind = is_looked_at && is_drawn_blind(&input.order.key, strategy.reviewers.blind_share);
    let reasons = leading.map_or_else(Vec::new, |at| {
        reasons(
            strategy,
            &Leading { assessment: &risks[at], score: &input.scores[risk_idxs[at]] },
            inputs,
            input.evidence,
        )
    });
    Decided {
        state: if is_thin { DecisionState::Abstained } else { DecisionState::Final },
        impacts: ranking.impacts(),
        actions,
        ruling,
        exploration,
        is_blind,
        reasons,
        risks,
    }
}

impl<'a> DecideInput<'a> {
    /// The order as rules see it, beside its risks.
    pub fn view(&self) -> OrderView<'a> {
        OrderView {
            order: self.order,
            event_time: self.event_time,
            values: self.inputs.values,
            places: self.rule_places,
        }
    }
}

/// The action that [`decide`] recommends first for assessed risks: the same choice at a
/// fraction of the price, for asking it many times.
pub fn first_action(
    strategy: &Strategy,
    view: OrderView<'_>,
    scores: &[HeadScore],
    risks: &[RiskAssessment],
) -> Option<ActionKind> {
    options(strategy, view, scores, risks).first().map(|first| first.policy.kind)
}

/// What [`decide`] chooses from for assessed risks, with the expected values.
pub fn options<'a>(
    strategy: &'a Strategy,
    view: OrderView<'_>,
    scores: &[HeadScore],
    risks: &[RiskAssessment],
) -> Options<'a> {
    let eligible = eligible(strategy, view.order, risks);
    let means = action_means(strategy, view.order, scores, risks, &eligible);
    let forced = strategy.rules.forced(&Facts::new(strategy, view, risks), &eligible);
    let can_review = eligible.iter().any(|action| action.kind == ActionKind::Review);
    let is_safer = can_review && is_thin(strategy, risks);
    let worth = |(policy, (_, value_minor))| Worth { policy, value_minor };
    Options {
        forced: forced.or_else(|| is_safer.then_some(ActionKind::Review)),
        actions: eligible.into_iter().zip(means).map(worth).collect(),
    }
}

/// Every eligible action with its expected value, minor units, best first.
pub fn ranked_actions<'a>(
    strategy: &'a Strategy,
    view: OrderView<'_>,
    scores: &[HeadScore],
    risks: &[RiskAssessment],
) -> Vec<(&'a ActionPolicy, f64)> {
    let eligible = eligible(strategy, view.order, risks);
    let means = action_means(strategy, view.order, scores, risks, &eligible);
    let means = means.into_iter().map(|(_, mean)| mean);
    let mut ranked: Vec<(&ActionPolicy, f64)> = eligible.iter().copied().zip(means).collect();
    // Stable: the first of equals leads, as in the answer.
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    if is_thin(strategy, risks) {
        ranked.sort_by_key(|(policy, _)| policy.kind != ActionKind::Review);
    }
    if let Some(forced) = strategy.rules.forced(&Facts::new(strategy, view, risks), &eligible) {
        ranked.sort_by_key(|(policy, _)| policy.kind != forced);
    }
    ranked
}

/// The risk that matters most, see [`Urgency`]; the first of equals.
pub fn leading_risk(strategy: &Strategy, risks: &[RiskAssessment]) -> Option<usize> {
    let urgencies = risks.iter().map(|risk| Urgency::of(strategy, &risk.head, risk.probability));
    most_urgent(urgencies)
}

/// True when too few held-out rows back the leading risk to trust a ranking.
fn is_thin(strategy: &Strategy, risks: &[RiskAssessment]) -> bool {
    let leading = leading_risk(strategy, risks);
    leading.is_none_or(|at| risks[at].n_support < strategy.trust.n_support_min)
}

/// The actions that may be offered for an order, in catalog order.
pub fn eligible<'a>(
    strategy: &'a Strategy,
    order: &Order,
    risks: &[RiskAssessment],
) -> Vec<&'a ActionPolicy> {
    let actions = strategy.actions.iter();
    let may = |when| is_eligible(when, strategy, order, risks);
    actions.filter(|action| action.conditions().all(may)).collect()
}

fn is_eligible(
    when: &Eligibility,
    strategy: &Strategy,
    order: &Order,
    risks: &[RiskAssessment],
) -> bool {
    let amount = order.amount.and_then(|amount| strategy.in_own_currency(amount));
    let quantity = order.items.iter().map(|item| u64::from(item.quantity)).sum::<u64>();
    let is_at_least = |value: Option<f64>, min: Option<f64>| {
        min.is_none_or(|min| value.is_some_and(|value| min <= value))
    };
    let is_at_most = |value: Option<f64>, max: Option<f64>| {
        max.is_none_or(|max| value.is_some_and(|value| value <= max))
    };
    let has_place = when.address_kinds.is_empty()
        || order.address_kind.is_some_and(|kind| when.address_kinds.contains(&kind));
    let has_needs = when.needs.iter().all(|kind| order.nodes().any(|entity| entity.kind == *kind));
    is_at_least(amount, when.amount_min_minor)
        && is_at_most(amount, when.amount_max_minor)
        && when.quantity_min.is_none_or(|min| min <= quantity)
        && when.quantity_max.is_none_or(|max| quantity <= max)
        && has_place
        && has_needs
        && is_in_bands(when, risks)
}

/// The risks that an action is for must exist: no model, no action against it.
fn is_in_bands(when: &Eligibility, risks: &[RiskAssessment]) -> bool {
    let worst: Option<RiskBand> = risks
        .iter()
        .filter(|risk| when.risks.is_empty() || when.risks.contains(&risk.head))
        .map(|risk| risk.band)
        .max();
    let Some(worst) = worst else {
        return when.risks.is_empty() && when.band_at_least.is_none();
    };
    when.band_at_least.is_none_or(|band| band <= worst)
        && when.band_at_most.is_none_or(|band| worst <= band)
}
