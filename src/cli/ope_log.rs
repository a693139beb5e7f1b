//! Logs of choices as CSV.

use std::collections::BTreeMap;
use std::path::Path;

use miette::{Context as _, IntoDiagnostic as _, miette};
use ndarray::Array2;

use crate::experiment::logged::LoggedChoices;

/// Columns `target.NAME` and `predicted.NAME` name the actions.
const TARGET: &str = "target.";
const PREDICTED: &str = "predicted.";

/// A log, and the names of its actions in the order of its columns.
#[derive(Debug)]
pub struct NamedLog {
    /// Its rows.
    pub log: LoggedChoices,
    /// What the actions are called.
    pub actions: Vec<String>,
}

/// Reads a log.
///
/// # Errors
/// When the file cannot be read or is no log; the message names the line.
pub fn read_log(path: &Path) -> miette::Result<NamedLog> {
    let in_file = || format!("reading {}", path.display());
    let mut reader = csv::Reader::from_path(path).into_diagnostic().wrap_err_with(in_file)?;
    let heading = reader.headers().into_diagnostic().wrap_err_with(in_file)?.clone();
    let column = |name: &str| heading.iter().position(|it| it == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| miette!("{}: there is no column `{name}`", path.display()))
    };
    let (reward, action, propensity) =
        (needed("reward")?, needed("action")?, needed("propensity")?);
    let names: Vec<&str> = heading.iter().filter_map(|it| it.strip_prefix(TARGET)).collect();
    let targets: Vec<usize> =
        names.iter().filter_map(|name| column(&format!("{TARGET}{name}"))).collect();
    let predictions: Vec<Option<usize>> =
        names.iter().map(|name| column(&format!("{PREDICTED}{name}"))).collect();
    let ring = column("ring");
    let mut rings: BTreeMap<String, u64> = BTreeMap::new();
    let mut log = LoggedChoices {
        rewards: Vec::new(),
        actions: Vec::new(),
        propensities: Vec::new(),
        target: Array2::zeros((0, names.len())),
        predicted: Array2::zeros((0, names.len())),
        rings: Vec::new(),
    };
    let (mut target, mut predicted) = (Vec::new(), Vec::new());
    for (record, line) in reader.records().zip(2_u64..) {
        let record = record.into_diagnostic().wrap_err_with(in_file)?;
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        let number = |at: usize| -> miette::Result<f64> {
            let name = heading.get(at).unwrap_or_default();
            cell(at).parse().map_err(|_| {
                miette!("{}, line {line}: `{name}` is not a number: `{}`", path.display(), cell(at))
            })
        };
        let chosen = names.iter().position(|name| *name == cell(action)).ok_or_else(|| {
            let name = cell(action);
            miette!("{}, line {line}: there is no column `{TARGET}{name}`", path.display())
        })?;
        log.rewards.push(number(reward)?);
        log.actions.push(chosen);
        log.propensities.push(number(propensity)?);
        for (of_target, of_model) in targets.iter().zip(&predictions) {
            target.push(number(*of_target)?);
            predicted.push(of_model.map_or(Ok(0.0), number)?);
        }
        let n_rings = rings.len() as u64;
        let by_itself = || format!("row {line}");
        let ring = ring.map_or_else(by_itself, |at| cell(at).to_owned());
        log.rings.push(*rings.entry(ring).or_insert(n_rings));
    }
    let shape = (log.rewards.len(), names.len());
    log.target = Array2::from_shape_vec(shape, target).into_diagnostic()?;
    log.predicted = Array2::from_shape_vec(shape, predicted).into_diagnostic()?;
    if !log.is_sound() {
        return Err(miette!(
            help = "propensities lie in (0, 1], and the target's probabilities of a row sum to 1",
            "{} is not a log of choices",
            path.display()
        ));
    }
    let actions = names.into_iter().map(str::to_owned).collect();
    Ok(NamedLog { log, actions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, text).unwrap();
        format!("{:?}", read_log(&path).unwrap_err())
    }

    #[test]
    fn what_is_wrong_in_a_log_is_told_with_its_line() {
        for (text, expected) in [
            ("action,propensity\na,1\n", "there is no column `reward`"),
            (
                "reward,action,propensity,target.a\n1,b,1,1\n",
                "line 2: there is no column `target.b`",
            ),
            (
                "reward,action,propensity,target.a\nx,a,1,1\n",
                "line 2: `reward` is not a number: `x`",
            ),
            ("reward,action,propensity,target.a\n1,a,0,1\n", "is not a log of choices"),
        ] {
            let told = told(text);
            assert!(told.contains(expected), "{told}");
        }
    }
}
