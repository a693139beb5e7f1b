//! Reseller rings: they buy up limited SKUs at the release, shift the market.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::gangs::forwarder;
use crate::simulator::goods::LIMITED_QUANTITY_MAX;
use crate::simulator::people::{any_region, foreign_country};
use crate::simulator::scene::{Buyer, Draft, Known, NewestDrop, Opening, Place, Scene, Speed};
use crate::simulator::truth::{Archetype, Care};

/// What the members of a ring share.
#[derive(Clone, Debug)]
pub struct Hoard {
    ring: u32,
    care: Care,
    country: &'static str,
    base_km: f64,
    addresses: Vec<(u64, AddressKind)>,
    ips: Vec<u64>,
    payments: Vec<u64>,
    phones: Vec<u64>,
    region: u8,
    found_out_at: Timestamp,
}

/// Plans the purchases of one ring after a release; gives the number of orders.
pub fn plan_hoard(scene: &mut Scene<'_>, known: &mut Known<Hoard>, drop: NewestDrop) -> u32 {
    let former = known.again(scene.dice);
    let care = match &former {
        Some(former) => former.care,
        None => scene.draw_care(),
    };
    let is_careful = care == Care::Careful;
    let n_orders = scene.dice.between(6, 20);
    let mut hoard = form_hoard(scene, care, n_orders, drop.released_at);
    if let Some(former) = former {
        // The same people: other accounts, networks and hotels, old cards and phones.
        let Hoard { ring, country, payments, phones, .. } = former;
        hoard = Hoard { ring, country, payments, phones, ..hoard };
    }
    known.remember(hoard.clone());
    let mean_gap = if is_careful { Span::HOUR } else { Span(150 * 1_000_000) };
    let sku = drop.skus[usize::from(scene.dice.chance(0.25))];
    let mut at = drop.released_at;
    for n in 0..n_orders {
        at = at + scene.dice.waiting(mean_gap);
        let draft = hoard_order(scene, &hoard, n, (sku, at));
        scene.order(at, draft);
    }
    n_orders
}

fn form_hoard(scene: &mut Scene<'_>, care: Care, n_orders: u32, released_at: Timestamp) -> Hoard {
    let is_careful = care == Care::Careful;
    let has_drifted = scene.settings.has_drifted(scene.day);
    let n_addresses = if is_careful { n_orders / 3 } else { 2 };
    let region = any_region(scene.dice);
    let addresses = (0..n_addresses.max(1))
        .map(|_| {
            let is_hotel = scene.dice.chance(if has_drifted { 0.3 } else { 0.8 });
            let hotel = scene.dice.index(scene.town.hotels.len());
            match scene.town.hotels.get(hotel) {
                _ if is_careful => (scene.town.fresh_block(), AddressKind::Residential),
                Some(hotel) if is_hotel => (hotel.number, AddressKind::Hotel),
                Some(_) | None => (forwarder(scene), AddressKind::Forwarder),
            }
        })
        .collect();
    let mut blocks = |n: u32| (0..n.max(1)).map(|_| scene.town.fresh_block()).collect::<Vec<_>>();
    let ips = blocks(if is_careful { n_orders / 2 } else { n_orders / 5 });
    let payments = blocks(n_orders / 3);
    let phones = blocks(n_orders / 3);
    Hoard {
        ring: scene.town.fresh_ring(),
        care,
        country: if scene.dice.chance(if is_careful { 0.8 } else { 0.3 }) {
            "CN"
        } else {
            foreign_country(scene.dice)
        },
        base_km: if is_careful { 20.0 } else { scene.dice.real(300.0, 3_000.0) },
        addresses,
        ips,
        payments,
        phones,
        region,
        found_out_at: released_at + scene.dice.span(Span::days(2), Span::days(14)),
    }
}

fn hoard_order(scene: &mut Scene<'_>, hoard: &Hoard, n: u32, wanted: (u32, Timestamp)) -> Draft {
    let (sku, at) = wanted;
    let share = |list: &[u64]| list.get(n as usize % list.len().max(1)).copied().unwrap_or(0);
    let (ip, payment, phone) = (share(&hoard.ips), share(&hoard.payments), share(&hoard.phones));
    let is_aged = (hoard.care == Care::Careful) || scene.dice.chance(0.35);
    let (account, created_at) = if is_aged {
        scene.take_sleeper()
    } else {
        let account = scene.town.fresh_block();
        let opening = Opening { account, device: account, ip, phone };
        (account, scene.open_before(at, opening, Span::hours(30)))
    };
    let (address, address_kind) = hoard.addresses[scene.dice.index(hoard.addresses.len())];
    // Blatant rings order from a handful of phones, careful ones from one each.
    let device = if (hoard.care == Care::Careful) || scene.dice.chance(0.5) { account } else { ip };
    let buyer = Buyer {
        account,
        person: phone,
        created_at: created_at.min(at),
        consumer: None,
        device,
        phone,
        payment,
        payment_kind: PaymentKind::Card,
        payment_country: hoard.country,
    };
    let is_abroad = hoard.care == Care::Open && scene.dice.chance(0.4);
    let place = Place {
        ip,
        ip_country: if is_abroad { hoard.country } else { "CN" },
        address,
        address_kind,
        region: hoard.region,
        distance_km: (hoard.base_km * scene.dice.log_normal(1.0, 0.3)).min(12_000.0),
    };
    let quantity = if hoard.care == Care::Careful {
        scene.dice.between(1, 2)
    } else {
        LIMITED_QUANTITY_MAX - u32::from(scene.dice.chance(0.15))
    };
    let mut draft = Draft::honest(Archetype::ResellerRing, buyer, place, vec![(sku, quantity)]);
    draft.ring = Some(hoard.ring);
    draft.care = hoard.care;
    draft.speed = if scene.dice.chance(0.5) { Speed::Express } else { Speed::Standard };
    draft.return_chance = Some(0.01);
    draft.cancel_chance = 0.01;
    draft.found_out_at = Some(hoard.found_out_at);
    draft
}
