//! The engine's part for reviews: the queue is made outside the sequencer.

use crate::domain::exploration::ExplorationReport;
use crate::domain::operators::OperatorReport;
use crate::domain::review_queue::{QueueQuery, ReviewQueue};
use crate::domain::review_times::ReviewTimesReport;
use crate::domain::time::Timestamp;
use crate::workflow::command::Command;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::review_service::{ReviewService, queue};

impl ReviewService for Engine {
    async fn get_review_queue(
        &self,
        query: QueueQuery,
        now: Timestamp,
    ) -> Result<ReviewQueue, Error> {
        let (waiting, active, position) = self.ask(|reply| Command::Reviews { reply }).await?;
        self.reached(position).await?;
        block(move || Ok(queue(&waiting, &active.strategy, &query, now))).await
    }

    async fn list_operators(&self) -> Result<Vec<OperatorReport>, Error> {
        let (operators, position) = self.ask(|reply| Command::Operators { reply }).await?;
        self.reached(position).await?;
        Ok(operators)
    }

    async fn review_times(&self) -> Result<Vec<ReviewTimesReport>, Error> {
        let (reports, position) = self.ask(|reply| Command::ReviewTimes { reply }).await?;
        self.reached(position).await?;
        Ok(reports)
    }

    async fn exploration_report(&self) -> Result<ExplorationReport, Error> {
        let (report, position) = self.ask(|reply| Command::Explorations { reply }).await?;
        self.reached(position).await?;
        Ok(report)
    }
}
