//! Ranks the eligible actions by expected money, with an honest confidence.
//!
//! Means are the consequences at the heads' own calibrated values (the best single
//! guess); p10 and p90 come from the what-if draws of [`crate::decision::draws`],
//! widened where needed so that they enclose the mean. The draws carry only the
//! uncertainty of the *expected* value: how sure the model is, not how the single
//! order will turn out. Confidence is the share of draws in which an action is
//! the best of all eligible ones; over all of them it sums to 1.

use crate::decision::draws::{DRAWS, p10_p90};
use crate::decision::impact::{
    CHARGEBACK, CHARGEBACK_RISK, Friction, MONEY_PARTS, PARTS, PRICE_INDEX, Parts,
    REPURCHASE_VALUE, RETURN, Scenario, Stakes, position, total,
};
use crate::decision::outlook::{Forecast, Outlook, OutlookDraws};
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::head::HeadScore;
use crate::domain::impact::{
    ActionImpact, Estimate, ImpactKind, ImpactPart, ImpactUnit, RecommendedAction,
};
use crate::domain::order::Order;
use crate::domain::risk::{Probability, RiskAssessment};

/// Most drivers that an impact part names.
const DRIVERS_MAX: usize = 3;

/// Everything known about the eligible actions, in catalog order.
#[derive(Debug)]
pub struct Ranking<'a> {
    strategy: &'a Strategy,
    stakes: Stakes<'a>,
    outlook: Outlook,
    actions: Vec<Evaluated<'a>>,
}

/// One eligible action, evaluated.
#[derive(Debug)]
struct Evaluated<'a> {
    friction: Friction<'a>,
    mean: Parts,
    /// By part, then by draw.
    draws: Box<[[f64; DRAWS]; PARTS]>,
    totals: [f64; DRAWS],
    n_best: usize,
}

impl<'a> Ranking<'a> {
    /// Evaluates the eligible actions of an order.
    pub fn new(
        strategy: &'a Strategy,
        order: &Order,
        scores: &[HeadScore],
        risks: &[RiskAssessment],
        eligible: &[&'a ActionPolicy],
    ) -> Self {
        let outlook = Outlook::new(strategy, scores, risks);
        let stakes = Stakes::new(strategy, order, outlook.heads());
        let draws = outlook.draws();
        let evaluate = |policy: &&'a ActionPolicy| {
            let friction = stakes.friction(policy);
            Evaluated::new(&stakes, friction, outlook.at_point(), &draws)
        };
        let mut actions: Vec<Evaluated<'a>> = eligible.iter().map(evaluate).collect();
        for draw in 0..DRAWS {
            if let Some(best) = best_of(&actions, draw) {
                actions[best].n_best += 1;
            }
        }
        Self { strategy, stakes, outlook, actions }
    }

    /// The impact of each eligible action, in catalog order.
    pub fn impacts(&self) -> Vec<ActionImpact> {
        self.actions.iter().map(|action| self.impact(action)).collect()
    }

    /// All eligible actions, best first; those in `tops` are put on top of the others.
    pub fn recommend(&self, tops: &[ActionKind]) -> Vec<RecommendedAction> {
        let mut order: Vec<usize> = (0..self.actions.len()).collect();
        order.sort_by(|a, b| self.mean(*b).total_cmp(&self.mean(*a)).then(a.cmp(b)));
        for top in tops.iter().rev() {
            order.sort_by_key(|idx| self.actions[*idx].friction.policy.kind != *top);
        }
        let next = order.iter().skip(1).map(|idx| Some(*idx)).chain(std::iter::once(None));
        order
            .iter()
            .zip(next)
            .zip(1..)
            .map(|((idx, next), rank)| self.recommended(rank, *idx, next))
            .collect()
    }

    fn mean(&self, idx: usize) -> f64 {
        total(&self.actions[idx].mean)
    }

    fn recommended(&self, rank: u32, idx: usize, next: Option<usize>) -> RecommendedAction {
        let action = &self.actions[idx];
        let release = self.actions.iter().find(|a| a.friction.policy.kind == ActionKind::Approve);
        let (mean, draws) = match release {
            Some(release) => difference(action, release),
            None => (total(&action.mean), action.totals),
        };
        let (gap, is_close_call) = next.map_or((0.0, false), |next| {
            let (gap, draws) = difference(action, &self.actions[next]);
            (gap, self.is_close(gap, &draws))
        });
        RecommendedAction {
            rank,
            action: action.friction.policy.kind,
            value: estimate(mean, draws),
            confidence: Probability::clamped(action.n_best as f64 / DRAWS as f64),
            gap_to_next_minor: gap,
            is_close_call,
            requires_approval: action.friction.policy.requires_approval,
            forced_by: None,
            title: action.friction.policy.title.clone(),
        }
    }

    fn is_close(&self, gap: f64, draws: &[f64; DRAWS]) -> bool {
        let trust = &self.strategy.trust;
        let n_gone = draws.iter().filter(|gap| **gap <= 0.0).count();
        gap.abs() < trust.close_call_minor || trust.close_call_share < n_gone as f64 / DRAWS as f64
    }

    fn impact(&self, action: &Evaluated<'_>) -> ActionImpact {
        let mut kinds = MONEY_PARTS.to_vec();
        if self.outlook.price_index.is_some() {
            kinds.push(ImpactKind::PriceIndex);
        }
        ActionImpact {
            action: action.friction.policy.kind,
            currency: self.strategy.currency,
            total: estimate(total(&action.mean), action.totals),
            parts: kinds.into_iter().map(|kind| self.part(kind, action)).collect(),
            review_minutes: action.friction.policy.review_minutes,
        }
    }

    fn part(&self, kind: ImpactKind, action: &Evaluated<'_>) -> ImpactPart {
        let (n_support, mut drivers) = self.backing(kind, action);
        let uses_amount =
            matches!(kind, ImpactKind::RiskLoss | ImpactKind::Margin | ImpactKind::ReturnCost);
        if uses_amount && self.stakes.is_amount_assumed {
            drivers.push("money.unknown_amount_minor".into());
        }
        let at = position(kind);
        ImpactPart {
            kind,
            value: estimate(action.mean[at], action.draws[at]),
            unit: match kind {
                ImpactKind::PriceIndex => ImpactUnit::Index,
                ImpactKind::RiskLoss
                | ImpactKind::Margin
                | ImpactKind::ReturnCost
                | ImpactKind::FalseStop
                | ImpactKind::ActionCost
                | ImpactKind::FuturePurchases => ImpactUnit::MinorUnits,
            },
            n_support,
            drivers,
        }
    }

    /// Held-out rows behind a part (0 = the strategy's assumption) and what drives it.
    fn backing(&self, kind: ImpactKind, action: &Evaluated<'_>) -> (u64, Vec<Box<str>>) {
        let of_action = |key: &str| {
            format!("actions.{}.{key}", action.friction.policy.kind.as_str()).into_boxed_str()
        };
        let head_or = |forecast: &Forecast, head: &str, key: &str| {
            let driver = if forecast.n_support == 0 { key } else { head };
            (forecast.n_support, vec![driver.into()])
        };
        match kind {
            ImpactKind::RiskLoss => self.loss_backing(action),
            ImpactKind::Margin => (0, vec!["money.margin_share".into(), of_action("loses")]),
            ImpactKind::ReturnCost => head_or(&self.outlook.returns, RETURN, "money.return_rate"),
            ImpactKind::FalseStop => (0, vec![of_action("loses"), "money.churn_share".into()]),
            ImpactKind::ActionCost => {
                (0, vec![of_action("cost_minor"), of_action("review_minutes")])
            }
            ImpactKind::FuturePurchases => {
                head_or(&self.outlook.future, REPURCHASE_VALUE, "money.future_purchases_minor")
            }
            ImpactKind::PriceIndex => (
                self.outlook.price_index.as_ref().map_or(0, |forecast| forecast.n_support),
                vec![PRICE_INDEX.into()],
            ),
        }
    }

    fn loss_backing(&self, action: &Evaluated<'_>) -> (u64, Vec<Box<str>>) {
        let scenario = self.outlook.at_point();
        let loss = |idx: usize| self.stakes.loss_of(idx, &action.friction, &scenario);
        let mut order: Vec<usize> = (0..self.stakes.exposures.len()).collect();
        order.sort_by(|a, b| loss(*b).total_cmp(&loss(*a)).then(a.cmp(b)));
        let n_support = order.first().map_or(0, |idx| self.outlook.n_support(*idx));
        let drivers = order
            .into_iter()
            .take(DRIVERS_MAX)
            .map(|idx| {
                let head = &self.stakes.exposures[idx].head.0;
                let is_raised = self.outlook.has_chargeback() && &**head == CHARGEBACK_RISK;
                if is_raised { CHARGEBACK.into() } else { head.clone() }
            })
            .collect();
        (n_support, drivers)
    }
}

impl<'a> Evaluated<'a> {
    fn new(
        stakes: &Stakes<'_>,
        friction: Friction<'a>,
        point: Scenario<'_>,
        outlook: &OutlookDraws,
    ) -> Self {
        let mean = stakes.parts(&friction, &point);
        let mut draws = Box::new([[0.0; DRAWS]; PARTS]);
        let mut totals = [0.0; DRAWS];
        let mut risks = Vec::new();
        for (draw, sum) in totals.iter_mut().enumerate() {
            let parts = stakes.parts(&friction, &outlook.at(draw, &mut risks));
            *sum = total(&parts);
            for (column, part) in draws.iter_mut().zip(parts) {
                column[draw] = part;
            }
        }
        Self { friction, mean, draws, totals, n_best: 0 }
    }
}

/// The expected value of each action as a [`Ranking`] has it, minor units, in the order
/// given, without the draws that only intervals and confidence need.
pub fn action_means(
    strategy: &Strategy,
    order: &Order,
    scores: &[HeadScore],
    risks: &[RiskAssessment],
    eligible: &[&ActionPolicy],
) -> Vec<(ActionKind, f64)> {
    let outlook = Outlook::new(strategy, scores, risks);
    let stakes = Stakes::new(strategy, order, outlook.heads());
    let mean = |policy| total(&stakes.parts(&stakes.friction(policy), &outlook.at_point()));
    eligible.iter().map(|policy| (policy.kind, mean(policy))).collect()
}

/// The best action of a draw; the earlier one in the catalog when two are equal.
fn best_of(actions: &[Evaluated<'_>], draw: usize) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (idx, action) in actions.iter().enumerate() {
        if best.is_none_or(|best| actions[best].totals[draw] < action.totals[draw]) {
            best = Some(idx);
        }
    }
    best
}

fn difference(action: &Evaluated<'_>, other: &Evaluated<'_>) -> (f64, [f64; DRAWS]) {
    let draws = std::array::from_fn(|draw| action.totals[draw] - other.totals[draw]);
    (total(&action.mean) - total(&other.mean), draws)
}

fn estimate(mean: f64, mut draws: [f64; DRAWS]) -> Estimate {
    let (p10, p90) = p10_p90(&mut draws);
    // Adding 0 turns -0 into 0: no reader should meet two zeros, and protobuf keeps only one.
    Estimate { mean: mean + 0.0, p10: p10.min(mean) + 0.0, p90: p90.max(mean) + 0.0 }
}
