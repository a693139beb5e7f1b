//! Events to and from their message.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{
    AccountCreated, CancelReason, Event, Fact, Label, MarketPrice, OrderAmount, OrderCancelled,
    OrderReturned, OrderStep, StockLevel,
};
use crate::domain::order::ITEMS_MAX;
use crate::wire::check::{
    Check, Path, entity_to_pb, head_to_pb, money_to_pb, order_key_to_pb, time_to_pb,
};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;
use crate::wire::{feedback, order};

/// The message for an event.
pub fn to_pb(event: &Event) -> pb::Event {
    pb::Event {
        event_id: event.event_id.to_string(),
        event_time: Some(time_to_pb(event.event_time)),
        ingest_time: event.ingest_time.map(time_to_pb),
        fact: Some(fact_to_pb(&event.fact)),
    }
}

/// Reads an event.
pub fn read(check: &mut Check<'_>, path: &Path<'_>, event: pb::Event) -> Option<Event> {
    let event_id = check.name(&path.field("event_id"), event.event_id);
    let event_time = check.required(&path.field("event_time"), event.event_time, Check::past);
    let learned = path.field("ingest_time");
    let ingest_time = event.ingest_time.and_then(|time| check.past(&learned, time));
    let fact = check
        .required(&path.field("fact"), event.fact, |check, _, fact| read_fact(check, path, fact));
    Some(Event { event_id: event_id?, event_time: event_time?, ingest_time, fact: fact? })
}

fn fact_to_pb(fact: &Fact) -> pb::event::Fact {
    use pb::event::Fact as Wire;
    match fact {
        Fact::OrderPlaced(placed) => Wire::OrderPlaced(order::to_pb(placed)),
        Fact::OrderPaid(step) => Wire::OrderPaid(amount_to_pb(step)),
        Fact::OrderCancelled(step) => Wire::OrderCancelled(cancelled_to_pb(step)),
        Fact::StockReserved(step) => Wire::StockReserved(step_to_pb(step)),
        Fact::OrderShipped(step) => Wire::OrderShipped(step_to_pb(step)),
        Fact::OrderDelivered(step) => Wire::OrderDelivered(step_to_pb(step)),
        Fact::OrderReturned(step) => Wire::OrderReturned(pb::OrderReturned {
            order: Some(order_key_to_pb(&step.order)),
            sku_id: step.sku.as_ref().map(|sku| sku.key.to_string()),
            amount: step.amount.map(money_to_pb),
        }),
        Fact::OrderRefunded(step) => Wire::OrderRefunded(amount_to_pb(step)),
        Fact::OrderChargedBack(step) => Wire::OrderChargedBack(amount_to_pb(step)),
        Fact::AccountCreated(created) => Wire::AccountCreated(pb::AccountCreated {
            account_id: created.account.key.to_string(),
            entities: created.entities.iter().map(entity_to_pb).collect(),
        }),
        Fact::StockLevel(level) => Wire::StockLevel(pb::StockLevel {
            sku_id: level.sku.key.to_string(),
            region_id: level.region.as_ref().map(|region| region.key.to_string()),
            units: level.units,
        }),
        Fact::MarketPrice(market) => Wire::MarketPrice(pb::MarketPrice {
            sku_id: market.sku.key.to_string(),
            region_id: market.region.as_ref().map(|region| region.key.to_string()),
            price: Some(money_to_pb(market.price)),
        }),
        Fact::Label(label) => Wire::Label(label_to_pb(label)),
        Fact::Choice(choice) => Wire::Choice(feedback::choice_to_pb(choice)),
        Fact::Outcome(outcome) => Wire::Outcome(feedback::outcome_to_pb(outcome)),
    }
}

fn read_fact(check: &mut Check<'_>, path: &Path<'_>, fact: pb::event::Fact) -> Option<Fact> {
    use pb::event::Fact as Wire;
    match fact {
        Wire::OrderPlaced(placed) => {
            order::read(check, &path.field("order_placed"), placed).map(Fact::OrderPlaced)
        }
        Wire::OrderPaid(step) => {
            read_amount(check, &path.field("order_paid"), step).map(Fact::OrderPaid)
        }
        Wire::OrderCancelled(step) => {
            read_cancelled(check, &path.field("order_cancelled"), step).map(Fact::OrderCancelled)
        }
        Wire::StockReserved(step) => {
            read_step(check, &path.field("stock_reserved"), step).map(Fact::StockReserved)
        }
        Wire::OrderShipped(step) => {
            read_step(check, &path.field("order_shipped"), step).map(Fact::OrderShipped)
        }
        Wire::OrderDelivered(step) => {
            read_step(check, &path.field("order_delivered"), step).map(Fact::OrderDelivered)
        }
        Wire::OrderReturned(step) => {
            read_returned(check, &path.field("order_returned"), step).map(Fact::OrderReturned)
        }
        Wire::OrderRefunded(step) => {
            read_amount(check, &path.field("order_refunded"), step).map(Fact::OrderRefunded)
        }
        Wire::OrderChargedBack(step) => {
            read_amount(check, &path.field("order_charged_back"), step).map(Fact::OrderChargedBack)
        }
        Wire::AccountCreated(created) => {
            read_account(check, &path.field("account_created"), created).map(Fact::AccountCreated)
        }
        Wire::StockLevel(level) => {
            read_stock(check, &path.field("stock_level"), level).map(Fact::StockLevel)
        }
        Wire::MarketPrice(market) => {
            read_price(check, &path.field("market_price"), market).map(Fact::MarketPrice)
        }
        Wire::Label(label) => read_label(check, &path.field("label"), label).map(Fact::Label),
        Wire::Choice(choice) => {
            feedback::read_choice(check, &path.field("choice"), choice).map(Fact::Choice)
        }
        Wire::Outcome(outcome) => {
            feedback::read_outcome(check, &path.field("outcome"), outcome).map(Fact::Outcome)
        }
    }
}

fn read_step(check: &mut Check<'_>, path: &Path<'_>, step: pb::OrderStep) -> Option<OrderStep> {
    let order = check.required(&path.field("order"), step.order, Check::order_key);
    Some(OrderStep { order: order? })
}

fn read_amount(
    check: &mut Check<'_>,
    path: &Path<'_>,
    step: pb::OrderAmount,
) -> Option<OrderAmount> {
    let order = check.required(&path.field("order"), step.order, Check::order_key);
    let amount = step.amount.and_then(|m| check.money(&path.field("amount"), m));
    Some(OrderAmount { order: order?, amount })
}

fn read_cancelled(
    check: &mut Check<'_>,
    path: &Path<'_>,
    step: pb::OrderCancelled,
) -> Option<OrderCancelled> {
    let order = check.required(&path.field("order"), step.order, Check::order_key);
    let why = path.field("reason");
    let reason = check.required(&why, step.reason, |check, path, reason| {
        let source = check.choice(&path.field("source"), reason.source);
        let r#type = check.choice(&path.field("type"), reason.r#type);
        let level = check.choice(&path.field("level"), reason.level);
        Some(CancelReason { source: source?, r#type: r#type?, level: level? })
    });
    Some(OrderCancelled { order: order?, reason: reason? })
}

fn read_returned(
    check: &mut Check<'_>,
    path: &Path<'_>,
    step: pb::OrderReturned,
) -> Option<OrderReturned> {
    let order = check.required(&path.field("order"), step.order, Check::order_key);
    let thing = path.field("sku_id");
    let sku = step.sku_id.and_then(|id| check.entity_of(&thing, EntityKind::Sku, id));
    let amount = step.amount.and_then(|m| check.money(&path.field("amount"), m));
    Some(OrderReturned { order: order?, sku, amount })
}

fn read_account(
    check: &mut Check<'_>,
    path: &Path<'_>,
    created: pb::AccountCreated,
) -> Option<AccountCreated> {
    let account =
        check.entity_of(&path.field("account_id"), EntityKind::Account, created.account_id);
    let entities = order::read_entities(check, &path.field("entities"), created.entities);
    Some(AccountCreated { account: account?, entities })
}

fn read_stock(check: &mut Check<'_>, path: &Path<'_>, level: pb::StockLevel) -> Option<StockLevel> {
    let sku = check.entity_of(&path.field("sku_id"), EntityKind::Sku, level.sku_id);
    let region = read_region(check, path, level.region_id);
    Some(StockLevel { sku: sku?, region, units: level.units })
}

fn read_price(
    check: &mut Check<'_>,
    path: &Path<'_>,
    market: pb::MarketPrice,
) -> Option<MarketPrice> {
    let sku = check.entity_of(&path.field("sku_id"), EntityKind::Sku, market.sku_id);
    let region = read_region(check, path, market.region_id);
    let price = check.required(&path.field("price"), market.price, Check::money);
    Some(MarketPrice { sku: sku?, region, price: price? })
}

fn read_region(check: &mut Check<'_>, path: &Path<'_>, id: Option<String>) -> Option<EntityRef> {
    check.entity_of(&path.field("region_id"), EntityKind::Region, id?)
}

/// Reads a label.
pub fn read_label(check: &mut Check<'_>, path: &Path<'_>, label: pb::Label) -> Option<Label> {
    let order = check.required(&path.field("order"), label.order, Check::order_key);
    let head = check.head(path, label.risk_type, label.head_id);
    let value = check.finite(&path.field("value"), label.value);
    let matures = path.field("matures_at");
    let matures_at = label.matures_at.and_then(|at| check.time(&matures, at));
    // A label may concern several entities of a kind: the SKUs of a basket.
    let concerned = path.field("concerns");
    if label.concerns.len() > ITEMS_MAX && check.is_at_door() {
        check.note(&concerned, format!("has more than {ITEMS_MAX} elements"));
        return None;
    }
    let read = |(idx, entity)| check.entity(&concerned.index(idx), entity);
    let concerns = label.concerns.into_iter().enumerate().filter_map(read).collect();
    Some(Label { order: order?, head: head?, value: value?, matures_at, concerns })
}

fn step_to_pb(step: &OrderStep) -> pb::OrderStep {
    pb::OrderStep { order: Some(order_key_to_pb(&step.order)) }
}

fn amount_to_pb(step: &OrderAmount) -> pb::OrderAmount {
    pb::OrderAmount {
        order: Some(order_key_to_pb(&step.order)),
        amount: step.amount.map(money_to_pb),
    }
}

fn cancelled_to_pb(step: &OrderCancelled) -> pb::OrderCancelled {
    pb::OrderCancelled {
        order: Some(order_key_to_pb(&step.order)),
        reason: Some(pb::CancelReason {
            source: step.reason.source.to_wire(),
            r#type: step.reason.r#type.to_wire(),
            level: step.reason.level.to_wire(),
        }),
    }
}

fn label_to_pb(label: &Label) -> pb::Label {
    let (risk_type, head_id) = head_to_pb(&label.head);
    pb::Label {
        order: Some(order_key_to_pb(&label.order)),
        risk_type,
        head_id,
        value: label.value,
        matures_at: label.matures_at.map(time_to_pb),
        concerns: label.concerns.iter().map(entity_to_pb).collect(),
    }
}
