//! Rows about a consumer's other accounts, tied to this one by strong evidence.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureUnit, Monotone};
use crate::feature::entity_rows::{Shape, Writer};
use crate::feature::row::{EntityRead, IdentityRead};
use crate::feature::words;

impl Writer<'_> {
    /// How many other accounts the consumer has, how old they are and what they did.
    pub(super) fn identity(&mut self) {
        let has_number = self.has(EntityKind::Phone) || self.has(EntityKind::PaymentInstrument);
        let has_device_at_home = self.has(EntityKind::Device) && self.has(EntityKind::Address);
        if !has_number && !has_device_at_home {
            return;
        }
        let counterpart = Some(EntityKind::Account);
        let accounts = |unit, monotone| Shape { unit, monotone, counterpart };
        self.add(
            "identities_count",
            EntityRead::Identity(IdentityRead::Accounts),
            &accounts(FeatureUnit::Count, Monotone::Free),
            (
                "other accounts of the same consumer, by phone, payment or own device".into(),
                "同一消费者的其他账号数（按手机号、支付工具或自有设备认定）".into(),
            ),
        );
        self.add(
            "identity_age_days",
            EntityRead::Identity(IdentityRead::OldestAge),
            &accounts(FeatureUnit::Days, Monotone::Free),
            (
                "age of the oldest other account of the same consumer".into(),
                "同一消费者其他账号中最早一个的年龄".into(),
            ),
        );
        for (idx, head) in self.schema.label_heads.iter().enumerate() {
            let (en, zh) = words::head(&head.0);
            self.add(
                &format!("identity_known_{head}_share_all"),
                EntityRead::Identity(IdentityRead::KnownBadShare(idx)),
                &accounts(FeatureUnit::Share, Monotone::Increasing),
                (
                    format!(
                        "share of judged orders of the consumer's other accounts known as {en}"
                    ),
                    format!("同一消费者其他账号的已判定订单中{zh}占比"),
                ),
            );
        }
    }
}
