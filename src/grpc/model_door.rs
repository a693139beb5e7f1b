//! `ModelService`: which bundle judges, and which one did when.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::attribution::signed;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::model;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::model_service_server::ModelService;
use crate::workflow::error::Error;
use crate::workflow::model_service::ModelService as Service;

/// Serves `orderlens.v1.ModelService`.
#[derive(Debug)]
pub struct ModelDoor<S>(pub Shared<S>);

impl<S> Clone for ModelDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: Service> ModelService for ModelDoor<S> {
    async fn list_models(
        &self,
        _: Request<pb::ListModelsRequest>,
    ) -> Result<Response<pb::ListModelsResponse>, Status> {
        let ledger = done(self.0.service.list_models().await)?;
        let deployments = ledger.deployments().iter().rev();
        Ok(Response::new(pb::ListModelsResponse {
            deployments: deployments.map(model::deployment_to_pb).collect(),
            rollback: ledger.before().map(model::deployment_to_pb),
        }))
    }

    async fn promote_model(
        &self,
        request: Request<pb::PromoteModelRequest>,
    ) -> Result<Response<pb::PromoteModelResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let wanted = model::read_promote(request, door);
        let wanted = wanted.map_err(|error| status::of_invalid(&error))?;
        let model::Promotion { model, report_hash, operator } = wanted;
        let service = &self.0.service;
        let ledger = done(service.promote_model(model, report_hash, operator, door.now).await)?;
        let active = ledger.active().map(model::deployment_to_pb);
        Ok(Response::new(pb::PromoteModelResponse { active }))
    }

    async fn rollback_model(
        &self,
        request: Request<pb::RollbackModelRequest>,
    ) -> Result<Response<pb::RollbackModelResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let wanted = model::read_rollback(request, door);
        let (expected, operator) = wanted.map_err(|error| status::of_invalid(&error))?;
        let ledger = done(self.0.service.roll_back_model(expected, operator, door.now).await)?;
        let active = ledger.active().map(model::deployment_to_pb);
        Ok(Response::new(pb::RollbackModelResponse { active }))
    }

    async fn get_model_live_at(
        &self,
        request: Request<pb::GetModelLiveAtRequest>,
    ) -> Result<Response<pb::GetModelLiveAtResponse>, Status> {
        let wanted = model::read_live_at(request.into_inner(), self.0.door());
        let at = wanted.map_err(|error| status::of_invalid(&error))?;
        let ledger = done(self.0.service.list_models().await)?;
        let live = done(ledger.live_at(at).ok_or(Error::NothingLive(at)))?;
        let live = Some(model::deployment_to_pb(live));
        Ok(Response::new(pb::GetModelLiveAtResponse { live }))
    }
}

fn done<T>(done: Result<T, Error>) -> Result<T, Status> {
    done.map_err(|error| status::of_error(&error))
}
