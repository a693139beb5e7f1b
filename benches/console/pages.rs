//! The pages themselves: over a socket, as a browser asks, compressed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orderlens::config::levers::{levers, with_levers};
use orderlens::console::listener::Entrance;
use orderlens::console::parts::{Console, ConsoleParts, ConsoleSettings, LeverTools, Market};
use orderlens::console::server::serve;
use orderlens::domain::access::{PersonDraft, Role};
use orderlens::domain::decision::DecisionId;
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::strategy_version::Signer;
use orderlens::domain::time::Span;
use orderlens::workflow::access_service::AccessService as _;
use orderlens::workflow::engine::Engine;
use orderlens::workflow::event_health::{EventBoard, EventObjective};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{NOW, percentile};

/// Requests of each kind.
const N_REQUESTS: u64 = 1_000;
/// What a page and all that it loads may take, bytes over the wire.
const BYTES_MAX: usize = 200_000;
/// What a page may take on the server, one of a hundred longer.
const P99_MAX: Duration = Duration::from_millis(20);
/// Who looks.
const PERSON: &str = "bench";

/// Asks for pages about these decisions, each by its number.
pub(crate) async fn measure(
    engine: &Arc<Engine>,
    random: &(impl Fn(u64) -> DecisionId + Sync),
    waiting: &(impl Fn(u64) -> DecisionId + Sync),
) {
    let stopping = CancellationToken::new();
    let (address, cookie, served) = start(engine, stopping.clone()).await;
    let mut browser = Browser::open(address, cookie).await;
    println!("      pages       p50       p99       max   bytes (ms, gzip)");
    let addresses: [(&str, Address<'_>); 5] = [
        ("/queue", Box::new(|_| "/queue".to_owned())),
        ("/decisions of the queue", Box::new(|n| format!("/decisions/{}", waiting(n)))),
        ("/decisions anywhere", Box::new(|n| format!("/decisions/{}", random(n)))),
        ("/graph of a decision", Box::new(|n| format!("/graph?decision={}", waiting(n)))),
        ("/cases", Box::new(|_| "/cases".to_owned())),
    ];
    for (name, address) in &addresses {
        browser.timed(name, address).await;
    }
    let page = browser.get(&format!("/decisions/{}", waiting(0))).await.len();
    let mut total = page;
    for file in ["app.css", "plot.css", "app.js", "graph.js", "icon.svg"] {
        total += browser.get(&format!("/assets/{file}")).await.len();
    }
    let is_within = if total <= BYTES_MAX { "within" } else { "ABOVE" };
    println!("{total} bytes for a decision page and all that it loads: {is_within} {BYTES_MAX}");
    stopping.cancel();
    drop(browser);
    served.await.expect("it ends").expect("it served");
}

/// The address of the page of a number.
type Address<'a> = Box<dyn Fn(u64) -> String + 'a>;
type Served = tokio::task::JoinHandle<std::io::Result<()>>;

/// A console on a free port, and the cookie of somebody who is signed in.
async fn start(engine: &Arc<Engine>, stopping: CancellationToken) -> (SocketAddr, String, Served) {
    let draft = PersonDraft {
        person_id: PERSON.into(),
        name: "Bench".into(),
        roles: BTreeSet::from(Role::ALL),
        is_active: true,
        key_hash: None,
    };
    let signer = Signer { by: PERSON.into(), note: "bench".into() };
    engine.change_person(draft, signer, NOW).await.expect("a person");
    let settings = ConsoleSettings {
        session: Span::hours(12),
        claim: Span::minutes(15),
        undo: Span(10 * Span::SECOND.0),
        review_within: Span::hours(4),
    };
    let console = Arc::new(Console::new(ConsoleParts {
        engine: engine.clone(),
        clock: || NOW,
        random: next_bytes,
        settings,
        market: Market::Synthetic,
        events: Arc::new(EventBoard::new(EventObjective {
            delay_max: Span::minutes(5),
            target: 0.999,
        })),
        deliveries: Arc::default(),
        levers: LeverTools { read: levers, moved: with_levers },
        identity: IdentityKey::from_secret(b"tests"),
    }));
    let token = console.token();
    console.sessions.start(&token, PERSON, NOW + Span::hours(12));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let entrance = Entrance { tls: None, connections_max: 64, handshake: Duration::from_secs(5) };
    let served = tokio::spawn(serve(listener, entrance, console, stopping.cancelled_owned()));
    (address, format!("orderlens_session={}", token.expose()), served)
}

/// Other bytes at each call; nobody but the bench signs in.
fn next_bytes() -> [u8; 32] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    *blake3::hash(&n.to_le_bytes()).as_bytes()
}

/// One connection that stays open, as a browser's does.
struct Browser {
    stream: TcpStream,
    cookie: String,
    read: Vec<u8>,
}

impl Browser {
    async fn open(address: SocketAddr, cookie: String) -> Self {
        let stream = TcpStream::connect(address).await.expect("the console");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, cookie, read: Vec::new() }
    }

    async fn timed(&mut self, name: &str, address: &dyn Fn(u64) -> String) {
        let (mut took, mut bytes) = (Vec::new(), 0);
        for n in 0..N_REQUESTS {
            let address = address(n);
            let started = Instant::now();
            let answer = self.get(&address).await;
            took.push(started.elapsed());
            bytes = bytes.max(answer.len());
        }
        took.sort_unstable();
        let ms = |it: Duration| it.as_secs_f64() * 1e3;
        let (p50, p99, max) =
            (percentile(&took, 0.5), percentile(&took, 0.99), took[took.len() - 1]);
        let is_within = if p99 <= P99_MAX { "" } else { "  ABOVE 20 ms" };
        println!("{:9.2} {:9.2} {:9.2} {bytes:9}   {name}{is_within}", ms(p50), ms(p99), ms(max));
    }

    /// The body as it came over the wire; anything but 200 ends the bench.
    async fn get(&mut self, address: &str) -> Vec<u8> {
        let request = format!(
            "GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nCookie: {}\r\n\r\n",
            self.cookie
        );
        self.stream.write_all(request.as_bytes()).await.expect("written");
        let head = loop {
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break String::from_utf8_lossy(&self.read[..at + 4]).to_ascii_lowercase();
            }
            self.more().await;
        };
        assert!(head.starts_with("http/1.1 200"), "{address}: {head}");
        self.read.drain(..head.len());
        let field = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).map(str::to_owned)
        };
        if let Some(length) = field("content-length:") {
            let length: usize = length.parse().expect("a length");
            while self.read.len() < length {
                self.more().await;
            }
            return self.read.drain(..length).collect();
        }
        // Compressed bodies come in chunks; gzip never holds the last one's bytes by chance
        // at its end, since it ends with the length of what it holds.
        while !self.read.ends_with(b"\r\n0\r\n\r\n") {
            self.more().await;
        }
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) {
        let n = self.stream.read_buf(&mut self.read).await.expect("read");
        assert!(0 < n, "the console closed the connection");
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|it| it == part)
}
