//! Ranks the eligible actions by expected money, with an honest confidence.
//!
//! Means are the consequences at the heads' own calibrated values (the best single
//! guess); p10 and p90 come from the what-if draws of [`crate::decision::draws`],
//! widened where needed so that they enclose the mean. The draws carry only the
//! uncertainty of the *expected* value: how sure the model is, not how the single
//! order will turn out. Confidence is the share of draws in which an action is
//! the best of all eligible ones; over all of them it sums to 1.

use crate::decision::draws::{DRAWS, p10_p90, probability_draws, value_draws};
use crate::decision::impact::{
    CHARGEBACK, CHARGEBACK_RISK, Friction, MONEY_PARTS, PARTS, PRICE_INDEX, Parts,
    REPURCHASE_VALUE, RETURN, Scenario, Stakes, position, total,
};
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadId, HeadKind, HeadScore};
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

/// What the heads say: at their own values and in each draw.
#[derive(Debug)]
struct Outlook {
    risks: Vec<f64>,
    risk_draws: Vec<[f64; DRAWS]>,
    risk_support: Vec<u64>,
    /// True when the chargeback head raised the risk it belongs to.
    has_chargeback: bool,
    returns: Forecast,
    future: Forecast,
    price_index: Option<Forecast>,
}

/// One quantity: a head's, or the strategy's assumption with support 0.
#[derive(Debug)]
struct Forecast {
    point: f64,
    draws: [f64; DRAWS],
    n_support: u64,
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
        let (heads, outlook) = Outlook::new(strategy, scores, risks);
        let stakes = Stakes::new(strategy, order, &heads);
        let mut actions: Vec<Evaluated<'a>> = eligible
            .iter()
            .map(|policy| Evaluated::new(&stakes, &outlook, stakes.friction(policy)))
            .collect();
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

    /// All eligible actions, best first; `first` is put on top of the others.
    pub fn recommend(&self, first: Option<ActionKind>) -> Vec<RecommendedAction> {
        let mut order: Vec<usize> = (0..self.actions.len()).collect();
        order.sort_by(|a, b| self.mean(*b).total_cmp(&self.mean(*a)).then(a.cmp(b)));
        if let Some(first) = first {
            order.sort_by_key(|idx| self.actions[*idx].friction.policy.kind != first);
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
        let n_support = order.first().map_or(0, |idx| self.outlook.risk_support[*idx]);
        let drivers = order
            .into_iter()
            .take(DRIVERS_MAX)
            .map(|idx| {
                let head = &self.stakes.exposures[idx].head.0;
                let is_raised = self.outlook.has_chargeback && &**head == CHARGEBACK_RISK;
                if is_raised { CHARGEBACK.into() } else { head.clone() }
            })
            .collect();
        (n_support, drivers)
    }
}

impl<'a> Evaluated<'a> {
    fn new(stakes: &Stakes<'_>, outlook: &Outlook, friction: Friction<'a>) -> Self {
        let mean = stakes.parts(&friction, &outlook.at_point());
        let mut draws = Box::new([[0.0; DRAWS]; PARTS]);
        let mut totals = [0.0; DRAWS];
        let mut risks = vec![0.0; outlook.risks.len()];
        for (draw, sum) in totals.iter_mut().enumerate() {
            for (risk, of_head) in risks.iter_mut().zip(&outlook.risk_draws) {
                *risk = of_head[draw];
            }
            let parts = stakes.parts(&friction, &outlook.at_draw(draw, &risks));
            *sum = total(&parts);
            for (column, part) in draws.iter_mut().zip(parts) {
                column[draw] = part;
            }
        }
        Self { friction, mean, draws, totals, n_best: 0 }
    }
}

impl Outlook {
    /// Reads the heads; gives the risk heads in the order of `risks`.
    fn new(
        strategy: &Strategy,
        scores: &[HeadScore],
        assessed: &[RiskAssessment],
    ) -> (Vec<HeadId>, Self) {
        let mut heads = Vec::new();
        let mut outlook = Self {
            risks: Vec::new(),
            risk_draws: Vec::new(),
            risk_support: Vec::new(),
            has_chargeback: false,
            returns: Forecast::assumed(strategy.money.return_rate),
            future: Forecast::assumed(strategy.money.future_purchases_minor),
            price_index: None,
        };
        for (idx, risk) in assessed.iter().enumerate() {
            let (low, high) = (risk.interval.0.value(), risk.interval.1.value());
            let point = risk.probability.value();
            heads.push(risk.head.clone());
            outlook.risks.push(point);
            outlook.risk_draws.push(probability_draws(idx, point, (low, high)));
            outlook.risk_support.push(risk.n_support);
        }
        let impact_heads = scores.iter().filter(|score| score.kind != HeadKind::Risk);
        for (idx, score) in impact_heads.enumerate() {
            outlook.read(strategy, assessed.len() + idx, score, &mut heads);
        }
        (heads, outlook)
    }

    fn read(
        &mut self,
        strategy: &Strategy,
        idx: usize,
        score: &HeadScore,
        heads: &mut Vec<HeadId>,
    ) {
        match (&*score.head.0, score.kind) {
            (CHARGEBACK, HeadKind::ImpactProbability) => {
                self.read_chargeback(&Forecast::probability(idx, score), heads);
            }
            (RETURN, HeadKind::ImpactProbability) => {
                self.returns = Forecast::probability(idx, score);
            }
            (REPURCHASE_VALUE, HeadKind::ImpactValue) => {
                self.future = Forecast::value(idx, score, strategy.minor_per_major());
            }
            (PRICE_INDEX, HeadKind::ImpactValue) => {
                self.price_index = Some(Forecast::value(idx, score, 1.0));
            }
            // Heads that no formula knows are shown elsewhere and cost nothing here.
            (_, HeadKind::Risk | HeadKind::ImpactProbability | HeadKind::ImpactValue) => {}
        }
    }

    /// A chargeback is the loss of payment fraud seen from the bank: the larger counts.
    fn read_chargeback(&mut self, forecast: &Forecast, heads: &mut Vec<HeadId>) {
        let Some(at) = heads.iter().position(|head| &*head.0 == CHARGEBACK_RISK) else {
            heads.push(HeadId(CHARGEBACK_RISK.into()));
            self.risks.push(forecast.point);
            self.risk_draws.push(forecast.draws);
            self.risk_support.push(forecast.n_support);
            self.has_chargeback = true;
            return;
        };
        if self.risks[at] < forecast.point {
            self.risks[at] = forecast.point;
            self.risk_support[at] = forecast.n_support;
            self.has_chargeback = true;
        }
        for (draw, of_chargeback) in self.risk_draws[at].iter_mut().zip(forecast.draws) {
            *draw = draw.max(of_chargeback);
        }
    }

    fn at_point(&self) -> Scenario<'_> {
        Scenario {
            risks: &self.risks,
            returns: self.returns.point,
            future: self.future.point,
            price_index: self.price_index.as_ref().map_or(1.0, |forecast| forecast.point),
        }
    }

    fn at_draw<'r>(&self, draw: usize, risks: &'r [f64]) -> Scenario<'r> {
        Scenario {
            risks,
            returns: self.returns.draws[draw],
            future: self.future.draws[draw],
            price_index: self.price_index.as_ref().map_or(1.0, |f| f.draws[draw]),
        }
    }
}

impl Forecast {
    fn assumed(value: f64) -> Self {
        Self { point: value, draws: [value; DRAWS], n_support: 0 }
    }

    fn probability(idx: usize, score: &HeadScore) -> Self {
        let point = Probability::clamped(score.calibrated).value();
        let draws = probability_draws(idx, point, score.interval);
        Self { point, draws, n_support: score.n_support }
    }

    fn value(idx: usize, score: &HeadScore, scale: f64) -> Self {
        let interval = (score.interval.0 * scale, score.interval.1 * scale);
        let point = score.calibrated * scale;
        Self { point, draws: value_draws(idx, point, interval), n_support: score.n_support }
    }
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
