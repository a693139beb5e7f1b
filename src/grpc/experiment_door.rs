//! `ExperimentService`: strategies and models, compared on real orders.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::attribution::signed;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::error::Error as WireError;
use crate::wire::experiment;
use crate::wire::experiment_report::report_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::experiment_service_server::ExperimentService;
use crate::workflow::error::Error;
use crate::workflow::experiment_service::ExperimentService as Service;

/// Serves `orderlens.v1.ExperimentService`.
#[derive(Debug)]
pub struct ExperimentDoor<S>(pub Shared<S>);

impl<S> Clone for ExperimentDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: Service> ExperimentService for ExperimentDoor<S> {
    async fn start_experiment(
        &self,
        request: Request<pb::StartExperimentRequest>,
    ) -> Result<Response<pb::StartExperimentResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let (draft, operator) = read(experiment::read_start(request, door))?;
        let started = done(self.0.service.start_experiment(draft, operator, door.now).await)?;
        Ok(Response::new(pb::StartExperimentResponse {
            plan: Some(experiment::plan_to_pb(&started.plan)),
            replayed: started.is_replayed,
        }))
    }

    async fn ramp_experiment(
        &self,
        request: Request<pb::RampExperimentRequest>,
    ) -> Result<Response<pb::RampExperimentResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let wanted = read(experiment::read_ramp(request, door))?;
        let experiment::Ramp { id, percent, operator } = wanted;
        let ramped = self.0.service.ramp_experiment(id, percent, operator, door.now).await;
        let experiment = Some(experiment::summary_to_pb(&done(ramped)?));
        Ok(Response::new(pb::RampExperimentResponse { experiment }))
    }

    async fn stop_experiment(
        &self,
        request: Request<pb::StopExperimentRequest>,
    ) -> Result<Response<pb::StopExperimentResponse>, Status> {
        let door = self.0.door();
        let request = signed(request, "operator", |it| &mut it.operator)?;
        let wanted = read(experiment::read_stop(request, door))?;
        let experiment::Stop { id, ending, operator } = wanted;
        let stopped = self.0.service.end_experiment(id, ending, operator, door.now).await;
        let experiment = Some(experiment::summary_to_pb(&done(stopped)?));
        Ok(Response::new(pb::StopExperimentResponse { experiment }))
    }

    async fn get_experiment_report(
        &self,
        request: Request<pb::GetExperimentReportRequest>,
    ) -> Result<Response<pb::GetExperimentReportResponse>, Status> {
        let (id, at) = read(experiment::read_report(request.into_inner(), self.0.door()))?;
        let report = done(self.0.service.report_experiment(id, at).await)?;
        let report = Some(report_to_pb(&report));
        Ok(Response::new(pb::GetExperimentReportResponse { report }))
    }

    async fn list_experiments(
        &self,
        _: Request<pb::ListExperimentsRequest>,
    ) -> Result<Response<pb::ListExperimentsResponse>, Status> {
        let listed = done(self.0.service.list_experiments().await)?;
        let experiments = listed.iter().rev().map(experiment::summary_to_pb).collect();
        Ok(Response::new(pb::ListExperimentsResponse { experiments }))
    }
}

fn read<T>(read: Result<T, WireError>) -> Result<T, Status> {
    read.map_err(|error| status::of_invalid(&error))
}

fn done<T>(done: Result<T, Error>) -> Result<T, Status> {
    done.map_err(|error| status::of_error(&error))
}
