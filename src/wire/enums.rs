//! Enums, one to one with their messages. Zero on the wire is no value.

use crate::domain::assignment::AssignmentReason;
use crate::domain::counterfactual::{
    CounterfactualAim, CounterfactualDirection, CounterfactualProof,
};
use crate::domain::decision::{ActionKind, DecisionState, DegradedReason, Stage};
use crate::domain::entity::EntityKind;
use crate::domain::event::{CancelLevel, CancelSource, CancelType};
use crate::domain::experiment::Harm;
use crate::domain::experiment_report::{EstimateRefusal, ReportStatus};
use crate::domain::exploration::ExplorationLimit;
use crate::domain::feature::FeatureGroup;
use crate::domain::feedback::{OutcomeKind, OutcomeSource, OverrideReason};
use crate::domain::head::RiskType;
use crate::domain::impact::{ImpactKind, ImpactUnit};
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::order_step::OrderStepKind;
use crate::domain::review_trace::{AlertWorth, Explanation, ReasonCode};
use crate::domain::risk::RiskBand;
use crate::domain::rule::RuleObstacle;
use crate::domain::unlike::UnlikeKind;
use crate::wire::pb::v1 as pb;

/// An enum of the domain that the contract mirrors variant by variant.
pub trait WireEnum: Copy {
    /// The number on the wire; never 0.
    fn to_wire(self) -> i32;
    /// The variant with this number; `None` for 0 and for numbers of newer contracts.
    fn from_wire(number: i32) -> Option<Self>;
}

/// Both directions by name; a variant that one side lacks does not compile.
macro_rules! mirror {
    ($($name:ident $((without $extra:ident))? { $($variant:ident),+ $(,)? })+) => {$(
        impl WireEnum for $name {
            fn to_wire(self) -> i32 {
                i32::from(match self { $(Self::$variant => pb::$name::$variant),+ })
            }

            fn from_wire(number: i32) -> Option<Self> {
                match pb::$name::try_from(number) {
                    $(Ok(pb::$name::$variant) => Some(Self::$variant),)+
                    $(Ok(pb::$name::$extra) => None,)?
                    Ok(pb::$name::Unspecified) | Err(_) => None,
                }
            }
        }
    )+};
}

mirror! {
    AssignmentReason { Drawn, Kept, Inherited }
    EntityKind {
        Account, Device, Ip, Address, Phone, Email, PaymentInstrument, Sku, Merchant, Region,
        Channel,
    }
    RiskType (without Custom) {
        PaymentFraud, ResellerHoarding, PromoAbuse, FakeOrder, ReturnAbuse,
    }
    ActionKind {
        Approve, ApproveAndWatch, Challenge, PhoneCheck, Review, Hold, LimitQuantity,
        OfferReservation, SplitShipment, Expedite, Decline,
    }
    AddressKind { Residential, Office, Hotel, ParcelLocker, Dormitory, Forwarder }
    PaymentKind { Card, Wallet, BankTransfer, CashOnDelivery, Installment }
    CancelSource { Customer, Merchant, Platform, Partner }
    CancelType { UnpaidTimeout, ChangedMind, OutOfStock, Risk, PaymentFailed, Other }
    CancelLevel { BeforePayment, BeforeShipping, AfterShipping }
    OrderStepKind { Paid, Cancelled, Delivered, Returned, Refunded, ChargedBack }
    OverrideReason {
        KnownCustomer, EvidenceWrong, OutsideInformation, PolicyRequires, CustomerConfirmed, Other,
    }
    OutcomeKind {
        ChargebackOpened, ChargebackWon, ChargebackLost, Refund, Return, DeliveredOk,
        DeliveryFailed, Repurchase, PlatformAudit, PlatformPenalty, Complaint, AccountClosed,
        ConfirmedFraud, ConfirmedLegit,
    }
    Explanation { Full, Blind, EvidenceOnly }
    AlertWorth { Confirmed, Valuable, FalsePositive }
    ReasonCode {
        KnownCustomer, VerifiedByPhone, VerifiedDocument, GiftOrder, Travel, StolenCard,
        AccountTakeover, ResellerAbuse, CouponAbuse, RefundAbuse, AddressMismatchOk,
        ModelWrongData, Policy, Other,
    }
    OutcomeSource { Network, Platform, Carrier, Crm, Analyst }
    DecisionState { Final, Degraded, Abstained }
    RiskBand { Low, Elevated, High }
    FeatureGroup {
        Order, Account, Device, Ip, Address, Contact, Payment, Product, Merchant, Market, Network,
        Declared,
    }
    ImpactKind {
        RiskLoss, PlatformPenalty, Margin, ReturnCost, FalseStop, Complaint, DelayCompensation,
        ReviewCost, ActionCost, FuturePurchases, PriceIndex, StockUse,
    }
    ImpactUnit { MinorUnits, Index, Pieces }
    ExplorationLimit { Hour, Day, Month, Ring }
    DegradedReason {
        LateEvent, UnknownEntityKind, FewInputsKnown, PastShed, GraphLate, ExplanationLate,
    }
    RuleObstacle { Overruled, NotEligible, MissingInput }
    UnlikeKind { BelowRange, AboveRange, NeverMissing, RareTogether, Rare }
    Stage { Features, Model, Decision }
    Harm { Stopped, Chargeback, Penalty, Complaint }
    ReportStatus { Ok, Warn, Refused }
    EstimateRefusal {
        TooFewUnits, TooFewEvents, BaselineNearZero, NoSpread, TooFewClusters,
        TooFewEffectiveRows, WeightConcentrated, NoOverlap, PropensitiesWrong,
        EstimatesDisagree, SampleRatioMismatch, UnitInEmptyArm, UnitsMixed,
    }
    CounterfactualAim { OtherAction, GivenProbability }
    CounterfactualDirection { TowardRelease, TowardStopping }
    CounterfactualProof { Complete, Budget, Reweighted }
}
