//! Brushing rings and return abusers.
//!
//! A brushing ring places fake orders at one shop: cheap, at regular intervals,
//! never sent back, often to addresses where nobody lives.

use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::goods::{APPAREL, BEAUTY, N_MERCHANTS, popular_sku};
use crate::simulator::honest::shopper_draft;
use crate::simulator::people::any_region;
use crate::simulator::scene::{Buyer, Draft, Opening, Place, Scene, part_of};
use crate::simulator::truth::{Archetype, Care};

/// An account of the ring, used for several orders.
struct Brusher {
    account: u64,
    created_at: Timestamp,
    device: u64,
    ip: u64,
    address: u64,
    region: u8,
}

/// Plans one campaign for one shop; gives the number of orders.
pub fn plan_campaign(scene: &mut Scene<'_>) -> u32 {
    let care = scene.draw_care();
    let is_careful = care == Care::Careful;
    let ring = scene.town.fresh_ring();
    let n_orders = scene.dice.between(10, 40);
    let merchant = scene.dice.below(N_MERCHANTS);
    let sku = scene.goods.cheap_sku(merchant, scene.dice);
    let start = scene.midnight + scene.dice.span(Span::HOUR, Span::hours(12));
    let gap = scene.dice.span(Span(8 * 60 * 1_000_000), Span(45 * 60 * 1_000_000));
    let brushers = recruit(scene, n_orders, start, care);
    let found_out_at = start + scene.dice.span(Span::days(3), Span::days(20));
    let mut at = start;
    for n in 0..n_orders {
        let unevenness =
            if is_careful { scene.dice.real(0.2, 4.0) } else { scene.dice.real(0.9, 1.1) };
        at = at + part_of(gap, unevenness);
        let brusher = &brushers[n as usize % brushers.len()];
        let mut draft = fake_order(scene, brusher, at, sku);
        draft.ring = Some(ring);
        draft.care = care;
        draft.found_out_at = Some(found_out_at.max(at + Span::DAY));
        scene.order(at, draft);
    }
    n_orders
}

/// Plans one order of somebody who wears things and sends them back.
pub fn plan_abuser_order(scene: &mut Scene<'_>) {
    let slot = scene.dice.index(scene.town.abusers.len());
    let Some(idx) = scene.town.abusers.get(slot).copied() else { return };
    let Some(consumer) = scene.town.consumers.get(idx as usize).cloned() else { return };
    let at = scene.instant(2);
    let mut draft = shopper_draft(scene, idx, &consumer, at);
    let rotation = scene.rotation();
    draft.archetype = Archetype::ReturnAbuser;
    let n_lines = scene.dice.between(1, 4);
    draft.basket = (0..n_lines)
        .map(|_| {
            let category = if scene.dice.chance(0.85) { APPAREL } else { BEAUTY };
            (popular_sku(category, rotation, scene.dice), 1)
        })
        .collect();
    draft.return_chance = Some(0.85);
    scene.order(at, draft);
}

fn recruit(scene: &mut Scene<'_>, n_orders: u32, start: Timestamp, care: Care) -> Vec<Brusher> {
    let is_careful = care == Care::Careful;
    let n_accounts = (n_orders / if is_careful { 1 } else { 3 }).max(4);
    let n_addresses = if is_careful { n_accounts / 2 } else { n_accounts / 4 };
    let n_devices = if is_careful { n_accounts / 2 } else { n_accounts / 3 };
    let mut blocks = |n: u32| (0..n.max(1)).map(|_| scene.town.fresh_block()).collect::<Vec<_>>();
    let (addresses, devices) = (blocks(n_addresses), blocks(n_devices));
    let ips = blocks(n_devices);
    (0..n_accounts as usize)
        .map(|n| {
            let (device, ip) = (devices[n % devices.len()], ips[n % ips.len()]);
            let is_aged = is_careful || scene.dice.chance(0.4);
            let (account, created_at) = if is_aged {
                scene.take_sleeper()
            } else {
                let account = scene.town.fresh_block();
                let opening = Opening { account, device, ip, phone: account };
                (account, scene.open_before(start, opening, Span::hours(12)))
            };
            let address = addresses[n % addresses.len()];
            let region = any_region(scene.dice);
            Brusher { account, created_at, device, ip, address, region }
        })
        .collect()
}

fn fake_order(scene: &mut Scene<'_>, brusher: &Brusher, at: Timestamp, sku: u32) -> Draft {
    let buyer = Buyer {
        account: brusher.account,
        person: brusher.device,
        created_at: brusher.created_at.min(at),
        consumer: None,
        device: brusher.device,
        phone: brusher.account,
        payment: brusher.account,
        payment_kind: PaymentKind::Wallet,
        payment_country: "CN",
    };
    let place = Place {
        ip: brusher.ip,
        ip_country: "CN",
        address: brusher.address,
        address_kind: AddressKind::Residential,
        region: brusher.region,
        distance_km: scene.dice.log_normal(20.0, 1.5).min(3_500.0),
    };
    let mut draft = Draft::honest(Archetype::BrushingRing, buyer, place, vec![(sku, 1)]);
    draft.discount = if scene.dice.chance(0.5) { scene.dice.real(0.0, 0.15) } else { 0.0 };
    draft.return_chance = Some(0.0);
    draft.cancel_chance = 0.0;
    draft
}
