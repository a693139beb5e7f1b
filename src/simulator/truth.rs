//! What the simulator knows about an order and nobody else does.
//!
//! The person of an order is who holds the account that orders:
//!
//! | account of | person |
//! |---|---|
//! | customer, company | the customer or company; a customer may have two accounts |
//! | coupon gang, reseller ring | the holder of the phone: rings that strike again keep their phones and change accounts, wallets or networks, and phones go round within the ring |
//! | brushing ring | the holder of the device: each has a network, and several accounts with a phone and a wallet for each |
//! | thief | the thief, whatever the account; a taken-over account stays its owner's |
//!
//! A pair of accounts is linkable at an instant when both have one person and their
//! orders until then share a strong carrier: a phone, a payment instrument, or a device
//! together with a home address. Other pairs of one person left no trace to find.

use std::io::{self, Write};

use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::order::OrderKey;
use crate::domain::time::Timestamp;

/// Who really placed an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Archetype {
    /// A customer at home or on the way.
    Shopper,
    /// A customer away from home, goods go home.
    Traveler,
    /// A customer in a hotel, goods go there.
    HotelGuest,
    /// A student or worker in a dormitory.
    DormitoryResident,
    /// An employee who orders to the office.
    OfficeWorker,
    /// A customer who uses a parcel locker.
    LockerUser,
    /// An overseas family that buys for the festival.
    Family,
    /// Neighbors who buy one thing together.
    GroupBuyer,
    /// An honest buyer of one limited SKU.
    DropFan,
    /// A company that buys in bulk.
    Corporate,
    /// Many accounts, few people, all coupons.
    CouponGang,
    /// A ring that hoards limited SKUs.
    ResellerRing,
    /// A stolen card on a new or the thief's own account.
    StolenCard,
    /// Somebody else's old account.
    AccountTakeover,
    /// Orders that only raise a shop's rank.
    BrushingRing,
    /// Buys to wear and send back.
    ReturnAbuser,
}

/// How a bad ring works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Care {
    /// Fast, with shared things; also all honest people.
    Open,
    /// Hides its traces: aged accounts, own devices, homes, a slow pace.
    Careful,
}

/// The truth about one order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderTruth {
    /// Which order.
    pub order: OrderKey,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Who placed it.
    pub archetype: Archetype,
    /// Truth per risk head, in catalog order.
    pub labels: [(HeadId, bool); 5],
    /// The ring, campaign or family it belongs to.
    pub ring: Option<u32>,
    /// The person behind the account.
    pub person: u64,
    /// Whether a bad ring hid its traces.
    pub care: Care,
    /// True when stopping the order would be a mistake.
    pub is_good: bool,
    /// What somebody who knows the truth would do.
    pub best_action: ActionKind,
}

impl Archetype {
    /// Every archetype.
    pub const ALL: [Self; 16] = [
        Self::Shopper,
        Self::Traveler,
        Self::HotelGuest,
        Self::DormitoryResident,
        Self::OfficeWorker,
        Self::LockerUser,
        Self::Family,
        Self::GroupBuyer,
        Self::DropFan,
        Self::Corporate,
        Self::CouponGang,
        Self::ResellerRing,
        Self::StolenCard,
        Self::AccountTakeover,
        Self::BrushingRing,
        Self::ReturnAbuser,
    ];

    /// The name in truth files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Traveler => "traveler",
            Self::HotelGuest => "hotel_guest",
            Self::DormitoryResident => "dormitory_resident",
            Self::OfficeWorker => "office_worker",
            Self::LockerUser => "locker_user",
            Self::Family => "family",
            Self::GroupBuyer => "group_buyer",
            Self::DropFan => "drop_fan",
            Self::Corporate => "corporate",
            Self::CouponGang => "coupon_gang",
            Self::ResellerRing => "reseller_ring",
            Self::StolenCard => "stolen_card",
            Self::AccountTakeover => "account_takeover",
            Self::BrushingRing => "brushing_ring",
            Self::ReturnAbuser => "return_abuser",
        }
    }

    /// The risk it stands for; `None` for honest people.
    pub fn risk(self) -> Option<RiskType> {
        match self {
            Self::Shopper
            | Self::Traveler
            | Self::HotelGuest
            | Self::DormitoryResident
            | Self::OfficeWorker
            | Self::LockerUser
            | Self::Family
            | Self::GroupBuyer
            | Self::DropFan
            | Self::Corporate => None,
            Self::CouponGang => Some(RiskType::PromoAbuse),
            Self::ResellerRing => Some(RiskType::ResellerHoarding),
            Self::StolenCard | Self::AccountTakeover => Some(RiskType::PaymentFraud),
            Self::BrushingRing => Some(RiskType::FakeOrder),
            Self::ReturnAbuser => Some(RiskType::ReturnAbuse),
        }
    }

    /// What somebody who knows the truth would do.
    pub fn best_action(self) -> ActionKind {
        match self {
            Self::Shopper
            | Self::Traveler
            | Self::HotelGuest
            | Self::DormitoryResident
            | Self::OfficeWorker
            | Self::LockerUser
            | Self::Family
            | Self::GroupBuyer
            | Self::DropFan
            | Self::Corporate => ActionKind::Approve,
            Self::ReturnAbuser => ActionKind::ApproveAndWatch,
            Self::ResellerRing => ActionKind::LimitQuantity,
            Self::AccountTakeover => ActionKind::Challenge,
            Self::CouponGang | Self::StolenCard | Self::BrushingRing => ActionKind::Decline,
        }
    }
}

/// Writes the heading of a truth file. The first column marks every row as synthetic.
///
/// # Errors
/// Those of the writer.
pub fn write_truth_heading(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "synthetic,channel,order_id,revision,event_time,archetype,ring,person")?;
    write!(out, ",is_careful,is_good,best_action")?;
    for risk in RiskType::ALL {
        write!(out, ",{}", risk.as_str())?;
    }
    writeln!(out)
}

/// Writes one row of a truth file.
///
/// # Errors
/// Those of the writer.
pub fn write_truth(out: &mut dyn Write, truth: &OrderTruth) -> io::Result<()> {
    let OrderKey { channel, order_id, revision } = &truth.order;
    write!(out, "synthetic,{channel},{order_id},{revision},{}", truth.event_time)?;
    write!(out, ",{},", truth.archetype.as_str())?;
    if let Some(ring) = truth.ring {
        write!(out, "{ring}")?;
    }
    let [is_careful, is_good] = [truth.care == Care::Careful, truth.is_good].map(u8::from);
    let best_action = truth.best_action.as_str();
    write!(out, ",{},{is_careful},{is_good},{best_action}", truth.person)?;
    for (_, value) in &truth.labels {
        write!(out, ",{}", u8::from(*value))?;
    }
    writeln!(out)
}
