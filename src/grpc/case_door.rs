//! `CaseService`: what followed from what was done.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::wire::case::{case_to_pb, read_case};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::case_service_server::CaseService;
use crate::wire::similar::{read_similar, similar_to_pb};
use crate::workflow::case_service::CaseService as Service;

/// Serves `orderlens.v1.CaseService`.
#[derive(Debug)]
pub struct CaseDoor<S>(pub Shared<S>);

impl<S> Clone for CaseDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: Service> CaseService for CaseDoor<S> {
    async fn get_case(
        &self,
        request: Request<pb::GetCaseRequest>,
    ) -> Result<Response<pb::GetCaseResponse>, Status> {
        let door = self.0.door();
        let key =
            read_case(request.into_inner(), door).map_err(|error| status::of_invalid(&error))?;
        let case = self.0.service.get_case(key, door.now).await;
        let case = case.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(pb::GetCaseResponse { case: Some(case_to_pb(&case)) }))
    }

    async fn find_similar_cases(
        &self,
        request: Request<pb::FindSimilarCasesRequest>,
    ) -> Result<Response<pb::FindSimilarCasesResponse>, Status> {
        let door = self.0.door();
        let query =
            read_similar(request.into_inner(), door).map_err(|error| status::of_invalid(&error))?;
        let similar = self.0.service.find_similar_cases(query, door.now).await;
        let similar = similar.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(similar_to_pb(&similar)))
    }
}
