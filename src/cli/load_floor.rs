//! The no-op server of `orderlens bench`: what the transport alone costs.

use std::io::Read as _;

use futures_util::StreamExt as _;
use miette::IntoDiagnostic as _;
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::codegen::BoxStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::cli::output::say;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::decision_service_server::{DecisionService, DecisionServiceServer};

struct NoOp(pb::ScoreOrderResponse);

/// Answers every order with the same decision, whose bytes come by standard input, until killed.
///
/// # Errors
/// When the input is no answer, or no port can be had.
pub fn run() -> miette::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).into_diagnostic()?;
    let answer = pb::ScoreOrderResponse::decode(&*bytes).into_diagnostic()?;
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.into_diagnostic()?;
        say(format!("listening on http://{}", listener.local_addr().into_diagnostic()?));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Server::builder()
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .add_service(DecisionServiceServer::new(NoOp(answer)))
            .serve_with_incoming(incoming)
            .await
            .into_diagnostic()
    })
}

#[async_trait]
impl DecisionService for NoOp {
    type ScoreOrdersStream = BoxStream<pb::ScoreOrdersResponse>;

    async fn score_order(
        &self,
        _: Request<pb::ScoreOrderRequest>,
    ) -> Result<Response<pb::ScoreOrderResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn score_orders(
        &self,
        request: Request<Streaming<pb::ScoreOrdersRequest>>,
    ) -> Result<Response<Self::ScoreOrdersStream>, Status> {
        let answer = self.0.clone();
        let answers = request.into_inner().map(move |item| {
            let result = pb::score_orders_response::Result::Response(answer.clone());
            Ok(pb::ScoreOrdersResponse { item_id: item?.item_id, result: Some(result) })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_decision(
        &self,
        _: Request<pb::GetDecisionRequest>,
    ) -> Result<Response<pb::GetDecisionResponse>, Status> {
        Err(Status::unimplemented("a no-op server only scores"))
    }

    async fn list_decisions(
        &self,
        _: Request<pb::ListDecisionsRequest>,
    ) -> Result<Response<pb::ListDecisionsResponse>, Status> {
        Err(Status::unimplemented("a no-op server only scores"))
    }

    async fn what_if(
        &self,
        _: Request<pb::WhatIfRequest>,
    ) -> Result<Response<pb::WhatIfResponse>, Status> {
        Err(Status::unimplemented("a no-op server only scores"))
    }

    async fn replay_decision(
        &self,
        _: Request<pb::ReplayDecisionRequest>,
    ) -> Result<Response<pb::ReplayDecisionResponse>, Status> {
        Err(Status::unimplemented("a no-op server only scores"))
    }
}
