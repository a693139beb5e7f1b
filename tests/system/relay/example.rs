//! The example of docs/sources.md, as it stands there.

use std::io::{Write as _, stderr};
use std::process::Command;

use crate::relay::incoming::{LISTEN, SENDER};
use crate::relay::{SECRET, config, environment, json};
use crate::server::Server;

const PAGE: &str = include_str!("../../../docs/sources.md");
/// What it is run with instead of the page's own.
const ADDRESS: &str = "http://127.0.0.1:50053/v1/webhooks/";
const OTHER_SECRET: &str = "a secret of 24 bytes or more";

fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output();
    found.expect("sh runs").status.success()
}

#[test]
fn the_example_of_the_page_is_taken() {
    if let Some(missing) = ["curl", "openssl"].into_iter().find(|it| !is_there(it)) {
        let is_required = std::env::var_os("ORDERLENS_TEST_SERVICES").is_some();
        assert!(!is_required, "{missing} is not installed");
        writeln!(stderr(), "SKIPPED: {missing} is not installed").unwrap();
        return;
    }
    let (_, rest) = PAGE.split_once("```sh\n").expect("the page has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let dir = tempfile::tempdir().unwrap();
    let file = config(dir.path(), &[LISTEN], SENDER);
    let arguments = ["--config", file.to_str().unwrap()];
    let server = Server::start_in(&dir.path().join("data"), &arguments, &environment());
    assert!(example.contains(ADDRESS) && example.contains(OTHER_SECRET), "{example}");
    let script = example.replace(ADDRESS, &server.webhooks).replace(OTHER_SECRET, SECRET);
    let mut shell = Command::new("sh");
    let output = shell.args(["-euc", &script]).output().expect("sh runs");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    let said = json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(said["events"][0]["status"], "accepted", "{said} {complained}");
}
