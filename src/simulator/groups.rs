//! Honest people together: overseas families and neighbors who buy in a group.
//!
//! They look like gangs to a rule: many orders from one network in minutes.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::goods::{APPAREL, BEAUTY, GIFTS, GROCERY, popular_sku};
use crate::simulator::honest::{home_ip, own_buyer, shopper_draft};
use crate::simulator::people::{any_region, foreign_country};
use crate::simulator::scene::{
    Buyer, DeviceKind, Draft, Meeting, Opening, Place, Scene, Speed, part_of,
};
use crate::simulator::truth::Archetype;

/// A recipient in China: address and region.
type Relative = (u64, u8);

/// Plans a family abroad that buys presents: 3 to 8 members, 8 to 20 orders.
pub fn plan_family(scene: &mut Scene<'_>) -> u32 {
    let ring = scene.town.fresh_ring();
    let start = scene.instant(2);
    let ip = scene.town.fresh_block();
    let country = foreign_country(scene.dice);
    scene.meeting = Some(Meeting { ip, ip_country: country, at: start });
    let n_members = scene.dice.between(3, 8);
    let n_orders = scene.dice.between(8, 20);
    let duration = if scene.dice.chance(0.5) {
        scene.dice.span(Span(120 * 1_000_000), Span(300 * 1_000_000))
    } else {
        scene.dice.span(Span(600 * 1_000_000), Span::HOUR)
    };
    let members: Vec<Buyer> =
        (0..n_members).map(|_| family_member(scene, start, (ip, country))).collect();
    let n_homes = scene.dice.between(3, 9);
    let homes: Vec<Relative> = (0..n_homes).map(|_| relative(scene)).collect();
    let distance_km = scene.dice.real(1_500.0, 12_500.0);
    for n in 0..n_orders {
        let share = (f64::from(n) + scene.dice.unit()) / f64::from(n_orders);
        let buyer = members[n as usize % members.len()];
        let (address, region) = homes[scene.dice.index(homes.len())];
        let place = Place {
            ip,
            ip_country: country,
            address,
            address_kind: AddressKind::Residential,
            region,
            distance_km: distance_km * scene.dice.real(0.97, 1.03),
        };
        let basket = gift_basket(scene);
        let mut draft = Draft::honest(Archetype::Family, buyer, place, basket);
        draft.ring = Some(ring);
        draft.discount = if scene.dice.chance(0.5) { scene.dice.real(0.05, 0.25) } else { 0.0 };
        draft.n_gifts = scene.dice.below(4);
        draft.return_chance = Some(0.01);
        draft.cancel_chance = 0.01;
        if scene.dice.chance(0.25) {
            draft.speed = Speed::Express;
        }
        if scene.dice.chance(0.2) {
            draft.device_kind = DeviceKind::Desktop;
        }
        let at = start + part_of(duration, share);
        scene.order(at, draft);
    }
    n_orders
}

/// Plans neighbors who buy one thing together: own accounts, one pick-up place.
pub fn plan_group_buy(scene: &mut Scene<'_>) -> u32 {
    let ring = scene.town.fresh_ring();
    let start = scene.instant(1);
    let rotation = scene.rotation();
    let category = scene.dice.pick(&[GROCERY, GROCERY, BEAUTY, APPAREL]);
    let sku = popular_sku(category, rotation, scene.dice);
    let n_orders = scene.dice.between(8, 25);
    let discount = scene.dice.real(0.2, 0.42);
    let leader = scene.town.active_consumer(scene.dice) as usize;
    let Some(leader) = scene.town.consumers.get(leader).cloned() else { return n_orders };
    // Some groups order over one wireless network, at the community center.
    let shared_ip = scene.dice.chance(0.4).then(|| home_ip(&leader, start));
    let duration = scene.dice.span(Span(180 * 1_000_000), Span::hours(2));
    for _ in 0..n_orders {
        let idx = scene.town.active_consumer(scene.dice);
        let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { continue };
        let share = scene.dice.unit();
        let at = (start + part_of(duration, share)).max(consumer.created_at + Span::HOUR);
        let mut draft = shopper_draft(scene, idx, &consumer, at);
        draft.archetype = Archetype::GroupBuyer;
        draft.ring = Some(ring);
        draft.basket = vec![(sku, scene.dice.between(1, 4))];
        draft.discount = discount;
        draft.place = Place {
            ip: shared_ip.unwrap_or(draft.place.ip),
            ip_country: "CN",
            address: leader.household,
            address_kind: AddressKind::Residential,
            region: leader.region,
            distance_km: scene.dice.log_normal(1.0, 0.8).min(20.0),
        };
        scene.order(at, draft);
    }
    n_orders
}

/// Plans a flash sale in a dormitory or office: many neighbors, each something else.
pub fn plan_hub_rush(scene: &mut Scene<'_>) -> u32 {
    let ring = scene.town.fresh_ring();
    let start = scene.instant(2);
    let n_orders = scene.dice.between(8, 24);
    let kind = scene.dice.pick(&[AddressKind::Dormitory, AddressKind::Office]);
    let number = scene.town.hub_of_kind(kind, scene.dice).map(|hub| hub.number);
    let position = scene.town.hubs.iter().position(|hub| Some(hub.number) == number);
    let Some(position) = position else { return n_orders };
    let duration = scene.dice.span(Span(120 * 1_000_000), Span(900 * 1_000_000));
    for _ in 0..n_orders {
        let residents = scene.town.residents.get(position).map_or(0, Vec::len);
        let slot = scene.dice.index(residents);
        let idx = scene.town.residents.get(position).and_then(|list| list.get(slot).copied());
        let Some(idx) = idx else { continue };
        let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { continue };
        let share = scene.dice.unit();
        let at = (start + part_of(duration, share)).max(consumer.created_at + Span::HOUR);
        let mut draft = shopper_draft(scene, idx, &consumer, at);
        draft.ring = Some(ring);
        draft.discount = scene.dice.real(0.1, 0.35);
        scene.order(at, draft);
    }
    n_orders
}

/// A member: a known customer on a visit, an old account, or a new real one.
fn family_member(scene: &mut Scene<'_>, start: Timestamp, from: (u64, &'static str)) -> Buyer {
    let (ip, country) = from;
    let sort = scene.dice.weighted(&[0.5, 0.35, 0.15]);
    let has_foreign_card = scene.dice.chance(0.7);
    let payment_country = if has_foreign_card { country } else { "CN" };
    if sort == 0 {
        let idx = scene.town.active_consumer(scene.dice);
        let known = scene.town.consumers.get(idx as usize);
        if let Some(consumer) = known.filter(|consumer| consumer.created_at < scene.midnight) {
            let mut buyer = own_buyer(scene.dice, idx, consumer, start);
            if has_foreign_card {
                buyer.payment = consumer.block + 3;
                buyer.payment_kind = PaymentKind::Card;
                buyer.payment_country = payment_country;
            }
            return buyer;
        }
    }
    let idx = scene.town.settle(start, 0.0, scene.dice);
    let block = scene.town.consumers.get(idx as usize).map_or(0, |member| member.block);
    let opening = Opening { account: block, device: block, ip, phone: block };
    let created_at = if sort == 2 {
        scene.open_before(start, opening, Span::hours(20))
    } else {
        let age = scene.dice.span(Span::days(120), Span::days(2_500));
        (start - age).min(scene.settings.start - Span::DAY)
    };
    if let Some(member) = scene.town.consumers.get_mut(idx as usize) {
        member.created_at = created_at;
        member.second_at = None;
    }
    plan_later_order(scene, idx, start);
    Buyer {
        account: block,
        person: block,
        created_at,
        consumer: Some(idx),
        device: block,
        phone: block,
        payment: block + 3,
        payment_kind: PaymentKind::Card,
        payment_country,
    }
}

/// Most members come back: what a false stop would lose.
fn plan_later_order(scene: &mut Scene<'_>, idx: u32, start: Timestamp) {
    if !scene.dice.chance(0.6) {
        return;
    }
    let Some(member) = scene.town.consumers.get(idx as usize).cloned() else { return };
    let at = start + scene.dice.span(Span::days(5), Span::days(43));
    let draft = shopper_draft(scene, idx, &member, at);
    scene.order(at, draft);
}

fn relative(scene: &mut Scene<'_>) -> Relative {
    let idx = scene.town.active_consumer(scene.dice) as usize;
    match scene.town.consumers.get(idx) {
        Some(consumer) if scene.dice.chance(0.6) => (consumer.household, consumer.region),
        Some(_) | None => (scene.town.fresh_block(), any_region(scene.dice)),
    }
}

/// Tea, sweets, clothes, cosmetics, now and then something precious: diverse.
fn gift_basket(scene: &mut Scene<'_>) -> Vec<(u32, u32)> {
    let rotation = scene.rotation();
    (0..scene.dice.between(1, 5))
        .map(|_| {
            let weights = [3.0, 1.2, 1.0, 0.3, 0.2, 0.25, 0.8, 4.0];
            let category = scene.dice.number(&weights);
            let quantity =
                if category == GIFTS || category == GROCERY { scene.dice.between(1, 3) } else { 1 };
            (popular_sku(category, rotation, scene.dice), quantity)
        })
        .collect()
}
