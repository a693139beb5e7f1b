//! Orders for `orderlens bench`: each its own, all of a realistic size.

use std::fmt::Write as _;

use crate::domain::entity::EntityKind;
use crate::domain::scramble::{SEED_STEP, scramble};
use crate::domain::time::Timestamp;
use crate::wire::check::time_to_pb;
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;

/// Makes orders; the same number always gives the same order.
#[derive(Clone, Debug)]
pub struct OrderSource {
    channel: String,
    placed: Timestamp,
}

/// Distinct values per kind of entity: a small market, with orders that share things.
const POOLS: [(EntityKind, u64); 7] = [
    (EntityKind::Account, 5_000),
    (EntityKind::Device, 6_000),
    (EntityKind::Ip, 3_000),
    (EntityKind::Address, 5_000),
    (EntityKind::Phone, 5_000),
    (EntityKind::PaymentInstrument, 6_000),
    (EntityKind::Region, 30),
];

/// Facts of the source's own.
const ATTRIBUTES: [&str; 6] = [
    "coupon_share",
    "basket_age_min",
    "session_pages",
    "wishlist_items",
    "search_terms",
    "days_since_login",
];

impl OrderSource {
    /// Orders of one run, placed at one instant.
    pub fn new(run: &str, placed: Timestamp) -> Self {
        Self { channel: format!("bench-{run}"), placed }
    }

    /// The order with this number.
    pub fn request(&self, n: u64) -> pb::ScoreOrderRequest {
        let money = |minor_units| pb::Money { currency_code: "CNY".to_owned(), minor_units };
        let price = 1_000 + i64::try_from(mix(n) % 50_000).unwrap_or_default();
        let entities = POOLS.iter().zip(1_u64..).map(|((kind, size), salt)| pb::Entity {
            kind: kind.to_wire(),
            id: format!("{}-{:024}", kind.as_str(), mix(n ^ (salt << 40)) % size),
        });
        let mut attributes = std::collections::BTreeMap::new();
        for (idx, name) in ATTRIBUTES.iter().enumerate() {
            let number = (mix(n + idx as u64) % 1_000) as f64 / 100.0;
            let value = Some(pb::attribute_value::Value::Number(number));
            attributes.insert((*name).to_owned(), pb::AttributeValue { value });
        }
        let mut order_id = String::from("order-");
        let _ = write!(order_id, "{n:012}");
        pb::ScoreOrderRequest {
            event_time: Some(time_to_pb(self.placed)),
            order: Some(pb::Order {
                key: Some(pb::OrderKey { channel: self.channel.clone(), order_id, revision: 0 }),
                amount: Some(money(price * 2)),
                discount: Some(money(price / 10)),
                items: vec![pb::OrderItem {
                    sku_id: format!("SKU-{:06}", mix(n) % 2_000),
                    quantity: 2,
                    unit_price: Some(money(price)),
                }],
                entities: entities.collect(),
                account_created_at: Some(time_to_pb(self.placed)),
                address_kind: pb::AddressKind::Residential.into(),
                payment_kind: pb::PaymentKind::Card.into(),
                countries: Some(pb::Countries {
                    ip: Some("CN".to_owned()),
                    payment: Some("CN".to_owned()),
                    shipping: Some("CN".to_owned()),
                }),
                device_distance_km: Some((mix(n) % 100) as f64),
                attributes,
            }),
            ..Default::default()
        }
    }
}

/// A number that looks random.
fn mix(n: u64) -> u64 {
    scramble(n.wrapping_add(SEED_STEP))
}
