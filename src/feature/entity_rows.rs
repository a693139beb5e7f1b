//! Rows about the past of the order's entities, generated from the schema.
//!
//! Order of rows: kinds in catalog order; per kind volume, amounts, recency,
//! verdicts, counterparts, and what only some kinds have.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{CatalogSchema, FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
use crate::domain::head::HeadId;
use crate::domain::text::Text;
use crate::feature::entity_reads::NEWEST_VERDICTS;
use crate::feature::row::{AmountRead, EntityRead, Fold, LabelRead, Read, Row};
use crate::feature::words;
use crate::graph::history::Window;

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
        writer.cohort();
        writer.steps();
        if kind == EntityKind::Account {
            writer.pairs();
            writer.ring();
            writer.identity();
        }
        if kind == EntityKind::Sku {
            writer.market();
        }
    }
    rows
}

/// Writes the rows of one kind.
pub(super) struct Writer<'a> {
    pub(super) schema: &'a CatalogSchema,
    pub(super) kind: EntityKind,
    rows: &'a mut Vec<Row>,
}

/// What differs from row to row besides its read.
pub(super) struct Shape {
    pub(super) unit: FeatureUnit,
    pub(super) monotone: Monotone,
    pub(super) counterpart: Option<EntityKind>,
}

/// A row of any direction about no counterpart.
pub(super) const fn shape(unit: FeatureUnit) -> Shape {
    Shape { unit, monotone: Monotone::Free, counterpart: None }
}

impl Writer<'_> {
    /// True when the source has entities of a kind.
    pub(super) fn has(&self, kind: EntityKind) -> bool {
        self.schema.kinds.contains(&kind)
    }

    /// Adds a row; a SKU row becomes two, the largest and the mean over the basket.
    pub(super) fn add(
        &mut self,
        id: &str,
        read: EntityRead,
        shape: &Shape,
        text: (String, String),
    ) {
        let kind = self.kind;
        let is_network = matches!(
            read,
            EntityRead::RingSize
                | EntityRead::RingOrders
                | EntityRead::RingKnownBadShare(_)
                | EntityRead::Identity(_)
                | EntityRead::Cohort(_)
        );
        let spec = |id: String, text: Text| FeatureSpec {
            id: id.into(),
            group: if is_network { FeatureGroup::Network } else { words::group(kind) },
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
                EntityRead::Amount(AmountRead::ToMean(window)),
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
                EntityRead::Amount(AmountRead::SpendToMean(window)),
                &shape(FeatureUnit::Ratio),
                (
                    format!("amounts {} {} in units of the mean before", of.en_of, w.en),
                    format!("该{}{}金额折合此前均单数", of.zh, w.zh),
                ),
            );
        }
        if matches!(self.kind, EntityKind::Account | EntityKind::PaymentInstrument) {
            self.unusual_amounts();
        }
        self.add(
            "amount_zscore_all",
            EntityRead::Amount(AmountRead::Z),
            &shape(FeatureUnit::ZScore),
            (
                format!("how unusual this amount is {}", of.en_of),
                format!("本单金额相对该{}历史的偏离", of.zh),
            ),
        );
    }

    /// Amounts against the median: one large order does not hide the next.
    fn unusual_amounts(&mut self) {
        let of = words::kind(self.kind);
        self.add(
            "amount_to_median",
            EntityRead::Amount(AmountRead::ToMedian),
            &shape(FeatureUnit::Ratio),
            (
                format!("this amount against the median of the newest orders {}", of.en_of),
                format!("本单金额与该{}近期订单中位数之比", of.zh),
            ),
        );
        for window in [Window::Day, Window::Week, Window::Month] {
            let w = words::window(window);
            self.add(
                &format!("largest_to_median_{}", w.id),
                EntityRead::LargestToMedian(window),
                &shape(FeatureUnit::Ratio),
                (
                    format!("largest amount {} {} against the median", of.en_of, w.en),
                    format!("该{}{}最大订单金额与中位数之比", of.zh, w.zh),
                ),
            );
            self.add(
                &format!("large_amounts_count_{}", w.id),
                EntityRead::LargeAmounts(window),
                &shape(FeatureUnit::Count),
                (
                    format!("orders {} {} far above the median amount", of.en_of, w.en),
                    format!("该{}{}金额远超中位数的订单数", of.zh, w.zh),
                ),
            );
        }
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
        // No direction: the windows are nested. At the same count in 7 days, more in 30 days
        // means that the trouble is older, and an old trouble may well be over.
        for (idx, head) in self.schema.label_heads.iter().enumerate() {
            let (en, zh) = words::head(&head.0);
            for window in DAY_UP {
                let w = words::window(window);
                self.add(
                    &format!("known_{head}_count_{}", w.id),
                    EntityRead::Labels(idx, LabelRead::Bad(window)),
                    &shape(FeatureUnit::Count),
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
                    EntityRead::Labels(idx, LabelRead::BadShare(window)),
                    &shape(FeatureUnit::Share),
                    (
                        format!("share of judged orders {} known as {en} {}", of.en_of, w.en),
                        format!("该{}{}已判定订单中{zh}占比", of.zh, w.zh),
                    ),
                );
            }
            self.add(
                &format!("known_{head}_age_days"),
                EntityRead::Labels(idx, LabelRead::DaysSinceBad),
                &shape(FeatureUnit::Days),
                (
                    format!("days since {en} last became known {}", of.en_of),
                    format!("距该{}上次确认{zh}天数", of.zh),
                ),
            );
            self.newest_verdicts(idx, head);
        }
    }

    /// Whether the trouble goes on: the newest verdicts, and how long it has lasted.
    fn newest_verdicts(&mut self, idx: usize, head: &HeadId) {
        let of = words::kind(self.kind);
        let (en, zh) = words::head(&head.0);
        self.add(
            &format!("known_{head}_newest_share"),
            EntityRead::Labels(idx, LabelRead::NewestBadShare),
            &shape(FeatureUnit::Share),
            (
                format!("share of {en} among the newest {NEWEST_VERDICTS} verdicts {}", of.en_of),
                format!("该{}最近 {NEWEST_VERDICTS} 个判定中{zh}占比", of.zh),
            ),
        );
        self.add(
            &format!("known_{head}_verdicts_since"),
            EntityRead::Labels(idx, LabelRead::SinceBad),
            &shape(FeatureUnit::Count),
            (
                format!("good verdicts {} since {en} last became known", of.en_of),
                format!("该{}上次确认{zh}之后的正常判定数", of.zh),
            ),
        );
        self.add(
            &format!("known_{head}_streak_days"),
            EntityRead::Labels(idx, LabelRead::StreakDays),
            &shape(FeatureUnit::Days),
            (
                format!("days since the newest streak of {en} {} began", of.en_of),
                format!("距该{}最近一轮{zh}开始的天数", of.zh),
            ),
        );
    }
}
