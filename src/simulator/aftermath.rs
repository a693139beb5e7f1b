//! What follows an order: payment, delivery, returns, disputes, and labels.

use crate::domain::event::{CancelLevel, CancelReason, CancelSource, CancelType};
use crate::domain::feedback::{OutcomeKind, OutcomeSource};
use crate::domain::head::RiskType;
use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::{Dice, whole};
use crate::simulator::goods::is_limited;
use crate::simulator::heads::SimulatedHead;
use crate::simulator::pending::Step;
use crate::simulator::scene::{Draft, Speed};
use crate::simulator::settings::SimulationSettings;
use crate::simulator::truth::Archetype;

/// Median days from a fraudulent order to its chargeback.
pub const CHARGEBACK_DAYS_MEDIAN: f64 = 25.0;
/// Sigma of the logarithm: 60 % by day 30, 89 % by day 60, 98.6 % by day 120.
pub const CHARGEBACK_DAYS_SIGMA: f64 = 0.71;

const MINUTE: Span = Span(60 * 1_000_000);

/// What follows one order.
#[derive(Debug)]
pub struct Aftermath {
    /// What will happen when.
    pub steps: Vec<(Timestamp, Step)>,
    /// True when the shop keeps the margin.
    pub is_kept: bool,
    /// The truth: which risk the order turned out to be.
    pub risk: Option<RiskType>,
}

/// Whether there was stock for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Enough.
    InStock,
    /// Too little: the shop calls the order off.
    SoldOut,
}

/// An order at the moment it is placed.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The order.
    pub draft: &'a Draft,
    /// When.
    pub at: Timestamp,
    /// What is paid, CNY minor units.
    pub amount_minor: i64,
    /// Whether there was stock.
    pub supply: Supply,
}

/// When facts about an order became known; `None` when never.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    charged_back_at: Option<Timestamp>,
    returned_at: Option<Timestamp>,
}

/// Draws everything that follows an order.
pub fn follow(moment: Moment<'_>, settings: &SimulationSettings, dice: &mut Dice) -> Aftermath {
    let mut steps = Vec::with_capacity(12);
    let delivered_at = deliver(moment, dice, &mut steps);
    let mut known = Known::default();
    if let Some(delivered_at) = delivered_at {
        known.returned_at = send_back(moment, delivered_at, dice, &mut steps);
        known.charged_back_at = charge_back(moment, dice, &mut steps);
        if dice.chance(0.004) {
            let at = delivered_at + dice.span(Span::HOUR, Span::days(5));
            steps.push((at, Step::Outcome(OutcomeKind::Complaint, OutcomeSource::Crm)));
        }
    }
    let risk = match moment.draft.archetype.risk() {
        Some(RiskType::ReturnAbuse) if known.returned_at.is_none() => None,
        risk => risk,
    };
    tell_labels(moment, (risk, known), settings, dice, &mut steps);
    let is_kept = delivered_at.is_some()
        && known.returned_at.is_none()
        && moment.draft.archetype.risk() != Some(RiskType::PaymentFraud);
    Aftermath { steps, is_kept, risk }
}

/// Payment to delivery; gives when it arrived, `None` when it was called off.
fn deliver(
    moment: Moment<'_>,
    dice: &mut Dice,
    steps: &mut Vec<(Timestamp, Step)>,
) -> Option<Timestamp> {
    let Moment { draft, at, amount_minor, supply } = moment;
    let is_cancelled = dice.chance(draft.cancel_chance);
    let is_unpaid = is_cancelled && dice.chance(0.55);
    let cancel = |source, r#type, level| Step::Cancelled(CancelReason { source, r#type, level });
    if is_unpaid {
        let (source, level) = (CancelSource::Platform, CancelLevel::BeforePayment);
        steps.push((at + Span(30 * MINUTE.0), cancel(source, CancelType::UnpaidTimeout, level)));
        return None;
    }
    let paid_at = at + dice.span(Span(5 * 1_000_000), Span(4 * MINUTE.0));
    steps.push((paid_at, Step::Paid(amount_minor)));
    if supply == Supply::SoldOut || is_cancelled {
        let (source, r#type) = match supply {
            Supply::SoldOut => (CancelSource::Merchant, CancelType::OutOfStock),
            Supply::InStock => (CancelSource::Customer, CancelType::ChangedMind),
        };
        let called_off_at = paid_at + dice.span(MINUTE, Span::hours(5));
        steps.push((called_off_at, cancel(source, r#type, CancelLevel::BeforeShipping)));
        let back_at = called_off_at + dice.span(Span::HOUR, Span::days(2));
        steps.push((back_at, Step::Refunded(amount_minor)));
        return None;
    }
    steps.push((paid_at + Span(30 * 1_000_000), Step::Reserved));
    let (packing, way) = match draft.speed {
        Speed::Express => {
            (dice.span(Span::HOUR, Span::hours(8)), dice.span(Span::hours(10), Span::hours(40)))
        }
        Speed::Standard => {
            (dice.span(Span::hours(5), Span::hours(40)), dice.span(Span::DAY, Span::days(5)))
        }
    };
    let shipped_at = paid_at + packing;
    let delivered_at = shipped_at + way;
    steps.push((shipped_at, Step::Shipped));
    steps.push((delivered_at, Step::Delivered));
    Some(delivered_at)
}

/// Returns come 1 to 20 days after delivery, always within 30 days of the order.
fn send_back(
    moment: Moment<'_>,
    delivered_at: Timestamp,
    dice: &mut Dice,
    steps: &mut Vec<(Timestamp, Step)>,
) -> Option<Timestamp> {
    if !dice.chance(moment.draft.return_share()) {
        return None;
    }
    let latest = moment.at + Span::days(29);
    let is_worn = moment.draft.archetype == Archetype::ReturnAbuser;
    let kept = if is_worn {
        dice.span(Span::days(5), Span::days(20))
    } else {
        dice.span(Span::DAY, Span::days(12))
    };
    let returned_at = (delivered_at + kept).min(latest);
    let refunded_at = returned_at + dice.span(Span::HOUR, Span::days(4));
    steps.push((returned_at, Step::Returned(moment.amount_minor)));
    steps.push((refunded_at, Step::Refunded(moment.amount_minor)));
    Some(returned_at)
}

/// Nearly every stolen card is disputed, and very few honest payments are.
fn charge_back(
    moment: Moment<'_>,
    dice: &mut Dice,
    steps: &mut Vec<(Timestamp, Step)>,
) -> Option<Timestamp> {
    let is_stolen = moment.draft.archetype.risk() == Some(RiskType::PaymentFraud);
    if !dice.chance(if is_stolen { 0.97 } else { 0.000_4 }) {
        return None;
    }
    let days = dice.log_normal(CHARGEBACK_DAYS_MEDIAN, CHARGEBACK_DAYS_SIGMA);
    let at = moment.at + Span(whole(days * Span::DAY.0 as f64));
    steps.push((at, Step::ChargedBack(moment.amount_minor)));
    steps.push((at, Step::Outcome(OutcomeKind::ChargebackOpened, OutcomeSource::Network)));
    let end = if dice.chance(if is_stolen { 0.9 } else { 0.3 }) {
        OutcomeKind::ChargebackLost
    } else {
        OutcomeKind::ChargebackWon
    };
    let closed_at = at + dice.span(Span::days(15), Span::days(45));
    steps.push((closed_at, Step::Outcome(end, OutcomeSource::Network)));
    Some(at)
}

/// Positives when they become known, the rest when their heads mature.
fn tell_labels(
    moment: Moment<'_>,
    facts: (Option<RiskType>, Known),
    settings: &SimulationSettings,
    dice: &mut Dice,
    steps: &mut Vec<(Timestamp, Step)>,
) {
    let (risk, known) = facts;
    let placed_at = moment.at;
    let mut told: Vec<(Timestamp, u16, u16)> = Vec::with_capacity(4);
    for (idx, head) in SimulatedHead::ALL.into_iter().enumerate() {
        let bit = 1_u16 << idx;
        let matures_at = placed_at + head.horizon();
        let positive_at = match head {
            SimulatedHead::Risk(own) => risk_known_at(moment, own, (risk, known), settings, dice),
            SimulatedHead::Chargeback => known.charged_back_at,
            SimulatedHead::Return => known.returned_at,
            SimulatedHead::RepurchaseValue | SimulatedHead::PriceIndex => continue,
        };
        let positive_at = positive_at.filter(|at| *at <= matures_at);
        let (at, value) = positive_at.map_or((matures_at, 0), |at| (at, bit));
        if let (SimulatedHead::Risk(_), Some(_)) = (head, positive_at) {
            tell_finding(moment, risk, at, steps);
        }
        match told.iter_mut().find(|(other, _, _)| *other == at) {
            Some((_, heads, values)) => {
                *heads |= bit;
                *values |= value;
            }
            None => told.push((at, bit, value)),
        }
    }
    for (at, heads, values) in told {
        steps.push((at, Step::Labels { heads, values, placed_at }));
    }
    // Prices of ordinary goods hardly move: one order in eight tells enough of them.
    let (sku, _) = moment.draft.basket.first().copied().unwrap_or_default();
    if is_limited(sku) || dice.chance(0.125) {
        let at = placed_at + SimulatedHead::PriceIndex.horizon();
        let region = moment.draft.place.region;
        steps.push((at, Step::PriceIndex { sku, region, placed_at }));
    }
}

/// When a risk becomes known; `None` when it is not there or never found out.
fn risk_known_at(
    moment: Moment<'_>,
    head: RiskType,
    facts: (Option<RiskType>, Known),
    settings: &SimulationSettings,
    dice: &mut Dice,
) -> Option<Timestamp> {
    let (risk, known) = facts;
    let earliest = moment.at + Span::HOUR;
    if risk != Some(head) {
        let is_honest = risk.is_none() && dice.chance(settings.false_alarm_share / 5.0);
        return is_honest.then(|| earliest + dice.span(Span::days(2), Span::days(14)));
    }
    if dice.chance(settings.missed_share) {
        return None;
    }
    match head {
        RiskType::PaymentFraud => known.charged_back_at,
        RiskType::ReturnAbuse => known.returned_at,
        RiskType::ResellerHoarding | RiskType::PromoAbuse | RiskType::FakeOrder => {
            moment.draft.found_out_at.map(|at| at.max(earliest))
        }
    }
}

/// Audits and findings that come with a positive label.
fn tell_finding(
    moment: Moment<'_>,
    risk: Option<RiskType>,
    at: Timestamp,
    steps: &mut Vec<(Timestamp, Step)>,
) {
    match (moment.draft.archetype.risk(), risk) {
        (Some(RiskType::FakeOrder), Some(_)) => {
            let penalty_at = at + Span::days(2);
            let audit = Step::Outcome(OutcomeKind::PlatformAudit, OutcomeSource::Platform);
            let penalty = Step::Outcome(OutcomeKind::PlatformPenalty, OutcomeSource::Platform);
            steps.push((at, audit));
            steps.push((penalty_at, penalty));
        }
        (Some(RiskType::PromoAbuse | RiskType::ResellerHoarding), Some(_)) => {
            let finding = Step::Outcome(OutcomeKind::ConfirmedFraud, OutcomeSource::Analyst);
            steps.push((at, finding));
        }
        (Some(RiskType::PaymentFraud | RiskType::ReturnAbuse) | None, _) | (_, None) => {}
    }
}
