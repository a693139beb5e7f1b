//! A promise, the figure that was found, and seeds.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use indicatif::ProgressBar;
use orderlens::experiment::moments::Moments;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// Seeds per gate.
const N_SEEDS: u8 = 3;

/// Where seeds come from, and where it is shown how far gates are.
pub(crate) struct Suite<'a> {
    /// The commit.
    pub commit: &'a str,
    /// A step per group.
    pub progress: &'a ProgressBar,
}

impl Suite<'_> {
    /// What `measure` finds with each seed of a gate, two at a time.
    pub(crate) fn measure<T: Send>(
        &self,
        gate: &str,
        measure: impl Fn(&mut ChaCha8Rng) -> T + Sync,
    ) -> Vec<T> {
        let n_done = AtomicU8::new(0);
        let with_seed = |k: u8| {
            let done = n_done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.set_message(format!("{gate}, seed {done} of {N_SEEDS}"));
            let mut hash = Sha256::new();
            hash.update(self.commit);
            hash.update(gate);
            hash.update([k]);
            measure(&mut ChaCha8Rng::from_seed(hash.finalize().into()))
        };
        thread::scope(|scope| {
            let others = scope.spawn(|| (1..N_SEEDS).map(with_seed).collect::<Vec<T>>());
            let mut all = vec![with_seed(0)];
            all.extend(others.join().expect("a gate does not panic"));
            all
        })
    }
}

/// What a gate or a mutant of it showed.
pub(crate) struct Row {
    name: String,
    figures: Vec<f64>,
    bounds: (f64, f64),
    is_mutant: bool,
}

impl Row {
    /// A promise: every figure is within the bounds.
    pub(crate) fn gate(name: impl Into<String>, figures: Vec<f64>, bounds: (f64, f64)) -> Self {
        Self { name: name.into(), figures, bounds, is_mutant: false }
    }

    /// A usual mistake: every figure is outside.
    pub(crate) fn mutant(name: impl Into<String>, figures: Vec<f64>, bounds: (f64, f64)) -> Self {
        Self { name: format!("mutant: {}", name.into()), figures, bounds, is_mutant: true }
    }

    /// True when a promise is kept, or a mutant is caught.
    pub(crate) fn is_as_expected(&self) -> bool {
        let (low, high) = self.bounds;
        let is_expected = |it: &f64| !it.is_nan() && (low..=high).contains(it) != self.is_mutant;
        !self.figures.is_empty() && self.figures.iter().all(is_expected)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.is_as_expected(), self.is_mutant) {
            (true, false) => "ok",
            (true, true) => "caught",
            (false, false) => "RED",
            (false, true) => "NOT CAUGHT",
        };
        let figures: Vec<String> = self.figures.iter().map(|it| short(*it)).collect();
        let (low, high) = self.bounds;
        let bounds = format!("[{low}, {high}]");
        write!(f, "{:<62} {:<26} {bounds:<16} {verdict}", self.name, figures.join(" "))
    }
}

/// The table of all gates and mutants, and a last line that counts them.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines =
        vec![format!("{:<62} {:<26} {:<16} verdict", "gate", "figure of each seed", "bounds")];
    lines.extend(rows.iter().map(ToString::to_string));
    let count = |is_mutant: bool| {
        let of = rows.iter().filter(|row| row.is_mutant == is_mutant);
        (of.clone().filter(|row| row.is_as_expected()).count(), of.count())
    };
    let ((kept, gates), (caught, mutants)) = (count(false), count(true));
    lines.push(format!("{kept} of {gates} gates ok, {caught} of {mutants} mutants caught"));
    lines.join("\n")
}

/// A figure in as few digits as it needs.
fn short(figure: f64) -> String {
    if figure != 0.0 && figure.abs() < 1e-3 {
        format!("{figure:.1e}")
    } else if figure.abs() < 100.0 {
        format!("{figure:.4}")
    } else {
        format!("{figure:.0}")
    }
}

/// Share of runs that are true.
pub(crate) fn share(n_runs: u32, mut run: impl FnMut() -> bool) -> f64 {
    let n = (0..n_runs).filter(|_| run()).count();
    n as f64 / f64::from(n_runs)
}

/// Standard deviation.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let mut moments = Moments::default();
    values.for_each(|value| moments.add(value, 0.0));
    moments.variance().sqrt()
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
