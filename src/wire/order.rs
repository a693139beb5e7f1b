//! Orders to and from their message.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::order::{
    ATTRIBUTES_MAX, AttributeValue, Countries, ITEMS_MAX, Order, OrderItem,
};
use crate::wire::check::{Check, Path, entity_to_pb, money_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;

/// The message for an order.
pub fn to_pb(order: &Order) -> pb::Order {
    pb::Order {
        key: Some(order_key_to_pb(&order.key)),
        amount: order.amount.map(money_to_pb),
        discount: order.discount.map(money_to_pb),
        items: order.items.iter().map(item_to_pb).collect(),
        entities: order.entities.iter().map(entity_to_pb).collect(),
        account_created_at: order.account_created_at.map(time_to_pb),
        address_kind: order.address_kind.map_or(0, WireEnum::to_wire),
        payment_kind: order.payment_kind.map_or(0, WireEnum::to_wire),
        countries: (!order.countries.is_empty()).then(|| countries_to_pb(&order.countries)),
        device_distance_km: order.device_distance_km,
        attributes: order
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), attribute_to_pb(value)))
            .collect(),
    }
}

/// Reads an order; limits, duplicates and signs are checked at the door.
pub fn read(check: &mut Check<'_>, path: &Path<'_>, order: pb::Order) -> Option<Order> {
    let key = check.required(&path.field("key"), order.key, Check::order_key);
    let amount = order.amount.and_then(|m| check.money(&path.field("amount"), m));
    let discount = order.discount.and_then(|m| check.money(&path.field("discount"), m));
    let items = read_items(check, &path.field("items"), order.items);
    let entities = read_entities(check, &path.field("entities"), order.entities);
    let created = path.field("account_created_at");
    let account_created_at = order.account_created_at.and_then(|at| check.time(&created, at));
    let address_kind = check.choice_or_none(&path.field("address_kind"), order.address_kind);
    let payment_kind = check.choice_or_none(&path.field("payment_kind"), order.payment_kind);
    let countries = order.countries.map_or_else(Countries::default, |countries| {
        read_countries(check, &path.field("countries"), countries)
    });
    let distance = path.field("device_distance_km");
    let device_distance_km =
        order.device_distance_km.and_then(|km| check.not_negative(&distance, km));
    let attributes = read_attributes(check, &path.field("attributes"), order.attributes);
    Some(Order {
        key: key?,
        amount,
        discount,
        items,
        entities,
        account_created_at,
        address_kind,
        payment_kind,
        countries,
        device_distance_km,
        attributes,
    })
}

fn read_items(
    check: &mut Check<'_>,
    path: &Path<'_>,
    mut items: Vec<pb::OrderItem>,
) -> Vec<OrderItem> {
    if items.len() > ITEMS_MAX && check.is_at_door() {
        check.note(path, format!("has {} elements, more than {ITEMS_MAX}", items.len()));
        items.truncate(ITEMS_MAX);
    }
    let read_item = |(idx, item)| read_item(check, &path.index(idx), item);
    items.into_iter().enumerate().filter_map(read_item).collect()
}

fn read_item(check: &mut Check<'_>, path: &Path<'_>, item: pb::OrderItem) -> Option<OrderItem> {
    let sku = check.entity_of(&path.field("sku_id"), EntityKind::Sku, item.sku_id);
    let unit_price = item.unit_price.and_then(|m| check.money(&path.field("unit_price"), m));
    if item.quantity == 0 && check.is_at_door() {
        check.note(&path.field("quantity"), "must be at least 1");
    }
    Some(OrderItem { sku: sku?, quantity: item.quantity, unit_price })
}

/// Reads a list of entities of which at most one may be of a kind.
pub fn read_entities(
    check: &mut Check<'_>,
    path: &Path<'_>,
    entities: Vec<pb::Entity>,
) -> Vec<EntityRef> {
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(entities.len().min(EntityKind::ALL.len()));
    for (idx, entity) in entities.into_iter().enumerate() {
        let path = path.index(idx);
        let Some(entity) = check.entity(&path, entity) else { continue };
        if check.is_at_door() && entity.kind == EntityKind::Sku {
            check.note(&path.field("kind"), "must not be a SKU: items name those");
        } else if check.is_at_door() && !seen.insert(entity.kind) {
            let kind = entity.kind.as_str();
            check.note(&path.field("kind"), format!("`{kind}` occurs a second time"));
        } else {
            read.push(entity);
        }
    }
    read
}

fn read_countries(check: &mut Check<'_>, path: &Path<'_>, countries: pb::Countries) -> Countries {
    let mut read = |name, code: Option<String>| {
        let code = code?;
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code && check.is_at_door() {
            let description = "is not an ISO 3166-1 alpha-2 code such as CN";
            check.note(&path.field(name), description);
            return None;
        }
        Some(code.into_boxed_str())
    };
    Countries {
        ip: read("ip", countries.ip),
        payment: read("payment", countries.payment),
        shipping: read("shipping", countries.shipping),
    }
}

fn read_attributes(
    check: &mut Check<'_>,
    path: &Path<'_>,
    attributes: BTreeMap<String, pb::AttributeValue>,
) -> BTreeMap<Box<str>, AttributeValue> {
    if attributes.len() > ATTRIBUTES_MAX && check.is_at_door() {
        let n = attributes.len();
        check.note(path, format!("has {n} entries, more than {ATTRIBUTES_MAX}"));
        return BTreeMap::new();
    }
    let mut read = BTreeMap::new();
    for (name, value) in attributes {
        let shown = name.clone();
        let path = Path::Key(path, &shown);
        let name = check.name(&path, name);
        let value = read_attribute(check, &path, value);
        read.extend(name.zip(value));
    }
    read
}

/// Reads one attribute.
pub fn read_attribute(
    check: &mut Check<'_>,
    path: &Path<'_>,
    value: pb::AttributeValue,
) -> Option<AttributeValue> {
    match value.value {
        Some(pb::attribute_value::Value::Number(number)) => {
            check.finite(&path.field("number"), number).map(AttributeValue::Number)
        }
        Some(pb::attribute_value::Value::Category(word)) => {
            check.name(&path.field("category"), word).map(AttributeValue::Category)
        }
        None => {
            check.note(path, "must be a number or a category");
            None
        }
    }
}

fn item_to_pb(item: &OrderItem) -> pb::OrderItem {
    pb::OrderItem {
        sku_id: item.sku.key.to_string(),
        quantity: item.quantity,
        unit_price: item.unit_price.map(money_to_pb),
    }
}

fn countries_to_pb(countries: &Countries) -> pb::Countries {
    let text = |code: &Option<Box<str>>| code.as_deref().map(str::to_owned);
    pb::Countries {
        ip: text(&countries.ip),
        payment: text(&countries.payment),
        shipping: text(&countries.shipping),
    }
}

fn attribute_to_pb(value: &AttributeValue) -> pb::AttributeValue {
    let value = match value {
        AttributeValue::Number(number) => pb::attribute_value::Value::Number(*number),
        AttributeValue::Category(word) => pb::attribute_value::Value::Category(word.to_string()),
    };
    pb::AttributeValue { value: Some(value) }
}
