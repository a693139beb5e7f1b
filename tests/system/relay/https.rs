//! Webhooks and sinks over TLS: with whom they trust, and with nobody else.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
};

use crate::relay::incoming::{LISTEN, SENDER, order};
use crate::relay::outgoing::QUICK;
use crate::relay::receiver::Receiver;
use crate::relay::{
    SECRET, config, deliveries, environment, json, post, post_on, reach, signature, unix_now, until,
};
use crate::security::tls::{Authority, Pair};
use crate::server::Server;

fn serving(pair: &Pair) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(&pair.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(chain, key).unwrap())
}

fn encrypted(stream: TcpStream, trusted: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = "127.0.0.1".try_into().unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

#[test]
fn webhooks_and_sinks_speak_tls_with_whom_they_trust() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (ours, theirs) = (Authority::new(dir, "ours"), Authority::new(dir, "theirs"));
    let own = ours.issue(dir, "server");
    let receiver = Receiver::open_tls(serving(&own));
    let sink = |name: &str, trusted: &Authority| {
        let (url, file) = (&receiver.url, trusted.pem.display());
        format!(
            "[deliveries.sinks.{name}]\nurl = \"{url}\"\nca_file = \"{file}\"\n\
             secret_variable = \"HOOK_SECRET\"\nkinds = [\"decision\"]\n"
        )
    };
    let certificate = format!("certificate = \"{}\"", own.certificate.display());
    let key = format!("\nkey = \"{}\"", own.key.display());
    let changes = [
        LISTEN,
        ("certificate = \"\"", &*certificate),
        ("\nkey = \"\"", &*key),
        ("tries_max = 12 ", "tries_max = 2 "),
        QUICK[0],
        QUICK[1],
    ];
    let more = [SENDER, &sink("knows", &ours), &sink("wary", &theirs)].concat();
    let file = config(dir, &changes, &more);
    let arguments = ["--config", file.to_str().unwrap()];
    let server = Server::start_in(&dir.join("data"), &arguments, &environment());

    let url = format!("{}shop", server.webhooks);
    assert!(url.starts_with("https://"), "{url}");
    let asked = json!({ "event_time": "2026-02-16T12:05:00Z", "order": order("1") });
    let body = json!({ "orders": [asked] }).to_string().into_bytes();
    let (now, id) = (unix_now(), "m1");
    let (time, code) = (now.to_string(), signature(SECRET, id, now, &body));
    let headers =
        [("webhook-id", id), ("webhook-timestamp", &*time), ("webhook-signature", &*code)];
    let send = |trusted: &Authority| {
        let (stream, place) = reach(&url);
        post_on(encrypted(stream, &trusted.pem), place, &headers, &body)
    };
    assert_eq!(send(&theirs).0, 0, "its certificate is of another authority");
    assert_ne!(post(&url, &headers, &body).0, 200, "nobody speaks in the clear");
    let (status, said) = send(&ours);
    assert_eq!(status, 200, "{said}");
    let decision = json(&said)["decisions"][0]["decision_id"].clone();

    let told = until("a delivery", || receiver.taken().pop());
    assert_eq!(told.body["data"]["decision_id"], decision);
    let dead = until("a delivery that is given up", || {
        let all = json(&deliveries(&["list", "--json"], dir, &file));
        let wary = all.as_array().unwrap().iter().find(|it| it["sink"] == "wary").cloned();
        wary.and_then(|it| it["dead"].get(0).cloned())
    });
    assert_eq!(dead["fault"], "no connection: its certificate is not trusted");
    assert_eq!(receiver.received().len(), 1, "who is not trusted is told nothing");
    server.stop();
}
