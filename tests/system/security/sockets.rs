//! Connections that mean harm are ended, and cost the others nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

use crate::orders;
use crate::security::{config, connect};
use crate::server::Server;

/// Longest that a server of these tests may take to end a connection: it waits one second for
/// the first words, asks every second, and gives ten to answer. The rest is for a busy machine.
const END: Duration = Duration::from_mins(1);
/// Most that the memory of the server may grow under all of this, kB.
const GROWTH_MAX_KB: u64 = 64 * 1024;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A server that is quick to lose patience, with few places.
fn start(dir: &Path) -> Server {
    let limits = [
        ("connections_max = 4096", "connections_max = 16"),
        ("handshake_ms = 5000", "handshake_ms = 1000"),
        ("keepalive_seconds = 30", "keepalive_seconds = 1"),
        ("message_bytes_max = 1048576", "message_bytes_max = 65536"),
    ];
    let file = config(dir, &limits);
    Server::start_with(&dir.join("data"), &["--config", file.to_str().unwrap()])
}

fn address(server: &Server) -> &str {
    server.url.strip_prefix("http://").expect("no TLS here")
}

async fn dial(server: &Server) -> TcpStream {
    TcpStream::connect(address(server)).await.expect("it listens")
}

/// Waits until the server has closed a connection; what it said before.
async fn ended(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // That it was reset is an end, too.
    let read = timeout(END, stream.read_to_end(&mut said)).await;
    drop(read.expect("the server ends the connection"));
    said
}

/// Sends bytes, as far as the server takes them; it may end the connection at any time.
async fn throw(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = dial(server).await;
    drop(stream.write_all(bytes).await);
    stream
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A whole number in HPACK, behind a prefix of so many bits (RFC 7541, section 5.1).
fn whole(first: u8, bits: u8, mut n: usize) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    if n < most {
        return vec![first | u8::try_from(n).expect("below 256")];
    }
    let mut bytes = vec![first | u8::try_from(most).expect("below 256")];
    n -= most;
    while 128 <= n {
        bytes.push(u8::try_from(n % 128).expect("below 128") | 128);
        n /= 128;
    }
    bytes.push(u8::try_from(n).expect("below 128"));
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = whole(0, 7, text.len());
    bytes.extend(text.as_bytes());
    bytes
}

/// The headers of a call to score an order.
fn call_headers() -> Vec<u8> {
    let mut block = vec![0x83, 0x86, 0x04];
    block.extend(text("/orderlens.v1.DecisionService/ScoreOrder"));
    block.extend([0x0f, 0x10]);
    block.extend(text("application/grpc"));
    block.push(0x00);
    block.extend(text("te"));
    block.extend(text("trailers"));
    block
}

fn opening(rest: &[Vec<u8>]) -> Vec<u8> {
    [&[PREFACE.to_vec(), SETTINGS.to_vec()], rest].concat().concat()
}

async fn is_served(server: &Server, n: u64) {
    // Others may hold every place for a while: a caller tries again.
    let start = Instant::now();
    loop {
        let answer = async {
            let mut client = DecisionServiceClient::new(connect_once(&server.url).await?);
            client.score_order(orders::request(n)).await.ok()
        };
        if answer.await.is_some() {
            return;
        }
        assert!(start.elapsed() < END, "nobody is served");
        tokio::task::yield_now().await;
    }
}

async fn connect_once(url: &str) -> Option<tonic::transport::Channel> {
    let endpoint = tonic::transport::Channel::from_shared(url.to_owned()).expect("an address");
    endpoint.connect().await.ok()
}

/// Memory of the server now, kB.
fn memory_kb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_little_is_dropped_and_others_are_served_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let client = connect(&server.url).await;
    // Half of the places say nothing, a byte, half a preface, or leave their headers open.
    let mut silent = Vec::new();
    let open_headers = opening(&[frame(1, 0, 1, &call_headers())]);
    for bytes in [&b""[..], b"P", &PREFACE[..20], &opening(&[])[..32], &open_headers] {
        silent.push(throw(&server, bytes).await);
        silent.push(throw(&server, bytes).await);
    }
    let mut client = DecisionServiceClient::new(client);
    for n in 0..20 {
        client.score_order(orders::request(n)).await.expect("others are served meanwhile");
    }
    for stream in silent {
        ended(stream).await;
    }
    client.score_order(orders::request(21)).await.expect("the connection from before lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_most_are_closed_and_places_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let mut client = DecisionServiceClient::new(connect(&server.url).await);
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(dial(&server).await);
    }
    client.score_order(orders::request(1)).await.expect("who has a place keeps it");
    // Who had a place was greeted before it was closed; the others were not let in at all.
    let mut n_greeted = 0;
    for stream in streams {
        n_greeted += usize::from(!ended(stream).await.is_empty());
    }
    assert!(n_greeted < 16, "{n_greeted} were let in");
    is_served(&server, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bytes_bombs_and_lies_end_their_connection_and_cost_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    is_served(&server, 0).await;
    let before = memory_kb(&server);
    let attacks = attacks();
    for round in 0..40 {
        for (name, bytes) in &attacks {
            let stream = throw(&server, bytes).await;
            if round == 0 {
                let said = ended(stream).await;
                let is_answered = said.windows(7).any(|it| it == b"grpc-st");
                assert!(!is_answered, "{name}: {}", String::from_utf8_lossy(&said));
            }
        }
        is_served(&server, round).await;
    }
    let grown = memory_kb(&server).saturating_sub(before);
    assert!(grown < GROWTH_MAX_KB, "{grown} kB more");
}

/// What to throw at a server, by name.
fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let garbage: Vec<u8> =
        (0..65_536_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    // An entry of 4,000 bytes once, then named 16,000 times: 64 MB of headers in 20 kB.
    let mut bomb = call_headers();
    bomb.push(0x40);
    bomb.extend(text("x"));
    bomb.extend(text(&"y".repeat(4_000)));
    let mut references = vec![0xbe; 16_000];
    references.truncate(16_384 - bomb.len());
    bomb.extend(references);
    // Headers that never end: a megabyte of continuations.
    let mut endless = vec![frame(1, 0, 1, &call_headers())];
    for n in 0..64 {
        let mut block = vec![0x00];
        block.extend(text(&format!("h{n}")));
        block.extend(text(&"z".repeat(16_000)));
        endless.push(frame(9, 0, 1, &block));
    }
    // Calls that are taken back as soon as they are made.
    let mut resets = vec![frame(1, 4, 1, &call_headers())];
    for stream in (3..4_000).step_by(2) {
        resets.push(frame(1, 4, stream, &call_headers()));
        resets.push(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    vec![
        ("garbage", garbage.clone()),
        ("HTTP/1.1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("TLS", [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01][..], &garbage[..500]].concat()),
        ("garbage behind the preface", [PREFACE, SETTINGS, &garbage].concat()),
        ("a frame of 16 MB", opening(&[vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]])),
        ("headers out of no table", opening(&[frame(1, 4, 1, &[0xff, 0xff, 0xff, 0xff, 0x7f])])),
        ("data of no stream", opening(&[frame(0, 0, 1, b"data")])),
        ("an even stream", opening(&[frame(1, 4, 2, &call_headers())])),
        ("settings of a stream", opening(&[frame(4, 0, 1, &[])])),
        ("a window of nothing", opening(&[frame(8, 0, 0, &[0, 0, 0, 0])])),
        ("a header bomb", opening(&[frame(1, 4, 1, &bomb)])),
        ("endless headers", opening(&endless)),
        ("rapid resets", opening(&resets)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_too_long_or_say_so_are_refused_with_a_status() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let mut client = DecisionServiceClient::new(connect(&server.url).await);
    let before = memory_kb(&server);
    for n in 0..64 {
        let mut request = orders::request(n);
        request.request_id = "x".repeat(1 << 20);
        let refused = client.score_order(request).await.expect_err("more than 65,536 bytes");
        assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
        // The header says 4 GB, the caller sends a byte and waits.
        let lie = frame(0, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff, 1]);
        drop(throw(&server, &opening(&[frame(1, 4, 1, &call_headers()), lie])).await);
    }
    is_served(&server, 1_000).await;
    let grown = memory_kb(&server).saturating_sub(before);
    assert!(grown < GROWTH_MAX_KB, "{grown} kB more");
    client.score_order(orders::request(1_001)).await.expect("the connection lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_beyond_the_most_are_refused_and_the_next_call_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let mut client = DecisionServiceClient::new(connect(&server.url).await);
    client.score_order(orders::request(0)).await.expect("an answer");
    let mut request = tonic::Request::new(orders::request(1));
    request.metadata_mut().insert("x-large", "y".repeat(64 * 1024).parse().unwrap());
    client.score_order(request).await.expect_err("64 kB of headers");
    is_served(&server, 2).await;
}
