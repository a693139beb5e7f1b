//! What follows from an action, in money.
//!
//! Airbnb's friction model ("Fighting financial fraud with targeted friction",
//! 2018): an action catches a share `c_r` of the bad orders of risk `r` and loses
//! a share `g` of the good ones. Risks are taken as independent given the order,
//! so with probabilities `p_r` to be real (reported or not, see
//! [`crate::decision::strategy::RiskPolicy::reported_share`]) and loss shares `s_r`
//!
//! ```text
//! good      = Π (1 − p_r)                       the order has no risk at all
//! uncaught  = Π (1 − p_r c_r)                   no risk of it is caught
//! passes    = uncaught − good·g                 it goes through
//! lost      = uncaught − Π (1 − p_r c_r − p_r (1−c_r) s_r)   share of the amount
//! ```
//!
//! `lost` never exceeds 1: several risks cannot lose an order twice. Fixed losses
//! add up. The lost margin of an honest order that is stopped is not charged
//! again: it is missing from the margin part.

use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::head::HeadId;
use crate::domain::impact::ImpactKind;
use crate::domain::order::Order;

/// Head for the probability that the payer's bank takes the money back.
pub const CHARGEBACK: &str = "chargeback";
/// The risk whose loss a chargeback is: the head above stands in where none predicts it.
pub const CHARGEBACK_RISK: &str = "payment_fraud";
/// Head for the probability that goods come back.
pub const RETURN: &str = "return";
/// Head for the margin of later purchases, major units.
pub const REPURCHASE_VALUE: &str = "repurchase_value";
/// Head for the price index of the SKU in its region, 1 = usual.
pub const PRICE_INDEX: &str = "price_index";

/// Number of kinds of consequence.
pub const PARTS: usize = 12;
/// Kinds of consequence that are money, in the order of their sum.
pub const MONEY_PARTS: [ImpactKind; 10] = [
    ImpactKind::RiskLoss,
    ImpactKind::PlatformPenalty,
    ImpactKind::Margin,
    ImpactKind::ReturnCost,
    ImpactKind::FalseStop,
    ImpactKind::Complaint,
    ImpactKind::DelayCompensation,
    ImpactKind::ReviewCost,
    ImpactKind::ActionCost,
    ImpactKind::FuturePurchases,
];

/// One risk of the order: what its probability is multiplied with.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The risk head.
    pub head: HeadId,
    /// Share of the amount at stake, in [0, 1].
    pub share: f64,
    /// Fixed loss, minor units.
    pub fixed: f64,
    /// Audits and penalties of the platform, minor units.
    pub penalty: f64,
}

/// What is at stake in one order, whatever is done about it.
#[derive(Clone, Debug)]
pub struct Stakes<'a> {
    /// The strategy.
    pub strategy: &'a Strategy,
    /// Order amount, minor units of the strategy's currency.
    pub amount: f64,
    /// True when the amount is the strategy's assumption.
    pub is_amount_assumed: bool,
    /// One per risk.
    pub exposures: Vec<Exposure>,
    /// Pieces in the basket; 0 when the order does not tell its items.
    pub n_pieces: f64,
}

/// One scenario: what the heads say.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a> {
    /// Probability of each risk, in the order of the exposures.
    pub risks: &'a [f64],
    /// Probability of a return.
    pub returns: f64,
    /// Margin of later purchases, minor units.
    pub future: f64,
    /// Price index if released; 1 when no head predicts it.
    pub price_index: f64,
}

/// An action against this order's risks.
#[derive(Clone, Debug)]
pub struct Friction<'a> {
    /// The catalog entry.
    pub policy: &'a ActionPolicy,
    /// Share it catches of each exposure.
    pub catches: Vec<f64>,
}

/// Consequences by kind: those of [`MONEY_PARTS`], then the price index and the stock.
pub type Parts = [f64; PARTS];

impl<'a> Stakes<'a> {
    /// What an order puts at stake under a strategy, given the heads that exist.
    pub fn new(strategy: &'a Strategy, order: &Order, risk_heads: &[HeadId]) -> Self {
        let known = order.amount.and_then(|amount| strategy.in_own_currency(amount));
        let exposures = risk_heads
            .iter()
            .map(|head| {
                let policy = strategy.risk(head);
                Exposure {
                    head: head.clone(),
                    share: (policy.weight * policy.loss_share).min(1.0),
                    fixed: policy.weight * policy.loss_fixed_minor,
                    penalty: policy.weight * policy.penalty_minor,
                }
            })
            .collect();
        Self {
            strategy,
            amount: known.unwrap_or(strategy.money.unknown_amount_minor),
            is_amount_assumed: known.is_none(),
            exposures,
            n_pieces: order.items.iter().map(|item| f64::from(item.quantity)).sum(),
        }
    }

    /// An action against these risks.
    pub fn friction(&self, policy: &'a ActionPolicy) -> Friction<'a> {
        let catches =
            self.exposures.iter().map(|exposure| policy.catches(&exposure.head)).collect();
        Friction { policy, catches }
    }

    /// Consequences of an action in one scenario.
    pub fn parts(&self, action: &Friction<'_>, scenario: &Scenario<'_>) -> Parts {
        let money = &self.strategy.money;
        let policy = action.policy;
        let mut good = 1.0;
        let mut uncaught = 1.0;
        let mut unharmed = 1.0;
        for ((p, catches), exposure) in
            scenario.risks.iter().zip(&action.catches).zip(&self.exposures)
        {
            good *= 1.0 - p;
            uncaught *= 1.0 - p * catches;
            unharmed *= 1.0 - p * catches - p * (1.0 - catches) * exposure.share;
        }
        let passes = uncaught - good * policy.loses;
        let fixed = self.fixed_loss(action, scenario, |exposure| exposure.fixed);
        let penalty = self.fixed_loss(action, scenario, |exposure| exposure.penalty);
        let per_return = money.return_share * self.amount + money.return_fixed_minor;
        let stopped = good * policy.loses;
        [
            -(self.amount * (uncaught - unharmed) + fixed),
            -penalty,
            money.margin_share * self.amount * passes,
            -scenario.returns * per_return * passes,
            -stopped * money.churn_share * scenario.future,
            -stopped * money.complaint_minor,
            -policy.delay_hours * money.delay_hour_minor * (good - stopped),
            -policy.review_minutes * money.review_minute_minor,
            -policy.cost_minor,
            good * scenario.future * (1.0 + policy.future_uplift),
            1.0 + (scenario.price_index - 1.0) * passes,
            self.n_pieces * passes,
        ]
    }

    /// `Σ fixed_r p_r (1−c_r) Π_{q≠r} (1 − p_q c_q)`: risk `r` is real and nothing is caught.
    fn fixed_loss(
        &self,
        action: &Friction<'_>,
        scenario: &Scenario<'_>,
        fixed: impl Fn(&Exposure) -> f64,
    ) -> f64 {
        let mut sum = 0.0;
        for (r, exposure) in self.exposures.iter().enumerate() {
            let fixed = fixed(exposure);
            if fixed <= 0.0 {
                continue;
            }
            let mut term = fixed * scenario.risks[r] * (1.0 - action.catches[r]);
            for (q, (p, catches)) in scenario.risks.iter().zip(&action.catches).enumerate() {
                if q != r {
                    term *= 1.0 - p * catches;
                }
            }
            sum += term;
        }
        sum
    }
}

/// Sum of the money parts, in their order.
pub fn total(parts: &Parts) -> f64 {
    parts[..MONEY_PARTS.len()].iter().sum()
}

/// Where a kind of consequence stands in [`Parts`].
pub fn position(kind: ImpactKind) -> usize {
    match kind {
        ImpactKind::RiskLoss => 0,
        ImpactKind::PlatformPenalty => 1,
        ImpactKind::Margin => 2,
        ImpactKind::ReturnCost => 3,
        ImpactKind::FalseStop => 4,
        ImpactKind::Complaint => 5,
        ImpactKind::DelayCompensation => 6,
        ImpactKind::ReviewCost => 7,
        ImpactKind::ActionCost => 8,
        ImpactKind::FuturePurchases => 9,
        ImpactKind::PriceIndex => 10,
        ImpactKind::StockUse => 11,
    }
}
