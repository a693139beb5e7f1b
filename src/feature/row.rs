//! What a row of the catalog reads: the words of generator and extraction.

use crate::domain::category::{Category, CountryOf};
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureSpec;
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::order_step::OrderStepKind;
use crate::graph::history::Window;

/// A row: what people see of it and how it is read.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Id, unit, texts.
    pub(super) spec: FeatureSpec,
    /// How to read it.
    pub(super) read: Read,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Read {
    /// The order alone.
    Order(OrderRead),
    /// A numeric attribute.
    Number(Box<str>),
    /// 1 when a category has this value.
    Category(CategoryName, Box<str>),
    /// The past of the orders that share the order's value of a category.
    CategoryPast(CategoryName, CategoryRead),
    /// The past of the order's entity of a kind.
    Entity(EntityKind, EntityRead),
    /// The past of the order's SKUs, folded.
    Sku(EntityRead, Fold),
}

/// A category that a schema names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CategoryName {
    /// A country that orders name.
    Country(CountryOf),
    /// A category attribute.
    Attribute(Box<str>),
}

/// What is read from the past of a category's value. Heads are positions in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CategoryRead {
    /// Orders of a window that share the value / those with any value.
    OrderShare(Window),
    /// Share of bad ones of a window, shrunk toward the overall rate.
    BadShare(usize, Window),
}

impl CategoryName {
    /// The category to look up.
    pub(super) fn as_category(&self) -> Category<'_> {
        match self {
            Self::Country(of) => Category::Country(*of),
            Self::Attribute(name) => Category::Attribute(name),
        }
    }
}

/// How values of several SKUs become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// What is read from the order alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderRead {
    Amount,
    LnAmount,
    HourOfDay,
    DayOfWeek,
    IsWeekend,
    ItemCount,
    Quantity,
    QuantityMax,
    SkuCount,
    UnitPriceMean,
    DiscountShare,
    AccountAge,
    IsAddress(AddressKind),
    IsPayment(PaymentKind),
    IpPaymentMismatch,
    IpShippingMismatch,
    PaymentShippingMismatch,
    DeviceDistance,
}

/// What is read from the past of one entity. Heads are positions in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntityRead {
    Orders(Window),
    Units(Window),
    AmountSum(Window),
    AmountMean(Window),
    /// The order's amount against amounts of the past.
    Amount(AmountRead),
    /// Largest amount of the window / that median.
    LargestToMedian(Window),
    /// Orders of the window whose amount is far above that median.
    LargeAmounts(Window),
    DaysSinceLast,
    DaysSinceFirst,
    /// Orders of the last hour / orders a day over the last 30 days.
    Burst,
    /// What is known about orders under a head.
    Labels(usize, LabelRead),
    Distinct(EntityKind, Window),
    DistinctShare(EntityKind, Window),
    SameSkuShare,
    /// How much the entity is a place that many share.
    Hub(HubRead),
    /// What the accounts of the last day have in common.
    Cohort(CohortRead),
    Signups,
    AccountAgeMean,
    FreshAccounts,
    Steps(OrderStepKind, Window),
    StepShare(OrderStepKind, Window),
    AccountAge,
    RingSize,
    RingOrders,
    RingKnownBadShare(usize),
    /// What the consumer's other accounts tell.
    Identity(IdentityRead),
    PairIsNew(EntityKind),
    PairOrders(EntityKind),
    PairDaysSince(EntityKind),
    Stock,
    PriceIndex,
    PriceVolatility,
    /// How the SKU sells in the order's region.
    Sales(SalesRead),
    /// Market price / price paid.
    MarketToPaid,
    /// Price paid / mean price of the SKU so far.
    PaidToMean,
}

/// What is read of the other accounts of an account's consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdentityRead {
    /// How many there are.
    Accounts,
    /// Age of the oldest.
    OldestAge,
    /// Share of bad ones among their verdicts under a head, a position in the schema.
    KnownBadShare(usize),
}

/// What is read of the sales of a SKU in the order's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SalesRead {
    /// Pieces sold in a window.
    Units(Window),
    /// Units in stock / pieces sold a day over the last week, both of the same place.
    StockCover,
    /// Share of the week's pieces that went to the largest rings.
    TopRingsShare,
}

/// What is read of an entity that strangers may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HubRead {
    /// 1 for a hub.
    IsHub,
    /// How much it is one.
    Score,
    /// Different accounts of a window × (1 − score).
    EffectiveAccounts(Window),
}

/// What is read of the accounts of one entity's last day and of their purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CohortRead {
    /// Median age of the accounts.
    AgeMedian,
    /// Share of accounts that are not new.
    SettledShare,
    /// Share of accounts that had ordered before.
    CustomerShare,
    /// Share of accounts that had been here before or were linked to each other.
    AcquaintedShare,
    /// Largest share of accounts that were opened in one go.
    SignupBurstShare,
    /// Share of earlier customers that ship to an address new to them.
    NewAddressShare,
    /// Different counterparts of a kind per account.
    PerAccount(EntityKind),
    /// Share of the most frequent item among the purchases.
    TopSkuShare,
    /// Chance that two purchases are of different items.
    SkuVariety,
    /// Standard deviation of ln amount.
    AmountSpread,
}

/// What compares the order's amount with those of one entity's past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AmountRead {
    /// Amount of the order / mean amount in the window.
    ToMean(Window),
    /// Amount sum of the window and this order / mean amount before the window.
    SpendToMean(Window),
    /// Amount of the order / median amount of the newest orders before it.
    ToMedian,
    /// (ln amount - mean) / standard deviation over all of the past.
    Z,
}

/// What is read from the verdicts about one entity under one head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LabelRead {
    /// Bad ones of a window.
    Bad(Window),
    /// Share of bad ones of a window, shrunk toward the overall rate.
    BadShare(Window),
    /// Days since the newest bad one.
    DaysSinceBad,
    /// Share of bad ones among the newest few.
    NewestBadShare,
    /// How many came after the newest bad one.
    SinceBad,
    /// Days since the newest streak of bad ones began.
    StreakDays,
}
