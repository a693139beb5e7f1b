//! The engine's part for people: reads beside the sequencer.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::closed_case::{ClosedCasePage, ClosedCaseQuery};
use crate::domain::decision::DecisionId;
use crate::domain::decision_short::{DECISIONS_SHORT_MAX, DecisionShort};
use crate::domain::entity::EntityKind;
use crate::domain::query::DecisionKey;
use crate::domain::time::Timestamp;
use crate::store::disk_use::bytes_in;
use crate::store::error::Error as StoreError;
use crate::workflow::command::Command;
use crate::workflow::dossier_service::{Dossier, DossierService, FeatureSpecs, specs_named};
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::{Error, with_cause};
use crate::workflow::linked_orders::{LinkedOrder, accounts, question, waiting_of};
use crate::workflow::recent_work::RecentWork;
use crate::workflow::service::OrderService as _;
use crate::workflow::start_engine::{JOURNAL_DIR, SNAPSHOTS_DIR};
use crate::workflow::system_status::{DiskUse, NamedHash, SystemStatus};
use crate::workflow::timeline::timeline;

impl DossierService for Engine {
    async fn get_dossier(&self, key: DecisionKey) -> Result<Dossier, Error> {
        let scored = self.find_shown(key).await?;
        let account = scored.request.order.entity(EntityKind::Account).cloned();
        let account = self.named(account.into_iter().collect()).await?.pop();
        // What was acknowledged before now is in it, unless the records lag far behind.
        self.records_caught_up().await?;
        let records = self.records.clone();
        let read = move || {
            let id = scored.decision.decision_id;
            let (choices, outcomes) = (records.choices(id)?, records.outcomes(id)?);
            let told = timeline(&records, &scored, account.as_ref())?;
            let (timeline, is_timeline_truncated) = (told.entries, told.is_truncated);
            Ok(Dossier { scored, choices, outcomes, timeline, is_timeline_truncated })
        };
        block(move || read().map_err(unread)).await
    }

    async fn list_closed_cases(&self, query: ClosedCaseQuery) -> Result<ClosedCasePage, Error> {
        self.records_caught_up().await?;
        let records = self.records.clone();
        block(move || records.closed_cases(&query).map_err(unread)).await
    }

    async fn decisions_in_short(&self, ids: &[DecisionId]) -> Result<Vec<DecisionShort>, Error> {
        let ids: Arc<[DecisionId]> = ids.iter().take(DECISIONS_SHORT_MAX).copied().collect();
        let read = || {
            let (records, ids) = (self.records.clone(), ids.clone());
            block(move || records.decisions_in_short(&ids).map_err(unread))
        };
        let lines = read().await?;
        if lines.len() == ids.len() {
            return Ok(lines);
        }
        // Decisions do not change, so only those that are too new are waited for.
        self.records_caught_up().await?;
        read().await
    }

    async fn linked_waiting(
        &self,
        id: DecisionId,
        now: Timestamp,
    ) -> Result<Vec<LinkedOrder>, Error> {
        let scored = self.find_shown(DecisionKey::Id(id)).await?;
        let Some(query) = question(&scored.request.order) else { return Ok(Vec::new()) };
        let linked = accounts(&self.get_neighborhood(query, now).await?.view);
        let (waiting, _, position) = self.ask(|reply| Command::Reviews { reply }).await?;
        self.reached(position).await?;
        self.records_caught_up().await?;
        let records = self.records.clone();
        block(move || {
            let order = &scored.decision.order;
            waiting_of(&records, &linked, order, &waiting).map_err(unread)
        })
        .await
    }

    fn feature_specs(&self, ids: &BTreeSet<&str>) -> FeatureSpecs {
        specs_named(&self.active().bundle().manifest().features, ids)
    }

    async fn recent_work(&self, n: u32) -> Result<RecentWork, Error> {
        let (work, position) = self.ask(|reply| Command::Work { n, reply }).await?;
        self.reached(position).await?;
        Ok(work)
    }

    async fn get_system_status(&self) -> Result<SystemStatus, Error> {
        let (data_dir, records) = (self.data_dir.clone(), self.records.clone());
        let failure = self.follower.failure();
        let is_away = failure.is_some();
        let sizes = move || {
            Ok(DiskUse {
                journal: bytes_in(&data_dir.join(JOURNAL_DIR), "")?,
                snapshots: bytes_in(&data_dir.join(SNAPSHOTS_DIR), "")?,
                // How the service does must be told above all while a part of it is away.
                records: if is_away { None } else { records.bytes().ok() },
            })
        };
        let data = block(move || sizes().map_err(unread)).await?;
        // The records never lead: looked at first, they do not seem to.
        let records_position = self.follower.position();
        let journal_position = self.durable_position();
        let judge = self.active();
        let (bundle, strategy) = (judge.bundle(), &judge.strategy().strategy);
        Ok(SystemStatus {
            journal_position,
            records_position,
            records_lag: journal_position.saturating_sub(records_position),
            records_failure: failure.map(|error| with_cause(&error)),
            build: judge.build().into(),
            model: NamedHash { name: bundle.full_name(), hash: bundle.hash().into() },
            strategy: NamedHash { name: strategy.name.clone(), hash: strategy.hash.clone() },
            data,
        })
    }
}

fn unread(error: StoreError) -> Error {
    Error::unread("reading what was recorded", error)
}
