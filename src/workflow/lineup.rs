//! Who judges which order: the active strategy, and one tried on a share.

use std::sync::Arc;

use crate::domain::assignment::{draw, unit_of};
use crate::domain::order::Order;
use crate::domain::risk::Probability;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::Judge;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_shelf::StrategyShelf;

/// The judges of a state. Who judges an order depends on its account alone, so all orders of
/// an account meet one strategy for as long as the share stays or grows.
#[derive(Clone, Debug)]
pub struct Lineup {
    active: Judge,
    staged: Option<StagedJudge>,
}

#[derive(Clone, Debug)]
struct StagedJudge {
    judge: Judge,
    share: f64,
}

impl Lineup {
    /// The judges that a ledger names, with the bundle of a judge. The judge's own strategy
    /// judges while the ledger names none.
    ///
    /// # Errors
    /// `Invalid` when a text does not read any more.
    pub fn of(
        judge: &Judge,
        ledger: &StrategyLedger,
        shelf: &StrategyShelf,
    ) -> Result<Self, Error> {
        let with = |hash: &str| match ledger.get(hash) {
            Some(version) => {
                Ok(Some(judge.with_strategy(shelf.read(&version.hash, &version.toml)?)))
            }
            None => Ok::<_, Error>(None),
        };
        let active = with(ledger.active_hash())?.unwrap_or_else(|| judge.clone());
        let Some(staged) = ledger.staged() else { return Ok(Self { active, staged: None }) };
        let Some(tried) = with(&staged.hash)? else { return Ok(Self { active, staged: None }) };
        let share = f64::from(staged.percent) / 100.0;
        let chance = Probability::clamped;
        Ok(Self {
            active: active.assigned_with(chance(1.0 - share)),
            staged: Some(StagedJudge { judge: tried.assigned_with(chance(share)), share }),
        })
    }

    /// Who judges the orders that the staged strategy does not.
    pub fn active(&self) -> &Judge {
        &self.active
    }

    /// Who judges an order.
    pub fn judge(&self, order: &Order) -> &Judge {
        match &self.staged {
            Some(staged) if draw(staged.salt(), &unit_of(order)) < staged.share => &staged.judge,
            Some(_) | None => &self.active,
        }
    }

    /// The same judges compared with other orders.
    #[must_use]
    pub fn with_explainer(&self, explainer: Option<&Arc<Explainer>>) -> Self {
        let compared = |judge: &Judge| judge.with_explainer(explainer.cloned());
        let staged = self
            .staged
            .as_ref()
            .map(|staged| StagedJudge { judge: compared(&staged.judge), share: staged.share });
        Self { active: compared(&self.active), staged }
    }
}

impl StagedJudge {
    /// The hash of what is tried: a larger share of it keeps the accounts of the smaller one.
    fn salt(&self) -> &str {
        &self.judge.strategy().strategy.hash
    }
}
