//! Names of kinds, windows and steps, in ids and in both languages of people.

use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::order::{AddressKind, PaymentKind};
use crate::domain::order_step::OrderStepKind;
use crate::graph::history::Window;

/// Id suffix and words of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowWords {
    pub(super) id: &'static str,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

/// Words of an entity kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct KindWords {
    /// `IP`.
    pub(super) en: &'static str,
    /// `IPs`.
    pub(super) en_plural: &'static str,
    /// `from this IP`: how orders relate to it.
    pub(super) en_of: &'static str,
    pub(super) zh: &'static str,
    /// Plural used in ids.
    pub(super) id_plural: &'static str,
}

/// Words of a step of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepWords {
    pub(super) id: &'static str,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

/// Words of a window.
pub(super) fn window(window: Window) -> WindowWords {
    let (id, en, zh) = match window {
        Window::Hour => ("1h", "in the last hour", "近 1 小时"),
        Window::Day => ("1d", "in the last day", "近 1 天"),
        Window::Week => ("7d", "in the last 7 days", "近 7 天"),
        Window::Month => ("30d", "in the last 30 days", "近 30 天"),
        Window::Ever => ("all", "so far", "累计"),
    };
    WindowWords { id, en, zh }
}

/// Words of a kind.
pub(super) fn kind(kind: EntityKind) -> KindWords {
    let (en, en_plural, en_of, zh, id_plural) = match kind {
        EntityKind::Account => ("account", "accounts", "by this account", "账号", "accounts"),
        EntityKind::Device => ("device", "devices", "from this device", "设备", "devices"),
        EntityKind::Ip => ("IP", "IPs", "from this IP", " IP ", "ips"),
        EntityKind::Address => ("address", "addresses", "to this address", "收货地址", "addresses"),
        EntityKind::Phone => {
            ("phone number", "phone numbers", "with this phone number", "手机号", "phones")
        }
        EntityKind::Email => {
            ("e-mail address", "e-mail addresses", "with this e-mail address", "邮箱", "emails")
        }
        EntityKind::PaymentInstrument => (
            "payment instrument",
            "payment instruments",
            "paid with this payment instrument",
            "支付工具",
            "payment_instruments",
        ),
        EntityKind::Sku => ("item", "items", "of this item", "商品", "skus"),
        EntityKind::Merchant => ("merchant", "merchants", "at this merchant", "商家", "merchants"),
        EntityKind::Region => ("region", "regions", "in this region", "地区", "regions"),
        EntityKind::Channel => ("channel", "channels", "through this channel", "渠道", "channels"),
    };
    KindWords { en, en_plural, en_of, zh, id_plural }
}

/// Words of a step.
pub(super) fn step(step: OrderStepKind) -> StepWords {
    let (id, en, zh) = match step {
        OrderStepKind::Paid => ("payments", "payments", "支付"),
        OrderStepKind::Cancelled => ("cancellations", "cancellations", "取消"),
        OrderStepKind::Delivered => ("deliveries", "deliveries", "签收"),
        OrderStepKind::Returned => ("returns", "returns", "退货"),
        OrderStepKind::Refunded => ("refunds", "refunds", "退款"),
        OrderStepKind::ChargedBack => ("chargebacks", "chargebacks", "拒付"),
    };
    StepWords { id, en, zh }
}

/// The theme that the past of a kind belongs to.
pub(super) fn group(kind: EntityKind) -> FeatureGroup {
    match kind {
        EntityKind::Account => FeatureGroup::Account,
        EntityKind::Device => FeatureGroup::Device,
        EntityKind::Ip => FeatureGroup::Ip,
        EntityKind::Address => FeatureGroup::Address,
        EntityKind::Phone | EntityKind::Email => FeatureGroup::Contact,
        EntityKind::PaymentInstrument => FeatureGroup::Payment,
        EntityKind::Sku => FeatureGroup::Product,
        EntityKind::Merchant => FeatureGroup::Merchant,
        EntityKind::Region | EntityKind::Channel => FeatureGroup::Market,
    }
}

/// What people call a head: English and Chinese.
pub(super) fn head(head: &str) -> (String, String) {
    let zh = match head {
        "payment_fraud" => "支付欺诈",
        "reseller_hoarding" => "囤货倒卖",
        "promo_abuse" => "优惠滥用",
        "fake_order" => "刷单",
        "return_abuse" => "退货滥用",
        other => other,
    };
    (head.replace('_', " "), zh.to_owned())
}

/// Every sort of delivery place with its id and words.
pub(super) const ADDRESS_KINDS: [(AddressKind, &str, &str, &str); 6] = [
    (AddressKind::Residential, "residential", "a home", "住宅"),
    (AddressKind::Office, "office", "an office", "办公地点"),
    (AddressKind::Hotel, "hotel", "a hotel", "酒店"),
    (AddressKind::ParcelLocker, "parcel_locker", "a parcel locker", "快递柜"),
    (AddressKind::Dormitory, "dormitory", "a dormitory", "宿舍"),
    (AddressKind::Forwarder, "forwarder", "a freight forwarder", "货运代理"),
];

/// Every sort of payment with its id and words.
pub(super) const PAYMENT_KINDS: [(PaymentKind, &str, &str, &str); 5] = [
    (PaymentKind::Card, "card", "card", "银行卡"),
    (PaymentKind::Wallet, "wallet", "wallet", "电子钱包"),
    (PaymentKind::BankTransfer, "bank_transfer", "bank transfer", "银行转账"),
    (PaymentKind::CashOnDelivery, "cash_on_delivery", "cash on delivery", "货到付款"),
    (PaymentKind::Installment, "installment", "installments", "分期付款"),
];
