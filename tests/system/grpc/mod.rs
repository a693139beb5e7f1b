//! The gRPC door, through a real connection, over an engine in memory.

mod experiments;
mod models;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use orderlens::domain::entity::IdentityKey;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::grpc::entrance::ConnectionLimits;
use orderlens::grpc::gate::KeyRule;
use orderlens::grpc::server::{GrpcSettings, Reflection, serve};
use orderlens::grpc::watch::Watch;
use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::workflow::event_health::{EventBoard, EventObjective};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::fake::{BUSY, Fake, SLOW};

/// 2026-02-16T20:00:00Z.
const NOW: Timestamp = Timestamp(1_771_272_000_000_000);

/// Roomy: what tests of limits need smaller, they say.
const CONNECTIONS: ConnectionLimits = ConnectionLimits {
    connections_max: 64,
    streams_max: 64,
    header_bytes_max: 16_384,
    handshake: Duration::from_secs(5),
    keepalive: Duration::from_secs(30),
};

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

async fn start(in_flight_max: usize) -> Server {
    start_with(in_flight_max, Duration::from_secs(5)).await
}

async fn start_with(in_flight_max: usize, deadline: Duration) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let settings = GrpcSettings {
        in_flight_max,
        deadline,
        message_bytes_max: 64 * 1024,
        stream_items_max: 8,
        reflection: Reflection::Off,
        connections: CONNECTIONS,
        keys: KeyRule::Optional,
        random: || [7; 32],
    };
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(async move {
        let key = IdentityKey::from_secret(b"test");
        let shutdown = async {
            let _ = stopped.await;
        };
        let served =
            serve(listener, Arc::new(Fake::default()), key, || NOW, (settings, watch()), shutdown);
        served.await.expect("the server ends in order");
    });
    Server { address, stop, running }
}

/// Numbers that nobody looks at.
pub(crate) fn watch() -> Watch {
    let objective = EventObjective { delay_max: Span::minutes(5), target: 0.999 };
    let events = Arc::new(EventBoard::new(objective));
    Watch { calls: Arc::default(), events, deliveries: Arc::default(), spans: None }
}

impl Server {
    async fn client(&self) -> DecisionServiceClient<Channel> {
        let url = format!("http://{}", self.address);
        DecisionServiceClient::connect(url).await.expect("the server accepts")
    }
}

fn order(channel: &str, order_id: &str) -> pb::ScoreOrderRequest {
    pb::ScoreOrderRequest {
        event_time: Some(prost_types::Timestamp { seconds: 1_771_272_000, nanos: 0 }),
        order: Some(pb::Order {
            key: Some(pb::OrderKey {
                channel: channel.to_owned(),
                order_id: order_id.to_owned(),
                revision: 0,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn item(channel: &str, item_id: &str) -> pb::ScoreOrdersRequest {
    pb::ScoreOrdersRequest { item_id: item_id.to_owned(), request: Some(order(channel, item_id)) }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[tokio::test]
async fn a_late_answer_is_deadline_exceeded_and_says_so_in_time() {
    // The service's own deadline: a caller's would race with the timer of the test's client.
    let server = start_with(8, Duration::from_millis(100)).await;
    let status = server.client().await.score_order(order(SLOW, "o1")).await.expect_err("too slow");
    assert_eq!((status.code(), &*reason(&status)), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_refused_whatever_their_connection() {
    let server = start(2).await;
    let calls: Vec<_> = futures_util::future::join_all((0..6).map(|n| {
        let server = &server;
        async move {
            let mut client = server.client().await;
            client.score_order(order(SLOW, &n.to_string())).await
        }
    }))
    .await;
    let refused: Vec<_> = calls.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 4);
    for status in refused {
        assert_eq!((status.code(), &*reason(&status)), (Code::ResourceExhausted, "OVERLOADED"));
        assert!(status.get_details_retry_info().is_some());
    }
}

#[tokio::test]
async fn an_engine_that_is_full_tells_when_to_try_again() {
    let server = start(8).await;
    let status = server.client().await.score_order(order(BUSY, "o1")).await.expect_err("full");
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!((status.code(), delay), (Code::ResourceExhausted, Some(Duration::from_millis(20))));
}

#[tokio::test]
async fn a_slow_item_does_not_hold_up_the_stream() {
    let server = start(8).await;
    let items = tokio_stream::iter([item(SLOW, "slow"), item("web", "a"), item("web", "b")]);
    let answers = server.client().await.score_orders(items).await.expect("a stream");
    let mut answers = answers.into_inner();
    let mut order = Vec::new();
    while let Some(answer) = answers.message().await.expect("no error") {
        order.push(answer.item_id);
    }
    assert_eq!(order, ["a", "b", "slow"]);
}

#[tokio::test]
async fn a_message_beyond_the_size_limit_is_refused() {
    let server = start(8).await;
    let mut request = order("web", "o1");
    request.request_id = "x".repeat(100_000);
    let status = server.client().await.score_order(request).await.expect_err("too large");
    assert_eq!(status.code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_stop_finishes_running_calls_and_ends_open_streams() {
    let server = start(8).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let items = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = server.client().await.score_orders(items).await.expect("a stream");
    sender.send(item("web", "a")).await.expect("the stream is open");
    let first = answers.get_mut().message().await.expect("no error");
    assert_eq!(first.map(|answer| answer.item_id).as_deref(), Some("a"));

    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.score_order(order(SLOW, "o1")).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop.send(()).expect("the server runs");
    let status = answers.get_mut().message().await.expect_err("the stream ends");
    assert_eq!((status.code(), &*reason(&status)), (Code::Unavailable, "UNAVAILABLE"));
    assert!(call.await.expect("no panic").is_ok());
    drop((answers, sender));
    tokio::time::timeout(Duration::from_secs(5), server.running)
        .await
        .expect("the server ends soon")
        .expect("without a panic");
}
