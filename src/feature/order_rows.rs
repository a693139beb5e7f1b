//! Rows about the order itself and the attributes that the source declared.

use crate::domain::feature::{CatalogSchema, FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
use crate::domain::text::Text;
use crate::feature::row::{CategoryName, OrderRead, Read, Row};
use crate::feature::words::{ADDRESS_KINDS, PAYMENT_KINDS};

/// True when merchant or buyer could change the value before release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Possible,
    Never,
}

/// Rows of order-intrinsic features, then numbers, then categories.
pub(super) fn order_rows(schema: &CatalogSchema) -> Vec<Row> {
    let mut rows = Vec::new();
    time_rows(&mut rows);
    if schema.fields.amount {
        amount_rows(schema, &mut rows);
    }
    if schema.fields.items {
        basket_rows(&mut rows);
    }
    if schema.fields.account_created_at {
        rows.push(row(
            "order_account_age_days",
            OrderRead::AccountAge,
            (FeatureGroup::Account, FeatureUnit::Days, Change::Never),
            ("age of the account in days", "账号注册天数"),
        ));
    }
    place_rows(schema, &mut rows);
    declared_rows(schema, &mut rows);
    rows
}

fn time_rows(rows: &mut Vec<Row>) {
    let order = |unit| (FeatureGroup::Order, unit, Change::Never);
    rows.push(row(
        "order_hour_of_day",
        OrderRead::HourOfDay,
        order(FeatureUnit::Hour),
        ("hour of the day (UTC)", "下单时刻（UTC）"),
    ));
    rows.push(row(
        "order_day_of_week",
        OrderRead::DayOfWeek,
        order(FeatureUnit::Count),
        ("day of the week, Monday is 0", "星期几（周一为 0）"),
    ));
    rows.push(row(
        "order_is_weekend",
        OrderRead::IsWeekend,
        order(FeatureUnit::Flag),
        ("ordered on a weekend", "周末下单"),
    ));
}

fn amount_rows(schema: &CatalogSchema, rows: &mut Vec<Row>) {
    let order = |unit| (FeatureGroup::Order, unit, Change::Possible);
    rows.push(row(
        "order_amount",
        OrderRead::Amount,
        order(FeatureUnit::Money),
        ("order amount", "订单金额"),
    ));
    rows.push(row(
        "order_amount_ln",
        OrderRead::LnAmount,
        order(FeatureUnit::Declared),
        ("order amount on a logarithmic scale", "订单金额（对数）"),
    ));
    if schema.fields.discount {
        rows.push(row(
            "order_discount_share",
            OrderRead::DiscountShare,
            order(FeatureUnit::Share),
            ("share of the price taken off", "优惠占原价比例"),
        ));
    }
}

fn basket_rows(rows: &mut Vec<Row>) {
    let product = |unit| (FeatureGroup::Product, unit, Change::Possible);
    let count = FeatureUnit::Count;
    for (id, read, unit, en, zh) in [
        ("order_items_count", OrderRead::ItemCount, count, "lines in the basket", "购物车行数"),
        (
            "order_skus_count",
            OrderRead::SkuCount,
            count,
            "different items in the basket",
            "购物车不同商品数",
        ),
        ("order_quantity_sum", OrderRead::Quantity, count, "pieces in the basket", "购买总件数"),
        (
            "order_quantity_max",
            OrderRead::QuantityMax,
            count,
            "most pieces of one item",
            "单一商品最大件数",
        ),
        (
            "order_unit_price_mean",
            OrderRead::UnitPriceMean,
            FeatureUnit::Money,
            "mean price of one piece",
            "平均单价",
        ),
    ] {
        rows.push(row(id, read, product(unit), (en, zh)));
    }
}

fn place_rows(schema: &CatalogSchema, rows: &mut Vec<Row>) {
    let flag = |group, change| (group, FeatureUnit::Flag, change);
    if schema.fields.address_kind {
        for (kind, id, en, zh) in ADDRESS_KINDS {
            rows.push(row(
                &format!("order_address_is_{id}"),
                OrderRead::IsAddress(kind),
                flag(FeatureGroup::Address, Change::Possible),
                (&format!("delivered to {en}"), &format!("收货地为{zh}")),
            ));
        }
    }
    if schema.fields.payment_kind {
        for (kind, id, en, zh) in PAYMENT_KINDS {
            rows.push(row(
                &format!("order_payment_is_{id}"),
                OrderRead::IsPayment(kind),
                flag(FeatureGroup::Payment, Change::Possible),
                (&format!("paid by {en}"), &format!("以{zh}支付")),
            ));
        }
    }
    if schema.fields.countries {
        for (id, read, group, en, zh) in [
            (
                "order_ip_payment_mismatch",
                OrderRead::IpPaymentMismatch,
                FeatureGroup::Ip,
                "IP and payment are from different countries",
                "IP 与支付工具所属国家不同",
            ),
            (
                "order_ip_shipping_mismatch",
                OrderRead::IpShippingMismatch,
                FeatureGroup::Ip,
                "IP and delivery are in different countries",
                "IP 与收货国家不同",
            ),
            (
                "order_payment_shipping_mismatch",
                OrderRead::PaymentShippingMismatch,
                FeatureGroup::Payment,
                "payment and delivery are in different countries",
                "支付工具与收货国家不同",
            ),
        ] {
            rows.push(row(id, read, flag(group, Change::Never), (en, zh)));
        }
    }
    if schema.fields.device_distance {
        rows.push(row(
            "order_device_distance_km",
            OrderRead::DeviceDistance,
            (FeatureGroup::Device, FeatureUnit::Kilometers, Change::Never),
            ("distance from the device to the delivery address", "设备与收货地的距离"),
        ));
    }
}

fn declared_rows(schema: &CatalogSchema, rows: &mut Vec<Row>) {
    let mut declared = |id: String, unit, read, en: String, zh: String| {
        let form = (FeatureGroup::Declared, unit, Change::Never);
        rows.push(Row { spec: spec(&id, form, (&en, &zh)), read });
    };
    for name in &schema.numbers {
        declared(
            format!("attribute_{name}"),
            FeatureUnit::Declared,
            Read::Number(name.clone()),
            format!("attribute {name}"),
            format!("属性 {name}"),
        );
    }
    for (name, values) in &schema.categories {
        for value in values {
            declared(
                format!("attribute_{name}_is_{value}"),
                FeatureUnit::Flag,
                Read::Category(CategoryName::Attribute(name.clone()), value.clone()),
                format!("{name} is {value}"),
                format!("{name} 为 {value}"),
            );
        }
    }
}

fn row(
    id: &str,
    read: OrderRead,
    form: (FeatureGroup, FeatureUnit, Change),
    text: (&str, &str),
) -> Row {
    Row { spec: spec(id, form, text), read: Read::Order(read) }
}

fn spec(id: &str, form: (FeatureGroup, FeatureUnit, Change), text: (&str, &str)) -> FeatureSpec {
    let (group, unit, change) = form;
    FeatureSpec {
        id: id.into(),
        group,
        unit,
        monotone: Monotone::Free,
        is_changeable: change == Change::Possible,
        is_graph: false,
        entity: None,
        counterpart: None,
        name: Text::new(text.0, text.1),
    }
}
