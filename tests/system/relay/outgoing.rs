//! Decisions out: tried again, in order, over a kill, given up and raised.

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;

use crate::operations::get;
use crate::orders;
use crate::relay::receiver::Receiver;
use crate::relay::{config, deliveries, environment, json, until};
use crate::replicas::broker::Broker;
use crate::server::Server;

/// Gives up soon, or never.
const SOON: (&str, &str) = ("tries_max = 12 ", "tries_max = 3 ");
const NEVER: (&str, &str) = ("tries_max = 12 ", "tries_max = 1000 ");
pub(super) const QUICK: [(&str, &str); 2] = [
    ("first_pause_ms = 500", "first_pause_ms = 20"),
    ("longest_pause_ms = 60000", "longest_pause_ms = 100"),
];

fn sink(url: &str) -> String {
    format!(
        "[deliveries.sinks.shop]\nurl = \"{url}\"\nsecret_variable = \"HOOK_SECRET\"\n\
         kinds = [\"decision\"]\n"
    )
}

fn start(dir: &Path, file: &Path) -> Server {
    let arguments = ["--config", file.to_str().unwrap()];
    Server::start_in(&dir.join("data"), &arguments, &environment())
}

/// Has orders judged; the ids of the decisions.
fn score(server: &Server, numbers: std::ops::Range<u64>) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
        let mut ids = Vec::new();
        for n in numbers {
            let answer = client.score_order(orders::request(n)).await.unwrap().into_inner();
            ids.push(answer.decision.unwrap().decision_id);
        }
        ids
    })
}

fn ids(receiver: &Receiver) -> Vec<String> {
    let taken = receiver.taken();
    taken.iter().map(|it| it.body["data"]["decision_id"].as_str().unwrap().to_owned()).collect()
}

fn set_up(dir: &Path, tries: (&str, &str)) -> (Receiver, PathBuf) {
    let receiver = Receiver::open();
    let file = config(dir, &[tries, QUICK[0], QUICK[1]], &sink(&receiver.url));
    (receiver, file)
}

#[test]
fn every_decision_is_told_in_order_again_after_failures_and_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, file) = set_up(dir.path(), NEVER);
    let server = start(dir.path(), &file);
    receiver.answer(&[503, 429]);
    let mut made = score(&server, 0..5);
    until("five deliveries", || (ids(&receiver).len() == 5).then_some(()));
    assert_eq!(ids(&receiver), made);
    let requests = receiver.received();
    assert_eq!(requests.len(), 7, "two tries failed");
    assert!(requests[..3].iter().all(|it| it.id == requests[0].id), "tries have one id");
    let first = &requests[2].body;
    assert_eq!(
        (first["type"].as_str(), &first["id"]),
        (Some("decision.made"), &requests[0].id.clone().into())
    );
    assert!(first["data"]["position"].is_u64() && first["data"]["versions"]["model"].is_string());
    let text = first.to_string();
    assert!(!text.contains("synthetic-account") && !text.contains("192.0.2."), "{text}");

    // Judged while the receiver is away; killed before anything of it was told.
    receiver.always(Some(500));
    made.extend(score(&server, 5..8));
    until("a try", || (7 < receiver.received().len()).then_some(()));
    server.kill();
    receiver.always(None);
    let server = start(dir.path(), &file);
    let told = || {
        let mut told = ids(&receiver);
        let mut seen = std::collections::BTreeSet::new();
        told.retain(|id| seen.insert(id.clone()));
        (told.len() == 8).then_some(told)
    };
    assert_eq!(until("the rest after the kill", told), made);
    for it in receiver.received() {
        let decision = it.body["data"]["decision_id"].as_str().unwrap().to_owned();
        assert_eq!(it.id, format!("decision-{decision}"), "told again under the same id");
    }
    server.stop();
}

#[test]
fn what_is_given_up_is_listed_and_can_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, file) = set_up(dir.path(), SOON);
    let server = start(dir.path(), &file);
    receiver.always(Some(500));
    let made = score(&server, 0..2);
    let dead = |n: u64| {
        let line = format!("orderlens_deliveries_dead{{sink=\"shop\"}} {n}.0");
        until("the number of dead letters", || {
            get(&server, "/metrics").1.contains(&line).then_some(())
        });
    };
    dead(2);
    let listed = json(&deliveries(&["list", "--json"], dir.path(), &file));
    let letters = listed[0]["dead"].as_array().unwrap();
    assert_eq!(letters.len(), 2, "{listed}");
    assert_eq!((&letters[0]["fault"], &letters[0]["n_tries"]), (&"answered 500".into(), &3.into()));
    assert!(deliveries(&["list"], dir.path(), &file).contains("2 given up"));
    // Nobody else waits for it: the next one is told.
    receiver.always(None);
    let next = score(&server, 2..3);
    until("the next one", || (ids(&receiver) == next).then_some(()));
    let id = letters[1]["letter"]["id"].as_str().unwrap();
    deliveries(&["retry", "shop", id], dir.path(), &file);
    until("the second one", || (ids(&receiver).len() == 2).then_some(()));
    dead(1);
    deliveries(&["retry", "shop"], dir.path(), &file);
    until("the first one", || (ids(&receiver).len() == 3).then_some(()));
    dead(0);
    let expected = [next[0].clone(), made[1].clone(), made[0].clone()];
    assert_eq!(ids(&receiver), expected);
    server.stop();
}

#[test]
fn a_broker_is_told_once_even_if_it_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Broker::start();
    let sink = "[deliveries.sinks.bus]\nurl_variable = \"BUS_URL\"\nstream = \"NOTICES\"\n\
        subject = \"orderlens.notices\"\nkinds = [\"decision\"]\n";
    let changes = [NEVER, QUICK[0], QUICK[1]];
    let file = config(dir.path(), &changes, sink);
    let arguments = ["--config", file.to_str().unwrap()];
    let server =
        Server::start_in(&dir.path().join("data"), &arguments, &[("BUS_URL", broker.url())]);
    let mut made = score(&server, 0..3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = |n| runtime.block_on(messages(&broker.url(), n));
    assert_eq!(told(3), made);
    broker.kill();
    made.extend(score(&server, 3..5));
    broker.restart();
    assert_eq!(runtime.block_on(messages(&broker.url(), 5)), made);
    server.stop();
}

/// Ids of decisions in the first messages of the stream; waits for that many.
async fn messages(url: &str, n: usize) -> Vec<String> {
    let client = async_nats::connect(url).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let since = std::time::Instant::now();
    let stream = loop {
        let found = context.get_stream("NOTICES").await;
        if let Ok(mut stream) = found
            && n as u64 <= stream.info().await.unwrap().state.messages
        {
            break stream;
        }
        assert!(since.elapsed() < crate::relay::PATIENCE, "the broker was told {n} things");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let config = async_nats::jetstream::consumer::pull::OrderedConfig::default();
    let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let ids = messages.take(n).map(|message| {
        let message = message.unwrap();
        assert_eq!(&*message.subject, "orderlens.notices.decision");
        let body = json(str::from_utf8(&message.payload).unwrap());
        body["data"]["decision_id"].as_str().unwrap().to_owned()
    });
    ids.collect().await
}
