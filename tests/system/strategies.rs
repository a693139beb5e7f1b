//! Strategies of a running server: switched under load, changed by file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::strategy_service_client::StrategyServiceClient;
use tonic::transport::Channel;

use crate::orders;
use crate::server::{Server, orderlens};

const SHIPPED: &str = include_str!("../../config/strategy.toml");
/// Switches from one strategy to the other.
const N_SWITCHES: usize = 1_000;
/// Callers that score orders all the while.
const N_CALLERS: u64 = 4;

/// The shipped strategy under another name, where the ip counts half as much again.
fn bold() -> String {
    let renamed = SHIPPED.replacen("name = \"standard\"", "name = \"bold\"", 1);
    let bold = renamed.replacen("ip = 1.0", "ip = 1.5", 1);
    assert_ne!(renamed, bold);
    bold
}

type Strategies = StrategyServiceClient<Channel>;

/// Proposes and approves a text; its hash.
async fn approved(client: &mut Strategies, strategy_toml: String) -> String {
    let (author, note) = ("wang".to_owned(), String::new());
    let request = v1::ProposeStrategyRequest { strategy_toml, author, note };
    let proposed = client.propose_strategy(request).await.unwrap().into_inner();
    let hash = proposed.strategy.unwrap().hash;
    let (approver, note) = ("lin".to_owned(), String::new());
    let request = v1::ApproveStrategyRequest { hash: hash.clone(), approver, note };
    client.approve_strategy(request).await.unwrap();
    hash
}

async fn activate(client: &mut Strategies, hash: &str) -> v1::ActivateStrategyResponse {
    let operator = "lin".to_owned();
    let request =
        v1::ActivateStrategyRequest { hash: hash.to_owned(), operator, ..Default::default() };
    client.activate_strategy(request).await.unwrap().into_inner()
}

async fn listed(client: &mut Strategies) -> v1::ListStrategiesResponse {
    client.list_strategies(v1::ListStrategiesRequest {}).await.unwrap().into_inner()
}

/// What the answer shows of the strategy that made it: name, and the weight of the ip.
fn traces(decision: &v1::Decision) -> (String, Vec<f64>) {
    let versions = decision.versions.as_ref().unwrap();
    let contributions = decision.risks.iter().flat_map(|risk| &risk.contributions);
    let of_ip = contributions.filter(|it| it.group == i32::from(v1::FeatureGroup::Ip));
    let mut weights: Vec<f64> = of_ip.map(|it| it.weight).collect();
    weights.dedup();
    (versions.strategy.clone(), weights)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_switches_under_load_mix_nothing_and_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mut client = Strategies::connect(server.url.clone()).await.unwrap();
    let standard = listed(&mut client).await.active_hash;
    let bold = approved(&mut client, bold()).await;

    let is_over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..N_CALLERS)
        .map(|_| {
            let (is_over, next, url) = (is_over.clone(), next.clone(), server.url.clone());
            tokio::spawn(async move {
                let mut client = DecisionServiceClient::connect(url).await.unwrap();
                let mut told = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let mut request = orders::request(next.fetch_add(1, Ordering::Relaxed));
                    request.explain_level = v1::ExplainLevel::Full.into();
                    let answer = client.score_order(request).await.unwrap().into_inner();
                    told.push(answer.decision.unwrap());
                }
                told
            })
        })
        .collect();
    for n in 0..N_SWITCHES {
        let wanted = if n % 2 == 0 { &bold } else { &standard };
        let answer = activate(&mut client, wanted).await;
        assert_eq!(answer.active.unwrap().hash, *wanted);
    }
    is_over.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for caller in callers {
        told.extend(caller.await.unwrap());
    }

    let mut n_by_name: BTreeMap<String, usize> = BTreeMap::new();
    for decision in &told {
        let hash = &decision.versions.as_ref().unwrap().strategy_hash;
        let expected = match hash {
            _ if *hash == bold => ("bold", 1.5),
            _ if *hash == standard => ("standard", 1.0),
            _ => panic!("a strategy that nobody activated: {hash}"),
        };
        let (name, weights) = traces(decision);
        assert_eq!((&*name, &*weights), (expected.0, &[expected.1][..]));
        *n_by_name.entry(name).or_default() += 1;
    }
    assert!(n_by_name.len() == 2 && n_by_name.values().all(|n| 50 < *n), "{n_by_name:?}");

    server.kill();
    let server = Server::start(data.path());
    let mut client = Strategies::connect(server.url.clone()).await.unwrap();
    let after = listed(&mut client).await;
    assert_eq!(after.active_hash, standard, "the last switch is lost");
    assert_eq!(after.revert_hash, bold);
    let mut decisions = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
    for decision in &told {
        let key = v1::get_decision_request::Key::DecisionId(decision.decision_id.clone());
        let explain_level = v1::ExplainLevel::Full.into();
        let request = v1::GetDecisionRequest { key: Some(key), explain_level };
        let kept = decisions.get_decision(request).await.unwrap().into_inner();
        assert_eq!(kept.decision.as_ref(), Some(decision));
    }
    server.kill();
    let replay = orderlens().arg("replay").arg("--data").arg(data.path()).output().unwrap();
    let report = String::from_utf8_lossy(&replay.stdout);
    assert!(replay.status.success(), "{report}{}", String::from_utf8_lossy(&replay.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_file_that_changes_judges_and_a_broken_one_does_not() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("strategy.toml");
    std::fs::write(&file, SHIPPED).unwrap();
    let server = Server::start_with(data.path(), &["--strategy", file.to_str().unwrap()]);
    let mut client = Strategies::connect(server.url.clone()).await.unwrap();
    let standard = listed(&mut client).await.active_hash;
    std::fs::write(&file, bold().replacen("margin_share = 0.18", "margin_share = 18", 1)).unwrap();
    let request =
        v1::ValidateStrategyRequest { strategy_toml: std::fs::read_to_string(&file).unwrap() };
    let answer = client.validate_strategy(request).await.unwrap().into_inner();
    assert_eq!((answer.mistakes.len(), &*answer.hash), (1, ""));
    let wrong = &answer.mistakes[0];
    assert!(wrong.message.contains("money.margin_share"), "{wrong:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let part = &text[wrong.start_byte as usize..wrong.end_byte as usize];
    assert_eq!(
        (part, text.lines().nth(wrong.line as usize - 1).unwrap().contains(part)),
        ("18", true)
    );
    // The next look sees a right file; had the broken one been taken, its hash would show.
    std::fs::write(&file, bold()).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    let active = loop {
        let active = listed(&mut client).await.active_hash;
        if active != standard || deadline < Instant::now() {
            break active;
        }
        tokio::task::yield_now().await;
    };
    let request = v1::GetStrategyRequest { hash: active };
    let shown = client.get_strategy(request).await.unwrap().into_inner();
    assert_eq!(shown.strategy_toml, bold());
}
