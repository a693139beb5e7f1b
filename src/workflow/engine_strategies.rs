//! The engine's part for strategies: checks outside, steps in the sequencer.

use crate::domain::query::StrategyChoice;
use crate::domain::strategy_version::{Signature, Signer, StrategyMistake};
use crate::domain::time::Timestamp;
use crate::workflow::command::Command;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::preview::{PREVIEW_RETRY_AFTER, Preview, start_preview};
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use crate::workflow::strategy_service::{CheckedText, StrategyService};

impl Engine {
    /// Takes what the strategy file says now; whether it said something new.
    ///
    /// # Errors
    /// `Invalid` with every mistake of the file; the running strategy stays.
    pub async fn take_strategy_file(&self, toml: &str, now: Timestamp) -> Result<bool, Error> {
        let read = self.past().shelves.strategies.check(toml).map_err(Error::InvalidStrategy)?;
        let before = self.list_strategies().await?;
        let signer = Signer { by: Box::default(), note: Box::default() };
        let after = self.step(StrategyStep::File(read), signer, now).await?;
        Ok(before != after)
    }

    async fn step(
        &self,
        step: StrategyStep,
        signer: Signer,
        at: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        let signature = Signature { by: signer.by, at, note: signer.note };
        let command = |reply| Command::Step { step, signature, reply };
        let (ledger, position) = self.ask(command).await?;
        self.reached(position).await?;
        Ok(ledger)
    }
}

impl StrategyService for Engine {
    fn check_strategy(&self, toml: &str) -> Result<CheckedText, Vec<StrategyMistake>> {
        let read = self.past().shelves.strategies.check(toml)?;
        let strategy = &read.strategy;
        Ok(CheckedText { name: strategy.name.clone(), hash: strategy.hash.clone() })
    }

    async fn list_strategies(&self) -> Result<StrategyLedger, Error> {
        let (ledger, position) = self.ask(|reply| Command::Strategies { reply }).await?;
        self.reached(position).await?;
        Ok(ledger)
    }

    async fn preview_strategy(&self, draft: StrategyChoice, last: u64) -> Result<Preview, Error> {
        let Ok(place) = self.previews.clone().try_acquire_owned() else {
            return Err(Error::Exhausted { retry_after: PREVIEW_RETRY_AFTER });
        };
        let (ledger, past) = (self.list_strategies().await?, self.past().clone());
        let draft = match draft {
            StrategyChoice::Text(toml) => {
                past.shelves.strategies.check(&toml).map_err(Error::InvalidStrategy)?
            }
            StrategyChoice::Known(hash) => {
                let version = ledger.find(&hash)?;
                past.shelves.strategies.read(&version.hash, &version.toml)?
            }
        };
        Ok(start_preview((past, self.active().bundle().clone()), &ledger, draft, last, place))
    }

    async fn propose_strategy(
        &self,
        toml: String,
        author: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        let read = self.past().shelves.strategies.check(&toml).map_err(Error::InvalidStrategy)?;
        self.step(StrategyStep::Propose(read), author, received).await
    }

    async fn approve_strategy(
        &self,
        hash: Box<str>,
        approver: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(StrategyStep::Approve(hash), approver, received).await
    }

    async fn activate_strategy(
        &self,
        hash: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(StrategyStep::Activate { hash, percent }, operator, received).await
    }

    async fn revert_strategy(
        &self,
        operator: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(StrategyStep::Revert, operator, received).await
    }
}
