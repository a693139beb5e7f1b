//! Honest people one by one: shoppers, travelers, residents, companies, fans.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::Dice;
use crate::simulator::goods::{BEAUTY, GROCERY, category, popular_sku};
use crate::simulator::people::{
    Consumer, FOREIGN_COUNTRIES, PERSONAS, carrier_nat, foreign_country,
};
use crate::simulator::scene::{Buyer, DeviceKind, Draft, Opening, Place, Scene, Speed, part_of};
use crate::simulator::truth::{Archetype, Care};

/// Plans the orders of plain customers of one day.
pub fn plan_shoppers(scene: &mut Scene<'_>, n_orders: u32) {
    for _ in 0..n_orders {
        let idx = scene.town.active_consumer(scene.dice);
        let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { continue };
        let at = scene.instant(PERSONAS[usize::from(consumer.persona) % PERSONAS.len()].rhythm);
        // Somebody who has not moved in yet orders after opening the account.
        let at = at.max(consumer.created_at + Span::HOUR);
        let draft = shopper_draft(scene, idx, &consumer, at);
        scene.order(at, draft);
    }
}

/// Plans new customers, most of whom order soon, often with a welcome coupon.
pub fn plan_newcomers(scene: &mut Scene<'_>, n_people: u32) {
    for _ in 0..n_people {
        let created_at = scene.instant(1);
        let idx = scene.town.settle(created_at, scene.settings.shares.hubs, scene.dice);
        let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { continue };
        let ip = home_ip(&consumer, created_at);
        let account = consumer.block;
        scene.open(created_at, Opening { account, device: account, ip, phone: account });
        announce_second(scene, &consumer);
        if scene.dice.chance(0.7) {
            let wait = scene.dice.log_normal(1.5, 1.5).min(120.0);
            let at = created_at + part_of(Span::HOUR, wait);
            let mut draft = shopper_draft(scene, idx, &consumer, at);
            if scene.dice.chance(0.65) {
                // Welcome coupons: the same offers that gangs farm.
                let category = scene.dice.pick(&[GROCERY, GROCERY, BEAUTY]);
                let sku = popular_sku(category, scene.rotation(), scene.dice);
                draft.basket = vec![(sku, scene.dice.between(1, 3))];
                draft.discount = scene.dice.real(0.3, 0.5);
            }
            scene.order(at, draft);
        }
    }
}

/// Plans the second accounts that the first customers will open.
pub fn plan_second_accounts(scene: &mut Scene<'_>) {
    for idx in 0..scene.town.consumers.len() {
        let Some(consumer) = scene.town.consumers.get(idx).cloned() else { continue };
        announce_second(scene, &consumer);
    }
}

fn announce_second(scene: &mut Scene<'_>, consumer: &Consumer) {
    let Some(second_at) = consumer.second_at else { return };
    let (account, phone) = (consumer.block + 1, consumer.block);
    let ip = home_ip(consumer, second_at);
    scene.open(second_at, Opening { account, device: phone, ip, phone });
}

/// Plans bulk orders of companies: large, from one address, the same goods again.
pub fn plan_company_order(scene: &mut Scene<'_>) {
    let idx = scene.dice.index(scene.town.companies.len());
    let Some(company) = scene.town.companies.get(idx).cloned() else { return };
    let block = company.block;
    let account = block + u64::from(scene.dice.below(2));
    let buyer = Buyer {
        account,
        person: block,
        created_at: company.created_at,
        consumer: None,
        device: block + u64::from(scene.dice.below(3)),
        phone: block,
        payment: block,
        payment_kind: PaymentKind::BankTransfer,
        payment_country: "CN",
    };
    let place = Place {
        ip: block,
        ip_country: "CN",
        address: block,
        address_kind: AddressKind::Office,
        region: company.region,
        distance_km: scene.dice.real(0.0, 2.0),
    };
    let sku = scene.dice.pick(&company.skus);
    let quantity = scene.dice.between(10, 60);
    let mut draft = Draft::honest(Archetype::Corporate, buyer, place, vec![(sku, quantity)]);
    draft.discount = scene.dice.real(0.05, 0.2);
    draft.device_kind = DeviceKind::Desktop;
    draft.return_chance = Some(0.01);
    let at = scene.instant(0);
    scene.order(at, draft);
}

/// Plans one honest buyer of one limited SKU, most of them at the release.
pub fn plan_drop_fan(scene: &mut Scene<'_>) {
    let Some(drop) = scene.drop else { return };
    let idx = scene.town.active_consumer(scene.dice);
    let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { return };
    let is_release_day = drop.released_at.start_of_day() == scene.midnight;
    let at = if is_release_day {
        drop.released_at + scene.dice.waiting(Span(25 * 60 * 1_000_000))
    } else {
        scene.instant(2).max(drop.released_at)
    };
    let at = at.max(consumer.created_at + Span::HOUR);
    let mut draft = shopper_draft(scene, idx, &consumer, at);
    draft.archetype = Archetype::DropFan;
    let sku = drop.skus[usize::from(scene.dice.chance(0.4))];
    draft.basket = vec![(sku, 1 + scene.dice.number(&[0.7, 0.22, 0.08]))];
    draft.discount = 0.0;
    scene.order(at, draft);
}

/// An ordinary order of a customer: own things, usual places, sometimes not.
pub fn shopper_draft(scene: &mut Scene<'_>, idx: u32, consumer: &Consumer, at: Timestamp) -> Draft {
    let persona = PERSONAS[usize::from(consumer.persona) % PERSONAS.len()];
    let buyer = own_buyer(scene.dice, idx, consumer, at);
    let (archetype, place) = usual_place(scene, consumer, at, persona.travel, persona.mobile);
    let rotation = scene.rotation();
    let n_lines = 1 + scene.dice.weighted(&[0.55, 0.25, 0.12, 0.08]);
    let tastes = persona.tastes;
    let basket = (0..n_lines)
        .map(|_| {
            let category = scene.dice.number(&tastes);
            let quantity = 1 + scene.dice.number(&[0.8, 0.13, 0.05, 0.02]);
            (popular_sku(category, rotation, scene.dice), quantity)
        })
        .collect();
    let mut draft = Draft::honest(archetype, buyer, place, basket);
    if scene.dice.chance(persona.coupon) {
        draft.discount = scene.dice.real(0.03, 0.12) + 0.25 * scene.dice.unit() * persona.coupon;
    }
    // Deep discounts happen to everybody: sales, clearance, members' days.
    if scene.dice.chance(0.09) {
        draft.discount = scene.dice.real(0.2, 0.5);
    }
    draft.device_kind = match scene.dice.weighted(&[0.82, 0.17, 0.01]) {
        0 => DeviceKind::Phone,
        1 => DeviceKind::Desktop,
        _ => DeviceKind::Emulator,
    };
    if scene.dice.chance(0.22) {
        draft.speed = Speed::Express;
    }
    if scene.dice.chance(0.04) {
        draft.n_gifts = 1;
    }
    draft
}

/// The customer with what is at hand: mostly the usual phone and card.
pub fn own_buyer(dice: &mut Dice, idx: u32, consumer: &Consumer, at: Timestamp) -> Buyer {
    let block = consumer.block;
    let second_at = consumer.second_at.filter(|second_at| *second_at <= at);
    let (account, created_at) = match second_at {
        Some(second_at) if dice.chance(0.4) => (block + 1, second_at),
        Some(_) | None => (block, consumer.created_at),
    };
    let things = |dice: &mut Dice, second: f64, fresh: f64| match dice.weighted(&[
        1.0 - second - fresh,
        second,
        fresh,
    ]) {
        0 => block,
        1 => block + 1,
        _ => block + 2 + u64::from(dice.below(14)),
    };
    let is_foreign_card = dice.chance(0.035);
    Buyer {
        account,
        person: block,
        created_at: created_at.min(at),
        consumer: Some(idx),
        device: things(dice, 0.12, 0.012),
        phone: things(dice, 0.03, 0.002),
        payment: things(dice, 0.10, 0.012),
        payment_kind: consumer.payment_kind,
        payment_country: if is_foreign_card { foreign_country(dice) } else { "CN" },
    }
}

/// The network of a household; providers give a new one every twenty days.
pub fn home_ip(consumer: &Consumer, at: Timestamp) -> u64 {
    consumer.household + (at.day_number().unsigned_abs() + consumer.household / 16) / 20 % 16
}

/// Home, hub, mobile network, hotel or abroad.
fn usual_place(
    scene: &mut Scene<'_>,
    consumer: &Consumer,
    at: Timestamp,
    travel: f64,
    mobile: f64,
) -> (Archetype, Place) {
    let mut place = Place {
        ip: home_ip(consumer, at),
        ip_country: "CN",
        address: consumer.household,
        address_kind: AddressKind::Residential,
        region: consumer.region,
        distance_km: scene.dice.log_normal(3.0, 1.2).min(150.0),
    };
    if scene.dice.chance(travel) {
        return travel_place(scene, place);
    }
    let mut archetype = Archetype::Shopper;
    let hub = consumer.hub.and_then(|hub| scene.town.hubs.get(hub as usize));
    if let Some(hub) = hub {
        place.address = hub.number;
        place.address_kind = hub.kind;
        archetype = match hub.kind {
            AddressKind::Dormitory => Archetype::DormitoryResident,
            AddressKind::ParcelLocker => Archetype::LockerUser,
            AddressKind::Residential
            | AddressKind::Office
            | AddressKind::Hotel
            | AddressKind::Forwarder => Archetype::OfficeWorker,
        };
        let has_network = hub.kind != AddressKind::ParcelLocker;
        if has_network {
            place.ip = hub.number;
            place.distance_km = scene.dice.real(0.0, 1.0);
        }
    } else if scene.dice.chance(0.06) {
        // A present for a friend: somebody else's home.
        let friend = scene.town.active_consumer(scene.dice);
        if let Some(friend) = scene.town.consumers.get(friend as usize) {
            place.address = friend.household;
            place.region = friend.region;
            place.distance_km = scene.dice.log_normal(60.0, 1.5).min(3_000.0);
        }
    }
    if scene.dice.chance(0.012) {
        // Remote places are served by forwarders.
        if let Some(forwarder) = scene.town.hub_of_kind(AddressKind::Forwarder, scene.dice) {
            place.address = forwarder.number;
            place.address_kind = AddressKind::Forwarder;
            place.region = forwarder.region;
            place.distance_km = scene.dice.log_normal(150.0, 1.0).min(3_000.0);
        }
    }
    if scene.dice.chance(mobile) {
        place.ip = carrier_nat(consumer.region, scene.dice);
    }
    (archetype, place)
}

fn travel_place(scene: &mut Scene<'_>, home: Place) -> (Archetype, Place) {
    let hotel = scene.dice.index(scene.town.hotels.len());
    let hotel = scene.town.hotels.get(hotel).filter(|_| scene.dice.chance(0.7)).cloned();
    let Some(hotel) = hotel else {
        let country = scene.dice.index(FOREIGN_COUNTRIES.len());
        let ip = scene.town.fresh_block();
        let distance_km = scene.dice.real(1_500.0, 12_000.0);
        let ip_country = FOREIGN_COUNTRIES[country];
        return (Archetype::Traveler, Place { ip, ip_country, distance_km, ..home });
    };
    if scene.dice.chance(0.5) {
        let distance_km = scene.dice.log_normal(600.0, 0.7).min(4_000.0);
        return (Archetype::Traveler, Place { ip: hotel.number, distance_km, ..home });
    }
    let place = Place {
        ip: hotel.number,
        address: hotel.number,
        address_kind: AddressKind::Hotel,
        region: hotel.region,
        distance_km: scene.dice.log_normal(1.0, 1.0).min(400.0),
        ..home
    };
    (Archetype::HotelGuest, place)
}

impl Draft {
    /// An order of an honest person, without coupon, in no hurry.
    pub fn honest(
        archetype: Archetype,
        buyer: Buyer,
        place: Place,
        basket: Vec<(u32, u32)>,
    ) -> Self {
        Self {
            archetype,
            ring: None,
            care: Care::Open,
            buyer,
            place,
            basket,
            discount: 0.0,
            device_kind: DeviceKind::Phone,
            speed: Speed::Standard,
            n_gifts: 0,
            return_chance: None,
            cancel_chance: 0.03,
            found_out_at: None,
        }
    }

    /// Probability that the goods come back.
    pub fn return_share(&self) -> f64 {
        let own = self.basket.iter().map(|(sku, _)| category(*sku).return_share);
        self.return_chance.unwrap_or_else(|| own.fold(0.0, f64::max))
    }
}
