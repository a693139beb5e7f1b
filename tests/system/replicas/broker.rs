//! A throw-away NATS server with JetStream, on a free port and in a temporary folder.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running broker; killed when dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    child: Option<Child>,
    port: u16,
    store: tempfile::TempDir,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let store = tempfile::tempdir().expect("a temporary folder");
        let child = Some(spawn(port, store.path()));
        Self { child, port, store }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// SIGKILL: no warning, no clean-up.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a running child can be killed");
            child.wait().expect("a killed child can be waited for");
        }
    }

    /// Comes up again where it was killed, with what it had stored.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = Some(spawn(self.port, self.store.path()));
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(sent.success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(port: u16, store: &Path) -> Child {
    let child = Command::new(binary())
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
        .arg(store)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server starts");
    let since = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(since.elapsed() < PATIENCE, "nats-server does not listen on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Debian puts it where only an administrator's path looks.
fn binary() -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let beside = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/bin")];
    std::env::split_paths(&folders)
        .chain(beside)
        .map(|folder| folder.join("nats-server"))
        .find(|path| path.is_file())
        .expect("these tests need nats-server: install it (apt-get install nats-server)")
}
