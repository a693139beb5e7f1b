//! The queue of reviews of a running server, by the command that asks for it.

use std::process::Output;

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use serde_json::Value;

use crate::orders;
use crate::server::{Server, orderlens};

const SHIPPED: &str = include_str!("../../config/strategy.toml");
/// A rule that wants every order looked at.
const LOOK_AT_ALL: &str = r#"
[rules.look_at_all]
enabled = true
when = 'order.amount >= 0'
priority = 0
force = "review"
tags = []
emit = []
title = { en = "Everything is looked at", zh = "全部人工审核" }
"#;
const N_ORDERS: u64 = 12;

fn ask(server: &Server, arguments: &[&str]) -> Output {
    let mut command = orderlens();
    command.args(["queue", "--json", "--server", &server.url]).args(arguments);
    command.output().unwrap()
}

/// The queue, with half an hour for reviews of six minutes.
fn queue(server: &Server) -> Value {
    let output = ask(server, &["--hours", "0.5", "--placed-within-hours", "8760"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_for_a_review_until_somebody_chooses_and_a_crash_forgets_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("strategy.toml"));
    std::fs::write(&file, format!("{SHIPPED}{LOOK_AT_ALL}")).unwrap();
    let arguments = ["--strategy", file.to_str().unwrap()];
    let server = Server::start_with(&data, &arguments);
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    for n in 0..N_ORDERS {
        client.score_order(orders::request(n)).await.unwrap();
    }
    let listed = queue(&server);
    let waiting = listed["orders"].as_array().unwrap();
    assert_eq!(listed["n_waiting"].as_u64(), Some(N_ORDERS));
    assert_eq!(waiting.len() as u64, N_ORDERS);
    let looked_at = waiting.iter().filter(|order| order["place"] != "waits").count() as u64;
    assert!((4..=5).contains(&looked_at), "{looked_at} in half an hour");
    assert_eq!(listed["n_looked_at"].as_u64(), Some(looked_at));
    // Nobody is without a chance.
    assert!(waiting.iter().all(|order| 0.0 < order["propensity"].as_f64().unwrap()));

    let first = waiting[0]["decision_id"].as_str().unwrap();
    let mut feedback = FeedbackServiceClient::connect(server.url.clone()).await.unwrap();
    let choice = Some(orders::choice(1, first));
    feedback.record_choice(v1::RecordChoiceRequest { choice }).await.unwrap();
    let left = queue(&server);
    assert_eq!(left["n_waiting"].as_u64(), Some(N_ORDERS - 1));
    assert!(left["orders"].as_array().unwrap().iter().all(|order| order["decision_id"] != first));

    server.kill();
    let server = Server::start_with(&data, &arguments);
    assert_eq!(queue(&server), left);
    let refused = ask(&server, &["--max-orders", "5000", "--placed-within-hours", "9999"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    let names_both = told.contains("max_orders") && told.contains("placed_within_hours");
    assert!(!refused.status.success() && names_both, "{told}");
}
