//! Generates the protobuf code and the descriptor set that reflection serves.

use std::path::PathBuf;
use std::{env, error::Error, fs};

use protox::prost::Message as _;

/// The published contract; the services import the rest of it.
const CONTRACT: [&str; 10] = [
    "orderlens/v1/access_service.proto",
    "orderlens/v1/case_service.proto",
    "orderlens/v1/decision_service.proto",
    "orderlens/v1/event_service.proto",
    "orderlens/v1/experiment_service.proto",
    "orderlens/v1/feedback_service.proto",
    "orderlens/v1/graph_service.proto",
    "orderlens/v1/model_service.proto",
    "orderlens/v1/review_service.proto",
    "orderlens/v1/strategy_service.proto",
];
/// What only this program reads.
const INTERNAL: [&str; 4] = [
    "orderlens/journal/v1/folded_order.proto",
    "orderlens/journal/v1/record.proto",
    "orderlens/journal/v1/recorded_order.proto",
    "orderlens/journal/v1/stream.proto",
];

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by variables")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let contract = protox::compile(CONTRACT, ["proto"])?;
    fs::write(out_dir.join("orderlens.v1.bin"), contract.encode_to_vec())?;
    answered_decision_service();
    tonic_prost_build::configure()
        .btree_map(".")
        .extern_path(".google.rpc.Status", "::tonic_types::pb::Status")
        .compile_fds(protox::compile([&CONTRACT[..], &INTERNAL].concat(), ["proto"])?)?;
    Ok(())
}

/// The decision service once more, with answers to scored orders that are bytes already:
/// what the service implements. Callers and stand-ins of tests use the one of messages.
fn answered_decision_service() {
    use tonic_build::manual::{Builder, Method, Service};
    let method = |name: &str, route: &str, answer: &str, codec: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::wire::pb::v1::{route}Request"))
            .output_type(answer)
            .codec_path(codec)
    };
    let plain = |name: &str, route: &str| {
        let answer = format!("crate::wire::pb::v1::{route}Response");
        method(name, route, &answer, "tonic_prost::ProstCodec").build()
    };
    let scored = |name: &str, route: &str| {
        method(name, route, "crate::wire::answer::Answer", "crate::wire::answer::AnswerCodec")
    };
    let service = Service::builder()
        .name("DecisionService")
        .package("orderlens.v1")
        .method(scored("score_order", "ScoreOrder").build())
        .method(scored("score_orders", "ScoreOrders").client_streaming().server_streaming().build())
        .method(plain("get_decision", "GetDecision"))
        .method(plain("list_decisions", "ListDecisions"))
        .method(plain("what_if", "WhatIf"))
        .method(plain("replay_decision", "ReplayDecision"))
        .build();
    Builder::new().build_client(false).compile(&[service]);
}
