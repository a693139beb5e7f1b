//! Rows about relations: whom an entity met, and what only some kinds have.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureUnit, Monotone};
use crate::domain::order_step::OrderStepKind;
use crate::feature::entity_rows::{Shape, Writer, shape};
use crate::feature::row::EntityRead;
use crate::feature::words;
use crate::graph::history::Window;
use crate::graph::hub::can_be_hub;
use crate::graph::knowledge::{RING_KINDS, has_meetings, has_steps};

impl Writer<'_> {
    /// How many different counterparts, and how many per order.
    pub(super) fn counterparts(&mut self) {
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

    /// Baskets, hubs and fresh accounts behind a shared thing.
    pub(super) fn sharing(&mut self) {
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
        self.hub();
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

    /// How orders ended.
    pub(super) fn steps(&mut self) {
        if !has_steps(self.kind) {
            return;
        }
        let of = words::kind(self.kind);
        let (all, few) = (
            [OrderStepKind::Cancelled, OrderStepKind::Returned, OrderStepKind::Refunded],
            [OrderStepKind::Cancelled, OrderStepKind::Returned],
        );
        let counted = if self.kind == EntityKind::Account { &all[..] } else { &few[..] };
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

    /// Whether the account knows the other entities of the order.
    pub(super) fn pairs(&mut self) {
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

    /// The account's age and the accounts linked to it.
    pub(super) fn ring(&mut self) {
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
}
