//! A receiver of webhooks that answers as told, and remembers what came.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::relay::{SECRET, json, signature, unix_now};

/// What came with one request.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) id: String,
    pub(super) body: Value,
    /// What it was answered.
    pub(super) status: u16,
}

/// Answers each request with the first status that is left, else with 200.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) url: String,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    answers: Vec<u16>,
    always: Option<u16>,
    received: Vec<Received>,
}

impl Receiver {
    pub(super) fn open() -> Self {
        Self::open_with("http", answer_all)
    }

    /// The same over TLS.
    pub(super) fn open_tls(config: Arc<ServerConfig>) -> Self {
        Self::open_with("https", move |stream, told| {
            let tls = ServerConnection::new(config.clone()).unwrap();
            answer_all(StreamOwned::new(tls, stream), told);
        })
    }

    fn open_with(
        scheme: &str,
        answer: impl Fn(TcpStream, &Mutex<Told>) + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("{scheme}://{}/hook", listener.local_addr().unwrap());
        let told = Arc::new(Mutex::new(Told::default()));
        let shared = told.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, answer) = (shared.clone(), answer.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &shared));
            }
        });
        Self { url, told }
    }

    /// What it answers first.
    pub(super) fn answer(&self, statuses: &[u16]) {
        self.told.lock().unwrap().answers = statuses.to_vec();
    }

    /// What it answers from now on.
    pub(super) fn always(&self, status: Option<u16>) {
        self.told.lock().unwrap().always = status;
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.told.lock().unwrap().received.clone()
    }

    /// What was answered with 200, in its order.
    pub(super) fn taken(&self) -> Vec<Received> {
        self.received().into_iter().filter(|it| it.status == 200).collect()
    }
}

fn answer_all(stream: impl Read + Write, told: &Mutex<Told>) {
    let mut reader = BufReader::new(stream);
    while let Some((headers, body)) = request(&mut reader) {
        let header = |name: &str| {
            let found = headers.iter().find_map(|(it, value)| (it == name).then(|| value.clone()));
            found.expect("every header of the convention is there")
        };
        let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
        let seconds: i64 = time.parse().unwrap();
        assert!((unix_now() - seconds).abs() < 60, "each try has its own time");
        assert_eq!(header("webhook-signature"), signature(SECRET, &id, seconds, &body));
        let mut told = told.lock().unwrap();
        let status = match told.always {
            Some(status) => status,
            None if told.answers.is_empty() => 200,
            None => told.answers.remove(0),
        };
        let body = json(str::from_utf8(&body).unwrap());
        told.received.push(Received { id, body, status });
        drop(told);
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nretry-after: 0\r\n\r\nok");
        let writer = reader.get_mut();
        if writer.write_all(answer.as_bytes()).and_then(|()| writer.flush()).is_err() {
            return;
        }
    }
}

type Request = (Vec<(String, String)>, Vec<u8>);

fn request(reader: &mut BufReader<impl Read>) -> Option<Request> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((headers, body))
}
