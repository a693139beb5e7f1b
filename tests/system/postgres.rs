//! Records in PostgreSQL: the database dies, the service does not.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use orderlens::domain::entity::{EntityKind, IdentityKey};
use orderlens::grpc::records_health::RECORDS;
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::records::follow::catch_up;
use orderlens::store::records::sqlite;
use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use postgres::types::Type;
use rusqlite::types::ValueRef;
use tokio::time::{sleep, timeout};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::durability::{Acknowledged, connect, load};
use crate::postgres_cluster::Cluster;
use crate::server::{Server, orderlens};

const URL_VARIABLE: &str = "ORDERLENS_RECORDS_URL";
const DEATHS: u32 = 5;
const CLIENTS: usize = 3;
/// Decisions between two deaths, and during each of them.
const ROUND_MIN: usize = 40;
const PATIENCE: Duration = Duration::from_mins(1);
const TABLES: [&str; 11] = [
    "decisions",
    "events",
    "order_events",
    "event_counts",
    "choices",
    "outcomes",
    "closed_cases",
    "case_facets",
    "activations",
    "audit",
    "notes",
];

type Told = Arc<Mutex<Acknowledged>>;

#[test]
fn a_database_that_dies_under_load_costs_lists_for_a_while_and_nothing_else() {
    let Some(mut cluster) = Cluster::start() else { return };
    let url = cluster.database();
    let data = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let secret = key(data.path(), &url);
    let server = started(data.path(), &url);
    let told = Told::default();
    let last = runtime.block_on(async {
        let next = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(load(server.url.clone(), next.clone(), told.clone())))
            .collect();
        for death in 0..DEATHS {
            more(&told).await;
            reach(&server.url, ServingStatus::Serving, Code::Ok).await;
            cluster.tell(if death % 2 == 0 { "kill" } else { "quit" });
            reach(&server.url, ServingStatus::NotServing, Code::Unavailable).await;
            assert_eq!(health(&server.url, "").await, ServingStatus::Serving);
            // Orders are judged as if nothing had happened.
            more(&told).await;
            tokio::task::block_in_place(|| cluster.start_again());
        }
        reach(&server.url, ServingStatus::Serving, Code::Ok).await;
        more(&told).await;
        let last = told.lock().expect("no panic").decisions.last().expect("one").1.clone();
        assert!(probe(&server.url));
        // The service dies as well, with a batch under way.
        tokio::task::block_in_place(|| server.kill());
        for client in clients {
            client.await.expect("a load client ends with its server");
        }
        last
    });
    let server = started(data.path(), &url);
    runtime.block_on(reach(&server.url, ServingStatus::Serving, Code::Ok));
    let pseudonym = erase(&server, &secret, &url);
    explain(data.path(), &url, &last.decision_id);
    let address = server.url.clone();
    server.kill();
    assert!(!probe(&address));
    let embedded = filled_file(data.path());
    let n_decisions = told.lock().expect("no panic").decisions.len();
    for table in TABLES {
        let (expected, found) = (rows_of_file(&embedded, table), rows_of_server(&url, table));
        assert_eq!(found, expected, "{table}");
        assert!(!found.iter().any(|row| row.contains(&pseudonym)), "it was erased: {table}");
        assert!(table != "decisions" || n_decisions <= found.len(), "{}", found.len());
    }
}

fn started(data: &Path, url: &str) -> Server {
    Server::start_in(data, &[], &[(URL_VARIABLE, url.to_owned())])
}

/// Waits until some more orders are judged.
async fn more(told: &Told) {
    let n_told = || told.lock().expect("no panic").decisions.len();
    let enough = n_told() + ROUND_MIN;
    let waited = timeout(PATIENCE, async {
        while n_told() < enough {
            sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("orders are judged");
}

/// Waits until the health of the records and a list say what they should.
async fn reach(url: &str, status: ServingStatus, code: Code) {
    let waited = timeout(PATIENCE, async {
        while health(url, RECORDS).await != status || list(url).await != code {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let is_reached = waited.await.is_ok();
    assert!(is_reached, "the records are not {status:?} with {code:?}");
}

async fn health(url: &str, service: &str) -> ServingStatus {
    let channel = connect(url).await.expect("the server answers");
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel).check(request).await;
    answer.map_or(ServingStatus::Unknown, |answer| answer.into_inner().status())
}

/// The code of a list; a refusal must say which part is away.
async fn list(url: &str) -> Code {
    let channel = connect(url).await.expect("the server answers");
    let request = v1::ListDecisionsRequest { page_size: 5, ..Default::default() };
    match DecisionServiceClient::new(channel).list_decisions(request).await {
        Ok(_) => Code::Ok,
        Err(status) => {
            assert!(status.message().contains("records"), "{status:?}");
            status.code()
        }
    }
}

/// What a probe of the records says by its exit code.
fn probe(url: &str) -> bool {
    let arguments = ["probe", "--server", url, "--service", RECORDS];
    let output = orderlens().args(arguments).output().expect("the built binary starts");
    output.status.success()
}

/// Makes a key of an administrator; its secret.
fn key(data: &Path, url: &str) -> String {
    let mut command = orderlens();
    command.env(URL_VARIABLE, url).args(["key", "add", "root", "--scopes", "admin", "--json"]);
    let output = command.arg("--data").arg(data).output().expect("the built binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    told[0]["secret"].as_str().expect("a secret").to_owned()
}

/// Erases an account that the records name, and waits until they do not; its pseudonym.
fn erase(server: &Server, secret: &str, url: &str) -> String {
    let identity = IdentityKey::from_secret(b"a secret of the tests only");
    let pseudonym = identity.entity(EntityKind::Account, "synthetic-account-5").key.to_string();
    let is_named = || rows_of_server(url, "decisions").iter().any(|row| row.contains(&pseudonym));
    assert!(is_named(), "the records name it before");
    let mut command = orderlens();
    command.args(["erase", "--server", &server.url]).env("ORDERLENS_API_KEY", secret);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut asking = command.spawn().expect("the built binary starts");
    let mut input = asking.stdin.take().expect("it is piped");
    input.write_all(b"account=synthetic-account-5\n").expect("it reads");
    drop(input);
    let output = asking.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.starts_with("account erased-"), "{said}");
    let since = Instant::now();
    while is_named() {
        assert!(since.elapsed() < PATIENCE, "the records still name it");
        std::thread::sleep(Duration::from_millis(20));
    }
    pseudonym
}

fn explain(data: &Path, url: &str, decision_id: &str) {
    let mut command = orderlens();
    command.env(URL_VARIABLE, url).args(["explain", decision_id, "--data"]).arg(data);
    let output = command.output().expect("the built binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A file filled from the journal that the service left behind.
fn filled_file(data: &Path) -> rusqlite::Connection {
    let reader = JournalReader::open(&data.join("journal")).expect("a journal");
    let path = data.join("compared.sqlite");
    let (mut writer, ..) = sqlite::open(&path, reader.durable_position()).expect("an empty file");
    catch_up(&reader, &mut writer, 1_000).expect("a whole journal");
    rusqlite::Connection::open(&path).expect("a filled file")
}

fn rows_of_file(file: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut statement = file.prepare(&format!("SELECT * FROM {table}")).expect("a table");
    let n_columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        let cell = |column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => "null".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => format!("{number:?}"),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => format!("{bytes:?}"),
            })
        };
        (0..n_columns).map(cell).collect::<rusqlite::Result<Vec<String>>>()
    };
    let rows = statement.query_map([], read).expect("rows");
    sorted(rows.map(|row| row.expect("a row").join(" | ")))
}

fn rows_of_server(url: &str, table: &str) -> Vec<String> {
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("the server answers");
    let names = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'orderlens%'";
    let schemas = client.query(names, &[]).expect("schemas");
    assert_eq!(schemas.len(), 1, "one journal, one schema");
    let schema: String = schemas[0].get(0);
    let rows = client.query(&format!("SELECT * FROM {schema}.{table}"), &[]).expect("a table");
    let cell = |row: &postgres::Row, at: usize| {
        let ty = row.columns()[at].type_();
        let text = match *ty {
            Type::INT8 => row.get::<_, Option<i64>>(at).map(|number| number.to_string()),
            Type::FLOAT8 => row.get::<_, Option<f64>>(at).map(|number| format!("{number:?}")),
            Type::BYTEA => row.get::<_, Option<Vec<u8>>>(at).map(|bytes| format!("{bytes:?}")),
            _ => row.get::<_, Option<String>>(at),
        };
        text.unwrap_or_else(|| "null".to_owned())
    };
    let line = |row: &postgres::Row| {
        (0..row.len()).map(|at| cell(row, at)).collect::<Vec<_>>().join(" | ")
    };
    sorted(rows.iter().map(line))
}

fn sorted(rows: impl Iterator<Item = String>) -> Vec<String> {
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    rows
}
