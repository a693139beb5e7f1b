//! What the doors ask about strategies.

use std::future::Future;

use crate::domain::query::StrategyChoice;
use crate::domain::strategy_version::{Signer, StrategyMistake};
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::preview::Preview;
use crate::workflow::strategy_ledger::StrategyLedger;

/// What a strategy text says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedText {
    /// Its name.
    pub name: Box<str>,
    /// BLAKE3 of it, 64 hex digits.
    pub hash: Box<str>,
}

/// Checks, proposes, approves and activates strategies.
///
/// Every step is durable before it is answered, and the answer shows the strategies after it.
/// A step that changes nothing is answered like one that does.
pub trait StrategyService: Send + Sync + 'static {
    /// What a text says; changes nothing.
    ///
    /// # Errors
    /// Every mistake in it.
    fn check_strategy(&self, toml: &str) -> Result<CheckedText, Vec<StrategyMistake>>;

    /// Every strategy that is known, and which judge.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_strategies(&self) -> impl Future<Output = Result<StrategyLedger, Error>> + Send;

    /// Judges so many of the newest recorded orders again under a draft and compares; the
    /// preview ends when its receiver is dropped.
    ///
    /// # Errors
    /// `Invalid` with every mistake of the text, `NotFound`; `Exhausted` while another
    /// preview runs.
    fn preview_strategy(
        &self,
        draft: StrategyChoice,
        last: u64,
    ) -> impl Future<Output = Result<Preview, Error>> + Send;

    /// Puts a text up for approval.
    ///
    /// # Errors
    /// `Invalid` with every mistake of the text.
    fn propose_strategy(
        &self,
        toml: String,
        author: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<StrategyLedger, Error>> + Send;

    /// Approves a text.
    ///
    /// # Errors
    /// `NotFound`; `Refused` when the approver is its author.
    fn approve_strategy(
        &self,
        hash: Box<str>,
        approver: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<StrategyLedger, Error>> + Send;

    /// Lets an approved text judge a percentage of the accounts; 100 is all.
    ///
    /// # Errors
    /// `NotFound`; `Refused` when it is not approved.
    fn activate_strategy(
        &self,
        hash: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<StrategyLedger, Error>> + Send;

    /// Takes back what is staged, else what was activated last.
    ///
    /// # Errors
    /// `Refused` when there is nothing to take back.
    fn revert_strategy(
        &self,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<StrategyLedger, Error>> + Send;
}
