//! Ranks the eligible actions by expected money, with an honest confidence.
//!
//! Means are the consequences at the heads' own calibrated values (the best single
//! guess); p10 and p90 come from the what-if draws of [`crate::decision::draws`],
//! widened where needed so that they enclose the mean. The draws carry only the
//! uncertainty of the *expected* value: how sure the model is, not how the single
//! order will turn out. That is in `p_best`, see [`crate::decision::hindsight`].

use crate::decision::draws::{DRAWS, p10_p90};
use crate::decision::hindsight::chances;
use crate::decision::impact::{
    CHARGEBACK, CHARGEBACK_RISK, Exposure, Friction, MONEY_PARTS, PRICE_INDEX, Parts,
    REPURCHASE_VALUE, RETURN, Stakes, position, total,
};
use crate::decision::impact_draws::{Drawn, DrawnOrder, Ends};
use crate::decision::outlook::{Forecast, Outlook};
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::confirmation::{Confirmations, Confirmed};
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
    drawn: Drawn,
    p_best: f64,
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
        let order = DrawnOrder::new(&stakes, &draws);
        let evaluate = |policy: &&'a ActionPolicy| {
            let friction = stakes.friction(policy);
            let mean = stakes.parts(&friction, &outlook.at_point());
            Evaluated { mean, drawn: order.evaluate(&friction), friction, p_best: 0.0 }
        };
        let mut actions: Vec<Evaluated<'a>> = eligible.iter().map(evaluate).collect();
        let frictions: Vec<&Friction<'_>> = actions.iter().map(|action| &action.friction).collect();
        let chances = chances(&stakes, &outlook, &frictions);
        for (action, chance) in actions.iter_mut().zip(chances) {
            action.p_best = chance;
        }
        Self { strategy, stakes, outlook, actions }
    }

    /// The impact of each eligible action, in catalog order.
    pub fn impacts(&self) -> Vec<ActionImpact> {
        self.actions.iter().map(|action| self.impact(action)).collect()
    }

    /// The best `n_max` eligible actions, best first; those in `tops` are put on top of the
    /// others.
    pub fn recommend(
        &self,
        tops: &[ActionKind],
        confirmations: &Confirmations,
        n_max: usize,
    ) -> Vec<RecommendedAction> {
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
            .take(n_max)
            .map(|((idx, next), rank)| {
                let kind = self.actions[*idx].friction.policy.kind;
                let prior = &self.strategy.trust.confirm_prior;
                let confirmed = confirmations.chance(kind, rank as usize - 1, prior);
                self.recommended(rank, *idx, next, confirmed)
            })
            .collect()
    }

    fn mean(&self, idx: usize) -> f64 {
        total(&self.actions[idx].mean)
    }

    fn recommended(
        &self,
        rank: u32,
        idx: usize,
        next: Option<usize>,
        confirmed: Confirmed,
    ) -> RecommendedAction {
        let action = &self.actions[idx];
        let release = self.actions.iter().find(|a| a.friction.policy.kind == ActionKind::Approve);
        let (mean, draws) = match release {
            Some(release) => difference(action, release),
            None => (total(&action.mean), action.drawn.totals),
        };
        let (gap, is_close_call) = next.map_or((0.0, false), |next| {
            let (gap, draws) = difference(action, &self.actions[next]);
            (gap, self.is_close(gap, &draws))
        });
        RecommendedAction {
            rank,
            action: action.friction.policy.kind,
            plan: action.friction.policy.plan_id().into(),
            steps: action
                .friction
                .policy
                .plan
                .as_ref()
                .map_or_else(Vec::new, |it| it.steps.clone()),
            value: estimate(mean, p10_p90(&draws)),
            p_best: Probability::clamped(action.p_best),
            p_confirm: confirmed.probability,
            n_confirm: confirmed.n,
            is_prior_only: confirmed.n < self.strategy.trust.confirm_choices_min,
            gap_to_next_minor: gap,
            is_close_call,
            requires_approval: action.friction.policy.requires_approval,
            forced_by: None,
            title: action.friction.policy.title.clone(),
            customer_message: action.friction.policy.customer_message.clone(),
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
        kinds.push(ImpactKind::StockUse);
        let parts = kinds.into_iter().map(|kind| self.part(kind, action));
        ActionImpact {
            action: action.friction.policy.kind,
            plan: action.friction.policy.plan_id().into(),
            currency: self.strategy.currency,
            total: estimate(total(&action.mean), p10_p90(&action.drawn.totals)),
            parts: parts.filter(|part| part.value != Estimate::default()).collect(),
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
            value: estimate(action.mean[at], action.drawn.ends[at]),
            unit: match kind {
                ImpactKind::PriceIndex => ImpactUnit::Index,
                ImpactKind::StockUse => ImpactUnit::Pieces,
                ImpactKind::RiskLoss
                | ImpactKind::PlatformPenalty
                | ImpactKind::Margin
                | ImpactKind::ReturnCost
                | ImpactKind::FalseStop
                | ImpactKind::Complaint
                | ImpactKind::DelayCompensation
                | ImpactKind::ReviewCost
                | ImpactKind::ActionCost
                | ImpactKind::FuturePurchases => ImpactUnit::MinorUnits,
            },
            n_support,
            drivers,
            alarm_from: (kind == ImpactKind::PriceIndex)
                .then_some(self.strategy.money.price_index_alarm),
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
            ImpactKind::RiskLoss => self.loss_backing(action, |exposure| {
                exposure.share * self.stakes.amount + exposure.fixed
            }),
            ImpactKind::PlatformPenalty => self.loss_backing(action, |exposure| exposure.penalty),
            ImpactKind::Margin => (0, vec!["money.margin_share".into(), of_action("loses")]),
            ImpactKind::ReturnCost => head_or(&self.outlook.returns, RETURN, "money.return_rate"),
            ImpactKind::FalseStop => {
                let (n_support, mut drivers) =
                    head_or(&self.outlook.future, REPURCHASE_VALUE, "money.future_purchases_minor");
                drivers.extend([of_action("loses"), "money.churn_share".into()]);
                (n_support, drivers)
            }
            ImpactKind::Complaint => (0, vec![of_action("loses"), "money.complaint_minor".into()]),
            ImpactKind::DelayCompensation => {
                (0, vec![of_action("delay_hours"), "money.delay_hour_minor".into()])
            }
            ImpactKind::ReviewCost => {
                (0, vec![of_action("review_minutes"), "money.review_minute_minor".into()])
            }
            ImpactKind::ActionCost => (0, vec![of_action("cost_minor")]),
            ImpactKind::StockUse => (0, vec!["order.items".into(), of_action("loses")]),
            ImpactKind::FuturePurchases => {
                head_or(&self.outlook.future, REPURCHASE_VALUE, "money.future_purchases_minor")
            }
            ImpactKind::PriceIndex => (
                self.outlook.price_index.as_ref().map_or(0, |forecast| forecast.n_support),
                vec![PRICE_INDEX.into()],
            ),
        }
    }

    /// The risks behind a loss, the largest first, each with what it costs when it is real.
    fn loss_backing(
        &self,
        action: &Evaluated<'_>,
        cost: impl Fn(&Exposure) -> f64,
    ) -> (u64, Vec<Box<str>>) {
        let scenario = self.outlook.at_point();
        let loss = |idx: usize| {
            let left = scenario.risks[idx] * (1.0 - action.friction.catches[idx]);
            left * cost(&self.stakes.exposures[idx])
        };
        let mut order: Vec<usize> = (0..self.stakes.exposures.len()).collect();
        order.retain(|idx| 0.0 < cost(&self.stakes.exposures[*idx]));
        order.sort_by(|a, b| loss(*b).total_cmp(&loss(*a)).then(a.cmp(b)));
        let n_support = order.first().map_or(0, |idx| self.outlook.n_support(*idx));
        let mut drivers = Vec::new();
        for idx in order.into_iter().take(DRIVERS_MAX) {
            let head = &self.stakes.exposures[idx].head;
            let stands_in = self.outlook.has_chargeback() && &*head.0 == CHARGEBACK_RISK;
            drivers.push(if stands_in { CHARGEBACK.into() } else { head.0.clone() });
            if self.strategy.risk(head).reported_share < 1.0 {
                drivers.push(format!("risks.{}.reported_share", head.0).into());
            }
        }
        (n_support, drivers)
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

fn difference(action: &Evaluated<'_>, other: &Evaluated<'_>) -> (f64, [f64; DRAWS]) {
    let draws = std::array::from_fn(|draw| action.drawn.totals[draw] - other.drawn.totals[draw]);
    (total(&action.mean) - total(&other.mean), draws)
}

fn estimate(mean: f64, (p10, p90): Ends) -> Estimate {
    // Adding 0 turns -0 into 0: no reader should meet two zeros, and protobuf keeps only one.
    Estimate { mean: mean + 0.0, p10: p10.min(mean) + 0.0, p90: p90.max(mean) + 0.0 }
}
