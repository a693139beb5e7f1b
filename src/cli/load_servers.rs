//! The servers that `orderlens bench` starts, on one core.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use miette::{Context as _, IntoDiagnostic as _, miette};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Ticks of the clock by which Linux tells CPU time, a second.
///
/// Source: `USER_HZ`, 100 on every architecture that this is built for; see proc(5).
const TICKS_PER_S: f64 = 100.0;
/// What a server says first about where it listens.
const LISTENING: &str = "listening on ";

/// A server in a process of its own; ends when dropped, and its folder with it.
#[derive(Debug)]
pub struct StartedServer {
    child: Child,
    /// Where it listens.
    pub url: String,
    folder: Option<PathBuf>,
}

/// Which cores are whose, so that callers take nothing from the servers.
#[derive(Debug)]
pub struct Cores {
    all: CpuSet,
    servers: CpuSet,
    callers: CpuSet,
}

impl Cores {
    /// The first core for servers, the others for callers.
    ///
    /// # Errors
    /// When the system does not tell them, or there is only one.
    pub fn split() -> miette::Result<Self> {
        let all = sched_getaffinity(None).into_diagnostic()?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let (mut servers, mut callers) = (CpuSet::new(), CpuSet::new());
        cores.by_ref().take(1).for_each(|core| servers.set(core));
        cores.for_each(|core| callers.set(core));
        if callers.count() == 0 {
            return Err(miette!("callers and server would share one core: two are needed"));
        }
        Ok(Self { all, servers, callers })
    }

    /// Puts this thread, and those that it starts, where callers belong.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn take_those_of_callers(&self) -> miette::Result<()> {
        sched_setaffinity(None, &self.callers).into_diagnostic()
    }

    /// Gives this thread all cores again.
    pub fn give_back(&self) {
        // Where nothing can be pinned, nothing was.
        let _ = sched_setaffinity(None, &self.all);
    }
}

impl StartedServer {
    /// Starts this program as a server on a free port, with a new data folder.
    ///
    /// # Errors
    /// When it does not start.
    pub fn serve(cores: &Cores, folder: &Path) -> miette::Result<Self> {
        if folder.exists() {
            return Err(miette!(
                "{} exists; the bench wants a folder of its own",
                folder.display()
            ));
        }
        let mut command = this_program()?;
        command.arg("serve").arg("--data").arg(folder);
        let free = "127.0.0.1:0";
        command.args(["--listen", free, "--console", free, "--operations", free]);
        command.stdin(Stdio::null());
        let mut server = Self::start(cores, &mut command)?;
        server.folder = Some(folder.to_owned());
        Ok(server)
    }

    /// Starts this program as a server that gives one answer, by its bytes, to every order.
    ///
    /// # Errors
    /// When it does not start.
    pub fn floor(cores: &Cores, answer: &[u8]) -> miette::Result<Self> {
        let mut command = this_program()?;
        command.arg("bench-floor").stdin(Stdio::piped());
        // It reads its answer before it listens, so a pipe's worth of bytes never waits.
        Self::start_with(cores, &mut command, answer)
    }

    fn start(cores: &Cores, command: &mut Command) -> miette::Result<Self> {
        Self::start_with(cores, command, &[])
    }

    fn start_with(cores: &Cores, command: &mut Command, input: &[u8]) -> miette::Result<Self> {
        command.env("RUST_LOG", "warn").stdout(Stdio::piped());
        // A process starts on the cores of the thread that starts it.
        sched_setaffinity(None, &cores.servers).into_diagnostic()?;
        let spawned = command.spawn().into_diagnostic().wrap_err("starting a server");
        cores.take_those_of_callers()?;
        let mut child = spawned?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).into_diagnostic()?;
        }
        let stdout = child.stdout.take();
        let mut server = Self { child, url: String::new(), folder: None };
        let mut lines = stdout.into_iter().flat_map(|out| BufReader::new(out).lines());
        let said = lines.find_map(|line| line.ok()?.strip_prefix(LISTENING).map(str::to_owned));
        server.url = said.ok_or_else(|| miette!("a server ended before it listened"))?;
        Ok(server)
    }

    /// Number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(folder) = &self.folder {
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// CPU time that a process has used, seconds; in steps of 10 ms.
///
/// # Errors
/// When there is no such process.
pub fn cpu_s(pid: u32) -> miette::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).into_diagnostic().wrap_err_with(|| path.clone())?;
    // The name may hold spaces and parentheses; behind it, fields 14 and 15 are user and system.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let mut ticks = fields.split_whitespace().skip(11).map_while(|field| field.parse::<f64>().ok());
    match (ticks.next(), ticks.next()) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_S),
        (None | Some(_), None | Some(_)) => Err(miette!("{path} does not read")),
    }
}

fn this_program() -> miette::Result<Command> {
    Ok(Command::new(std::env::current_exe().into_diagnostic()?))
}
