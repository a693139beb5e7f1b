//! TLS and mutual TLS of the built server, and of the commands that ask it.

use std::path::{Path, PathBuf};
use std::process::Output;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::security::{WITH_KEYS, config, first_key, unwrapped};
use crate::server::{Server, orderlens};

/// An authority that the test makes up.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) pem: PathBuf,
}

/// A certificate and its key, in files.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

fn write(path: PathBuf, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

impl Authority {
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = write(dir.join(format!("{name}.pem")), &certificate.pem());
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate of this authority.
    pub(crate) fn issue(&self, dir: &Path, name: &str) -> Pair {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: write(dir.join(format!("{name}.pem")), &certificate.pem()),
            key: write(dir.join(format!("{name}-key.pem")), &key.serialize_pem()),
        }
    }
}

/// Lists keys at a server: what any command does, with a secret in the environment.
fn ask(url: &str, secret: &str, arguments: &[&str]) -> Output {
    let mut command = orderlens();
    command.args(["key", "list", "--json", "--server", url]).args(arguments);
    command.env("ORDERLENS_API_KEY", secret).output().unwrap()
}

fn is_answered(output: &Output) -> bool {
    output.status.success() && String::from_utf8_lossy(&output.stdout).contains("\"root\"")
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tls_answers_who_trusts_it_and_mutual_tls_whom_it_trusts() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (ours, theirs) = (Authority::new(dir, "ours"), Authority::new(dir, "theirs"));
    let own = ours.issue(dir, "server");
    let (known, stranger) = (ours.issue(dir, "known"), theirs.issue(dir, "stranger"));
    let certificate = format!("certificate = \"{}\"", path(&own.certificate));
    let key = format!("\nkey = \"{}\"", path(&own.key));
    let tls = [WITH_KEYS, ("certificate = \"\"", &certificate), ("\nkey = \"\"", &key)];
    let plain_tls = config(dir, &tls);
    let data = dir.join("data");
    let root = first_key("root", "admin", &plain_tls, &data);
    let server = Server::start_with(&data, &["--config", path(&plain_tls)]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let ca = ["--ca", path(&ours.pem)];
    assert!(is_answered(&ask(&server.url, &root, &ca)));
    assert!(!is_answered(&ask(&server.url, "ol_wrong", &ca)));
    let refused = ask(&server.url, &root, &["--ca", path(&theirs.pem)]);
    assert!(!is_answered(&refused), "its certificate is of another authority");
    let plain = server.url.replacen("https", "http", 1);
    assert!(!is_answered(&ask(&plain, &root, &[])), "nobody speaks in the clear");
    let key_file = write(dir.join("api-key"), &root);
    assert!(is_answered(&ask(
        &server.url,
        "",
        &[&ca[..], &["--key-file", path(&key_file)]].concat()
    )));
    server.kill();

    let client_ca = format!("client_ca = \"{}\"", path(&ours.pem));
    let mutual: Vec<_> = tls.into_iter().chain([("client_ca = \"\"", &*client_ca)]).collect();
    let mutual = config(dir, &mutual);
    let server = Server::start_with(&data, &["--config", path(&mutual)]);
    let showing = |pair: &Pair| {
        let shown =
            ["--client-certificate", path(&pair.certificate), "--client-key", path(&pair.key)];
        ask(&server.url, &root, &[&ca[..], &shown].concat())
    };
    assert!(is_answered(&showing(&known)));
    assert!(!is_answered(&showing(&stranger)), "a certificate of another authority");
    assert!(!is_answered(&ask(&server.url, &root, &ca)), "no certificate at all");
}

#[test]
fn files_that_do_not_fit_stop_the_start_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let authority = Authority::new(dir, "ours");
    let (one, other) = (authority.issue(dir, "one"), authority.issue(dir, "other"));
    let certificate = format!("certificate = \"{}\"", path(&one.certificate));
    let key = format!("\nkey = \"{}\"", path(&other.key));
    let file = config(dir, &[("certificate = \"\"", &certificate), ("\nkey = \"\"", &key)]);
    let mut command = orderlens();
    command.args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
    command.args(["--config", path(&file), "--data"]);
    let refused = command.arg(dir.join("data")).output().unwrap();
    let said = unwrapped(&refused.stderr);
    assert!(!refused.status.success() && said.contains("do not fit"), "{said}");
}
