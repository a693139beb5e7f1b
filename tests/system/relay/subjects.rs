//! Events off a broker: each once, over kills of both; bad ones put aside.

use std::path::{Path, PathBuf};

use async_nats::jetstream::{self, Context, stream};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::operations::get;
use crate::relay::{config, deliveries, json as read, until};
use crate::replicas::broker::Broker;
use crate::server::Server;

const SOURCE: &str = "[sources.nats.warehouse]\nurl_variable = \"HOUSE_URL\"\nstream = \"HOUSE\"\n\
    subject = \"house.events.>\"\nkinds = [\"order_placed\", \"order_paid\"]\n";
const TIME: &str = "2026-11-01T00:00:00Z";
/// Part of every string that nobody may find again.
const MARK: &str = "zx9subjectmark";

fn start(dir: &Path, file: &Path, broker: &Broker) -> Server {
    let arguments = ["--config", file.to_str().unwrap()];
    Server::start_in(&dir.join("data"), &arguments, &[("HOUSE_URL", broker.url())])
}

async fn sender(broker: &Broker) -> Context {
    let context = jetstream::new(async_nats::connect(broker.url()).await.unwrap());
    let subjects = vec!["house.>".to_owned()];
    let house = stream::Config { name: "HOUSE".to_owned(), subjects, ..Default::default() };
    context.get_or_create_stream(house).await.unwrap();
    context
}

async fn send(context: &Context, bodies: &[String]) {
    for body in bodies {
        let sent = context.publish("house.events.orders", body.clone().into()).await.unwrap();
        sent.await.unwrap();
    }
}

fn placed(n: usize) -> String {
    let order = json!({
        "key": { "channel": "app", "order_id": format!("house-{n}") },
        "amount": { "currency": "CNY", "minor_units": 1_000 },
        "entities": [{ "kind": "account", "key": format!("{MARK}-{n}") }],
    });
    let placed = json!({ "order_placed": order });
    json!({ "event_id": format!("placed-{n}"), "event_time": TIME, "fact": placed }).to_string()
}

/// Journal records that are on disk.
fn durable(server: &Server) -> u64 {
    let (_, text) = get(server, "/metrics");
    let name = "orderlens_journal_durable_position ";
    let position = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    position.trim_end_matches(".0").parse().expect(position)
}

fn reaches(server: &Server, position: u64) {
    until("the records", || (durable(server) == position).then_some(()));
}

/// The first dead letters, as soon as there are so many.
async fn dead(context: &Context, n: usize) -> Vec<Value> {
    let since = std::time::Instant::now();
    let stream = loop {
        if let Ok(mut stream) = context.get_stream("ORDERLENS_DEAD").await
            && n as u64 <= stream.info().await.unwrap().state.messages
        {
            break stream;
        }
        assert!(since.elapsed() < crate::relay::PATIENCE, "{n} messages are put aside");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let ordered = jetstream::consumer::pull::OrderedConfig::default();
    let messages = stream.create_consumer(ordered).await.unwrap().messages().await.unwrap();
    let letters = messages.take(n).map(|message| {
        let message = message.unwrap();
        assert_eq!(&*message.subject, "orderlens.dead.warehouse");
        read(str::from_utf8(&message.payload).unwrap())
    });
    letters.collect().await
}

fn set_up(dir: &Path) -> (Broker, PathBuf) {
    (Broker::start(), config(dir, &[], SOURCE))
}

#[test]
fn events_off_a_subject_count_once_and_bad_ones_are_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (mut broker, file) = set_up(dir.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The service is there first: it waits for the stream.
    let server = start(dir.path(), &file, &broker);
    let before = durable(&server);
    let context = runtime.block_on(sender(&broker));
    runtime.block_on(send(&context, &[placed(1), placed(2)]));
    reaches(&server, before + 2);

    // Neither what does not read, nor a kind that the source may not tell, nor the rest of such
    // a message; what comes after it is taken.
    let stock = json!({ "stock_level": { "sku": { "kind": "sku", "key": "S-1" }, "units": 1 } });
    let other = json!({ "event_time": TIME, "fact": stock });
    let both = json!({ "events": [read(&placed(3)), { "event_id": MARK, "fact": 7 }] });
    let bodies = [format!("{{{MARK}"), other.to_string(), both.to_string(), placed(4)];
    runtime.block_on(send(&context, &bodies));
    reaches(&server, before + 3);
    let letters = runtime.block_on(dead(&context, 3));
    let of = |n: usize, field: &str| letters[n][field].clone();
    assert_eq!((of(0, "source"), of(0, "stream")), ("warehouse".into(), "HOUSE".into()));
    let sequences: Vec<Value> = (0..3).map(|n| of(n, "sequence")).collect();
    assert_eq!(sequences, [3, 4, 5].map(Value::from));
    let codes: Vec<&Value> = letters.iter().map(|it| &it["refusal"]["error"]["code"]).collect();
    assert_eq!(codes, ["FIELDS_INVALID", "KIND_NOT_ALLOWED", "FIELDS_INVALID"]);
    assert!(!format!("{letters:?}").contains(MARK));

    // They are listed, and tried again once the source may tell the kind.
    let listed = read(&deliveries(&["list", "--json"], dir.path(), &file));
    let found = listed.as_array().unwrap().iter().find(|it| it["source"] == "warehouse").unwrap();
    let faults: Vec<&str> =
        found["dead"].as_array().unwrap().iter().map(|it| it["fault"].as_str().unwrap()).collect();
    assert!(faults[1].starts_with("KIND_NOT_ALLOWED: ") && faults.len() == 3, "{listed}");
    let text = deliveries(&["list"], dir.path(), &file);
    assert!(text.contains("takes house.events.> of HOUSE; 3 given up") && !text.contains(MARK));
    server.kill();
    let file = config(dir.path(), &[], &SOURCE.replace("_paid", "_paid\", \"stock_level"));
    deliveries(&["retry", "warehouse", "3", "4"], dir.path(), &file);
    let server = start(dir.path(), &file, &broker);
    reaches(&server, before + 4);
    let gauge = "orderlens_subjects_dead{source=\"warehouse\"} 2.0";
    until("the dead", || get(&server, "/metrics").1.contains(gauge).then_some(()));
    let listed = read(&deliveries(&["list", "--json"], dir.path(), &file));
    let kept = &listed[0]["dead"];
    assert_eq!((&kept[0]["sequence"], &kept[0]["n_tries"]), (&3.into(), &2.into()));
    assert_eq!((&kept[1]["sequence"], &kept[1]["n_tries"]), (&5.into(), &1.into()));
    let before = before + 1;

    // What was sent while the service was dead is told by the next one, and nothing twice.
    server.kill();
    runtime.block_on(send(&context, &[placed(5), placed(5)]));
    let server = start(dir.path(), &file, &broker);
    reaches(&server, before + 4);

    // The broker dies and comes back with what it had.
    broker.kill();
    broker.restart();
    let context = runtime.block_on(sender(&broker));
    runtime.block_on(send(&context, &[placed(6)]));
    reaches(&server, before + 5);
    assert_eq!(runtime.block_on(dead(&context, 3)).len(), 3);
    server.stop();
    let journal = std::fs::read_dir(dir.path().join("data/journal")).unwrap();
    for segment in journal {
        let bytes = std::fs::read(segment.unwrap().path()).unwrap();
        let found = bytes.windows(MARK.len()).any(|it| it == MARK.as_bytes());
        assert!(!found, "a raw identifier is in the journal");
    }
}
