//! Rows about places that strangers share: how much of one an entity is.

use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureUnit, Monotone};
use crate::feature::entity_rows::{Shape, Writer};
use crate::feature::row::{EntityRead, HubRead};
use crate::feature::words;
use crate::graph::history::Window;

impl Writer<'_> {
    /// Whether many unrelated people share the entity, and what that leaves of its accounts.
    pub(super) fn hub(&mut self) {
        let of = words::kind(self.kind);
        let counterpart = Some(EntityKind::Account);
        let accounts = |unit| Shape { unit, monotone: Monotone::Free, counterpart };
        self.add(
            "is_hub",
            EntityRead::Hub(HubRead::IsHub),
            &accounts(FeatureUnit::Flag),
            (
                format!("this {} is shared by many unrelated accounts", of.en),
                format!("该{}由许多无关账号长期共用", of.zh),
            ),
        );
        self.add(
            "hub_score",
            EntityRead::Hub(HubRead::Score),
            &accounts(FeatureUnit::Share),
            (
                format!("degree to which this {} is one that many strangers share", of.en),
                format!("该{}由众多陌生人长期共用的程度", of.zh),
            ),
        );
        for window in [Window::Hour, Window::Day] {
            let w = words::window(window);
            self.add(
                &format!("accounts_effective_{}", w.id),
                EntityRead::Hub(HubRead::EffectiveAccounts(window)),
                &accounts(FeatureUnit::Number),
                (
                    format!(
                        "different accounts {} {}, counted less the more strangers share it",
                        of.en_of, w.en
                    ),
                    format!("该{}{}关联的不同账号数（共用程度越高折算越少）", of.zh, w.zh),
                ),
            );
        }
    }
}
