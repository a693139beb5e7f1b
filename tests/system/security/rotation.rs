//! The identity secret is rotated: whoever was known stays known.

use std::path::{Path, PathBuf};

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::graph_service_client::GraphServiceClient;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::orders;
use crate::security::{Show, config, connect, unwrapped};
use crate::server::{Server, orderlens};

const NEW: (&str, &str) = ("NEW_SECRET", "the one of now");
const PREVIOUS: (&str, &str) = ("PREVIOUS_SECRET", "a secret of the tests only");
const WRONG: (&str, &str) = ("PREVIOUS_SECRET", "another one");

/// A service file whose identity section has these lines.
fn service(dir: &Path, lines: &str) -> PathBuf {
    std::fs::create_dir_all(dir).unwrap();
    config(dir, &[("secret_variable = \"ORDERLENS_IDENTITY_SECRET\"", lines)])
}

async fn clients(
    server: &Server,
) -> (DecisionServiceClient<Channel>, GraphServiceClient<InterceptedService<Channel, Show>>) {
    let channel = connect(&server.url).await;
    let graph = InterceptedService::new(channel.clone(), Show(None));
    (DecisionServiceClient::new(channel), GraphServiceClient::new(graph))
}

/// An order of one account on one device, each with another card.
fn request(n: u64) -> pb::ScoreOrderRequest {
    let mut request = orders::request(n);
    for entity in &mut request.order.as_mut().unwrap().entities {
        if entity.kind() != pb::EntityKind::PaymentInstrument {
            entity.id = format!("of-all-{}", entity.kind);
        }
    }
    request
}

async fn score(server: &Server, n: u64) -> (pb::Decision, bool) {
    let answer = clients(server).await.0.score_order(request(n)).await.unwrap().into_inner();
    (answer.decision.unwrap(), answer.replayed)
}

/// The account's pseudonym and its orders, and how many entities there are.
async fn known(server: &Server) -> (String, u64, u64) {
    let (_, mut graph) = clients(server).await;
    let seeds = vec![request(0).order.unwrap().entities.remove(0)];
    let query = pb::GetNeighborhoodRequest { seeds, ..Default::default() };
    let account = graph.get_neighborhood(query).await.unwrap().into_inner().nodes.remove(0);
    let status = graph.get_graph_status(pb::GetGraphStatusRequest {}).await.unwrap().into_inner();
    (account.entity.unwrap().id, account.n_orders, status.n_entities)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_makes_nobody_a_stranger_who_comes_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let [old, both, new] = [
        "secret_variable = \"ORDERLENS_IDENTITY_SECRET\"",
        "secret_variable = \"NEW_SECRET\"\nprevious_secret_variable = \"PREVIOUS_SECRET\"",
        "secret_variable = \"NEW_SECRET\"",
    ]
    .map(|lines| service(&folder.path().join(lines.len().to_string()), lines));
    let start = |config: &Path, variables: &[(&str, &str)]| {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Server::start_in(&data, &["--config", config.to_str().unwrap()], &variables)
    };

    let server = start(&old, &[]);
    let mut firsts = Vec::new();
    for n in 0..4 {
        firsts.push(score(&server, n).await.0);
    }
    let (account, n_orders, n_entities) = known(&server).await;
    assert_eq!(n_orders, 4);
    server.stop();

    // A wrong previous secret, or none, starts nothing and says what to do.
    for (variables, says) in [
        (
            &[NEW, WRONG][..],
            "give PREVIOUS_SECRET the secret that the folder was written with last",
        ),
        (&[NEW], "PREVIOUS_SECRET is not set"),
        (&[PREVIOUS, ("NEW_SECRET", PREVIOUS.1)], "hold the same secret"),
    ] {
        let mut command = orderlens();
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&both);
        command.arg("--data").arg(&data).envs(variables.iter().copied());
        let refused = command.output().unwrap();
        let told = unwrapped(&refused.stderr);
        assert!(!refused.status.success() && told.contains(says), "{told}");
        assert!(!told.contains(NEW.1) && !told.contains(PREVIOUS.1) && !told.contains(WRONG.1));
    }

    // Found before they come, and by the orders that they place; a request has its first answer.
    let server = start(&both, &[NEW, PREVIOUS]);
    assert_eq!(known(&server).await, (account.clone(), 4, n_entities));
    let (again, is_replayed) = score(&server, 2).await;
    assert!(is_replayed && again.decision_id == firsts[2].decision_id, "{again:?}");
    score(&server, 4).await;
    // Another card and another thing sold, and nobody else.
    assert_eq!(known(&server).await, (account.clone(), 5, n_entities + 2));
    // Killed: what was linked is in the journal.
    server.kill();

    let server = start(&new, &[NEW]);
    assert_eq!(known(&server).await, (account.clone(), 5, n_entities + 2));
    let (again, is_replayed) = score(&server, 4).await;
    assert!(is_replayed && again.decision_id != firsts[2].decision_id);
    score(&server, 5).await;
    assert_eq!(known(&server).await.1, 6);
    // The card of the first order never came meanwhile: it is another one from now on.
    let stranger = clients(&server).await.0.score_order(request(0)).await.unwrap_err();
    assert_eq!(stranger.code(), Code::AlreadyExists);
    server.stop();
}
