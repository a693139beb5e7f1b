//! Rows that tell a family from a gang: what the accounts of a place share.
//!
//! No row has a direction. Under one head a cohort of old, known accounts is honest,
//! under another it is what thieves of accounts look like.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureUnit, Monotone};
use crate::feature::entity_rows::{Shape, Writer};
use crate::feature::row::{CohortRead, EntityRead};
use crate::feature::words;

/// What a family brings one of per member, and a gang shares or piles up.
const OWNED_KINDS: [EntityKind; 4] =
    [EntityKind::Device, EntityKind::Address, EntityKind::Phone, EntityKind::PaymentInstrument];

impl Writer<'_> {
    /// The cohort behind a network, a device or a delivery address.
    pub(super) fn cohort(&mut self) {
        let is_place =
            matches!(self.kind, EntityKind::Ip | EntityKind::Device | EntityKind::Address);
        if !is_place || !self.has(EntityKind::Account) {
            return;
        }
        self.cohort_accounts();
        for kind in OWNED_KINDS {
            if kind != self.kind && self.has(kind) {
                self.cohort_owned(kind);
            }
        }
        self.cohort_purchases();
    }

    fn cohort_accounts(&mut self) {
        let (of, share) = (words::kind(self.kind), FeatureUnit::Share);
        let (en, zh) = (of.en_of, of.zh);
        let accounts = format!("accounts ordering {en} in the last day");
        let share_of = format!("share of the {accounts}");
        let account = EntityKind::Account;
        self.add_cohort(
            ("account_age_median", CohortRead::AgeMedian, FeatureUnit::Days, account),
            (format!("median age of the {accounts}"), format!("该{zh}近 1 天下单账号的年龄中位数")),
        );
        self.add_cohort(
            ("settled_share", CohortRead::SettledShare, share, account),
            (
                format!("{share_of} that are at least 30 days old"),
                format!("该{zh}近 1 天下单账号中注册满 30 天的占比"),
            ),
        );
        self.add_cohort(
            ("customers_share", CohortRead::CustomerShare, share, account),
            (
                format!("{share_of} that had ordered before"),
                format!("该{zh}近 1 天下单账号中此前下过单的占比"),
            ),
        );
        self.add_cohort(
            ("acquainted_share", CohortRead::AcquaintedShare, share, account),
            (
                format!("{share_of} that had used it before or were already linked to each other"),
                format!("该{zh}近 1 天下单账号中早已用过它或彼此早有关联的占比"),
            ),
        );
        self.add_cohort(
            ("signup_burst_share", CohortRead::SignupBurstShare, share, account),
            (
                format!("largest share of the {accounts} that were opened within 6 hours"),
                format!("该{zh}近 1 天下单账号中在 6 小时内集中注册的最大占比"),
            ),
        );
        if self.has(EntityKind::Address) {
            self.add_cohort(
                ("new_address_share", CohortRead::NewAddressShare, share, account),
                (
                    format!(
                        "share of earlier customers among the {accounts} that ship to an address \
                         new to them"
                    ),
                    format!("该{zh}近 1 天下单的老客户中寄往其新地址的占比"),
                ),
            );
        }
    }

    fn cohort_owned(&mut self, kind: EntityKind) {
        let (of, owned) = (words::kind(self.kind), words::kind(kind));
        let name = format!("{}_per_account", owned.id_plural);
        self.add_cohort(
            (&name, CohortRead::PerAccount(kind), FeatureUnit::Number, kind),
            (
                format!("different {} per account {} in the last day", owned.en_plural, of.en_of),
                format!("该{}近 1 天平均每个账号对应的不同{}数", of.zh, owned.zh),
            ),
        );
    }

    fn cohort_purchases(&mut self) {
        let of = words::kind(self.kind);
        let (en, zh) = (of.en_of, of.zh);
        if self.has(EntityKind::Sku) {
            self.add_cohort(
                ("top_sku_share", CohortRead::TopSkuShare, FeatureUnit::Share, EntityKind::Sku),
                (
                    format!("most frequent item's share of the purchases {en} in the last day"),
                    format!("该{zh}近 1 天购买中最集中的一款商品占比"),
                ),
            );
            self.add_cohort(
                ("sku_variety", CohortRead::SkuVariety, FeatureUnit::Share, EntityKind::Sku),
                (
                    format!("chance that two purchases {en} in the last day are different items"),
                    format!("该{zh}近 1 天任取两笔购买为不同商品的概率"),
                ),
            );
        }
        if self.schema.fields.amount {
            let (read, unit) = (CohortRead::AmountSpread, FeatureUnit::Number);
            self.add_cohort(
                ("amount_spread", read, unit, EntityKind::Account),
                (
                    format!("relative spread of the order amounts {en} in the last day"),
                    format!("该{zh}近 1 天订单金额的相对离散程度"),
                ),
            );
        }
    }

    /// Adds `<kind>_cohort_<name>_1d`.
    fn add_cohort(
        &mut self,
        (name, read, unit, counterpart): (&str, CohortRead, FeatureUnit, EntityKind),
        text: (String, String),
    ) {
        let shape = Shape { unit, monotone: Monotone::Free, counterpart: Some(counterpart) };
        self.add(&format!("cohort_{name}_1d"), EntityRead::Cohort(read), &shape, text);
    }
}
