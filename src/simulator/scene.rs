//! A day being planned: drafts of orders, and what their authors need.

use std::collections::VecDeque;

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::{Dice, whole};
use crate::simulator::goods::Goods;
use crate::simulator::people::{RHYTHMS, Sleeper, Town};
use crate::simulator::settings::SimulationSettings;
use crate::simulator::truth::{Archetype, Care};

/// The account that orders, with what the person holds in hand.
#[derive(Clone, Copy, Debug)]
pub struct Buyer {
    /// Number of the account.
    pub account: u64,
    /// The person behind it; see the table of people in [`crate::simulator::truth`].
    pub person: u64,
    /// When the account was opened.
    pub created_at: Timestamp,
    /// Position among the customers; `None` for accounts of rings and companies.
    pub consumer: Option<u32>,
    /// Number of the device.
    pub device: u64,
    /// Number of the phone number.
    pub phone: u64,
    /// Number of the payment instrument.
    pub payment: u64,
    /// Sort of payment.
    pub payment_kind: PaymentKind,
    /// Where the instrument was issued.
    pub payment_country: &'static str,
}

/// Where an order comes from and goes to.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Number of the network address.
    pub ip: u64,
    /// Where that is.
    pub ip_country: &'static str,
    /// Number of the delivery address.
    pub address: u64,
    /// Sort of delivery place.
    pub address_kind: AddressKind,
    /// Sales region of the delivery.
    pub region: u8,
    /// From the device to the delivery address.
    pub distance_km: f64,
}

/// What kind of thing the order was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A phone.
    Phone,
    /// A computer.
    Desktop,
    /// A phone that is a program.
    Emulator,
}

/// How fast it is to be shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As usual.
    Standard,
    /// At extra cost.
    Express,
}

/// An order that will be placed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who really places it.
    pub archetype: Archetype,
    /// Ring, campaign or family.
    pub ring: Option<u32>,
    /// Whether a bad ring hides its traces.
    pub care: Care,
    /// The account.
    pub buyer: Buyer,
    /// From where to where.
    pub place: Place,
    /// SKU and quantity.
    pub basket: Vec<(u32, u32)>,
    /// Share of the list price taken off.
    pub discount: f64,
    /// What it was made with.
    pub device_kind: DeviceKind,
    /// How fast.
    pub speed: Speed,
    /// Number of pieces wrapped as gifts.
    pub n_gifts: u32,
    /// Probability that it is sent back; `None` for that of its goods.
    pub return_chance: Option<f64>,
    /// Probability that it is never paid or called off.
    pub cancel_chance: f64,
    /// When its ring is found out, if it is a ring.
    pub found_out_at: Option<Timestamp>,
}

/// An account that will be opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Number of the account.
    pub account: u64,
    /// Number of the device used.
    pub device: u64,
    /// Number of the network used.
    pub ip: u64,
    /// Number of the phone number given.
    pub phone: u64,
}

/// Something planned.
#[derive(Clone, Debug)]
pub enum Plan {
    /// An order.
    Order(Box<Draft>),
    /// An account.
    Opening(Opening),
}

/// What authors of orders see and change while planning one day.
#[derive(Debug)]
pub struct Scene<'a> {
    /// How the world is set.
    pub settings: &'a SimulationSettings,
    /// What is sold.
    pub goods: &'a Goods,
    /// Who lives here.
    pub town: &'a mut Town,
    /// Draws for planning.
    pub dice: &'a mut Dice,
    /// Days since the start.
    pub day: u32,
    /// Midnight UTC of the day.
    pub midnight: Timestamp,
    /// The newest limited SKUs and their release, if any was released.
    pub drop: Option<NewestDrop>,
    /// Where a gang can meet a family today.
    pub meeting: Option<Meeting>,
    /// Plans made so far.
    pub plans: Vec<(Timestamp, Plan)>,
}

/// The newest release of limited SKUs.
#[derive(Clone, Copy, Debug)]
pub struct NewestDrop {
    /// The hot one and the other one.
    pub skus: [u32; 2],
    /// When.
    pub released_at: Timestamp,
}

/// A network at a time.
#[derive(Clone, Copy, Debug)]
pub struct Meeting {
    /// Number of the network.
    pub ip: u64,
    /// Where it is.
    pub ip_country: &'static str,
    /// When.
    pub at: Timestamp,
}

impl Scene<'_> {
    /// Plans an order; never before the day.
    pub fn order(&mut self, at: Timestamp, draft: Draft) {
        self.plans.push((at.max(self.midnight), Plan::Order(Box::new(draft))));
    }

    /// Plans the opening of an account if that falls into the simulated time.
    pub fn open(&mut self, at: Timestamp, opening: Opening) {
        if self.settings.start <= at {
            self.plans.push((at.max(self.midnight), Plan::Opening(opening)));
        }
    }

    /// An instant of the day by a daily rhythm; local time is UTC+8.
    pub fn instant(&mut self, rhythm: usize) -> Timestamp {
        let hour = (self.dice.number(&RHYTHMS[rhythm % RHYTHMS.len()]) + 16) % 24;
        let within = self.dice.span(Span(0), Span::HOUR);
        self.midnight + Span::hours(i64::from(hour)) + within
    }

    /// Which SKUs are popular now: the same ones unless tastes drift.
    pub fn rotation(&self) -> u32 {
        if self.settings.has_drifted(self.day) { self.day / 7 * 3 } else { 0 }
    }

    /// How the ring that is planned now works.
    pub fn draw_care(&mut self) -> Care {
        let more = if self.settings.has_drifted(self.day) { 0.15 } else { 0.0 };
        if self.dice.chance(self.settings.careful_share + more) {
            Care::Careful
        } else {
            Care::Open
        }
    }

    /// An account that a careful ring kept ready; a new one is opened in its place.
    pub fn take_sleeper(&mut self) -> (u64, Timestamp) {
        let block = self.town.fresh_block();
        let created_at = self.instant(1);
        self.open(created_at, Opening { account: block, device: block, ip: block, phone: block });
        self.town.sleepers.push_back(Sleeper { block, created_at });
        // Those opened today come last and may not exist yet at the time of the order.
        let n_ready = self.town.sleepers.partition_point(|ready| ready.created_at < self.midnight);
        let slot = self.dice.index(n_ready);
        let sleeper = self.town.sleepers.remove(slot);
        let sleeper = sleeper.unwrap_or(Sleeper { block, created_at });
        (sleeper.block, sleeper.created_at)
    }

    /// Opens an account shortly before its first order; gives the time of opening.
    pub fn open_before(&mut self, at: Timestamp, opening: Opening, longest: Span) -> Timestamp {
        let before = self.dice.span(Span(60 * 1_000_000), longest);
        let created_at = (at - before).max(self.midnight);
        self.open(created_at, opening);
        created_at
    }
}

/// Rings that have struck before; the oldest are forgotten.
#[derive(Clone, Debug)]
pub struct Known<T> {
    rings: VecDeque<T>,
}

/// Rings remembered at most.
const KNOWN_RINGS_MAX: usize = 30;
/// Probability that a campaign is by a ring that struck before.
const AGAIN_PROBABILITY: f64 = 0.4;

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { rings: VecDeque::new() }
    }
}

impl<T: Clone> Known<T> {
    /// A ring that strikes again, if one does.
    pub fn again(&self, dice: &mut Dice) -> Option<T> {
        let strikes_again = dice.chance(AGAIN_PROBABILITY);
        let slot = dice.index(self.rings.len());
        self.rings.get(slot).filter(|_| strikes_again).cloned()
    }

    /// Remembers a ring.
    pub fn remember(&mut self, ring: T) {
        if KNOWN_RINGS_MAX <= self.rings.len() {
            self.rings.pop_front();
        }
        self.rings.push_back(ring);
    }
}

/// A share of a span.
pub fn part_of(span: Span, share: f64) -> Span {
    Span(whole(span.0 as f64 * share))
}
