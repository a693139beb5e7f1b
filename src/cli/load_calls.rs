//! The callers of `orderlens bench`: each asks again when it has its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

use crate::cli::load_orders::OrderSource;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;

/// How orders are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One call per order.
    Unary,
    /// One stream per connection.
    Stream,
    /// One call per order, at a given rate.
    Paced,
}

/// How much to send.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Orders in flight, over all connections.
    pub in_flight: u32,
    /// No order is sent after this time.
    pub time: Duration,
    /// No more orders than these are sent.
    pub count: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Time from request to answer of each order, nanoseconds.
    pub nanos: Vec<u64>,
    /// Orders refused or failed.
    pub errors: u64,
    /// The first of those errors.
    pub first_error: Option<String>,
    /// From the first request to the last answer.
    pub seconds: f64,
}

/// What the callers of one measurement share.
#[derive(Clone)]
struct Run {
    orders: OrderSource,
    sent: Arc<AtomicU64>,
    count: u64,
    end: Instant,
}

impl Mode {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::Stream => "stream",
            Self::Paced => "unary, at half the peak",
        }
    }
}

impl Run {
    fn new(orders: &OrderSource, plan: Plan) -> Self {
        Self {
            orders: orders.clone(),
            sent: Arc::default(),
            count: plan.count,
            end: Instant::now() + plan.time,
        }
    }

    /// The next order, unless time or count are used up.
    fn next(&self) -> Option<pb::ScoreOrderRequest> {
        let is_over =
            self.end <= Instant::now() || self.count <= self.sent.fetch_add(1, Ordering::Relaxed);
        if is_over { None } else { self.orders.next() }
    }
}

impl Measured {
    fn answered(&mut self, asked: Instant) {
        self.nanos.push(u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }

    fn failed(&mut self, error: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(error);
    }

    async fn of(mut callers: JoinSet<Self>, start: Instant) -> Self {
        let mut all = Self::default();
        while let Some(done) = callers.join_next().await {
            match done {
                Ok(one) => {
                    all.nanos.extend(one.nanos);
                    all.errors += one.errors;
                    all.first_error = all.first_error.or(one.first_error);
                }
                Err(error) => all.failed(|| error.to_string()),
            }
        }
        all.seconds = start.elapsed().as_secs_f64();
        all
    }
}

/// One call per order, `in_flight` callers spread over the connections.
pub async fn run_unary(channels: &[Channel], orders: &OrderSource, plan: Plan) -> Measured {
    let run = Run::new(orders, plan);
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for channel in channels.iter().cycle().take(plan.in_flight as usize) {
        callers.spawn(call(DecisionServiceClient::new(channel.clone()), run.clone()));
    }
    Measured::of(callers, start).await
}

async fn call(mut client: DecisionServiceClient<Channel>, run: Run) -> Measured {
    let mut measured = Measured::default();
    while let Some(request) = run.next() {
        let asked = Instant::now();
        match client.score_order(request).await {
            Ok(_) => measured.answered(asked),
            Err(status) => measured.failed(|| status.to_string()),
        }
    }
    measured
}

/// One call per order, at a rate, whether answers come or not: what waits is counted too.
pub async fn run_at_rate(
    channels: &[Channel],
    orders: &OrderSource,
    plan: Plan,
    per_second: f64,
) -> Measured {
    let run = Run::new(orders, plan);
    let start = Instant::now();
    let mut callers = JoinSet::new();
    let clients: Vec<_> = channels.iter().cloned().map(DecisionServiceClient::new).collect();
    let mut turns = clients.into_iter().cycle();
    for n in 0_u32.. {
        let due = start + Duration::from_secs_f64(f64::from(n) / per_second.max(1.0));
        tokio::time::sleep_until(due.into()).await;
        let (Some(request), Some(mut client)) = (run.next(), turns.next()) else { break };
        callers.spawn(async move {
            let mut measured = Measured::default();
            match client.score_order(request).await {
                // From when it was due: a late start is waiting as well.
                Ok(_) => measured.answered(due),
                Err(status) => measured.failed(|| status.to_string()),
            }
            measured
        });
    }
    Measured::of(callers, start).await
}

/// One stream per connection, `in_flight` orders spread over them.
pub async fn run_streams(channels: &[Channel], orders: &OrderSource, plan: Plan) -> Measured {
    let run = Run::new(orders, plan);
    let start = Instant::now();
    let mut callers = JoinSet::new();
    let n_slots = (plan.in_flight as usize).div_ceil(channels.len());
    for channel in channels {
        let client = DecisionServiceClient::new(channel.clone());
        let run = run.clone();
        callers.spawn(async move {
            let mut measured = Measured::default();
            if let Err(status) = converse(client, &run, n_slots, &mut measured).await {
                measured.failed(|| status.to_string());
            }
            measured
        });
    }
    Measured::of(callers, start).await
}

async fn converse(
    mut client: DecisionServiceClient<Channel>,
    run: &Run,
    n_slots: usize,
    measured: &mut Measured,
) -> Result<(), Status> {
    let (sender, items) = mpsc::channel(n_slots);
    let mut asked = vec![Instant::now(); n_slots];
    let mut in_flight = 0;
    // The queue holds as many items as there are slots, so sending never waits.
    let send = |slot: usize, asked: &mut Vec<Instant>| {
        let Some(request) = run.next() else { return 0 };
        asked[slot] = Instant::now();
        let item = pb::ScoreOrdersRequest { item_id: slot.to_string(), request: Some(request) };
        usize::from(sender.try_send(item).is_ok())
    };
    for slot in 0..n_slots {
        in_flight += send(slot, &mut asked);
    }
    let mut answers = client.score_orders(ReceiverStream::new(items)).await?.into_inner();
    while 0 < in_flight {
        let Some(answer) = answers.message().await? else { break };
        in_flight -= 1;
        let slot: usize = answer.item_id.parse().unwrap_or_default();
        match answer.result {
            Some(pb::score_orders_response::Result::Error(error)) => {
                measured.failed(|| error.message);
            }
            Some(pb::score_orders_response::Result::Response(_)) | None => {
                measured.answered(asked[slot]);
            }
        }
        in_flight += send(slot, &mut asked);
    }
    Ok(())
}
