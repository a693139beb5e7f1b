//! What comes in by webhooks and what goes out to sinks, at a built server.

mod example;
mod https;
mod incoming;
mod outgoing;
mod receiver;
mod subjects;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::server::orderlens;

/// The shipped service file.
const SHIPPED: &str = include_str!("../../../config/orderlens.toml");
/// What both sides know.
const SECRET: &str = "a webhook secret of the tests";
/// The one before it.
const PREVIOUS: &str = "an older secret of the tests!";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The shipped service file with other lines and more of them, in a folder.
fn config(dir: &Path, changes: &[(&str, &str)], more: &str) -> PathBuf {
    let mut text = SHIPPED.to_owned();
    for (before, after) in changes {
        assert!(text.contains(before), "the service file has no `{before}`");
        text = text.replacen(before, after, 1);
    }
    let path = dir.join("service.toml");
    std::fs::write(&path, format!("{text}\n{more}")).unwrap();
    path
}

fn environment() -> [(&'static str, String); 2] {
    [("HOOK_SECRET", SECRET.to_owned()), ("HOOK_SECRET_1", PREVIOUS.to_owned())]
}

#[expect(clippy::disallowed_methods, reason = "a sender signs with the time of its clock")]
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What `orderlens deliveries` says.
fn deliveries(arguments: &[&str], dir: &Path, file: &Path) -> String {
    let mut command = orderlens();
    command.arg("deliveries").args(arguments);
    command.arg("--config").arg(file).arg("--data").arg(dir.join("data"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// HMAC-SHA256 as RFC 2104 writes it, without the library that the server uses.
fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut key = [0_u8; 64];
    key[..secret.len()].copy_from_slice(secret);
    let padded = |pad: u8| key.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

/// Base64 of 32 bytes, bit by bit.
fn base64(bytes: &[u8; 32]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digit = |n: usize| (0..6).fold(0_usize, |sum, at| sum << 1 | usize::from(bit(6 * n + at)));
    let text: String = (0..43).map(|n| char::from(digits[digit(n)])).collect();
    format!("{text}=")
}

fn signature(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let mut message = format!("{id}.{seconds}.").into_bytes();
    message.extend_from_slice(body);
    format!("v1,{}", base64(&hmac(secret.as_bytes(), &message)))
}

/// An answer of HTTP: status and body.
fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let (stream, place) = reach(url);
    post_on(stream, place, headers, body)
}

/// A connection to where an address is, with its host and path.
fn reach(url: &str) -> (TcpStream, (&str, &str)) {
    let (_, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    (stream, (host, path))
}

/// The same over a connection that may refuse; then the status is 0.
fn post_on(
    mut stream: impl Read + Write,
    (host, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    // A server that refuses may close before it has read all.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

/// Asks until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}
