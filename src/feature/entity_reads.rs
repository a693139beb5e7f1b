//! Values that the past of one entity gives, for one order as of an instant.

use std::cell::OnceCell;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderItem};
use crate::domain::time::{Span, Timestamp};
use crate::feature::amount_line::AmountLine;
use crate::feature::cohort_reads::CohortPast;
use crate::feature::extract::BASKET_ITEMS_MAX;
use crate::feature::head_now::{HeadNow, shrunk};
use crate::feature::row::{AmountRead, EntityRead, HubRead, IdentityRead, LabelRead, SalesRead};
use crate::graph::cohort_read::AccountAges;
use crate::graph::history::{History, Window};
use crate::graph::hub::HUB_SCORE_MIN;
use crate::graph::identity::IdentityTotals;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::label_log::KnownLabels;
use crate::graph::market_reads::MarketRead;
use crate::graph::pair_read::PairSeen;
use crate::graph::ring_read::RingTotals;
use crate::graph::totals::OrderTotals;

/// Added to variances of ln amount: equal amounts must not make any other one absurd.
const LN_VARIANCE_FLOOR: f64 = 0.01;

/// Newest orders whose amounts a median is taken of, and fewest that make one.
const MEDIAN_AMOUNTS_MAX: usize = 60;
const MEDIAN_AMOUNTS_MIN: usize = 3;
/// Newest orders of a window whose amounts are looked at.
const AMOUNTS_MAX: usize = 256;
/// Multiples of the median from which an amount is large.
const LARGE_AMOUNT: f64 = 2.5;
/// Newest verdicts that a share is taken of.
pub(super) const NEWEST_VERDICTS: usize = 5;
/// A streak of bad verdicts ends when this long none came.
const STREAK_GAP: Span = Span::days(10);

/// The past of one entity of the order.
#[derive(Debug)]
pub(super) struct Past<'a> {
    graph: &'a KnowledgeGraph,
    order: &'a Order,
    entity: &'a EntityRef,
    item: Option<&'a OrderItem>,
    history: History<'a>,
    heads: &'a [HeadNow],
    /// Walks that several rows share, done when the first of them asks.
    ring: OnceCell<RingTotals>,
    identity: OnceCell<IdentityTotals>,
    ages: OnceCell<Option<AccountAges>>,
    cohort: CohortPast,
    hub_score: OnceCell<f64>,
    median_amount: OnceCell<f64>,
    /// What the entity and the order's other one of each kind have in common.
    pairs: [OnceCell<Option<PairSeen>>; EntityKind::ALL.len()],
}

impl<'a> Past<'a> {
    /// The past of an entity of the order; an unseen one has an empty past.
    pub(super) fn new(
        graph: &'a KnowledgeGraph,
        order: &'a Order,
        entity: &'a EntityRef,
        as_of: Timestamp,
        heads: &'a [HeadNow],
    ) -> Self {
        let history = graph.history_of(entity, as_of);
        Self {
            graph,
            order,
            entity,
            item: None,
            history,
            heads,
            ring: OnceCell::new(),
            identity: OnceCell::new(),
            ages: OnceCell::new(),
            cohort: CohortPast::default(),
            hub_score: OnceCell::new(),
            median_amount: OnceCell::new(),
            pairs: Default::default(),
        }
    }

    /// The same, for the SKU of an item.
    pub(super) fn of_item(self, item: &'a OrderItem) -> Self {
        Self { item: Some(item), ..self }
    }

    /// The value of a read; NaN when there is nothing to compare with.
    pub(super) fn value(&self, read: EntityRead) -> f64 {
        let past = &self.history;
        match read {
            EntityRead::Orders(window) => past.totals(window).n_orders as f64,
            EntityRead::Units(window) => past.totals(window).n_units as f64,
            EntityRead::AmountSum(window) => past.totals(window).amount,
            EntityRead::AmountMean(window) => mean_amount(past.totals(window)),
            EntityRead::Amount(read) => self.amount_line(read).at(self.amount()),
            EntityRead::LargestToMedian(window) => {
                past.amounts(window, AMOUNTS_MAX).fold(f64::NAN, f64::max) / self.median_amount()
            }
            EntityRead::LargeAmounts(window) => {
                let large = LARGE_AMOUNT * self.median_amount();
                past.amounts(window, AMOUNTS_MAX).filter(|amount| large < *amount).count() as f64
            }
            EntityRead::DaysSinceLast => self.days_since(past.last_seen()),
            EntityRead::DaysSinceFirst => {
                past.first_seen().map_or(0.0, |at| self.days_since(Some(at)))
            }
            EntityRead::Burst => self.burst(),
            EntityRead::Labels(head, read) => self.known(self.heads[head], read),
            EntityRead::Distinct(kind, window) => past.n_distinct(kind, window) as f64,
            EntityRead::DistinctShare(kind, window) => {
                past.n_distinct(kind, window) as f64 / past.totals(window).n_orders as f64
            }
            EntityRead::SameSkuShare => self.same_sku_share(),
            EntityRead::Hub(read) => self.hub(read),
            EntityRead::Cohort(read) => self.cohort.value(past, read),
            EntityRead::Signups => past.n_signups(Window::Day) as f64,
            EntityRead::AccountAgeMean => self.ages().map_or(f64::NAN, |ages| ages.mean_days),
            EntityRead::FreshAccounts => self.ages().map_or(0.0, |ages| ages.n_fresh as f64),
            EntityRead::Steps(step, window) => past.n_steps(step, window) as f64,
            EntityRead::StepShare(step, window) => {
                past.n_steps(step, window) as f64 / past.totals(window).n_orders as f64
            }
            EntityRead::AccountAge => {
                let opened = self.order.account_created_at.or_else(|| past.opened());
                opened.map_or(0.0, |at| self.days_since(Some(at)))
            }
            EntityRead::RingSize => self.ring().n_accounts as f64,
            EntityRead::RingOrders => self.ring().n_orders_day as f64,
            EntityRead::RingKnownBadShare(head) => self.known_bad_share(head, &self.ring().labels),
            EntityRead::Identity(read) => self.other_accounts(read),
            EntityRead::PairIsNew(kind) => self.pair_is_new(kind),
            EntityRead::PairOrders(kind) => self.pair_orders(kind),
            EntityRead::PairDaysSince(kind) => self.pair_days_since(kind),
            EntityRead::Stock => self.market().stock_units.map_or(f64::NAN, |units| units as f64),
            EntityRead::PriceIndex => self.market().price_index.unwrap_or(f64::NAN),
            EntityRead::PriceVolatility => self.market().price_volatility.unwrap_or(f64::NAN),
            EntityRead::Sales(read) => self.sold(read),
            EntityRead::MarketToPaid => {
                self.market().price.unwrap_or(f64::NAN) / positive(self.unit_price())
            }
            EntityRead::PaidToMean => {
                let ever = past.totals(Window::Ever);
                self.unit_price() / positive(ever.amount / ever.n_units as f64)
            }
        }
    }

    /// How the value of a comparison follows from the order's amount.
    pub(super) fn amount_line(&self, read: AmountRead) -> AmountLine {
        let past = &self.history;
        match read {
            AmountRead::ToMean(window) => {
                AmountLine::plain(0.0, positive(mean_amount(past.totals(window))))
            }
            AmountRead::SpendToMean(window) => {
                let usual = positive(mean_amount(past.totals_before(window)));
                AmountLine::plain(past.totals(window).amount, usual)
            }
            AmountRead::ToMedian => AmountLine::plain(0.0, self.median_amount()),
            AmountRead::Z => self.amount_z(),
        }
    }

    fn ring(&self) -> &RingTotals {
        self.ring.get_or_init(|| self.history.ring_totals())
    }

    fn ages(&self) -> Option<AccountAges> {
        *self.ages.get_or_init(|| self.history.account_ages(Window::Day))
    }

    fn hub(&self, read: HubRead) -> f64 {
        let past = &self.history;
        let score = *self.hub_score.get_or_init(|| past.hub_score());
        match read {
            HubRead::IsHub => f64::from(u8::from(HUB_SCORE_MIN <= score)),
            HubRead::Score => score,
            HubRead::EffectiveAccounts(window) => {
                past.n_distinct(EntityKind::Account, window) as f64 * (1.0 - score)
            }
        }
    }

    /// What the entity's orders usually come to: no single large one moves it. Unknown
    /// until there are [`MEDIAN_AMOUNTS_MIN`].
    fn median_amount(&self) -> f64 {
        *self.median_amount.get_or_init(|| {
            let mut amounts: Vec<f64> =
                self.history.amounts(Window::Ever, MEDIAN_AMOUNTS_MAX).collect();
            if amounts.len() < MEDIAN_AMOUNTS_MIN {
                return f64::NAN;
            }
            let middle = amounts.len() / 2;
            positive(*amounts.select_nth_unstable_by(middle, f64::total_cmp).1)
        })
    }

    fn amount(&self) -> f64 {
        self.order.amount.map_or(f64::NAN, Money::as_major)
    }

    fn unit_price(&self) -> f64 {
        let price = self.item.and_then(|item| item.unit_price);
        price.map_or(f64::NAN, Money::as_major)
    }

    fn days_since(&self, time: Option<Timestamp>) -> f64 {
        time.map_or(f64::NAN, |time| (self.history.as_of() - time).as_days())
    }

    /// Distance of ln(1 + amount) from its mean in standard deviations, needs two orders.
    fn amount_z(&self) -> AmountLine {
        let ever = self.history.totals(Window::Ever);
        if ever.n_amounts < 2 {
            return AmountLine::ln(0.0, f64::NAN);
        }
        let n = ever.n_amounts as f64;
        let mean = ever.ln / n;
        let variance = (ever.ln_squared / n - mean * mean).max(0.0);
        AmountLine::ln(-mean, (variance + LN_VARIANCE_FLOOR).sqrt())
    }

    /// Orders of the last hour / mean orders a day over the last 30 days, or the time known.
    fn burst(&self) -> f64 {
        let past = &self.history;
        let n_days = self.days_since(past.first_seen()).clamp(1.0, 30.0);
        let daily = past.totals(Window::Month).n_orders as f64 / n_days;
        past.totals(Window::Hour).n_orders as f64 / positive(daily)
    }

    fn known(&self, HeadNow { slot, rate }: HeadNow, read: LabelRead) -> f64 {
        let Some(slot) = slot else { return unheard(read) };
        let past = &self.history;
        match read {
            LabelRead::Bad(window) => past.labels(slot, window).n_bad as f64,
            LabelRead::BadShare(window) => {
                let known = past.labels(slot, window);
                shrunk(known.n_bad as f64, known.n_known as f64, rate)
            }
            LabelRead::DaysSinceBad => self.days_since(past.last_bad(slot)),
            LabelRead::NewestBadShare => {
                let newest = past.newest_labels(slot, NEWEST_VERDICTS);
                newest.n_bad as f64 / newest.n_known as f64
            }
            LabelRead::SinceBad => {
                past.n_labels_since_bad(slot).map_or(f64::NAN, |n_verdicts| n_verdicts as f64)
            }
            LabelRead::StreakDays => self.days_since(past.bad_streak_start(slot, STREAK_GAP)),
        }
    }

    /// The item's SKU that most of the entity's orders of the last day hold.
    fn same_sku_share(&self) -> f64 {
        let n_orders = self.history.totals(Window::Day).n_orders as f64;
        let skus = self.order.items.iter().take(BASKET_ITEMS_MAX);
        let n_same = skus
            .filter_map(|item| self.graph.find(&item.sku))
            .map(|sku| self.history.n_orders_with(sku, Window::Day))
            .max();
        n_same.unwrap_or(0) as f64 / n_orders
    }

    fn other_accounts(&self, read: IdentityRead) -> f64 {
        let as_of = self.history.as_of();
        let totals = || self.graph.identity_totals(self.entity, Some(self.order), as_of);
        let totals = self.identity.get_or_init(totals);
        match read {
            IdentityRead::Accounts => totals.n_accounts as f64,
            IdentityRead::OldestAge => self.days_since(totals.oldest),
            IdentityRead::KnownBadShare(head) => self.known_bad_share(head, &totals.labels),
        }
    }

    fn known_bad_share(&self, head: usize, labels: &[KnownLabels]) -> f64 {
        let HeadNow { slot, rate } = self.heads[head];
        let Some(slot) = slot else { return f64::NAN };
        let known = labels[usize::from(slot)];
        shrunk(known.n_bad as f64, known.n_known as f64, rate)
    }

    /// 1 when the account never met the other; over a basket, the share of new SKUs.
    fn pair_is_new(&self, kind: EntityKind) -> f64 {
        self.over_others(kind, |n_orders, _| f64::from(u8::from(n_orders == 0.0)), mean)
    }

    fn pair_orders(&self, kind: EntityKind) -> f64 {
        self.over_others(kind, |n_orders, _| n_orders, |values| values.fold(f64::NAN, f64::max))
    }

    fn pair_days_since(&self, kind: EntityKind) -> f64 {
        self.over_others(kind, |_, days| days, |values| values.fold(f64::NAN, f64::min))
    }

    /// Folds a value of (orders together, days since the last) over the order's others.
    fn over_others(
        &self,
        kind: EntityKind,
        value: impl Fn(f64, f64) -> f64,
        fold: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
    ) -> f64 {
        let value = |pair: Option<PairSeen>| {
            pair.map_or(value(0.0, f64::NAN), |pair| {
                value(pair.n_orders as f64, self.days_since(Some(pair.last_seen)))
            })
        };
        if kind == EntityKind::Sku {
            let items = self.order.items.iter().take(BASKET_ITEMS_MAX);
            return fold(&mut items.map(|item| value(self.pair(&item.sku, kind))));
        }
        self.order.entity(kind).map_or(f64::NAN, |other| {
            value(*self.pairs[kind as usize].get_or_init(|| self.pair(other, kind)))
        })
    }

    fn pair(&self, other: &EntityRef, kind: EntityKind) -> Option<PairSeen> {
        self.history.pair(self.graph.find(other)?, kind)
    }

    fn sold(&self, read: SalesRead) -> f64 {
        let (region, as_of) = (self.order.entity(EntityKind::Region), self.history.as_of());
        let sales = self.graph.sales(self.entity, region, as_of);
        match read {
            SalesRead::Units(window) => sales.n_units(window) as f64,
            SalesRead::StockCover => {
                let market = self.market();
                let sold = if market.is_stock_of_region {
                    sales.n_units(Window::Week)
                } else {
                    self.history.totals(Window::Week).n_units
                };
                let stock = market.stock_units.map_or(f64::NAN, |units| units as f64);
                7.0 * stock / positive(sold as f64)
            }
            SalesRead::TopRingsShare => sales.top_rings_share(Window::Week).unwrap_or(f64::NAN),
        }
    }

    fn market(&self) -> MarketRead {
        let region = self.order.entity(EntityKind::Region);
        self.graph.market(self.entity, region, self.history.as_of())
    }
}

fn mean_amount(totals: OrderTotals) -> f64 {
    totals.amount / totals.n_amounts as f64
}

/// The value if it can be divided by, else unknown.
fn positive(value: f64) -> f64 {
    if 0.0 < value { value } else { f64::NAN }
}

/// What is read about a head that nobody has judged by yet.
fn unheard(read: LabelRead) -> f64 {
    match read {
        LabelRead::Bad(_) => 0.0,
        LabelRead::BadShare(_)
        | LabelRead::DaysSinceBad
        | LabelRead::NewestBadShare
        | LabelRead::SinceBad
        | LabelRead::StreakDays => f64::NAN,
    }
}

fn mean(values: &mut dyn Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value;
        n += 1.0;
    }
    sum / n
}
