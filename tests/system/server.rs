//! Starts the built server on a free port and stops it the hard way.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `orderlens serve`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// The link by which an administrator signs in to the console, once.
    pub sign_in: String,
    /// `http://127.0.0.1:port/metrics`.
    pub metrics: String,
    /// `http://127.0.0.1:port/v1/webhooks/`; empty without webhooks.
    pub webhooks: String,
}

impl Server {
    /// Starts on a data folder and waits until it says where it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        Self::start_in(data, arguments, &[])
    }

    /// The same in an environment with further variables.
    pub(crate) fn start_in(
        data: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
    ) -> Self {
        let mut command = orderlens();
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Self::spawn(command, data, arguments, Stdio::null())
    }

    /// The same, with everything that it logs in a file.
    pub(crate) fn start_logging(data: &Path, arguments: &[&str], log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("a log file");
        let mut command = orderlens();
        command.env("RUST_LOG", "debug");
        Self::spawn(command, data, arguments, file.into())
    }

    fn spawn(mut command: Command, data: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut child = command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .args(["--operations", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the built binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let (mut sign_in, mut metrics, mut webhooks) =
            (String::new(), String::new(), String::new());
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                if line.contains("/sign-in?link=") {
                    sign_in.clone_from(&line);
                }
                if let Some(url) = line.strip_prefix("metrics on ") {
                    url.clone_into(&mut metrics);
                }
                if let Some(url) = line.strip_prefix("webhooks on ") {
                    url.clone_into(&mut webhooks);
                }
                line.strip_prefix("listening on ").map(str::to_owned)
            })
            .expect("the server says where it listens");
        // Nobody reads on: the rest of stdout is drained so that the server never blocks on it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url, sign_in, metrics, webhooks }
    }

    /// SIGSTOP, SIGCONT or another signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM: it saves a snapshot and ends in order.
    pub(crate) fn stop(mut self) {
        let told = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status();
        assert!(told.expect("kill is there").success());
        assert!(self.child.wait().expect("it ends").success(), "it ends in order");
    }

    /// SIGKILL: no warning, no clean-up.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a running child can be killed");
        self.child.wait().expect("a killed child can be waited for");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test has ended; whether the child still runs does not matter any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The built binary, run from the package folder.
pub(crate) fn orderlens() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orderlens"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("ORDERLENS_IDENTITY_SECRET", "a secret of the tests only");
    command
}
