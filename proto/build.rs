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
const INTERNAL: [&str; 2] =
    ["orderlens/journal/v1/record.proto", "orderlens/journal/v1/recorded_order.proto"];

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by variables")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let contract = protox::compile(CONTRACT, ["proto"])?;
    fs::write(out_dir.join("orderlens.v1.bin"), contract.encode_to_vec())?;
    tonic_prost_build::configure()
        .btree_map(".")
        .extern_path(".google.rpc.Status", "::tonic_types::pb::Status")
        .compile_fds(protox::compile([&CONTRACT[..], &INTERNAL].concat(), ["proto"])?)?;
    Ok(())
}
