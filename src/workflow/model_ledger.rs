//! Which bundle judged from when on: a fold.

use serde::{Deserialize, Serialize};

use crate::domain::model_version::Deployment;
use crate::domain::record::ModelActivated;
use crate::domain::time::Timestamp;

/// Most deployments that are remembered, the newest; the journal has all of them.
pub const DEPLOYMENTS_MAX: usize = 1_024;

/// Every bundle that judged, in the order of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLedger {
    deployments: Vec<Deployment>,
    /// Hash of the bundle that the last start offered.
    offered: Box<str>,
}

impl ModelLedger {
    /// Folds an activation at a journal position.
    pub fn fold(&mut self, activated: &ModelActivated, position: u64) {
        let ModelActivated { name, hash, signature, report_hash } = activated;
        if signature.by.is_empty() {
            self.offered = hash.clone();
        }
        if self.deployments.len() == DEPLOYMENTS_MAX {
            self.deployments.remove(0);
        }
        self.deployments.push(Deployment {
            name: name.clone(),
            hash: hash.clone(),
            position,
            signature: signature.clone(),
            report_hash: report_hash.clone(),
        });
    }

    /// Every deployment, the one that judges at the end.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// What judges; `None` before the first activation.
    pub fn active(&self) -> Option<&Deployment> {
        self.deployments.last()
    }

    /// Hash of the bundle that judges; empty before the first activation.
    pub fn active_hash(&self) -> &str {
        self.active().map_or("", |active| &active.hash)
    }

    /// The bundle that the last start offered: one that is offered again is no news, so that
    /// what people promoted since then goes on judging.
    pub fn offered_hash(&self) -> &str {
        &self.offered
    }

    /// What a rollback brings back: the newest other bundle that was not rolled back itself.
    pub fn before(&self) -> Option<&Deployment> {
        let mut stack: Vec<&Deployment> = Vec::new();
        for deployment in &self.deployments {
            // Who comes back to a bundle takes back all that came after it.
            if let Some(at) = stack.iter().position(|it| it.hash == deployment.hash) {
                stack.truncate(at);
            }
            stack.push(deployment);
        }
        stack.iter().rev().nth(1).copied()
    }

    /// What judged at an instant; `None` before the first deployment that is remembered.
    pub fn live_at(&self, instant: Timestamp) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|it| it.signature.at <= instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::strategy_version::Signature;

    fn ledger(hashes: &[&str]) -> ModelLedger {
        let mut ledger = ModelLedger::default();
        for (hash, at) in hashes.iter().zip(1..) {
            let by = if at == 1 { "" } else { "wang" };
            let activated = ModelActivated {
                name: format!("risk/{hash}").into(),
                hash: (*hash).into(),
                signature: Signature { by: by.into(), at: Timestamp(at), note: Box::default() },
                report_hash: Box::default(),
            };
            ledger.fold(&activated, u64::try_from(at).unwrap());
        }
        ledger
    }

    #[test]
    fn what_was_live_is_told_for_any_instant() {
        let ledger = ledger(&["a", "b", "a"]);
        let live = |at| ledger.live_at(Timestamp(at)).map(|it| (&*it.hash, it.position));
        let told = [0, 1, 2, 3, 99].map(live);
        assert_eq!(told, [None, Some(("a", 1)), Some(("b", 2)), Some(("a", 3)), Some(("a", 3))]);
    }

    #[test]
    fn a_rollback_goes_back_step_by_step_and_never_forward() {
        let before = |hashes: &[&str]| ledger(hashes).before().map(|it| it.hash.clone());
        assert_eq!(before(&[]), None);
        assert_eq!(before(&["a"]), None);
        assert_eq!(before(&["a", "b", "c"]).as_deref(), Some("b"));
        assert_eq!(before(&["a", "b", "c", "b"]).as_deref(), Some("a"), "c was rolled back");
        assert_eq!(before(&["a", "b", "c", "b", "a"]), None);
        assert_eq!(before(&["a", "a"]), None, "the same again is no step");
    }

    #[test]
    fn what_a_start_offers_is_remembered_beside_what_people_promote() {
        assert_eq!(ledger(&["a", "b"]).offered_hash(), "a");
        assert_eq!(ledger(&["a", "b"]).active_hash(), "b");
    }
}
