//! Spans of calls for an `OpenTelemetry` collector, over OTLP by gRPC.
//!
//! Where and how is for the environment to say (`OTEL_EXPORTER_OTLP_ENDPOINT`,
//! `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` …), as its specification wants it.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::grpc::spans::{CallSpan, ParentSpan, SpanSink};

/// Name of what measures.
const SCOPE: &str = "orderlens";

/// Sends calls as spans; dropping it sends those that wait.
#[derive(Debug)]
pub struct OtelSpans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl OtelSpans {
    /// Sends to the collector that the environment names, as this service, from a thread of its
    /// own.
    ///
    /// # Errors
    /// When the address is none.
    pub fn to_collector(service: String) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder().with_tonic().build()?;
        Ok(Self::to(exporter, service))
    }

    fn to(exporter: SpanExporter, service: String) -> Self {
        let resource = Resource::builder().with_service_name(service);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        let tracer = provider.tracer(SCOPE);
        Self { provider, tracer }
    }
}

impl Drop for OtelSpans {
    fn drop(&mut self) {
        // A collector that is gone has told the log; the service ends all the same.
        let _ = self.provider.shutdown();
    }
}

impl SpanSink for OtelSpans {
    fn ended(&self, call: &CallSpan) {
        let micros = u64::try_from(call.ended.0).unwrap_or(0);
        let ended = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let mut at = ended - call.took;
        let parent = call.parent.as_ref().and_then(context).unwrap_or_default();
        let (service, method) = call.name.split_once('/').unwrap_or_default();
        let mut attributes = vec![
            KeyValue::new("rpc.system", "grpc"),
            KeyValue::new("rpc.service", service.to_owned()),
            KeyValue::new("rpc.method", method.to_owned()),
            KeyValue::new("rpc.grpc.status", call.code),
        ];
        let decision_id = call.scored.as_ref().map(|scored| scored.decision_id.to_string());
        attributes.extend(decision_id.map(|id| KeyValue::new("orderlens.decision_id", id)));
        let builder = self.tracer.span_builder(call.name.clone()).with_kind(SpanKind::Server);
        let builder = builder.with_start_time(at).with_attributes(attributes);
        let mut span = builder.start_with_context(&self.tracer, &parent);
        if ["Internal", "Unavailable", "DeadlineExceeded", "Unknown", "DataLoss"]
            .contains(&call.code)
        {
            span.set_status(Status::error(call.code));
        }
        let inside = parent.with_remote_span_context(span.span_context().clone());
        // How long each stage took was measured, when the call waited was not: the stages are
        // drawn from its start, one after the other, and what is left at the end is waiting.
        let stages = call.scored.iter().flat_map(|scored| &scored.stages);
        for (name, nanos) in stages {
            let until = at + Duration::from_nanos(*nanos);
            let stage = self.tracer.span_builder(*name).with_start_time(at);
            stage.start_with_context(&self.tracer, &inside).end_with_timestamp(until);
            at = until;
        }
        span.end_with_timestamp(ended);
    }
}

/// The caller's span, as the parent of ours.
fn context(parent: &ParentSpan) -> Option<Context> {
    let trace_id = TraceId::from_hex(&parent.trace_id).ok()?;
    let span_id = SpanId::from_hex(&parent.span_id).ok()?;
    let flags = if parent.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let remote = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
    Some(Context::new().with_remote_span_context(remote))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use std::task::{Context as Task, Poll};

    use http_body_util::{BodyExt as _, Full};
    use opentelemetry_otlp::WithExportConfig as _;
    use tokio::net::TcpListener;
    use tonic::body::Body;
    use tonic::codegen::{BoxFuture, Bytes, Service, http};
    use tonic::server::NamedService;
    use tonic::transport::Server;
    use tonic::transport::server::TcpIncoming;
    use uuid::Uuid;

    use super::*;
    use crate::domain::decision::DecisionId;
    use crate::domain::time::Timestamp;
    use crate::grpc::spans::ScoredCall;

    /// A collector that keeps the bytes it gets.
    #[derive(Clone, Default)]
    struct Collector(Arc<Mutex<Vec<u8>>>);

    impl NamedService for Collector {
        const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
    }

    impl Service<http::Request<Body>> for Collector {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            let kept = self.0.clone();
            Box::pin(async move {
                let bytes = request.into_body().collect().await.unwrap().to_bytes();
                kept.lock().unwrap().extend(bytes);
                let mut trailers = http::HeaderMap::new();
                trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
                // An empty message, then the status.
                let body = Full::new(Bytes::from_static(&[0; 5]));
                let body = body.with_trailers(async { Some(Ok::<_, Infallible>(trailers)) });
                let answer = http::Response::builder().header("content-type", "application/grpc");
                Ok(answer.body(Body::new(body)).unwrap())
            })
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_collector_gets_the_call_with_its_stages_in_the_trace_of_the_caller() {
        let collector = Collector::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = Server::builder().add_service(collector.clone());
        tokio::spawn(serving.serve_with_incoming(TcpIncoming::from(listener)));
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        let spans = OtelSpans::to(exporter.build().unwrap(), "tests".to_owned());
        let call = CallSpan {
            name: "orderlens.v1.DecisionService/ScoreOrder".to_owned(),
            ended: Timestamp(1_771_272_000_000_000),
            took: Duration::from_millis(2),
            code: "OK",
            parent: Some(ParentSpan {
                trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
                span_id: "b7ad6b7169203331".into(),
                is_sampled: true,
            }),
            scored: Some(ScoredCall {
                decision_id: DecisionId(Uuid::nil()),
                stages: [("features", 40_000), ("model", 9_000)].into(),
            }),
        };
        spans.ended(&call);
        let unsampled = call.parent.clone().map(|it| ParentSpan { is_sampled: false, ..it });
        spans.ended(&CallSpan { name: "a/Unsampled".to_owned(), parent: unsampled, ..call });
        tokio::task::spawn_blocking(move || drop(spans)).await.unwrap();
        let bytes = collector.0.lock().unwrap().clone();
        let n_of = |part: &[u8]| bytes.windows(part.len()).filter(|it| *it == part).count();
        let trace = u128::from_str_radix("0af7651916cd43dd8448eb211c80319c", 16).unwrap();
        // The call and two stages, all of one trace; the call below its caller.
        assert_eq!(n_of(&trace.to_be_bytes()), 3);
        assert_eq!(n_of(&0xb7ad_6b71_6920_3331_u64.to_be_bytes()), 1);
        assert_eq!((n_of(b"features"), n_of(b"model"), n_of(b"Unsampled")), (1, 1, 0));
        assert_eq!(n_of(Uuid::nil().to_string().as_bytes()), 1);
    }
}
