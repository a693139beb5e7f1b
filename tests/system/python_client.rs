//! A stock client in another language, made from the published contract alone.

use std::process::Command;

use crate::server::Server;

#[test]
fn a_stock_python_client_scores_streams_records_and_reads_back() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(data.path());
    let output = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/run.sh"))
        .arg(server.url.trim_start_matches("http://"))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains(" passed, 0 failed"), "{said}\n{complained}");
}
