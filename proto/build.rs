//! Generates the protobuf code and the descriptor set that reflection serves.

use std::path::PathBuf;
use std::{env, error::Error, fs};

use protox::prost::Message as _;

const FILES: [&str; 9] = [
    "orderlens/v1/common.proto",
    "orderlens/v1/order.proto",
    "orderlens/v1/event.proto",
    "orderlens/v1/feedback.proto",
    "orderlens/v1/decision.proto",
    "orderlens/v1/decision_service.proto",
    "orderlens/v1/event_service.proto",
    "orderlens/v1/feedback_service.proto",
    "orderlens/journal/v1/record.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out_dir.join("orderlens.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .btree_map(".")
        .extern_path(".google.rpc.Status", "::tonic_types::pb::Status")
        .compile_fds(descriptors)?;
    Ok(())
}
