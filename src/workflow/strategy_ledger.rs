//! Every strategy text the service knows, and which of them judge: a fold.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::record::{Record, StrategyActivated, StrategyApproved, StrategyProposed};
use crate::domain::strategy_version::{Signature, StagedStrategy, StrategyVersion};
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::judge_order::ActiveStrategy;

/// Most strategies that are remembered; of those that do not judge, the one that was proposed
/// or activated longest ago goes first.
pub const STRATEGIES_MAX: usize = 64;
/// Fewest digits of a hash that name a strategy.
const HASH_DIGITS_MIN: usize = 12;

/// The strategies after a prefix of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyLedger {
    /// The one that was proposed or activated last at the end.
    versions: Vec<StrategyVersion>,
    active: Box<str>,
    staged: Option<StagedStrategy>,
    previous: Box<str>,
    file: Box<str>,
}

/// Something that people do with strategies.
#[derive(Clone, Debug)]
pub enum StrategyStep {
    /// The strategy file says this now.
    File(Arc<ActiveStrategy>),
    /// Put a text up for approval.
    Propose(Arc<ActiveStrategy>),
    /// Approve the text with this hash; not by its author.
    Approve(Box<str>),
    /// Let the text with this hash judge a share of the accounts, or all.
    Activate {
        /// The hash, or its first digits.
        hash: Box<str>,
        /// 1 to 100.
        percent: u32,
    },
    /// Take back what was staged, else what was activated last.
    Revert,
}

impl StrategyLedger {
    /// All texts, the one that was proposed or activated last at the end.
    pub fn versions(&self) -> &[StrategyVersion] {
        &self.versions
    }

    /// Hash of the strategy that judges; empty before the first activation.
    pub fn active_hash(&self) -> &str {
        &self.active
    }

    /// The strategy that judges; `None` before the first activation.
    pub fn active(&self) -> Option<&StrategyVersion> {
        self.get(&self.active)
    }

    /// The strategy that is tried beside it, and on how many.
    pub fn staged(&self) -> Option<&StagedStrategy> {
        self.staged.as_ref()
    }

    /// The text with this hash.
    pub fn get(&self, hash: &str) -> Option<&StrategyVersion> {
        self.versions.iter().find(|version| *version.hash == *hash)
    }

    /// What would come back with [`StrategyStep::Revert`].
    pub fn before(&self) -> Option<&StrategyVersion> {
        if self.staged.is_some() { self.active() } else { self.get(&self.previous) }
    }

    /// Folds a record; those about other things change nothing.
    pub fn fold(&mut self, record: &Record) {
        if let Record::StrategyProposed(proposed) = record {
            self.fold_proposed(proposed);
        }
        if let Record::StrategyApproved(approved) = record {
            self.fold_approved(approved);
        }
        if let Record::StrategyActivated(activated) = record {
            self.fold_activated(activated);
        }
    }

    fn fold_proposed(&mut self, proposed: &StrategyProposed) {
        let StrategyProposed { name, hash, toml, signature } = proposed;
        if self.get(hash).is_some() {
            return;
        }
        self.make_room();
        self.versions.push(StrategyVersion {
            name: name.clone(),
            hash: hash.clone(),
            toml: toml.clone(),
            proposed: Some(signature.clone()),
            approved: None,
            activated: None,
        });
    }

    fn fold_approved(&mut self, approved: &StrategyApproved) {
        let StrategyApproved { hash, signature } = approved;
        if let Some(version) = self.versions.iter_mut().find(|version| version.hash == *hash) {
            version.approved = Some(signature.clone());
        }
    }

    fn fold_activated(&mut self, activated: &StrategyActivated) {
        let StrategyActivated { name, hash, toml, signature, staged_percent } = activated;
        let place = self.versions.iter().position(|version| version.hash == *hash);
        let known = place.map(|place| self.versions.remove(place));
        self.make_room();
        self.versions.push(StrategyVersion {
            name: name.clone(),
            hash: hash.clone(),
            toml: toml.clone(),
            activated: Some(signature.clone()),
            proposed: known.as_ref().and_then(|it| it.proposed.clone()),
            approved: known.and_then(|it| it.approved),
        });
        if signature.by.is_empty() {
            self.file = hash.clone();
        }
        if let Some(percent) = *staged_percent {
            self.staged = Some(StagedStrategy { hash: hash.clone(), percent });
            return;
        }
        self.staged = None;
        if self.active != *hash {
            self.previous = std::mem::replace(&mut self.active, hash.clone());
        }
    }

    /// The record that a step makes now; `None` when everything is so already.
    ///
    /// # Errors
    /// `NotFound` for a hash that is not known, `Refused` for a step that is not allowed now.
    pub fn record_of(
        &self,
        step: &StrategyStep,
        signature: Signature,
    ) -> Result<Option<Record>, Error> {
        match step {
            StrategyStep::File(active) => Ok(self.file_record(active, signature.at)),
            StrategyStep::Propose(active) => Ok(self.proposal(active, signature)),
            StrategyStep::Approve(hash) => self.approval(hash, signature),
            StrategyStep::Activate { hash, percent } => {
                let version = self.find(hash)?;
                if !version.may_judge() {
                    return Err(refused(
                        "STRATEGY_NOT_APPROVED",
                        "somebody other than its author has to approve it first",
                    ));
                }
                self.activation(version, *percent, signature)
            }
            StrategyStep::Revert => {
                let before = self.before().ok_or_else(|| {
                    refused("NOTHING_TO_REVERT", "no other strategy has judged before")
                })?;
                Ok(Some(activated(before, None, signature)))
            }
        }
    }

    /// A file that says what it said before is no step, even when another strategy was
    /// activated since: the newest word counts.
    fn file_record(&self, active: &ActiveStrategy, at: Timestamp) -> Option<Record> {
        let is_news = self.file != active.strategy.hash || self.active.is_empty();
        is_news.then(|| file_activated(active, at))
    }

    fn proposal(&self, active: &ActiveStrategy, signature: Signature) -> Option<Record> {
        let strategy = &active.strategy;
        let is_news = self.get(&strategy.hash).is_none();
        is_news.then(|| {
            Record::StrategyProposed(StrategyProposed {
                name: strategy.name.clone(),
                hash: strategy.hash.clone(),
                toml: (&*active.toml).into(),
                signature,
            })
        })
    }

    fn approval(&self, hash: &str, by: Signature) -> Result<Option<Record>, Error> {
        let version = self.find(hash)?;
        if version.may_judge() {
            return Ok(None);
        }
        if version.proposed.as_ref().is_some_and(|author| author.by == by.by) {
            return Err(refused(
                "APPROVER_IS_AUTHOR",
                "the author of a strategy cannot approve it; somebody else has to",
            ));
        }
        let hash = version.hash.clone();
        Ok(Some(Record::StrategyApproved(StrategyApproved { hash, signature: by })))
    }

    fn activation(
        &self,
        version: &StrategyVersion,
        percent: u32,
        signature: Signature,
    ) -> Result<Option<Record>, Error> {
        let staged_percent = (percent < 100).then_some(percent);
        let is_active = self.active == version.hash;
        if staged_percent.is_some() && is_active {
            return Err(refused(
                "STRATEGY_IS_ACTIVE",
                "it judges all accounts already; activate the other one to take it back",
            ));
        }
        let is_so = match staged_percent {
            None => is_active && self.staged.is_none(),
            Some(percent) => {
                let wanted = StagedStrategy { hash: version.hash.clone(), percent };
                self.staged.as_ref() == Some(&wanted)
            }
        };
        Ok((!is_so).then(|| activated(version, staged_percent, signature)))
    }

    /// The text whose hash begins so.
    ///
    /// # Errors
    /// `NotFound` when there is none, or fewer than 12 digits are given.
    pub fn find(&self, digits: &str) -> Result<&StrategyVersion, Error> {
        let is_it = |version: &&StrategyVersion| version.hash.starts_with(digits);
        let mut found = self.versions.iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some(version), None) if HASH_DIGITS_MIN <= digits.len() => Ok(version),
            _ => Err(Error::UnknownStrategy(digits.into())),
        }
    }

    fn make_room(&mut self) {
        if self.versions.len() < STRATEGIES_MAX {
            return;
        }
        let staged = self.staged.as_ref().map(|staged| &*staged.hash);
        let is_idle = |version: &StrategyVersion| {
            version.hash != self.active
                && version.hash != self.previous
                && Some(&*version.hash) != staged
        };
        if let Some(oldest) = self.versions.iter().position(is_idle) {
            self.versions.remove(oldest);
        }
    }
}

/// The strategy file judges from here on, whatever did before.
pub fn file_activated(active: &ActiveStrategy, at: Timestamp) -> Record {
    let strategy = &active.strategy;
    Record::StrategyActivated(StrategyActivated {
        name: strategy.name.clone(),
        hash: strategy.hash.clone(),
        toml: (&*active.toml).into(),
        signature: Signature { by: Box::default(), at, note: Box::default() },
        staged_percent: None,
    })
}

fn activated(
    version: &StrategyVersion,
    staged_percent: Option<u32>,
    signature: Signature,
) -> Record {
    Record::StrategyActivated(StrategyActivated {
        name: version.name.clone(),
        hash: version.hash.clone(),
        toml: version.toml.clone(),
        signature,
        staged_percent,
    })
}

fn refused(reason: &'static str, why: &'static str) -> Error {
    Error::Refused { reason, why: why.into() }
}
