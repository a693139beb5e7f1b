//! Who lives here: customers, households, and the places many share.

use std::collections::VecDeque;

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::{Dice, whole};
use crate::simulator::settings::SimulationSettings;

/// Age of the oldest accounts, days: twenty years.
const AGE_DAYS_MAX: f64 = 7_300.0;

/// Sales regions.
pub const N_REGIONS: u32 = 6;
/// Where people order from abroad.
pub const FOREIGN_COUNTRIES: [&str; 10] =
    ["US", "CA", "AU", "GB", "SG", "JP", "DE", "FR", "MY", "TH"];

/// A way of shopping.
#[derive(Clone, Copy, Debug)]
pub struct Persona {
    /// Share of customers.
    pub weight: f64,
    /// Position in the table of daily rhythms.
    pub rhythm: usize,
    /// Weight of each category.
    pub tastes: [f64; 8],
    /// Probability of using a coupon.
    pub coupon: f64,
    /// Probability that an order comes from a mobile network.
    pub mobile: f64,
    /// Probability that an order is placed away from home.
    pub travel: f64,
}

/// Office worker, homemaker, student, professional, bargain hunter, traveler.
pub const PERSONAS: [Persona; 6] = [
    Persona {
        weight: 0.28,
        rhythm: 0,
        tastes: [2.0, 2.0, 1.5, 1.5, 1.0, 0.2, 0.5, 0.5],
        coupon: 0.4,
        mobile: 0.35,
        travel: 0.02,
    },
    Persona {
        weight: 0.25,
        rhythm: 1,
        tastes: [5.0, 1.5, 1.0, 2.0, 0.3, 0.1, 1.5, 0.8],
        coupon: 0.55,
        mobile: 0.15,
        travel: 0.01,
    },
    Persona {
        weight: 0.17,
        rhythm: 2,
        tastes: [2.0, 2.5, 1.5, 0.5, 0.8, 0.05, 0.6, 0.2],
        coupon: 0.6,
        mobile: 0.3,
        travel: 0.02,
    },
    Persona {
        weight: 0.12,
        rhythm: 2,
        tastes: [1.0, 2.0, 1.0, 1.5, 1.8, 0.8, 0.4, 1.0],
        coupon: 0.2,
        mobile: 0.3,
        travel: 0.06,
    },
    Persona {
        weight: 0.13,
        rhythm: 1,
        tastes: [4.0, 2.0, 2.5, 1.5, 0.6, 0.1, 1.0, 0.6],
        coupon: 0.85,
        mobile: 0.25,
        travel: 0.01,
    },
    Persona {
        weight: 0.05,
        rhythm: 0,
        tastes: [1.0, 1.5, 1.0, 0.5, 1.5, 0.8, 0.3, 1.5],
        coupon: 0.25,
        mobile: 0.4,
        travel: 0.35,
    },
];

/// Weight of each local hour: office days, home days, evenings.
pub const RHYTHMS: [[f64; 24]; 3] = [
    [
        1., 0.5, 0.2, 0.1, 0.1, 0.3, 1., 2., 3., 4., 4., 5., 7., 5., 4., 4., 4., 4., 5., 6., 7.,
        7., 5., 3.,
    ],
    [
        0.8, 0.4, 0.2, 0.1, 0.1, 0.4, 1., 3., 5., 7., 7., 5., 4., 4., 5., 5., 4., 3., 3., 5., 6.,
        5., 3., 1.5,
    ],
    [
        4., 2.5, 1.2, 0.6, 0.3, 0.3, 0.5, 1., 1.5, 2., 2.5, 3., 4., 3., 2.5, 2.5, 3., 3., 4., 6.,
        8., 9., 9., 7.,
    ],
];

/// A customer. Devices, cards and contacts are numbered from `block` on.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// First of the 16 numbers that are this person's; also names the person.
    pub block: u64,
    /// When the account was opened.
    pub created_at: Timestamp,
    /// Position in [`PERSONAS`].
    pub persona: u8,
    /// Home region.
    pub region: u8,
    /// Block of the household whose address and network are used.
    pub household: u64,
    /// The shared place this person lives or works at.
    pub hub: Option<u32>,
    /// How this person usually pays.
    pub payment_kind: PaymentKind,
    /// When a second account on another channel was opened.
    pub second_at: Option<Timestamp>,
    /// Margin of all orders so far, CNY minor units.
    pub margin_minor: i64,
    /// Number of the last order, 0 for none.
    pub last_order: u64,
}

/// A place that many unrelated people share.
#[derive(Clone, Debug)]
pub struct Hub {
    /// What sort of place.
    pub kind: AddressKind,
    /// Number of its address and of its network.
    pub number: u64,
    /// Where.
    pub region: u8,
}

/// A company that buys in bulk: one address, one network, few goods.
#[derive(Clone, Debug)]
pub struct Company {
    /// First of its 16 numbers.
    pub block: u64,
    /// When its account was opened.
    pub created_at: Timestamp,
    /// What it buys.
    pub skus: [u32; 2],
    /// Where.
    pub region: u8,
}

/// An account opened long before use, by somebody careful.
#[derive(Clone, Copy, Debug)]
pub struct Sleeper {
    /// First of its 16 numbers.
    pub block: u64,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// Everybody and every shared place.
#[derive(Clone, Debug)]
pub struct Town {
    /// Customers; the first ones are the most active.
    pub consumers: Vec<Consumer>,
    /// Dormitories, offices and lockers.
    pub hubs: Vec<Hub>,
    /// Customers of each hub, by position.
    pub residents: Vec<Vec<u32>>,
    /// Hotels.
    pub hotels: Vec<Hub>,
    /// Companies.
    pub companies: Vec<Company>,
    /// Accounts kept ready by careful rings, never empty.
    pub sleepers: VecDeque<Sleeper>,
    /// Customers who return what they wore.
    pub abusers: Vec<u32>,
    next_block: u64,
    next_ring: u32,
}

/// Carrier networks per region.
pub const N_CARRIER_NATS: u32 = 3;
/// Blocks below this are carrier networks.
const FIRST_BLOCK: u64 = 64;

impl Town {
    /// Fills a town for these settings.
    pub fn new(settings: &SimulationSettings) -> Self {
        let mut dice = Dice::new(settings.seed, 11);
        let n_people = (settings.orders_per_day * 15).max(600);
        let mut town = Self {
            consumers: Vec::with_capacity(n_people as usize),
            hubs: Vec::new(),
            residents: Vec::new(),
            hotels: Vec::new(),
            companies: Vec::new(),
            sleepers: VecDeque::new(),
            abusers: Vec::new(),
            next_block: FIRST_BLOCK,
            next_ring: 0,
        };
        town.build_places(n_people, &mut dice);
        for _ in 0..n_people {
            let age_days = dice.log_normal(350.0, 1.2);
            // The tail of the ages is cut: no marketplace is older than this.
            let age_days = age_days.min(AGE_DAYS_MAX);
            let created_at = settings.start - Span(whole(age_days * Span::DAY.0 as f64));
            town.settle(created_at, settings.shares.hubs, &mut dice);
        }
        town.recruit(settings, &mut dice);
        town
    }

    /// Sixteen numbers that nobody else has.
    pub fn fresh_block(&mut self) -> u64 {
        let block = self.next_block;
        self.next_block += 16;
        block
    }

    /// A number for a ring, campaign or family.
    pub fn fresh_ring(&mut self) -> u32 {
        self.next_ring += 1;
        self.next_ring
    }

    /// Adds a customer; gives the position.
    pub fn settle(&mut self, created_at: Timestamp, hub_share: f64, dice: &mut Dice) -> u32 {
        let idx = number(self.consumers.len());
        let block = self.fresh_block();
        let household = match self.consumers.last() {
            Some(neighbor) if dice.chance(0.3) => neighbor.household,
            Some(_) | None => block,
        };
        let hub = if dice.chance(hub_share) { self.move_in(idx, dice) } else { None };
        let region = match hub.and_then(|hub| self.hubs.get(hub as usize)) {
            Some(hub) => hub.region,
            None => any_region(dice),
        };
        let second_at =
            dice.chance(0.08).then(|| created_at + dice.span(Span::DAY, Span::days(300)));
        let payment = dice.weighted(&[0.6, 0.28, 0.08, 0.04]);
        self.consumers.push(Consumer {
            block,
            created_at,
            persona: u8::try_from(dice.weighted(&PERSONAS.map(|persona| persona.weight)))
                .unwrap_or(0),
            region,
            household,
            hub,
            payment_kind: [
                PaymentKind::Wallet,
                PaymentKind::Card,
                PaymentKind::Installment,
                PaymentKind::CashOnDelivery,
            ][payment],
            second_at,
            margin_minor: 0,
            last_order: 0,
        });
        idx
    }

    /// A customer, the active ones more often.
    pub fn active_consumer(&self, dice: &mut Dice) -> u32 {
        let share = dice.unit();
        let n = self.consumers.len() as f64;
        u32::try_from(whole(n * share * share.sqrt())).unwrap_or(0)
    }

    /// A dormitory, office or locker; of this kind if there is one.
    pub fn hub_of_kind(&self, kind: AddressKind, dice: &mut Dice) -> Option<&Hub> {
        let n = self.hubs.iter().filter(|hub| hub.kind == kind).count();
        self.hubs.iter().filter(|hub| hub.kind == kind).nth(dice.index(n))
    }

    fn build_places(&mut self, n_people: u32, dice: &mut Dice) {
        let kinds = [
            (AddressKind::Dormitory, 12_000),
            (AddressKind::Office, 6_000),
            (AddressKind::ParcelLocker, 3_000),
            (AddressKind::Forwarder, 9_000),
        ];
        for (kind, people_each) in kinds {
            for _ in 0..(n_people / people_each).max(2) {
                let hub = self.place(kind, dice);
                self.hubs.push(hub);
                self.residents.push(Vec::new());
            }
        }
        for _ in 0..(n_people / 3_000).max(4) {
            let hotel = self.place(AddressKind::Hotel, dice);
            self.hotels.push(hotel);
        }
    }

    /// Finds a shared place for a customer; a third each to the three kinds.
    fn move_in(&mut self, idx: u32, dice: &mut Dice) -> Option<u32> {
        let kind =
            dice.pick(&[AddressKind::Dormitory, AddressKind::Office, AddressKind::ParcelLocker]);
        let number = self.hub_of_kind(kind, dice)?.number;
        let position = self.hubs.iter().position(|hub| hub.number == number)?;
        self.residents.get_mut(position)?.push(idx);
        u32::try_from(position).ok()
    }

    fn place(&mut self, kind: AddressKind, dice: &mut Dice) -> Hub {
        let region = any_region(dice);
        Hub { kind, number: self.fresh_block(), region }
    }

    fn recruit(&mut self, settings: &SimulationSettings, dice: &mut Dice) {
        let orders_per_day = f64::from(settings.orders_per_day);
        for _ in 0..(whole(orders_per_day / 60.0).max(2)) {
            let company = Company {
                block: self.fresh_block(),
                created_at: settings.start - dice.span(Span::days(60), Span::days(1_500)),
                skus: [0; 2].map(|_| dice.below(crate::simulator::goods::N_SKUS)),
                region: any_region(dice),
            };
            self.companies.push(company);
        }
        // One abuser orders about every twelve days.
        let n_abusers = whole(orders_per_day * settings.shares.return_abuse * 12.0).max(3);
        for _ in 0..n_abusers {
            self.abusers.push(number(dice.index(self.consumers.len())));
        }
        let mut n_sleepers = whole(orders_per_day * settings.careful_share * 0.02 * 45.0).max(60);
        while 0 < n_sleepers {
            let age_days = dice.log_normal(60.0, 1.0);
            let age = Span(whole(age_days * Span::DAY.0 as f64));
            let block = self.fresh_block();
            self.sleepers.push_back(Sleeper { block, created_at: settings.start - age });
            n_sleepers -= 1;
        }
    }
}

/// A foreign country.
pub fn foreign_country(dice: &mut Dice) -> &'static str {
    dice.pick(&FOREIGN_COUNTRIES)
}

/// A position as a number.
fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// A sales region.
pub fn any_region(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(N_REGIONS)).unwrap_or(0)
}

/// The number of a carrier network of a region.
pub fn carrier_nat(region: u8, dice: &mut Dice) -> u64 {
    u64::from(u32::from(region) * N_CARRIER_NATS + dice.below(N_CARRIER_NATS)) + 1
}
