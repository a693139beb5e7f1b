//! `ReviewService`: which orders to look at first, and what looking showed.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::exploration::exploration_report_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::review_service_server::ReviewService;
use crate::wire::review_queue::{operators_to_pb, queue_to_pb, read_queue};
use crate::workflow::review_service::ReviewService as Service;

/// Serves `orderlens.v1.ReviewService`.
#[derive(Debug)]
pub struct ReviewDoor<S>(pub Shared<S>);

impl<S> Clone for ReviewDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: Service> ReviewService for ReviewDoor<S> {
    async fn get_review_queue(
        &self,
        request: Request<pb::GetReviewQueueRequest>,
    ) -> Result<Response<pb::GetReviewQueueResponse>, Status> {
        let door = self.0.door();
        let query =
            read_queue(&request.into_inner(), door).map_err(|error| status::of_invalid(&error))?;
        let queue = self.0.service.get_review_queue(query, door.now).await;
        let queue = queue.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(queue_to_pb(&queue)))
    }

    async fn list_operators(
        &self,
        _: Request<pb::ListOperatorsRequest>,
    ) -> Result<Response<pb::ListOperatorsResponse>, Status> {
        let operators = self.0.service.list_operators().await;
        let operators = operators.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(operators_to_pb(&operators)))
    }

    async fn get_exploration_report(
        &self,
        _: Request<pb::GetExplorationReportRequest>,
    ) -> Result<Response<pb::GetExplorationReportResponse>, Status> {
        let report = self.0.service.exploration_report().await;
        let report = report.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(exploration_report_to_pb(&report)))
    }
}
