//! The strategy: what the business wants, as checked numbers.
//!
//! Built only by `config::strategy::parse`, which reports every mistake of a
//! file. Shares and probabilities are in [0, 1], money is in minor units of
//! [`Strategy::currency`].

use std::collections::BTreeMap;

use crate::decision::rule::Rules;
use crate::domain::confirmation::ConfirmPrior;
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadId;
use crate::domain::impact::PlanStep;
use crate::domain::money::{Currency, Money};
use crate::domain::order::AddressKind;
use crate::domain::risk::RiskBand;
use crate::domain::text::Text;

/// Everything that business users decide; one version of it makes a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Name for people.
    pub name: Box<str>,
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
    /// Currency of all its money.
    pub currency: Currency,
    /// How much each theme of features counts.
    pub weights: GroupWeights,
    /// Policy of each risk head that the file names.
    pub risks: BTreeMap<HeadId, RiskPolicy>,
    /// Policy of every other risk head.
    pub default_risk: RiskPolicy,
    /// What things cost and earn.
    pub money: MoneyPolicy,
    /// When the service trusts itself.
    pub trust: TrustPolicy,
    /// How much time people have for orders.
    pub reviewers: ReviewerPolicy,
    /// Which declined orders are released to learn from; `None` releases none.
    pub exploration: Option<ExplorationPolicy>,
    /// The catalog of actions, in the file's order. Approve and review are always
    /// there, enabled and unconditional.
    pub actions: Vec<ActionPolicy>,
    /// Rules of the business.
    pub rules: Rules,
}

/// Factor of each feature group; 1 leaves the model as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupWeights([f64; FeatureGroup::ALL.len()]);

/// What one risk costs and where it is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskPolicy {
    /// Emphasis of the business: multiplies both losses; 1 = as they are.
    pub weight: f64,
    /// Share of the order amount lost when the risk is real and the order released.
    pub loss_share: f64,
    /// Fees on top, minor units.
    pub loss_fixed_minor: f64,
    /// Audits and penalties of the platform on top, minor units.
    pub penalty_minor: f64,
    /// Share of the real cases that become known in time to be learned from, in (0, 1]. A
    /// probability that was learned from those alone is divided by it (Elkan & Noto, "Learning
    /// classifiers from only positive and unlabeled data", 2008).
    pub reported_share: f64,
    /// Probability from which the band is elevated.
    pub review_above: f64,
    /// Probability from which the band is high; above `review_above`.
    pub decline_above: f64,
}

/// Coefficients that turn probabilities into money.
#[derive(Clone, Debug, PartialEq)]
pub struct MoneyPolicy {
    /// Margin as a share of the order amount.
    pub margin_share: f64,
    /// Amount of an order that does not tell one, minor units.
    pub unknown_amount_minor: f64,
    /// Units of the strategy's currency for one unit of another (major to major).
    pub exchange: BTreeMap<Currency, f64>,
    /// Share of the amount lost when the goods come back.
    pub return_share: f64,
    /// Freight and handling of one return, minor units.
    pub return_fixed_minor: f64,
    /// Probability of a return when no head predicts it.
    pub return_rate: f64,
    /// Margin of later purchases of an honest buyer when no head predicts it, minor units.
    pub future_purchases_minor: f64,
    /// Share of later purchases lost when an honest order is stopped.
    pub churn_share: f64,
    /// Complaint handling for one honest order stopped, minor units.
    pub complaint_minor: f64,
    /// One minute of a reviewer, minor units.
    pub review_minute_minor: f64,
    /// One hour of delay of an honest order, minor units.
    pub delay_hour_minor: f64,
    /// Price index from which on the market of a SKU is called overheated; 1 = usual.
    pub price_index_alarm: f64,
}

/// When an answer is trusted and when it is called close.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustPolicy {
    /// Fewest held-out rows behind the leading risk; below, review comes first.
    pub n_support_min: u64,
    /// A gap smaller than this is a close call, minor units.
    pub close_call_minor: f64,
    /// A gap that vanishes in more than this share of draws is a close call.
    pub close_call_share: f64,
    /// How often people take a recommendation, before enough of them have chosen.
    pub confirm_prior: ConfirmPrior,
    /// Fewer choices than this say `prior only`.
    pub confirm_choices_min: u64,
}

/// How much time people have for orders, and how a part of it is given out.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewerPolicy {
    /// Hours of all reviewers together on one day.
    pub hours_per_day: f64,
    /// Share of the places in their queue that are drawn at random.
    pub random_share: f64,
    /// Share of the orders that somebody has to look at whose recommendation is shown only once
    /// they have chosen.
    pub blind_share: f64,
}

/// Which declined orders are released to learn how they would have ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExplorationPolicy {
    /// Chance of release of an order without risk, in [0, 1]; it falls in proportion to the risk.
    pub rate: f64,
    /// Smallest chance of release, above 0: one order counts for at most one over it.
    pub propensity_min: f64,
    /// Larger orders are never released, minor units.
    pub amount_max_minor: f64,
    /// Most money at risk in one hour, minor units.
    pub hour_max_minor: f64,
    /// Most in 24 hours.
    pub day_max_minor: f64,
    /// Most in 30 days.
    pub month_max_minor: f64,
}

/// One entry of the action catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionPolicy {
    /// Which action.
    pub kind: ActionKind,
    /// What taking it costs, minor units.
    pub cost_minor: f64,
    /// Minutes of a person's time.
    pub review_minutes: f64,
    /// How long an honest order waits, hours.
    pub delay_hours: f64,
    /// Share of bad orders that it stops, by risk head.
    pub catches: BTreeMap<HeadId, f64>,
    /// The same for heads that `catches` does not name.
    pub catches_default: f64,
    /// Share of honest orders that it loses (friction).
    pub loses: f64,
    /// Growth of an honest buyer's later purchases, as a share; may be negative.
    pub future_uplift: f64,
    /// True when a person must confirm it.
    pub requires_approval: bool,
    /// When it may be offered.
    pub when: Eligibility,
    /// Name of the action.
    pub title: Text,
    /// What the customer is told; empty when nothing is said.
    pub customer_message: Text,
    /// Of what it is made when it is several actions taken together.
    pub plan: Option<Plan>,
}

/// Several actions taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name in the strategy.
    pub id: Box<str>,
    /// What is done, in this order.
    pub steps: Vec<PlanStep>,
    /// When each of its actions may be offered; all must hold, beside the plan's own.
    pub conditions: Vec<Eligibility>,
}

/// Conditions under which an action may be offered; all must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eligibility {
    /// Smallest amount, minor units.
    pub amount_min_minor: Option<f64>,
    /// Largest amount, minor units.
    pub amount_max_minor: Option<f64>,
    /// Fewest pieces in the basket.
    pub quantity_min: Option<u64>,
    /// Most pieces in the basket.
    pub quantity_max: Option<u64>,
    /// Sorts of delivery place; empty = any, even unknown.
    pub address_kinds: Vec<AddressKind>,
    /// Kinds of entity that the order must name.
    pub needs: Vec<EntityKind>,
    /// Risks whose bands the next two look at; empty = all.
    pub risks: Vec<HeadId>,
    /// At least one of these risks is in this band or above.
    pub band_at_least: Option<RiskBand>,
    /// None of these risks is above this band.
    pub band_at_most: Option<RiskBand>,
}

impl GroupWeights {
    /// Every group as the model has it.
    pub const ONE: Self = Self([1.0; FeatureGroup::ALL.len()]);

    /// True when no group is weighted: a score is then the model's own.
    pub fn are_one(&self) -> bool {
        self.0.iter().all(|weight| weight.to_bits() == 1.0_f64.to_bits())
    }

    /// The weight of one group.
    pub fn get(&self, group: FeatureGroup) -> f64 {
        self.0[group as usize]
    }

    /// The same weights but for one group.
    #[must_use]
    pub fn with(mut self, group: FeatureGroup, weight: f64) -> Self {
        self.0[group as usize] = weight;
        self
    }
}

impl RiskPolicy {
    /// The band of a probability.
    pub fn band(&self, probability: f64) -> RiskBand {
        if self.decline_above <= probability {
            RiskBand::High
        } else if self.review_above <= probability {
            RiskBand::Elevated
        } else {
            RiskBand::Low
        }
    }
}

impl ActionPolicy {
    /// Every condition under which it may be offered; all must hold.
    pub fn conditions(&self) -> impl Iterator<Item = &Eligibility> {
        let of_steps = self.plan.iter().flat_map(|plan| &plan.conditions);
        std::iter::once(&self.when).chain(of_steps)
    }

    /// Name of the plan; empty for a single action.
    pub fn plan_id(&self) -> &str {
        self.plan.as_ref().map_or("", |plan| &plan.id)
    }

    /// Share of bad orders of one risk that the action stops.
    pub fn catches(&self, head: &HeadId) -> f64 {
        self.catches.get(head).copied().unwrap_or(self.catches_default)
    }
}

impl Strategy {
    /// The policy of a risk head: its own, or the default one.
    pub fn risk(&self, head: &HeadId) -> &RiskPolicy {
        self.risks.get(head).unwrap_or(&self.default_risk)
    }

    /// An amount in minor units of the strategy's currency; `None` when the rate is unknown.
    pub fn in_own_currency(&self, money: Money) -> Option<f64> {
        if money.currency == self.currency {
            return Some(money.minor_units as f64);
        }
        let rate = self.money.exchange.get(&money.currency)?;
        Some(money.as_major() * rate * self.minor_per_major())
    }

    /// Minor units in one major unit of the strategy's currency.
    pub fn minor_per_major(&self) -> f64 {
        10_f64.powi(self.currency.exponent().cast_signed())
    }
}
