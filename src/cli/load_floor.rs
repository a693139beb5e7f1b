//! The no-op server of `orderlens bench`: what the transport alone costs.

use std::net::SocketAddr;
use std::thread;

use futures_util::StreamExt as _;
use miette::IntoDiagnostic as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::codegen::BoxStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::cli::load::url_of;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::decision_service_server::{DecisionService, DecisionServiceServer};

/// A server that answers every order with the same decision; stops when dropped.
#[derive(Debug)]
pub struct Floor {
    address: SocketAddr,
    // Dropping it ends the server.
    _stop: oneshot::Sender<()>,
}

struct NoOp(pb::ScoreOrderResponse);

impl Floor {
    /// Starts one on a free port, with a runtime and threads of its own.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn start(answer: pb::ScoreOrderResponse) -> miette::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().into_diagnostic()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").into_diagnostic()?;
        listener.set_nonblocking(true).into_diagnostic()?;
        let address = listener.local_addr().into_diagnostic()?;
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                let serving = Server::builder()
                    .initial_stream_window_size(1 << 20)
                    .initial_connection_window_size(4 << 20)
                    .add_service(DecisionServiceServer::new(NoOp(answer)))
                    .serve_with_incoming(incoming);
                tokio::select! {
                    _ = serving => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, _stop: stop })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        url_of(self.address)
    }
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
