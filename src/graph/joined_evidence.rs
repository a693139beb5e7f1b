//! Evidence of joined accounts: rings, consumers, cohorts, buyers of a SKU.

use petgraph::algo::astar;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::graph::evidence::{CANDIDATES_MAX, COUNTERPARTS_MAX, EvidenceWant, Surroundings};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{NodeIdx, RING_KINDS};
use crate::graph::settings::COHORT_ACCOUNTS_MAX;
use crate::graph::shared_things::Joined;

impl Surroundings<'_> {
    /// Members of the account's ring, each by the shortest way through shared entities.
    pub(super) fn show_ring(&mut self, account: NodeIdx, want: &EvidenceWant) {
        let Some(past) = self.history(account) else { return };
        let members = past.ring();
        let mut targets: Vec<(u64, &EntityRef, NodeIdx)> = Vec::with_capacity(members.len());
        for &member in members.iter().filter(|&&member| member != account) {
            let n_bad = self.history(member).map_or(0, |past| past.n_bad());
            let Some(entity) = self.graph.entity(member) else { continue };
            targets.push((u64::MAX - n_bad, entity, member));
        }
        targets.sort_unstable();
        for &member in members.iter().take(CANDIDATES_MAX) {
            let Some(past) = self.history(member) else { continue };
            for kind in RING_KINDS {
                for shared in past.recent(kind, Window::Ever, COUNTERPARTS_MAX) {
                    self.connect(member, shared, kind);
                }
            }
        }
        self.is_truncated |= COUNTERPARTS_MAX < targets.len();
        for (_, _, member) in targets.into_iter().take(COUNTERPARTS_MAX) {
            self.add_path(account, member, &want.feature);
        }
    }

    /// The consumer's other accounts, and the strong things that each shares with the
    /// account of the order, which may be new.
    pub(super) fn show_identity(&mut self, want: &EvidenceWant) {
        let Some(account) = self.order.entity(EntityKind::Account) else { return };
        let own = self.graph.find(account);
        let links = self.graph.identity_links(account, Some(self.order), self.as_of);
        self.is_truncated |= COUNTERPARTS_MAX < links.len();
        for link in links.into_iter().take(COUNTERPARTS_MAX) {
            for &entity in link.shared.iter().flat_map(|shared| &shared.entities) {
                let Some(kind) = self.graph.entity(entity).map(|it| it.kind) else { continue };
                for holder in own.into_iter().chain([link.account]) {
                    self.connect(holder, entity, kind);
                    self.tell(holder, entity, &want.feature);
                }
            }
        }
    }

    /// A member that no way is found to lies behind links that were left out.
    fn add_path(&mut self, from: NodeIdx, to: NodeIdx, feature: &str) {
        let (from, to) = (self.place(from), self.place(to));
        let path = astar(&self.around, from, |at| at == to, |_| 1_u32, |_| 0);
        let Some((_, path)) = path else {
            self.is_truncated = true;
            return;
        };
        for step in path.windows(2) {
            if let Some(edge) = self.around.find_edge(step[0], step[1]) {
                self.around[edge].features.insert(feature.into());
            }
        }
        self.witness.extend(path);
    }

    /// What joined accounts of the last day before it.
    pub(super) fn show_acquaintances(&mut self, past: &History<'_>, want: &EvidenceWant) {
        let accounts = past.recent(EntityKind::Account, Window::Day, COHORT_ACCOUNTS_MAX);
        self.show_joined(&past.acquaintances(&accounts), want);
    }

    /// Buyers of a SKU who are joined, and what joins them.
    pub(super) fn show_buyers(&mut self, sku: NodeIdx, window: Window, want: &EvidenceWant) {
        let Some(entity) = self.graph.entity(sku) else { return };
        let region = self.order.entity(EntityKind::Region);
        let joined = self.graph.sales(entity, region, self.as_of).joined_buyers(window);
        for account in joined.iter().take(COUNTERPARTS_MAX).flat_map(|it| it.accounts) {
            self.connect(sku, account, EntityKind::Account);
            self.tell(sku, account, &want.feature);
        }
        self.show_joined(&joined, want);
    }

    fn show_joined(&mut self, joined: &[Joined], want: &EvidenceWant) {
        self.is_truncated |= COUNTERPARTS_MAX < joined.len();
        for Joined { thing, accounts } in joined.iter().take(COUNTERPARTS_MAX) {
            let Some(kind) = self.graph.entity(*thing).map(|it| it.kind) else { continue };
            for &account in accounts {
                self.connect(account, *thing, kind);
                self.tell(account, *thing, &want.feature);
            }
        }
    }
}
