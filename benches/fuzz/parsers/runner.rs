//! Feeds a reader with damaged inputs and watches it.
//!
//! Inputs that make a reader say something new are kept and damaged further, so that
//! the search reaches beyond the first check without instruments in the compiled code.
//! What broke a reader in an earlier run is read first.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::mutate::INPUT_BYTES_MAX;
use super::{Said, Target, fingerprint};

/// Most inputs that are kept because they said something new.
const CORPUS_MAX: usize = 3_000;
/// Most damages of one input.
const DAMAGES_MAX: u32 = 5;
/// An input that takes longer is one too many. Long, since the machine may be busy.
pub(crate) const INPUT_TIME_MAX: Duration = Duration::from_secs(5);
/// Inputs between two looks at the memory.
const MEMORY_EVERY: u64 = 2_000;

/// What was seen of one reader.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Inputs that were read.
    pub n_inputs: u64,
    /// Different things that the reader said.
    pub n_sayings: usize,
    /// Inputs that it accepted.
    pub n_accepted: u64,
    /// The longest that an input took.
    pub longest: Duration,
    /// What went wrong, with the files that hold the inputs.
    pub failures: Vec<String>,
}

/// How to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// Where inputs that broke a reader are kept.
    pub folder: &'a Path,
    /// The same seed, the same inputs.
    pub seed: u64,
    /// Inputs.
    pub n_inputs: u64,
    /// Most resident memory of the process, if it is watched.
    pub memory_bytes_max: Option<u64>,
}

/// Reads damaged inputs until all are read or ten went wrong.
pub(crate) fn run(target: &Target, run: Run<'_>) -> Seen {
    let mut dice = ChaCha8Rng::seed_from_u64(run.seed ^ fingerprint(target.name));
    let mut corpus = target.seeds.clone();
    let (mut sayings, mut seen) = (BTreeSet::new(), Seen::default());
    let folder = run.folder.join(target.name);
    let first = [broke_before(&folder), target.seeds.clone()].concat();
    while seen.n_inputs < run.n_inputs && seen.failures.len() < 10 {
        let n = usize::try_from(seen.n_inputs).unwrap_or(usize::MAX);
        // These come as they are.
        let input = first.get(n).cloned().unwrap_or_else(|| {
            let other = corpus[dice.gen_range(0..corpus.len())].clone();
            // What is refused for one thing more often hides others: half begin as samples.
            let base = if dice.gen_bool(0.5) { &target.seeds } else { &corpus };
            let mut input = base[dice.gen_range(0..base.len())].clone();
            let n_damages = if dice.gen_bool(0.5) { 1 } else { dice.gen_range(2..=DAMAGES_MAX) };
            for _ in 0..n_damages {
                input = (target.damage)(&mut dice, input, &other);
            }
            input.truncate(INPUT_BYTES_MAX.max(target.seeds[0].len()));
            input
        });
        seen.n_inputs += 1;
        let (mut said, mut took) = timed(target, &input);
        if INPUT_TIME_MAX < took {
            // Somebody else may have had the core: what is slow is slow twice.
            (said, took) = timed(target, &input);
        }
        seen.longest = seen.longest.max(took);
        match said {
            Err(_) => seen.failures.push(kept(&folder, "panic", &input)),
            Ok(_) if INPUT_TIME_MAX < took => {
                seen.failures.push(kept(&folder, "slow", &input));
            }
            Ok(said) => {
                seen.n_accepted += u64::from(said.is_accepted);
                if sayings.insert(said.saying) && input.len() <= INPUT_BYTES_MAX {
                    keep(&mut dice, &mut corpus, target.seeds.len(), input.clone());
                }
            }
        }
        let memory = seen.n_inputs.is_multiple_of(MEMORY_EVERY).then(memory_bytes).flatten();
        if let (Some(used), Some(most)) = (memory, run.memory_bytes_max)
            && most < used
        {
            seen.failures.push(format!("{used} bytes in use: {}", kept(&folder, "memory", &input)));
        }
    }
    seen.n_sayings = sayings.len();
    seen
}

fn timed(target: &Target, input: &[u8]) -> (thread::Result<Said>, Duration) {
    let start = Instant::now();
    let said = catch_unwind(AssertUnwindSafe(|| (target.read)(input)));
    (said, start.elapsed())
}

/// Inputs that earlier runs kept in a folder.
fn broke_before(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// Seeds stay; of the others a random one makes room.
fn keep(dice: &mut ChaCha8Rng, corpus: &mut Vec<Vec<u8>>, n_seeds: usize, input: Vec<u8>) {
    if corpus.len() < n_seeds + CORPUS_MAX {
        corpus.push(input);
    } else {
        let at = dice.gen_range(n_seeds..corpus.len());
        corpus[at] = input;
    }
}

fn kept(folder: &Path, kind: &str, input: &[u8]) -> String {
    let name = format!("{kind}-{:016x}", fingerprint(&String::from_utf8_lossy(input)));
    let path: PathBuf = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, input));
    match written {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("{kind}, and the input could not be kept: {error}"),
    }
}

/// Peak resident memory of this process; `None` where the system does not say.
pub(crate) fn memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1_024)
}
