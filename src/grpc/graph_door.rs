//! `GraphService`: bounded views of the knowledge graph, and how full it is.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::graph_service_server::GraphService;
use crate::wire::{graph_status, neighborhood};
use crate::workflow::service::OrderService;

/// Serves `orderlens.v1.GraphService`.
#[derive(Debug)]
pub struct GraphDoor<S>(pub Shared<S>);

impl<S> Clone for GraphDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: OrderService> GraphService for GraphDoor<S> {
    async fn get_neighborhood(
        &self,
        request: Request<pb::GetNeighborhoodRequest>,
    ) -> Result<Response<pb::GetNeighborhoodResponse>, Status> {
        let door = self.0.door();
        let query = neighborhood::read(request.into_inner(), door)
            .map_err(|error| status::of_invalid(&error))?;
        let shown = self.0.service.get_neighborhood(query, door.now).await;
        let shown = shown.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(neighborhood::to_pb(&shown.view, shown.position)))
    }

    async fn get_graph_status(
        &self,
        _: Request<pb::GetGraphStatusRequest>,
    ) -> Result<Response<pb::GetGraphStatusResponse>, Status> {
        let read = self.0.service.get_graph_status().await;
        let read = read.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(graph_status::to_pb(&read.status, read.position)))
    }
}
