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
        let mut child = orderlens()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the built binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let mut sign_in = String::new();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                if line.contains("/sign-in?link=") {
                    sign_in.clone_from(&line);
                }
                line.strip_prefix("listening on ").map(str::to_owned)
            })
            .expect("the server says where it listens");
        // Nobody reads on: the rest of stdout is drained so that the server never blocks on it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url, sign_in }
    }

    /// SIGSTOP, SIGCONT or another signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(sent.success());
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
