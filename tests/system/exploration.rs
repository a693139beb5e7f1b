//! Declined orders released to learn, by a running server and its commands.

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use serde_json::Value;

use crate::orders;
use crate::server::{Server, orderlens};

const SHIPPED: &str = include_str!("../../config/strategy.toml");
/// So much that nothing but a decline pays, and that the limits have room for one release.
const FIXED_LOSS: &str = "loss_fixed_minor = 100000000";
const EXPLORATION: &str = "
[exploration]
enabled = true
rate = 1.0
propensity_min = 1.0
amount_max_minor = 100000000
hour_max_minor = 1000000000
day_max_minor = 1000000000
month_max_minor = 1000000000
";

/// The shipped strategy, afraid of everything and ready to learn.
fn strategy() -> String {
    let (before, after) = SHIPPED.split_once("[exploration]").unwrap();
    let (_, after) = after.split_once("\n\n").unwrap();
    let text = format!("{before}{after}{EXPLORATION}");
    let afraid = |line: &str| {
        let is_loss = line.starts_with("loss_fixed_minor = ");
        if is_loss { FIXED_LOSS.to_owned() } else { line.to_owned() }
    };
    text.lines().map(afraid).collect::<Vec<_>>().join("\n")
}

async fn score(server: &Server, request: v1::ScoreOrderRequest) -> v1::Decision {
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    client.score_order(request).await.unwrap().into_inner().decision.unwrap()
}

/// What the command prints.
fn told(server: &Server, arguments: &[&str]) -> String {
    let mut command = orderlens();
    command.args(["exploration", "--server", &server.url]).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn report(server: &Server) -> Value {
    serde_json::from_str(&told(server, &["--json"])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_to_learn_stays_within_its_limits_over_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("strategy.toml"));
    std::fs::write(&file, strategy()).unwrap();
    let arguments = ["--strategy", file.to_str().unwrap()];
    let server = Server::start_with(&data, &arguments);
    let first = score(&server, orders::request(0)).await;
    let drawn = first.exploration.unwrap();
    assert!(drawn.is_released && drawn.propensity >= 1.0, "{drawn:?}");
    assert!(500_000_000.0 < drawn.at_risk_minor, "five risks: {drawn:?}");
    assert_eq!(first.actions[0].action(), v1::ActionKind::Approve);
    // Another order finds no room; in this hour, or in this day should the hour just end.
    let second = score(&server, orders::request(1)).await;
    let withheld = second.exploration.unwrap();
    let limits = [v1::ExplorationLimit::Hour, v1::ExplorationLimit::Day];
    assert!(limits.contains(&withheld.withheld_by()), "{withheld:?}");
    assert!(!withheld.is_released && withheld.propensity <= 0.0);
    assert_eq!(second.actions[0].action(), v1::ActionKind::Decline);

    let before = report(&server);
    assert_eq!((&before["is_on"], &before["n_released"]), (&true.into(), &1.into()));
    assert_eq!(before["spending"][1]["spent_minor"].as_f64(), Some(drawn.at_risk_minor));
    assert!(told(&server, &[]).contains("1 released"));
    assert!(told(&server, &["--lang", "zh"]).contains("已放行 1 单"));
    server.kill();
    let server = Server::start_with(&data, &arguments);
    assert_eq!(report(&server), before);
    // Another revision of the order is the same order, drawn and paid for already.
    let mut again = orders::request(0);
    again.request_id = "another".to_owned();
    if let Some(key) = again.order.as_mut().and_then(|order| order.key.as_mut()) {
        key.revision = 1;
    }
    assert!(score(&server, again).await.exploration.unwrap().is_released);
    let after = report(&server);
    assert_eq!((&after["n_released"], &after["spending"][2]), (&1.into(), &before["spending"][2]));
}
