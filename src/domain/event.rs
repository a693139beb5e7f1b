//! Facts about orders with the time they happened: what the journal holds.

use serde::{Deserialize, Serialize};

use crate::domain::decision::DecisionId;
use crate::domain::entity::{EntityRef, IdentityKey};
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::Timestamp;

/// One fact, told once. `event_id` is the caller's and makes telling it again harmless.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Unique id given by the source.
    pub event_id: Box<str>,
    /// When it happened, by the source's clock.
    pub event_time: Timestamp,
    /// When it was learned; for imported history equal to `event_time` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingest_time: Option<Timestamp>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A customer placed an order.
    OrderPlaced(Order),
    /// Money arrived for an order.
    OrderPaid(OrderAmount),
    /// An order was called off.
    OrderCancelled(OrderCancelled),
    /// Stock was set aside for an order.
    StockReserved(OrderStep),
    /// Goods left.
    OrderShipped(OrderStep),
    /// Goods arrived.
    OrderDelivered(OrderStep),
    /// Goods came back.
    OrderReturned(OrderReturned),
    /// Money went back.
    OrderRefunded(OrderAmount),
    /// The payer's bank took the money back.
    OrderChargedBack(OrderAmount),
    /// An account was opened.
    AccountCreated(AccountCreated),
    /// Units of a SKU on hand in a region.
    StockLevel(StockLevel),
    /// Price of a SKU on the open market of a region.
    MarketPrice(MarketPrice),
    /// What an order turned out to be, for one head.
    Label(Label),
    /// What an operator decided.
    Choice(OperatorChoice),
    /// What the world did later.
    Outcome(Outcome),
}

/// A step in the life of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderStep {
    /// Which order.
    pub order: OrderKey,
}

/// A step of an order that moves money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderAmount {
    /// Which order.
    pub order: OrderKey,
    /// How much; unknown means all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Goods of an order that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderReturned {
    /// Which order.
    pub order: OrderKey,
    /// Which SKU; unknown means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<EntityRef>,
    /// Value of what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// An order that was called off, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderCancelled {
    /// Which order.
    pub order: OrderKey,
    /// Who, what for, how far along.
    pub reason: CancelReason,
}

/// Why an order was cancelled: three questions that channels mix up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelReason {
    /// Who cancelled.
    pub source: CancelSource,
    /// What for.
    pub r#type: CancelType,
    /// How far the order had come.
    pub level: CancelLevel,
}

/// Who cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelSource {
    /// The customer.
    Customer,
    /// The shop.
    Merchant,
    /// The platform or its rules.
    Platform,
    /// A payment or logistics partner.
    Partner,
}

/// What an order was cancelled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelType {
    /// Never paid in time.
    UnpaidTimeout,
    /// The customer changed their mind.
    ChangedMind,
    /// No stock.
    OutOfStock,
    /// Stopped as a risk.
    Risk,
    /// Payment failed or was reversed.
    PaymentFailed,
    /// Anything else.
    Other,
}

/// How far an order had come when it was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelLevel {
    /// Before payment.
    BeforePayment,
    /// Paid, not shipped.
    BeforeShipping,
    /// Shipped.
    AfterShipping,
}

/// An account that was opened, with what it was opened from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountCreated {
    /// The account.
    pub account: EntityRef,
    /// Device, IP, phone … used to open it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntityRef>,
}

/// Units of a SKU on hand in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockLevel {
    /// Which SKU.
    pub sku: EntityRef,
    /// Where; `None` means everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<EntityRef>,
    /// How many.
    pub units: u64,
}

/// Price of a SKU on the open market of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketPrice {
    /// Which SKU.
    pub sku: EntityRef,
    /// Where; `None` means everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<EntityRef>,
    /// Price of one piece.
    pub price: Money,
}

/// What an order turned out to be. `event_time` is when that became known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Which order.
    pub order: OrderKey,
    /// Which head it is the truth for.
    pub head: HeadId,
    /// 1 or 0 for probabilities, the quantity itself for values; finite.
    pub value: f64,
    /// When no later fact can change it; rows younger than this are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_at: Option<Timestamp>,
    /// The entities the label is about; empty means every entity of the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<EntityRef>,
}

impl Event {
    /// When the service may first know of it.
    pub fn known_at(&self) -> Timestamp {
        self.ingest_time.map_or(self.event_time, |time| time.max(self.event_time))
    }

    /// The order this fact is about, if it is about one.
    pub fn order_key(&self) -> Option<&OrderKey> {
        match &self.fact {
            Fact::OrderPlaced(order) => Some(&order.key),
            Fact::OrderPaid(step) | Fact::OrderRefunded(step) | Fact::OrderChargedBack(step) => {
                Some(&step.order)
            }
            Fact::OrderCancelled(step) => Some(&step.order),
            Fact::StockReserved(step) | Fact::OrderShipped(step) | Fact::OrderDelivered(step) => {
                Some(&step.order)
            }
            Fact::OrderReturned(step) => Some(&step.order),
            Fact::Label(label) => Some(&label.order),
            Fact::Outcome(outcome) => outcome.order.as_ref(),
            Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_) => None,
        }
    }

    /// The same event with every personal identifier hashed.
    ///
    /// Doors call this on whatever they read; nothing behind them sees raw identifiers.
    #[must_use]
    pub fn sealed(mut self, key: &IdentityKey) -> Self {
        self.persons_mut().into_iter().for_each(|it| *it = key.seal(it.clone()));
        self
    }

    /// The entities that may be persons.
    pub fn persons_mut(&mut self) -> Vec<&mut EntityRef> {
        match &mut self.fact {
            Fact::OrderPlaced(order) => order.entities.iter_mut().collect(),
            Fact::AccountCreated(created) => {
                std::iter::once(&mut created.account).chain(&mut created.entities).collect()
            }
            Fact::Label(label) => label.concerns.iter_mut().collect(),
            Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_)
            | Fact::Outcome(_) => Vec::new(),
        }
    }
}
impl Event {
    /// The fact that an operator chose.
    pub fn of_choice(choice: OperatorChoice) -> Self {
        Self {
            event_id: format!("choice/{}", choice.choice_id).into(),
            event_time: choice.decided_at,
            ingest_time: None,
            fact: Fact::Choice(choice),
        }
    }

    /// The fact that something followed.
    pub fn of_outcome(outcome: Outcome) -> Self {
        Self {
            event_id: format!("outcome/{}", outcome.outcome_id).into(),
            event_time: outcome.occurred_at,
            ingest_time: None,
            fact: Fact::Outcome(outcome),
        }
    }
}

impl Fact {
    /// The decision that a piece of feedback is about; `None` for anything else.
    pub fn decision_id(&self) -> Option<DecisionId> {
        match self {
            Self::Choice(choice) => Some(choice.decision_id),
            Self::Outcome(outcome) => outcome.decision_id,
            Self::OrderPlaced(_)
            | Self::OrderPaid(_)
            | Self::OrderCancelled(_)
            | Self::StockReserved(_)
            | Self::OrderShipped(_)
            | Self::OrderDelivered(_)
            | Self::OrderReturned(_)
            | Self::OrderRefunded(_)
            | Self::OrderChargedBack(_)
            | Self::AccountCreated(_)
            | Self::StockLevel(_)
            | Self::MarketPrice(_)
            | Self::Label(_) => None,
        }
    }
}
