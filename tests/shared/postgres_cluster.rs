//! A throw-away PostgreSQL server: a folder and a socket file in it.
//!
//! It ends with the process that started it, however that ends. Debian's package `postgresql`
//! has the programs. Where they are missing, tests that need them say so and do nothing, unless
//! `ORDERLENS_TEST_SERVICES=required`, as in `.ci/run`: then they fail.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use postgres::{Client, NoTls};

/// Starts the server, does what it is told by lines, and clears up when nobody is left.
const GUARD: &str = r#"
bin=$1 folder=$2
shift 2
thaw() { kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children") 2>/dev/null; }
start() {
    "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=on \
        -c max_connections=200 -c shared_buffers=64MB "$@" >>"$folder/log" 2>&1 </dev/null &
    pid=$!
}
start "$@"
while read -r word; do
    case $word in
    kill) kill -KILL "$pid"; wait "$pid" ;;
    quit) kill -QUIT "$pid"; wait "$pid" ;;
    freeze) kill -STOP "$pid" $(cat "/proc/$pid/task/$pid/children") ;;
    thaw) thaw ;;
    start)
        # Processes of the killed server may hold its memory for a moment.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            start "$@"
            sleep 0.3
            if kill -0 "$pid" 2>/dev/null; then break; fi
        done
        ;;
    esac
    echo done
done
thaw
kill -QUIT "$pid"
wait "$pid"
rm -rf "$folder"
"#;
/// What the socket file is called after where nobody listens to a port.
const PORT: u16 = 5432;
/// How often, and how long apart, the server is asked whether it is up.
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// A running server.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    guard: Child,
    done: Lines<BufReader<ChildStdout>>,
    port: u16,
    n_databases: AtomicU32,
}

impl Cluster {
    /// Starts one; `None` where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(PORT, &[])
    }

    /// Starts one with further options of the server. Its socket file is called after the port.
    pub(crate) fn start_with(port: u16, options: &[String]) -> Option<Self> {
        let Some(bin) = programs() else {
            let is_required = std::env::var_os("ORDERLENS_TEST_SERVICES").is_some();
            assert!(!is_required, "PostgreSQL is not installed: `apt-get install postgresql`");
            // By its own handle: a test that passes shows nothing that is printed otherwise.
            let told = b"SKIPPED: PostgreSQL is not installed (`apt-get install postgresql`)\n";
            stderr().write_all(told).unwrap();
            return None;
        };
        let folder = tempfile::Builder::new().prefix("orderlens-pg-").tempdir().unwrap().keep();
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(&folder));
        }
        let data = folder.join("data");
        let mut initdb = as_user(&bin.join("initdb"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"]).arg(&data);
        done(initdb.current_dir(&folder).stdout(Stdio::null()));
        let mut guard = as_user(Path::new("sh"));
        guard.args(["-c", GUARD, "sh"]).arg(&bin).arg(&folder).current_dir(&folder);
        guard.arg("-p").arg(port.to_string()).args(options);
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = guard.spawn().unwrap();
        let done = BufReader::new(guard.stdout.take().unwrap()).lines();
        let cluster = Self { folder, guard, done, port, n_databases: AtomicU32::new(0) };
        cluster.wait();
        Some(cluster)
    }

    /// Makes a database of its own and gives its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("t{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").unwrap().execute(&format!("CREATE DATABASE {name}"), &[]).unwrap();
        self.url(&name)
    }

    /// Starts the server again and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        self.tell("start");
        self.wait();
    }

    fn url(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres://postgres@/{database}?host={folder}&port={port}")
    }

    fn client(&self, database: &str) -> Result<Client, postgres::Error> {
        Client::connect(&self.url(database), NoTls)
    }

    /// Tells its guard what to do to it: `kill` (it dies without a word), `quit` (it stops at
    /// once, and its processes know), `freeze` or `thaw`; returns when it is done.
    pub(crate) fn tell(&mut self, word: &str) {
        let stdin = self.guard.stdin.as_mut().unwrap();
        writeln!(stdin, "{word}").unwrap();
        assert_eq!(self.done.next().unwrap().unwrap(), "done");
    }

    fn wait(&self) {
        let is_up = (0..TRIES).any(|_| {
            let is_up = self.client("postgres").is_ok();
            if !is_up {
                thread::sleep(PAUSE);
            }
            is_up
        });
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(is_up, "PostgreSQL does not start:\n{log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

/// The folder of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let bins = versions.map(|entry| entry.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists()).max()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
}
