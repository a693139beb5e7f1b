//! Rows about the past of the order's entities, generated from the schema.
//!
//! Order of rows: kinds in catalog order; per kind volume, amounts, recency,
//! verdicts, counterparts, and what only some kinds have.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{CatalogSchema, FeatureSpec, FeatureUnit, Monotone};
use crate::domain::text::Text;
use crate::feature::row::{EntityRead, Fold, Read, Row};
use crate::feature::words;
use crate::graph::history::{Window, can_be_hub};
use crate::graph::knowledge::{RING_KINDS, has_meetings, has_steps};
use crate::graph::order_table::OrderStepKind;

/// Windows of amounts and verdicts.
const DAY_UP: [Window; 4] = [Window::Day, Window::Week, Window::Month, Window::Ever];
/// Windows of shares: shorter ones hold too few orders.
const WEEK_UP: [Window; 3] = [Window::Week, Window::Month, Window::Ever];

/// Every row about entities, in catalog order.
pub(super) fn entity_rows(schema: &CatalogSchema) -> Vec<Row> {
    let mut rows = Vec::new();
    for &kind in &schema.kinds {
        let mut writer = Writer { schema, kind, rows: &mut rows };
        writer.volume();
        writer.amounts();
        writer.recency();
        writer.verdicts();
        writer.counterparts();
        writer.sharing();
        writer.steps();
        if kind == EntityKind::Account {
            writer.pairs();
            writer.ring();
        }
        if kind == EntityKind::Sku {
            writer.market();
        }
    }
    rows
}

struct Writer<'a> {
    schema: &'a CatalogSchema,
    kind: EntityKind,
    rows: &'a mut Vec<Row>,
}

/// What differs from row to row besides its read.
struct Shape {
    unit: FeatureUnit,
    monotone: Monotone,
    counterpart: Option<EntityKind>,
}

const fn shape(unit: FeatureUnit) -> Shape {
    Shape { unit, monotone: Monotone::Free, counterpart: None }
}

impl Writer<'_> {
    fn has(&self, kind: EntityKind) -> bool {
        self.schema.kinds.contains(&kind)
    }

    /// Adds a row; a SKU row becomes two, the largest and the mean over the basket.
    fn add(&mut self, id: &str, read: EntityRead, shape: &Shape, text: (String, String)) {
        let kind = self.kind;
        let spec = |id: String, text: Text| FeatureSpec {
            id: id.into(),
            group: match read {
                EntityRead::RingSize
                | EntityRead::RingOrders
                | EntityRead::RingKnownBadShare(_) => crate::domain::feature::FeatureGroup::Network,
                _ => words::group(kind),
            },
            unit: shape.unit,
            monotone: shape.monotone,
            is_changeable: false,
            is_graph: true,
            entity: Some(kind),
            counterpart: shape.counterpart,
            name: text,
        };
        let id = format!("{}_{id}", kind.as_str());
        let (en, zh) = text;
        if kind != EntityKind::Sku {
            let read = Read::Entity(kind, read);
            self.rows.push(Row { spec: spec(id, Text::new(en, zh)), read });
            return;
        }
        for (fold, suffix, en_fold, zh_fold) in
            [(Fold::Max, "max", "largest", "最大值"), (Fold::Mean, "mean", "mean", "均值")]
        {
            let text = Text::new(
                format!("{en} ({en_fold} in basket)"),
                format!("{zh}（购物车内{zh_fold}）"),
            );
            let read = Read::Sku(read, fold);
            self.rows.push(Row { spec: spec(format!("{id}_{suffix}"), text), read });
        }
    }

    fn volume(&mut self) {
        let of = words::kind(self.kind);
        for window in Window::ALL {
            let w = words::window(window);
            self.add(
                &format!("orders_count_{}", w.id),
                EntityRead::Orders(window),
                &shape(FeatureUnit::Count),
                (format!("orders {} {}", of.en_of, w.en), format!("该{}{}订单数", of.zh, w.zh)),
            );
        }
        if self.kind == EntityKind::Sku {
            for window in [Window::Hour, Window::Day] {
                let w = words::window(window);
                self.add(
                    &format!("units_sum_{}", w.id),
                    EntityRead::Units(window),
                    &shape(FeatureUnit::Count),
                    (format!("pieces sold {}", w.en), format!("该商品{}销售件数", w.zh)),
                );
            }
        }
        self.add(
            "orders_burst_1h",
            EntityRead::Burst,
            &shape(FeatureUnit::Ratio),
            (
                format!("orders {} in the last hour against its daily mean", of.en_of),
                format!("该{}近 1 小时订单数与日均之比", of.zh),
            ),
        );
    }

    fn amounts(&mut self) {
        if self.kind == EntityKind::Sku {
            return;
        }
        if !self.schema.fields.amount {
            return;
        }
        let of = words::kind(self.kind);
        for window in DAY_UP {
            let w = words::window(window);
            self.add(
                &format!("amount_sum_{}", w.id),
                EntityRead::AmountSum(window),
                &shape(FeatureUnit::Money),
                (
                    format!("amount spent {} {}", of.en_of, w.en),
                    format!("该{}{}订单金额", of.zh, w.zh),
                ),
            );
            self.add(
                &format!("amount_mean_{}", w.id),
                EntityRead::AmountMean(window),
                &shape(FeatureUnit::Money),
                (
                    format!("mean order amount {} {}", of.en_of, w.en),
                    format!("该{}{}平均订单金额", of.zh, w.zh),
                ),
            );
        }
        for window in [Window::Month, Window::Ever] {
            let w = words::window(window);
            self.add(
                &format!("amount_to_mean_{}", w.id),
                EntityRead::AmountToMean(window),
                &shape(FeatureUnit::Ratio),
                (
                    format!("this amount against the mean {} {}", of.en_of, w.en),
                    format!("本单金额与该{}{}均值之比", of.zh, w.zh),
                ),
            );
        }
        for window in [Window::Day, Window::Week, Window::Month] {
            let w = words::window(window);
            self.add(
                &format!("spend_to_mean_{}", w.id),
                EntityRead::SpendToMean(window),
                &shape(FeatureUnit::Ratio),
                (
                    format!("amounts {} {} in units of the mean before", of.en_of, w.en),
                    format!("该{}{}金额折合此前均单数", of.zh, w.zh),
                ),
            );
        }
        self.add(
            "amount_zscore_all",
            EntityRead::AmountZ,
            &shape(FeatureUnit::ZScore),
            (
                format!("how unusual this amount is {}", of.en_of),
                format!("本单金额相对该{}历史的偏离", of.zh),
            ),
        );
    }

    fn recency(&mut self) {
        let of = words::kind(self.kind);
        self.add(
            "last_order_age_days",
            EntityRead::DaysSinceLast,
            &shape(FeatureUnit::Days),
            (
                format!("days since the last order {}", of.en_of),
                format!("距该{}上次下单天数", of.zh),
            ),
        );
        self.add(
            "first_seen_age_days",
            EntityRead::DaysSinceFirst,
            &shape(FeatureUnit::Days),
            (
                format!("days since this {} was first seen", of.en),
                format!("该{}首次出现至今天数", of.zh),
            ),
        );
    }

    fn verdicts(&mut self) {
        let of = words::kind(self.kind);
        let bad = |unit| Shape { unit, monotone: Monotone::Increasing, counterpart: None };
        for (idx, head) in self.schema.label_heads.iter().enumerate() {
            let (en, zh) = words::head(&head.0);
            for window in DAY_UP {
                let w = words::window(window);
                self.add(
                    &format!("known_{head}_count_{}", w.id),
                    EntityRead::KnownBad(idx, window),
                    &bad(FeatureUnit::Count),
                    (
                        format!("orders {} that became known as {en} {}", of.en_of, w.en),
                        format!("该{}{}确认的{zh}订单数", of.zh, w.zh),
                    ),
                );
            }
            for window in WEEK_UP {
                let w = words::window(window);
                self.add(
                    &format!("known_{head}_share_{}", w.id),
                    EntityRead::KnownBadShare(idx, window),
                    &bad(FeatureUnit::Share),
                    (
                        format!("share of judged orders {} known as {en} {}", of.en_of, w.en),
                        format!("该{}{}已判定订单中{zh}占比", of.zh, w.zh),
                    ),
                );
            }
            self.add(
                &format!("known_{head}_age_days"),
                EntityRead::DaysSinceKnownBad(idx),
                &shape(FeatureUnit::Days),
                (
                    format!("days since {en} last became known {}", of.en_of),
                    format!("距该{}上次确认{zh}天数", of.zh),
                ),
            );
        }
    }

    fn counterparts(&mut self) {
        if !has_meetings(self.kind) {
            return;
        }
        let of = words::kind(self.kind);
        let shown = self.schema.kinds.iter().copied().filter(|&kind| kind != self.kind);
        for counterpart in shown.collect::<Vec<_>>() {
            let other = words::kind(counterpart);
            let is_fast =
                matches!(self.kind, EntityKind::Ip | EntityKind::Device | EntityKind::Address);
            let hour = is_fast.then_some(Window::Hour);
            for window in hour.into_iter().chain([Window::Day, Window::Month, Window::Ever]) {
                let w = words::window(window);
                let unit = FeatureUnit::Count;
                self.add(
                    &format!("{}_distinct_{}", other.id_plural, w.id),
                    EntityRead::Distinct(counterpart, window),
                    &Shape { unit, monotone: Monotone::Free, counterpart: Some(counterpart) },
                    (
                        format!("different {} {} {}", other.en_plural, of.en_of, w.en),
                        format!("该{}{}关联的不同{}数", of.zh, w.zh, other.zh),
                    ),
                );
            }
            for window in [Window::Day, Window::Ever] {
                let w = words::window(window);
                let unit = FeatureUnit::Ratio;
                self.add(
                    &format!("{}_per_order_{}", other.id_plural, w.id),
                    EntityRead::DistinctShare(counterpart, window),
                    &Shape { unit, monotone: Monotone::Free, counterpart: Some(counterpart) },
                    (
                        format!("different {} per order {} {}", other.en_plural, of.en_of, w.en),
                        format!("该{}{}每单不同{}数", of.zh, w.zh, other.zh),
                    ),
                );
            }
        }
    }

    fn sharing(&mut self) {
        let of = words::kind(self.kind);
        let is_buyer_side =
            has_meetings(self.kind) && !matches!(self.kind, EntityKind::Sku | EntityKind::Merchant);
        if is_buyer_side && self.has(EntityKind::Sku) {
            let counterpart = Some(EntityKind::Sku);
            self.add(
                "same_sku_share_1d",
                EntityRead::SameSkuShare,
                &Shape { unit: FeatureUnit::Share, monotone: Monotone::Free, counterpart },
                (
                    format!("share of orders {} in the last day for the same item", of.en_of),
                    format!("该{}近 1 天订单中购买同款商品的占比", of.zh),
                ),
            );
        }
        if !can_be_hub(self.kind) || !self.has(EntityKind::Account) {
            return;
        }
        let accounts =
            |unit| Shape { unit, monotone: Monotone::Free, counterpart: Some(EntityKind::Account) };
        self.add(
            "is_hub",
            EntityRead::IsHub,
            &accounts(FeatureUnit::Flag),
            (
                format!("this {} is shared by many unrelated accounts", of.en),
                format!("该{}由许多无关账号长期共用", of.zh),
            ),
        );
        if matches!(self.kind, EntityKind::Ip | EntityKind::Device | EntityKind::Address) {
            self.add(
                "signups_count_1d",
                EntityRead::Signups,
                &shape(FeatureUnit::Count),
                (
                    format!("accounts opened {} in the last day", of.en_of),
                    format!("该{}近 1 天注册的账号数", of.zh),
                ),
            );
            self.add(
                "account_age_mean_1d",
                EntityRead::AccountAgeMean,
                &accounts(FeatureUnit::Days),
                (
                    format!("mean age of the accounts ordering {} in the last day", of.en_of),
                    format!("该{}近 1 天下单账号的平均年龄", of.zh),
                ),
            );
            self.add(
                "fresh_accounts_count_1d",
                EntityRead::FreshAccounts,
                &accounts(FeatureUnit::Count),
                (
                    format!("accounts less than a day old ordering {} in the last day", of.en_of),
                    format!("该{}近 1 天下单的新注册账号数", of.zh),
                ),
            );
        }
    }

    fn steps(&mut self) {
        if !has_steps(self.kind) {
            return;
        }
        let of = words::kind(self.kind);
        let counted: &[OrderStepKind] = match self.kind {
            EntityKind::Account => {
                &[OrderStepKind::Cancelled, OrderStepKind::Returned, OrderStepKind::Refunded]
            }
            _ => &[OrderStepKind::Cancelled, OrderStepKind::Returned],
        };
        for (&step, window) in
            counted.iter().flat_map(|step| [(step, Window::Month), (step, Window::Ever)])
        {
            let (s, w) = (words::step(step), words::window(window));
            if self.kind == EntityKind::Account {
                self.add(
                    &format!("{}_count_{}", s.id, w.id),
                    EntityRead::Steps(step, window),
                    &shape(FeatureUnit::Count),
                    (
                        format!("{} {} {}", s.en, of.en_of, w.en),
                        format!("该{}{}{}次数", of.zh, w.zh, s.zh),
                    ),
                );
            }
            self.add(
                &format!("{}_share_{}", s.id, w.id),
                EntityRead::StepShare(step, window),
                &shape(FeatureUnit::Ratio),
                (
                    format!("{} per order {} {}", s.en, of.en_of, w.en),
                    format!("该{}{}每单{}次数", of.zh, w.zh, s.zh),
                ),
            );
        }
        if self.kind == EntityKind::Account {
            let (s, w) = (words::step(OrderStepKind::Delivered), words::window(Window::Ever));
            self.add(
                &format!("{}_count_{}", s.id, w.id),
                EntityRead::Steps(OrderStepKind::Delivered, Window::Ever),
                &shape(FeatureUnit::Count),
                (
                    format!("{} {} {}", s.en, of.en_of, w.en),
                    format!("该{}{}{}次数", of.zh, w.zh, s.zh),
                ),
            );
        }
    }

    fn pairs(&mut self) {
        let others = self.schema.kinds.iter().copied().filter(|&kind| kind != self.kind);
        for other in others.collect::<Vec<_>>() {
            let (o, name) = (words::kind(other), other.as_str());
            let pair = |unit| Shape { unit, monotone: Monotone::Free, counterpart: Some(other) };
            self.add(
                &format!("{name}_pair_is_new"),
                EntityRead::PairIsNew(other),
                &pair(FeatureUnit::Share),
                (
                    format!("this account never ordered with this {} before", o.en),
                    format!("该账号首次使用该{}下单", o.zh),
                ),
            );
            self.add(
                &format!("{name}_pair_orders_count_all"),
                EntityRead::PairOrders(other),
                &pair(FeatureUnit::Count),
                (
                    format!("earlier orders of this account with this {}", o.en),
                    format!("该账号此前使用该{}的订单数", o.zh),
                ),
            );
            self.add(
                &format!("{name}_pair_age_days"),
                EntityRead::PairDaysSince(other),
                &pair(FeatureUnit::Days),
                (
                    format!("days since this account last ordered with this {}", o.en),
                    format!("该账号上次使用该{}下单距今天数", o.zh),
                ),
            );
        }
    }

    fn ring(&mut self) {
        self.add(
            "age_days",
            EntityRead::AccountAge,
            &shape(FeatureUnit::Days),
            (
                "days since the account was opened or first seen".into(),
                "账号注册或首次出现至今天数".into(),
            ),
        );
        if !RING_KINDS.iter().any(|&kind| self.has(kind)) {
            return;
        }
        let ring =
            |unit, monotone| Shape { unit, monotone, counterpart: Some(EntityKind::Account) };
        self.add(
            "ring_accounts_count_all",
            EntityRead::RingSize,
            &ring(FeatureUnit::Count, Monotone::Free),
            (
                "accounts linked by device, payment or contact".into(),
                "通过设备、支付或联系方式关联的账号数".into(),
            ),
        );
        self.add(
            "ring_orders_count_1d",
            EntityRead::RingOrders,
            &ring(FeatureUnit::Count, Monotone::Free),
            ("orders of linked accounts in the last day".into(), "关联账号近 1 天订单数".into()),
        );
        for (idx, head) in self.schema.label_heads.iter().enumerate() {
            let (en, zh) = words::head(&head.0);
            self.add(
                &format!("ring_known_{head}_share_all"),
                EntityRead::RingKnownBadShare(idx),
                &ring(FeatureUnit::Share, Monotone::Increasing),
                (
                    format!("share of judged orders of linked accounts known as {en}"),
                    format!("关联账号已判定订单中{zh}占比"),
                ),
            );
        }
    }

    fn market(&mut self) {
        let rows = [
            ("stock_units", EntityRead::Stock, FeatureUnit::Count, "units in stock", "库存件数"),
            (
                "price_index",
                EntityRead::PriceIndex,
                FeatureUnit::Ratio,
                "market price against its usual level",
                "市场价与常态价之比",
            ),
            (
                "market_to_paid",
                EntityRead::MarketToPaid,
                FeatureUnit::Ratio,
                "market price against the price paid",
                "市场价与成交价之比",
            ),
            (
                "paid_to_mean",
                EntityRead::PaidToMean,
                FeatureUnit::Ratio,
                "price paid against the mean price so far",
                "成交价与历史均价之比",
            ),
        ];
        for (id, read, unit, en, zh) in rows {
            self.add(id, read, &shape(unit), (en.into(), zh.into()));
        }
    }
}
