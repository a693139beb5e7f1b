//! Calls and items of streams, under the names of go-grpc.

use std::fmt;

use crate::grpc::call_counts::MethodReport;
use crate::grpc::call_names::{CallKind, ItemStream};
use crate::telemetry::page::{Family, Labels, Page, family};

const STARTED: Family = family("grpc_server_started", "Calls that began.");
const HANDLED: Family = family("grpc_server_handled", "Calls that ended, by code.");
const RECEIVED: Family = family("grpc_server_msg_received", "Messages from callers.");
const SENT: Family = family("grpc_server_msg_sent", "Messages to callers.");
const ITEMS: Family =
    family("orderlens_stream_items", "Items of streams that were answered, by code.");

/// Labels of a method.
pub(super) fn labels(method: &MethodReport) -> Labels<'_> {
    vec![
        ("grpc_type", method.kind.as_str().into()),
        ("grpc_service", (&*method.service).into()),
        ("grpc_method", (&*method.method).into()),
    ]
}

/// Writes what became of calls.
pub(super) fn write(
    page: &mut Page<'_>,
    methods: &[MethodReport],
    items: &[(ItemStream, &'static str, u64)],
) -> fmt::Result {
    page.counters(STARTED, methods.iter().map(|it| (labels(it), it.started)))?;
    let handled = methods.iter().flat_map(|it| {
        it.handled.iter().map(move |(code, n)| {
            let mut labels = labels(it);
            labels.push(("grpc_code", (*code).into()));
            (labels, *n)
        })
    });
    page.counters(HANDLED, handled)?;
    let streams = || methods.iter().filter(|it| it.kind != CallKind::Unary);
    page.counters(RECEIVED, streams().map(|it| (labels(it), it.received)))?;
    page.counters(SENT, streams().map(|it| (labels(it), it.sent)))?;
    let items = items.iter().map(|(stream, code, n)| {
        let method = stream.as_str().into();
        (vec![("grpc_method", method), ("grpc_code", (*code).into())], *n)
    });
    page.counters(ITEMS, items)
}
