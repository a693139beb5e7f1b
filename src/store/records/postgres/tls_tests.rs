//! Records on a server that is reached over a network: by TLS, and by it alone.

use std::error::Error as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::store::records::Sharing;
use crate::store::records::databases::{Database, content};
use crate::store::records::follow::catch_up;
use crate::store::records::history::journal_of;
use crate::store::records::postgres;
use crate::store::records::postgres::cluster::Cluster;
use crate::store::records::postgres_url::PostgresUrl;

/// The name in the certificate of the server, which listens to this machine.
const NAME: &str = "localhost";
const N_RECORDS: u64 = 300;

/// A server that has a port, and may have a certificate.
struct Reachable {
    cluster: Cluster,
    port: u16,
    certificate: PathBuf,
}

impl Reachable {
    fn start(dir: &Path) -> Option<Self> {
        let own = certificate();
        let (certificate, key) = (dir.join("server.pem"), dir.join("server-key.pem"));
        fs::write(&certificate, own.cert.pem()).unwrap();
        fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        // As root the server runs as somebody else, whose key it must be; otherwise as us.
        drop(Command::new("chown").args(["-R", "postgres"]).arg(dir).output());
        let (port, mut options) = listening();
        options.extend([
            "-cssl=on".to_owned(),
            format!("-cssl_cert_file={}", certificate.display()),
            format!("-cssl_key_file={}", key.display()),
        ]);
        let cluster = Cluster::start_with(port, &options)?;
        Some(Self { cluster, port, certificate })
    }

    fn url(&self, host: &str, query: &str) -> PostgresUrl {
        let socket = self.cluster.database();
        let database = socket.split(['/', '?']).nth(3).unwrap();
        let port = self.port;
        PostgresUrl::parse(&format!("postgres://postgres@{host}:{port}/{database}?{query}"))
            .unwrap()
    }

    fn trusting(&self, host: &str, roots: &Path) -> PostgresUrl {
        self.url(host, &format!("sslmode=verify-full&sslrootcert={}", roots.display()))
    }
}

/// A free port of this machine, and how the server is told to listen there.
fn listening() -> (u16, Vec<String>) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (port, vec!["-clisten_addresses=127.0.0.1".to_owned()])
}

fn certificate() -> CertifiedKey<rcgen::KeyPair> {
    generate_simple_self_signed([NAME.to_owned()]).unwrap()
}

/// The cause that is told when the records of a journal cannot be filled.
fn cause(dir: &Path, url: &PostgresUrl) -> String {
    let journal = journal_of(dir, 1);
    let (mut writer, records) = postgres::open(url, Sharing::Alone).unwrap();
    let refused = writer.take_turn(&journal.reader()).unwrap_err();
    assert!(refused.is_away(), "the service goes on without lists: {refused:?}");
    assert!(records.position().is_err());
    refused.source().unwrap().to_string()
}

#[test]
fn over_a_network_records_are_written_and_read_by_tls_alone() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let Some(server) = Reachable::start(dirs[0].path()) else { return };
    let journal = journal_of(dirs[1].path(), N_RECORDS);
    let url = server.trusting(NAME, &server.certificate);
    let (mut writer, records) = postgres::open(&url, Sharing::Alone).unwrap();
    catch_up(&journal.reader(), &mut writer, 64).unwrap();
    let (mut file, in_file) = Database::Sqlite.open(dirs[2].path(), journal.durable_position());
    catch_up(&journal.reader(), &mut file, 1_000).unwrap();
    assert_eq!(content(&records), content(&in_file));
    let sql = "SELECT CAST(s.ssl AS TEXT) FROM pg_stat_ssl s JOIN pg_stat_activity a \
        ON a.pid = s.pid WHERE a.application_name = 'orderlens'";
    let lines = records.ask("read", sql, &[], |row| row.get::<String>(0)).unwrap();
    assert!(2 <= lines.len(), "one to write, one to read: {lines:?}");
    assert!(lines.iter().all(|is_protected| is_protected == "true"), "{lines:?}");
}

#[test]
fn a_server_that_does_not_prove_who_it_is_gets_nothing() {
    let dirs = [(); 5].map(|()| tempfile::tempdir().unwrap());
    let Some(server) = Reachable::start(dirs[0].path()) else { return };
    let stranger = dirs[1].path().join("stranger.pem");
    fs::write(&stranger, certificate().cert.pem()).unwrap();
    let untrusted = cause(dirs[1].path(), &server.trusting(NAME, &stranger));
    assert!(untrusted.contains("invalid peer certificate"), "{untrusted}");
    let misnamed = cause(dirs[2].path(), &server.trusting("127.0.0.1", &server.certificate));
    assert!(misnamed.contains("not valid for name"), "{misnamed}");
    // None of the system's authorities has signed it either.
    let of_system = cause(dirs[3].path(), &server.url(NAME, "sslmode=require"));
    assert!(of_system.contains("invalid peer certificate"), "{of_system}");
    let (port, options) = listening();
    let Some(cluster) = Cluster::start_with(port, &options) else { return };
    let open = Reachable { cluster, port, certificate: stranger };
    let unprotected = cause(dirs[4].path(), &open.trusting(NAME, &open.certificate));
    assert!(unprotected.contains("does not support TLS"), "{unprotected}");
}
