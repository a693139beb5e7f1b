//! From numbers to canonical facts: sealed orders, steps and labels.

use std::collections::BTreeMap;

use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::domain::event::{
    AccountCreated, Fact, Label, OrderAmount, OrderCancelled, OrderReturned, OrderStep,
};
use crate::domain::feedback::{Outcome, OutcomeKind, OutcomeSource};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{AttributeValue, Countries, Order, OrderItem, OrderKey};
use crate::domain::time::Timestamp;
use crate::simulator::goods::{Goods, is_limited, merchant, sku_entity};
use crate::simulator::heads::SimulatedHead;
use crate::simulator::pending::{OrderNumber, Step};
use crate::simulator::scene::{DeviceKind, Draft, Opening, Speed};

/// Sales channels; an order's number holds the position.
pub const CHANNELS: [&str; 3] = ["synthetic_app", "synthetic_web", "synthetic_live"];

/// List price and what is taken off, CNY minor units.
#[derive(Clone, Copy, Debug)]
pub struct Bill {
    /// What the customer pays.
    pub amount_minor: i64,
    /// What was taken off.
    pub discount_minor: i64,
}

/// The natural key of an order.
pub fn order_key(number: OrderNumber) -> OrderKey {
    let channel = CHANNELS[(number.0 % 4) as usize % CHANNELS.len()];
    OrderKey {
        channel: channel.into(),
        order_id: format!("synthetic-o-{:09}", number.0 / 4).into(),
        revision: 0,
    }
}

/// CNY.
pub fn yuan(minor_units: i64) -> Money {
    Money { currency: Currency::CNY, minor_units }
}

/// The node of a numbered personal thing.
pub fn personal(identity: &IdentityKey, kind: EntityKind, number: u64) -> EntityRef {
    let prefix = match kind {
        EntityKind::Account => "acct",
        EntityKind::Device => "dev",
        EntityKind::Ip => "ip",
        EntityKind::Address => "addr",
        EntityKind::Phone => "tel",
        EntityKind::Email => "mail",
        EntityKind::PaymentInstrument => "pay",
        EntityKind::Sku => "sku",
        EntityKind::Merchant => "shop",
        EntityKind::Region => "region",
        EntityKind::Channel => "channel",
    };
    identity.entity(kind, &format!("{prefix}-{number:06}"))
}

/// What the basket of a draft costs.
pub fn bill(draft: &Draft, goods: &Goods) -> Bill {
    let list: i64 =
        draft.basket.iter().map(|(sku, n)| goods.price_minor(*sku) * i64::from(*n)).sum();
    let discount_minor = crate::simulator::dice::whole(list as f64 * draft.discount);
    Bill { amount_minor: list - discount_minor, discount_minor }
}

/// The order as the marketplace would send it.
pub fn order(
    draft: &Draft,
    number: OrderNumber,
    bill: Bill,
    goods: &Goods,
    identity: &IdentityKey,
) -> Order {
    let (buyer, place) = (&draft.buyer, &draft.place);
    let key = order_key(number);
    let shop = draft.basket.first().map_or(0, |(sku, _)| merchant(*sku));
    let entities = vec![
        personal(identity, EntityKind::Account, buyer.account),
        personal(identity, EntityKind::Device, buyer.device),
        personal(identity, EntityKind::Ip, place.ip),
        personal(identity, EntityKind::Address, place.address),
        personal(identity, EntityKind::Phone, buyer.phone),
        personal(identity, EntityKind::Email, buyer.account),
        personal(identity, EntityKind::PaymentInstrument, buyer.payment),
        identity.entity(EntityKind::Merchant, &format!("SHOP-{shop:03}")),
        region(identity, place.region),
        identity.entity(EntityKind::Channel, &key.channel),
    ];
    let items = draft.basket.iter().map(|(sku, quantity)| OrderItem {
        sku: sku_entity(identity, *sku),
        quantity: *quantity,
        unit_price: Some(yuan(goods.price_minor(*sku))),
    });
    Order {
        amount: Some(yuan(bill.amount_minor)),
        discount: Some(yuan(bill.discount_minor)),
        items: items.collect(),
        entities,
        account_created_at: Some(buyer.created_at),
        address_kind: Some(place.address_kind),
        payment_kind: Some(buyer.payment_kind),
        countries: Countries {
            ip: Some(place.ip_country.into()),
            payment: Some(buyer.payment_country.into()),
            shipping: Some("CN".into()),
        },
        device_distance_km: Some((place.distance_km * 10.0).round() / 10.0),
        attributes: attributes(draft),
        ..Order::new(key)
    }
}

/// The node of a sales region.
pub fn region(identity: &IdentityKey, region: u8) -> EntityRef {
    identity.entity(EntityKind::Region, &format!("R{region}"))
}

/// The fact that an account was opened.
pub fn account_created(opening: &Opening, identity: &IdentityKey) -> Fact {
    Fact::AccountCreated(AccountCreated {
        account: personal(identity, EntityKind::Account, opening.account),
        entities: vec![
            personal(identity, EntityKind::Device, opening.device),
            personal(identity, EntityKind::Ip, opening.ip),
            personal(identity, EntityKind::Phone, opening.phone),
        ],
    })
}

/// The fact of a step that is not a label.
pub fn step_fact(step: Step, number: OrderNumber, at: Timestamp) -> Option<Fact> {
    let order = order_key(number);
    let amount = |minor| Some(yuan(minor));
    Some(match step {
        Step::Paid(minor) => Fact::OrderPaid(OrderAmount { order, amount: amount(minor) }),
        Step::Cancelled(reason) => Fact::OrderCancelled(OrderCancelled { order, reason }),
        Step::Reserved => Fact::StockReserved(OrderStep { order }),
        Step::Shipped => Fact::OrderShipped(OrderStep { order }),
        Step::Delivered => Fact::OrderDelivered(OrderStep { order }),
        Step::Returned(minor) => {
            Fact::OrderReturned(OrderReturned { order, sku: None, amount: amount(minor) })
        }
        Step::Refunded(minor) => Fact::OrderRefunded(OrderAmount { order, amount: amount(minor) }),
        Step::ChargedBack(minor) => {
            Fact::OrderChargedBack(OrderAmount { order, amount: amount(minor) })
        }
        Step::Outcome(kind, source) => Fact::Outcome(outcome(order, kind, source, at)),
        Step::Labels { .. } | Step::Repurchase { .. } | Step::PriceIndex { .. } => return None,
    })
}

/// A label for one head.
pub fn label(number: OrderNumber, head: SimulatedHead, value: f64, placed_at: Timestamp) -> Fact {
    Fact::Label(Label {
        order: order_key(number),
        head: head.id(),
        value,
        matures_at: Some(placed_at + head.horizon()),
        concerns: Vec::new(),
    })
}

fn outcome(order: OrderKey, kind: OutcomeKind, source: OutcomeSource, at: Timestamp) -> Outcome {
    Outcome {
        outcome_id: format!("{}-{kind:?}", order.order_id).to_lowercase().into(),
        decision_id: None,
        order: Some(order),
        kind,
        amount: None,
        occurred_at: at,
        source,
        source_ref: None,
        retracts: None,
        told_by: None,
    }
}

fn attributes(draft: &Draft) -> BTreeMap<Box<str>, AttributeValue> {
    let number = |value: u32| AttributeValue::Number(f64::from(value));
    let device_kind = match draft.device_kind {
        DeviceKind::Phone => "phone",
        DeviceKind::Desktop => "desktop",
        DeviceKind::Emulator => "emulator",
    };
    let limited =
        draft.basket.iter().filter(|(sku, _)| is_limited(*sku)).map(|(_, quantity)| *quantity);
    BTreeMap::from([
        ("device_kind".into(), AttributeValue::Category(device_kind.into())),
        ("express_shipping".into(), number(u32::from(draft.speed == Speed::Express))),
        ("gift_wraps".into(), number(draft.n_gifts)),
        ("limited_units".into(), number(limited.sum())),
    ])
}
