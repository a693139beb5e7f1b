//! Coupon gangs: many accounts, few people, the same goods, every coupon.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::goods::{BEAUTY, GROCERY, popular_sku};
use crate::simulator::people::{any_region, foreign_country};
use crate::simulator::scene::{Buyer, DeviceKind, Draft, Known, Opening, Place, Scene, Speed};
use crate::simulator::truth::{Archetype, Care};

/// What the members of a gang share; each number is the first of 16.
#[derive(Clone, Debug)]
pub struct Gang {
    ring: u32,
    care: Care,
    ips: Vec<u64>,
    ip_country: &'static str,
    devices: Vec<u64>,
    device_kind: DeviceKind,
    addresses: Vec<(u64, AddressKind)>,
    payments: Vec<u64>,
    phones: Vec<u64>,
    skus: Vec<u32>,
    region: u8,
    found_out_at: Timestamp,
}

/// Plans one burst of a gang; gives the number of orders.
pub fn plan_burst(scene: &mut Scene<'_>, known: &mut Known<Gang>) -> u32 {
    let former = known.again(scene.dice);
    let care = match &former {
        Some(former) => former.care,
        None => scene.draw_care(),
    };
    let is_careful = care == Care::Careful;
    let n_orders = scene.dice.between(12, 36);
    let meeting = scene.meeting.filter(|_| !is_careful);
    let start = match meeting {
        Some(meeting) => meeting.at + scene.dice.span(Span(0), Span::HOUR),
        None => scene.instant(2),
    };
    let mut gang = form_gang(scene, care, n_orders, start);
    if let Some(former) = former {
        // The same people: new network, wallets and goods, old phones and addresses.
        let Gang { ring, devices, device_kind, addresses, phones, region, .. } = former;
        gang = Gang { ring, devices, device_kind, addresses, phones, region, ..gang };
    }
    known.remember(gang.clone());
    if let Some(meeting) = meeting {
        gang.ips = vec![meeting.ip];
        gang.ip_country = meeting.ip_country;
        scene.meeting = None;
    }
    let mean_gap = if is_careful {
        scene.dice.span(Span(15 * 60 * 1_000_000), Span(90 * 60 * 1_000_000))
    } else {
        scene.dice.span(Span(8 * 1_000_000), Span(40 * 1_000_000))
    };
    let mut at = start;
    for n in 0..n_orders {
        at = at + scene.dice.waiting(mean_gap);
        let draft = gang_order(scene, &gang, n, at);
        scene.order(at, draft);
    }
    n_orders
}

fn form_gang(scene: &mut Scene<'_>, care: Care, n_orders: u32, start: Timestamp) -> Gang {
    let is_careful = care == Care::Careful;
    let has_drifted = scene.settings.has_drifted(scene.day);
    let (n_ips, n_devices, n_addresses, n_payments, n_phones) = match (is_careful, has_drifted) {
        (true, false) => (n_orders / 3, n_orders / 2, n_orders / 4, n_orders / 3, n_orders / 2),
        (true, true) => (n_orders / 2, n_orders / 2, n_orders / 3, n_orders / 2, n_orders),
        (false, false) => (1, scene.dice.between(1, 4), 2, n_orders / 6, n_orders / 4),
        (false, true) => (scene.dice.between(3, 7), n_orders / 5, 3, n_orders / 5, n_orders / 3),
    };
    let region = any_region(scene.dice);
    let addresses = (0..n_addresses.max(1)).map(|_| drop_address(scene, care)).collect();
    let mut blocks = |n: u32| (0..n.max(1)).map(|_| scene.town.fresh_block()).collect::<Vec<_>>();
    let (ips, devices) = (blocks(n_ips), blocks(n_devices));
    let (payments, phones) = (blocks(n_payments), blocks(n_phones));
    let rotation = scene.rotation();
    let category = scene.dice.pick(&[GROCERY, GROCERY, BEAUTY]);
    let n_skus = scene.dice.between(1, 3);
    let skus = (0..n_skus).map(|_| popular_sku(category, rotation, scene.dice)).collect();
    let is_foreign = scene.dice.chance(0.2);
    Gang {
        ring: scene.town.fresh_ring(),
        care,
        ips,
        ip_country: if is_foreign { foreign_country(scene.dice) } else { "CN" },
        devices,
        device_kind: if !is_careful && scene.dice.chance(0.4) {
            DeviceKind::Emulator
        } else {
            DeviceKind::Phone
        },
        addresses,
        payments,
        phones,
        skus,
        region,
        found_out_at: start + scene.dice.span(Span::days(2), Span::days(12)),
    }
}

/// Where a gang has goods sent: a locker it shares with honest people, a home, a forwarder.
fn drop_address(scene: &mut Scene<'_>, care: Care) -> (u64, AddressKind) {
    let is_careful = care == Care::Careful;
    let sort = if is_careful { 1 } else { scene.dice.weighted(&[0.4, 0.35, 0.25]) };
    let locker = scene.town.hub_of_kind(AddressKind::ParcelLocker, scene.dice);
    match (sort, locker) {
        (0, Some(locker)) => (locker.number, AddressKind::ParcelLocker),
        (2, _) => (forwarder(scene), AddressKind::Forwarder),
        _ => (scene.town.fresh_block(), AddressKind::Residential),
    }
}

/// A forwarder, mostly one that honest people use too.
pub fn forwarder(scene: &mut Scene<'_>) -> u64 {
    let own = scene.town.fresh_block();
    let is_shared = scene.dice.chance(0.7);
    let shared = scene.town.hub_of_kind(AddressKind::Forwarder, scene.dice);
    shared.filter(|_| is_shared).map_or(own, |forwarder| forwarder.number)
}

fn gang_order(scene: &mut Scene<'_>, gang: &Gang, n: u32, at: Timestamp) -> Draft {
    let share = |list: &[u64]| list.get(n as usize % list.len().max(1)).copied().unwrap_or(0);
    let (ip, device) = (share(&gang.ips), share(&gang.devices));
    let (payment, phone) = (share(&gang.payments), share(&gang.phones));
    let (account, created_at) = if gang.care == Care::Careful {
        scene.take_sleeper()
    } else {
        let account = scene.town.fresh_block();
        let opening = Opening { account, device, ip, phone };
        (account, scene.open_before(at, opening, Span::hours(6)))
    };
    let (address, address_kind) = gang.addresses[scene.dice.index(gang.addresses.len())];
    let buyer = Buyer {
        account,
        person: phone,
        created_at: created_at.min(at),
        consumer: None,
        device,
        phone,
        payment,
        payment_kind: if payment % 64 < 48 { PaymentKind::Wallet } else { PaymentKind::Card },
        payment_country: "CN",
    };
    let place = Place {
        ip,
        ip_country: gang.ip_country,
        address,
        address_kind,
        region: gang.region,
        distance_km: if gang.ip_country == "CN" {
            scene
                .dice
                .log_normal(if gang.care == Care::Careful { 4.0 } else { 25.0 }, 1.0)
                .min(3_000.0)
        } else {
            scene.dice.real(1_500.0, 12_000.0)
        },
    };
    let sku = gang.skus[scene.dice.index(gang.skus.len())];
    let mut draft =
        Draft::honest(Archetype::CouponGang, buyer, place, vec![(sku, scene.dice.between(1, 3))]);
    draft.ring = Some(gang.ring);
    draft.care = gang.care;
    draft.discount = if gang.care == Care::Careful {
        scene.dice.real(0.15, 0.4)
    } else {
        scene.dice.real(0.35, 0.5)
    };
    draft.device_kind = gang.device_kind;
    draft.speed = Speed::Standard;
    draft.return_chance = Some(0.01);
    draft.found_out_at = Some(gang.found_out_at);
    draft
}
