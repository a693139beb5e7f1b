//! Stolen cards and taken-over accounts: dear goods, fast, to a drop address.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::gangs::forwarder;
use crate::simulator::goods::{ELECTRONICS, LUXURY, popular_sku};
use crate::simulator::people::{any_region, foreign_country};
use crate::simulator::scene::{Buyer, DeviceKind, Draft, Opening, Place, Scene, Speed};
use crate::simulator::truth::{Archetype, Care};

/// Plans the orders of one thief; gives their number.
pub fn plan_thief(scene: &mut Scene<'_>) -> u32 {
    let care = scene.draw_care();
    let is_careful = care == Care::Careful;
    let ring = scene.town.fresh_ring();
    let n_orders = if is_careful { scene.dice.between(1, 2) } else { scene.dice.between(2, 7) };
    let (device, ip) = (scene.town.fresh_block(), scene.town.fresh_block());
    let address_kind = if is_careful {
        AddressKind::Residential
    } else {
        scene.dice.pick(&[
            AddressKind::Residential,
            AddressKind::Residential,
            AddressKind::Residential,
            AddressKind::Forwarder,
            AddressKind::ParcelLocker,
            AddressKind::Hotel,
        ])
    };
    let is_abroad = scene.dice.chance(0.2);
    let place = Place {
        ip,
        ip_country: if is_abroad { foreign_country(scene.dice) } else { "CN" },
        address: drop_address(scene, address_kind),
        address_kind,
        region: any_region(scene.dice),
        distance_km: scene.dice.log_normal(if is_abroad { 6_000.0 } else { 25.0 }, 1.0),
    };
    let own = scene.town.fresh_block();
    let mut at = scene.instant(2);
    let mut own_buyer = None;
    for n in 0..n_orders {
        let is_takeover = scene.dice.chance(0.35);
        // A thief uses each account of the own for two orders.
        let mut buyer = match own_buyer.filter(|_| n % 2 == 1) {
            _ if is_takeover => victim(scene),
            Some(same) => same,
            None => thief_account(scene, at, own + u64::from(n), (device, ip)),
        };
        if !is_takeover {
            own_buyer = Some(buyer);
        }
        buyer.created_at = buyer.created_at.min(at);
        // A careful thief of accounts uses the card that is on file.
        let has_new_card = !is_takeover || !is_careful;
        if has_new_card {
            buyer.payment = scene.town.fresh_block();
            buyer.payment_kind = PaymentKind::Card;
            let is_foreign = scene.dice.chance(if is_careful { 0.1 } else { 0.4 });
            buyer.payment_country = if is_foreign { foreign_country(scene.dice) } else { "CN" };
        }
        buyer.device = device + u64::from(is_careful) * u64::from(n);
        let mut draft = stolen_order(scene, buyer, place, care);
        draft.ring = Some(ring);
        if is_takeover {
            draft.archetype = Archetype::AccountTakeover;
        }
        scene.order(at, draft);
        let mean_gap = if is_careful { Span::days(2) } else { Span::hours(7) };
        at = at + scene.dice.waiting(mean_gap);
    }
    n_orders
}

fn stolen_order(scene: &mut Scene<'_>, buyer: Buyer, place: Place, care: Care) -> Draft {
    let is_careful = care == Care::Careful;
    let rotation = scene.rotation();
    let weights = if is_careful {
        [1.5, 2.0, 1.2, 1.2, 1.5, 0.5, 0.6, 0.6]
    } else {
        [0.4, 0.8, 0.6, 0.4, 3.0, 2.0, 0.3, 0.4]
    };
    let basket = (0..scene.dice.between(1, 2))
        .map(|_| {
            let category = scene.dice.number(&weights);
            let is_dear = category == ELECTRONICS || category == LUXURY;
            let quantity =
                if is_dear && !is_careful { 1 + scene.dice.number(&[0.7, 0.3]) } else { 1 };
            (popular_sku(category, rotation, scene.dice), quantity)
        })
        .collect();
    let mut draft = Draft::honest(Archetype::StolenCard, buyer, place, basket);
    draft.care = care;
    if scene.dice.chance(if is_careful { 0.25 } else { 0.6 }) {
        draft.speed = Speed::Express;
    }
    if scene.dice.chance(0.05) {
        draft.device_kind = DeviceKind::Emulator;
    }
    draft.return_chance = Some(0.0);
    draft.cancel_chance = 0.0;
    draft
}

fn thief_account(scene: &mut Scene<'_>, at: Timestamp, account: u64, from: (u64, u64)) -> Buyer {
    let (device, ip) = from;
    let (account, created_at) = if scene.dice.chance(0.3) {
        scene.take_sleeper()
    } else {
        let opening = Opening { account, device, ip, phone: account };
        (account, scene.open_before(at, opening, Span::hours(48)))
    };
    Buyer {
        account,
        person: device,
        created_at,
        consumer: None,
        device,
        phone: account,
        payment: account,
        payment_kind: PaymentKind::Card,
        payment_country: "CN",
    }
}

/// A customer whose account was taken over.
fn victim(scene: &mut Scene<'_>) -> Buyer {
    let idx = scene.town.active_consumer(scene.dice) as usize;
    let customer = scene.town.consumers.get(idx);
    let settled = customer.filter(|customer| customer.created_at < scene.midnight);
    let (block, created_at, payment_kind) = match settled {
        Some(victim) => (victim.block, victim.created_at, victim.payment_kind),
        None => (scene.town.fresh_block(), scene.settings.start - Span::DAY, PaymentKind::Card),
    };
    Buyer {
        account: block,
        person: block,
        created_at,
        consumer: None,
        device: block,
        phone: block,
        payment: block,
        payment_kind,
        payment_country: "CN",
    }
}

fn drop_address(scene: &mut Scene<'_>, kind: AddressKind) -> u64 {
    let hotel = scene.dice.index(scene.town.hotels.len());
    match kind {
        AddressKind::ParcelLocker => {
            scene.town.hub_of_kind(kind, scene.dice).map_or(1, |locker| locker.number)
        }
        AddressKind::Hotel => scene.town.hotels.get(hotel).map_or(1, |hotel| hotel.number),
        AddressKind::Forwarder => forwarder(scene),
        AddressKind::Residential | AddressKind::Office | AddressKind::Dormitory => {
            scene.town.fresh_block()
        }
    }
}
