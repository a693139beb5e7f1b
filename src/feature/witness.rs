//! What the graph must show for a feature: the facts that its value counts.

use crate::domain::entity::EntityKind;
use crate::domain::head::HeadId;
use crate::feature::catalog::Catalog;
use crate::feature::row::{
    AmountRead, CohortRead, EntityRead, HubRead, LabelRead, Read, SalesRead,
};
use crate::graph::evidence::{EvidenceWant, Shows};
use crate::graph::history::Window;

impl Catalog {
    /// What evidence for the feature at a position has to show; `None` when its value comes
    /// from the order alone or from a category, of which the graph has no node.
    pub fn evidence_want(&self, at: usize) -> Option<EvidenceWant> {
        let spec = self.specs().get(at)?;
        let read = match self.reads.get(at)? {
            Read::Entity(_, read) | Read::Sku(read, _) => *read,
            Read::Order(_) | Read::Number(_) | Read::Category(_, _) | Read::CategoryPast(_, _) => {
                return None;
            }
        };
        let shows = shows(read, &self.heads);
        Some(EvidenceWant { feature: spec.id.clone(), entity: spec.entity?, shows })
    }
}

fn shows(read: EntityRead, heads: &[HeadId]) -> Shows {
    match read {
        EntityRead::Orders(window)
        | EntityRead::Units(window)
        | EntityRead::AmountSum(window)
        | EntityRead::AmountMean(window)
        | EntityRead::LargestToMedian(window)
        | EntityRead::LargeAmounts(window) => Shows::Orders(window),
        EntityRead::Amount(read) => Shows::Orders(compared_window(read)),
        EntityRead::PaidToMean => Shows::Orders(Window::Ever),
        EntityRead::Burst => Shows::Orders(Window::Hour),
        EntityRead::DaysSinceLast => Shows::LastOrder,
        EntityRead::Labels(head, read) => {
            heads.get(head).map_or(Shows::Itself, |head| Shows::Bad(head.clone(), judged_in(read)))
        }
        EntityRead::Distinct(kind, window) | EntityRead::DistinctShare(kind, window) => {
            Shows::Met(kind, window)
        }
        EntityRead::Cohort(read) => shows_cohort(read),
        EntityRead::Sales(SalesRead::TopRingsShare) => Shows::JoinedBuyers(Window::Week),
        EntityRead::SameSkuShare => Shows::Pair(EntityKind::Sku, Window::Day),
        EntityRead::Hub(HubRead::IsHub | HubRead::Score) => {
            Shows::Met(EntityKind::Account, Window::Month)
        }
        EntityRead::Hub(HubRead::EffectiveAccounts(window)) => {
            Shows::Met(EntityKind::Account, window)
        }
        EntityRead::AccountAgeMean => Shows::Met(EntityKind::Account, Window::Day),
        EntityRead::FreshAccounts => Shows::FreshAccounts(Window::Day),
        EntityRead::RingSize | EntityRead::RingOrders | EntityRead::RingKnownBadShare(_) => {
            Shows::Ring
        }
        EntityRead::Identity(_) => Shows::Identity,
        EntityRead::PairIsNew(kind)
        | EntityRead::PairOrders(kind)
        | EntityRead::PairDaysSince(kind) => Shows::Pair(kind, Window::Ever),
        EntityRead::DaysSinceFirst
        | EntityRead::Signups
        | EntityRead::Steps(_, _)
        | EntityRead::StepShare(_, _)
        | EntityRead::AccountAge
        | EntityRead::Stock
        | EntityRead::PriceIndex
        | EntityRead::PriceVolatility
        | EntityRead::Sales(SalesRead::Units(_) | SalesRead::StockCover)
        | EntityRead::MarketToPaid => Shows::Itself,
    }
}

/// What lies behind the accounts of a day is shown by these accounts.
fn shows_cohort(read: CohortRead) -> Shows {
    match read {
        CohortRead::AgeMedian
        | CohortRead::SettledShare
        | CohortRead::CustomerShare
        | CohortRead::SignupBurstShare
        | CohortRead::NewAddressShare => Shows::Met(EntityKind::Account, Window::Day),
        CohortRead::AcquaintedShare => Shows::Acquainted,
        CohortRead::PerAccount(kind) => Shows::Met(kind, Window::Day),
        CohortRead::TopSkuShare | CohortRead::SkuVariety => {
            Shows::Met(EntityKind::Sku, Window::Day)
        }
        CohortRead::AmountSpread => Shows::Orders(Window::Day),
    }
}

/// The orders that an amount is compared with.
fn compared_window(read: AmountRead) -> Window {
    match read {
        AmountRead::ToMean(window) | AmountRead::SpendToMean(window) => window,
        AmountRead::ToMedian | AmountRead::Z => Window::Ever,
    }
}

fn judged_in(read: LabelRead) -> Window {
    match read {
        LabelRead::Bad(window) | LabelRead::BadShare(window) => window,
        LabelRead::DaysSinceBad
        | LabelRead::NewestBadShare
        | LabelRead::SinceBad
        | LabelRead::StreakDays => Window::Ever,
    }
}
