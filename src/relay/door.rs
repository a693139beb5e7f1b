//! `POST /v1/webhooks/{sender}`: signed messages in, 200 once they are durable.

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::LengthLimitError;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::Code;

use crate::console::listener::{Entrance, PageListener};
use crate::grpc::shared::Shared;
use crate::relay::incoming::read;
use crate::relay::sender::{DoorLimits, Sender, Shown};
use crate::relay::signature::{ID, SIGNATURE, TIME};
use crate::wire::error::FieldViolation;
use crate::workflow::event_health::{EventKind, Fate, OTHER, Refusal};
use crate::workflow::service::OrderService;

/// Everything behind the address.
#[derive(Debug)]
pub struct WebhookDoor<S> {
    /// What the doors of gRPC hold as well.
    pub shared: Shared<S>,
    /// Who may send.
    pub senders: Vec<Sender>,
    /// Limits of what is sent.
    pub limits: DoorLimits,
}

/// Serves until `stop`.
///
/// # Errors
/// When the transport fails.
pub async fn serve<S: OrderService>(
    listener: TcpListener,
    entrance: Entrance,
    door: WebhookDoor<S>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router =
        Router::new().route("/v1/webhooks/{sender}", post(receive::<S>)).with_state(Arc::new(door));
    let listener = PageListener::start(listener, entrance)?;
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn receive<S: OrderService>(
    State(door): State<Arc<WebhookDoor<S>>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match door.take(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let now = (door.shared.clock)();
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let shown = Shown { id: header(ID), time: header(TIME), signature: header(SIGNATURE) };
    let sender = door.senders.iter().find(|it| *it.name == name);
    let known = sender.filter(|it| it.has_sent(shown, &body, now, door.limits.tolerance));
    let refused = |source: &str| {
        let fate = Fate::Refused(Refusal::Invalid);
        door.shared.watch.events.hear(source, EventKind::Unreadable, fate, now);
    };
    let Some(sender) = known else {
        refused(OTHER);
        let why = "the sender is not known, or the signature or its time does not fit";
        return answer(StatusCode::UNAUTHORIZED, &error_of("UNAUTHENTICATED", why, &[]));
    };
    let told = match read(&sender.name, shown.id, &body) {
        Ok(told) => told,
        Err(wrong) => {
            refused(&sender.name);
            return answer(StatusCode::BAD_REQUEST, &invalid(&wrong));
        }
    };
    if let Some(kind) = told.beyond(&sender.kinds) {
        refused(&sender.name);
        let why = format!("this sender may not tell `{}`", kind.as_str());
        return answer(StatusCode::FORBIDDEN, &error_of("KIND_NOT_ALLOWED", &why, &[]));
    }
    let wrong = told.violations(door.shared.door());
    if !wrong.is_empty() {
        refused(&sender.name);
        return answer(StatusCode::BAD_REQUEST, &invalid(&wrong));
    }
    let answered = told.tell(&door.shared, sender).await;
    answer(status_of(answered.code), &answered.body)
}

impl<S> WebhookDoor<S> {
    /// The whole body, if it is no longer and takes no longer than it may.
    async fn take(&self, body: Body) -> Result<Bytes, Response> {
        let bytes_max = self.limits.body_bytes_max;
        match timeout(self.limits.body_within, to_bytes(body, bytes_max)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(failed)) => {
                let is_long = failed.source().is_some_and(<dyn Error>::is::<LengthLimitError>);
                let why = format!("the body does not end within {bytes_max} bytes");
                let code =
                    if is_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
                Err(answer(code, &error_of("BODY_INVALID", &why, &[])))
            }
            Err(_) => {
                let why = "the body does not come in in time";
                Err(answer(StatusCode::REQUEST_TIMEOUT, &error_of("BODY_SLOW", why, &[])))
            }
        }
    }
}

/// A message that breaks the contract.
pub(super) fn invalid(wrong: &[FieldViolation]) -> Value {
    error_of("FIELDS_INVALID", "nothing of this message was taken", wrong)
}

/// A refusal of a message.
pub(super) fn error_of(code: &str, message: &str, wrong: &[FieldViolation]) -> Value {
    let fields = wrong.iter().map(|it| json!({ "field": it.field, "description": it.description }));
    let fields: Vec<_> = fields.collect();
    json!({ "error": { "code": code, "message": message, "fields": fields } })
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied | Code::Unauthenticated => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (status, json, body.to_string()).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
