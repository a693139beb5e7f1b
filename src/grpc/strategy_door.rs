//! `StrategyService`: versions of the strategy, and which of them judge.

use futures_util::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, async_trait};

use crate::domain::strategy_version::StrategyVersion;
use crate::grpc::attribution::signed;
use crate::grpc::decision_door::end_of_stream;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::error::Error as WireError;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::strategy_service_server::StrategyService;
use crate::wire::{preview, strategy};
use crate::workflow::backtest::run::Progress;
use crate::workflow::error::Error;
use crate::workflow::preview::PreviewItem;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_service::StrategyService as Service;

/// Serves `orderlens.v1.StrategyService`.
#[derive(Debug)]
pub struct StrategyDoor<S>(pub Shared<S>);

impl<S> Clone for StrategyDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: Service> StrategyService for StrategyDoor<S> {
    async fn validate_strategy(
        &self,
        request: Request<pb::ValidateStrategyRequest>,
    ) -> Result<Response<pb::ValidateStrategyResponse>, Status> {
        let toml = read(strategy::read_validate(request.into_inner(), self.0.door()))?;
        let response = match self.0.service.check_strategy(&toml) {
            Ok(checked) => pb::ValidateStrategyResponse {
                name: checked.name.into(),
                hash: checked.hash.into(),
                mistakes: Vec::new(),
            },
            Err(mistakes) => pb::ValidateStrategyResponse {
                mistakes: mistakes.iter().map(strategy::mistake_to_pb).collect(),
                ..pb::ValidateStrategyResponse::default()
            },
        };
        Ok(Response::new(response))
    }

    async fn propose_strategy(
        &self,
        request: Request<pb::ProposeStrategyRequest>,
    ) -> Result<Response<pb::ProposeStrategyResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "author", |it| &mut it.author)?;
        let (toml, author) = read(strategy::read_propose(request, door))?;
        let service = &self.0.service;
        // Known texts have a hash, so a text that reads is found again by it.
        let hash = service.check_strategy(&toml).map(|checked| checked.hash).unwrap_or_default();
        let ledger = done(service.propose_strategy(toml, author, door.now).await)?;
        let strategy = ledger.get(&hash).map(strategy::version_to_pb);
        Ok(Response::new(pb::ProposeStrategyResponse { strategy }))
    }

    async fn approve_strategy(
        &self,
        request: Request<pb::ApproveStrategyRequest>,
    ) -> Result<Response<pb::ApproveStrategyResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "approver", |it| &mut it.approver)?;
        let (hash, approver) = read(strategy::read_approve(request, door))?;
        let ledger = done(self.0.service.approve_strategy(hash.clone(), approver, door.now).await)?;
        let strategy = Some(strategy::version_to_pb(found(&ledger, &hash)?));
        Ok(Response::new(pb::ApproveStrategyResponse { strategy }))
    }

    async fn activate_strategy(
        &self,
        request: Request<pb::ActivateStrategyRequest>,
    ) -> Result<Response<pb::ActivateStrategyResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let wanted = read(strategy::read_activate(request, door))?;
        let strategy::Activation { hash, percent, operator } = wanted;
        let service = &self.0.service;
        let ledger = done(service.activate_strategy(hash, percent, operator, door.now).await)?;
        Ok(Response::new(pb::ActivateStrategyResponse {
            active: ledger.active().map(strategy::version_to_pb),
            staged: ledger.staged().map(strategy::staged_to_pb),
        }))
    }

    async fn revert_strategy(
        &self,
        request: Request<pb::RevertStrategyRequest>,
    ) -> Result<Response<pb::RevertStrategyResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let operator = read(strategy::read_revert(request, door))?;
        let ledger = done(self.0.service.revert_strategy(operator, door.now).await)?;
        let active = ledger.active().map(strategy::version_to_pb);
        Ok(Response::new(pb::RevertStrategyResponse { active }))
    }

    async fn list_strategies(
        &self,
        _: Request<pb::ListStrategiesRequest>,
    ) -> Result<Response<pb::ListStrategiesResponse>, Status> {
        let ledger = done(self.0.service.list_strategies().await)?;
        let versions = ledger.versions().iter().rev();
        Ok(Response::new(pb::ListStrategiesResponse {
            strategies: versions.map(strategy::version_to_pb).collect(),
            active_hash: ledger.active_hash().to_owned(),
            staged: ledger.staged().map(strategy::staged_to_pb),
            revert_hash: ledger.before().map(|it| it.hash.to_string()).unwrap_or_default(),
        }))
    }

    async fn get_strategy(
        &self,
        request: Request<pb::GetStrategyRequest>,
    ) -> Result<Response<pb::GetStrategyResponse>, Status> {
        let hash = request.into_inner().hash;
        let ledger = done(self.0.service.list_strategies().await)?;
        let hash = if hash.is_empty() { ledger.active_hash() } else { &hash };
        let version = found(&ledger, hash)?;
        Ok(Response::new(pb::GetStrategyResponse {
            strategy: Some(strategy::version_to_pb(version)),
            strategy_toml: version.toml.to_string(),
        }))
    }

    type PreviewStrategyStream = BoxStream<pb::PreviewStrategyResponse>;

    async fn preview_strategy(
        &self,
        request: Request<pb::PreviewStrategyRequest>,
    ) -> Result<Response<Self::PreviewStrategyStream>, Status> {
        let (draft, last) = read(preview::read_preview(request.into_inner(), self.0.door()))?;
        let items = done(self.0.service.preview_strategy(draft, last).await)?;
        let stopping = self.0.stopping.clone();
        let items = ReceiverStream::new(items)
            .take_until(stopping.clone().cancelled_owned())
            .map(|item| done(item).map(item_to_pb))
            .chain(end_of_stream(stopping));
        Ok(Response::new(Box::pin(items)))
    }
}

fn item_to_pb(item: PreviewItem) -> pb::PreviewStrategyResponse {
    use pb::preview_strategy_response::Item;
    let item = match item {
        PreviewItem::Progress(Progress { records, of, orders }) => {
            Item::Progress(pb::PreviewProgress { records, records_total: of, orders })
        }
        PreviewItem::Report(report) => Item::Report(preview::report_to_pb(&report)),
    };
    pb::PreviewStrategyResponse { item: Some(item) }
}

fn read<T>(read: Result<T, WireError>) -> Result<T, Status> {
    read.map_err(|error| status::of_invalid(&error))
}

fn done<T>(done: Result<T, Error>) -> Result<T, Status> {
    done.map_err(|error| status::of_error(&error))
}

fn found<'l>(ledger: &'l StrategyLedger, hash: &str) -> Result<&'l StrategyVersion, Status> {
    ledger.find(hash).map_err(|error| status::of_error(&error))
}
