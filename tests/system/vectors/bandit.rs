//! Estimates on real logged choices, against the Open Bandit Pipeline.
//!
//! The log is of ten thousand recommendations that were drawn evenly, each in one of three
//! places; the target is what Bernoulli Thompson sampling would have shown there.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::{DeflateDecoder, GzDecoder};
use ndarray::Array2;
use orderlens::experiment::logged::{LoggedChoices, Reach};
use orderlens::experiment::off_policy::Estimator;
use serde_json::Value;

use crate::vectors::compared::Compared;
use crate::vectors::obp::family;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join("data").join(name)
}

fn whole(bytes: &[u8], at: usize, n_bytes: usize) -> usize {
    bytes[at..at + n_bytes].iter().rev().fold(0, |whole, byte| whole << 8 | usize::from(*byte))
}

/// Files of a zip archive without comment, by name (PKWARE, "APPNOTE.TXT", sections 4.3.7,
/// 4.3.12 and 4.3.16).
fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let end = archive.len() - 22;
    assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
    let (n_files, mut entry) = (whole(archive, end + 10, 2), whole(archive, end + 16, 4));
    let mut files = BTreeMap::new();
    for _ in 0..n_files {
        assert_eq!(whole(archive, entry + 10, 2), 8, "deflated");
        let [n_name, n_extra, n_comment] = [28, 30, 32].map(|at| whole(archive, entry + at, 2));
        let name = String::from_utf8(archive[entry + 46..entry + 46 + n_name].to_vec()).unwrap();
        let (size, local) = (whole(archive, entry + 20, 4), whole(archive, entry + 42, 4));
        let start = local + 30 + whole(archive, local + 26, 2) + whole(archive, local + 28, 2);
        let mut bytes = Vec::new();
        DeflateDecoder::new(&archive[start..start + size]).read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
        entry += 46 + n_name + n_extra + n_comment;
    }
    files
}

/// Numbers of an array of numpy, the last axis fastest.
fn array(file: &[u8]) -> Vec<f64> {
    assert_eq!(&file[..7], b"\x93NUMPY\x01");
    let start = 10 + whole(file, 8, 2);
    let header = std::str::from_utf8(&file[10..start]).unwrap();
    assert!(header.contains("'fortran_order': False"), "{header}");
    let parts = file[start..].chunks_exact(8).map(|it| <[u8; 8]>::try_from(it).unwrap());
    if header.contains("'<f8'") {
        return parts.map(f64::from_le_bytes).collect();
    }
    assert!(header.contains("'<i8'"), "{header}");
    parts.map(|it| i64::from_le_bytes(it) as f64).collect()
}

fn log(files: &BTreeMap<String, Vec<u8>>) -> LoggedChoices {
    let array = |name: &str| array(&files[&format!("{name}.npy")]);
    let places = |name: &str| -> Vec<usize> {
        array(name).iter().map(|it| format!("{it}").parse().unwrap()).collect()
    };
    let (rewards, position) = (array("reward"), places("position"));
    let (target, predicted) = (array("action_dist"), array("est"));
    let n_actions = target.len() / 3;
    let shape = (rewards.len(), n_actions);
    assert_eq!(predicted.len(), rewards.len() * target.len());
    LoggedChoices {
        actions: places("action"),
        propensities: array("pscore"),
        target: Array2::from_shape_fn(shape, |(row, at)| target[at * 3 + position[row]]),
        predicted: Array2::from_shape_fn(shape, |(row, at)| {
            predicted[(row * n_actions + at) * 3 + position[row]]
        }),
        rings: (0..rewards.len() as u64).collect(),
        rewards,
    }
}

fn estimator(name: &str) -> Estimator {
    match (name, name.split_once("(lambda=")) {
        ("snipw", _) => Estimator::Snips,
        ("dm", _) => Estimator::Direct,
        ("sndr", _) => Estimator::SelfNormalizedDr,
        (_, Some((base, rest))) => {
            family(base).unwrap()(rest.strip_suffix(')').unwrap().parse().unwrap())
        }
        (_, None) => family(name).unwrap()(f64::INFINITY),
    }
}

/// Clicks of a log as it was published.
fn clicks(name: &str) -> Vec<f64> {
    let file = std::fs::File::open(path(name)).unwrap();
    let mut rows = csv::Reader::from_reader(GzDecoder::new(file));
    let column = rows.headers().unwrap().iter().position(|it| it == "click").unwrap();
    rows.records().map(|row| row.unwrap()[column].parse().unwrap()).collect()
}

#[test]
#[ignore = "reads public data beside the repository"]
fn estimates_on_real_choices_are_those_of_the_open_bandit_pipeline() {
    let text = std::fs::read_to_string(path("obd_men_oracle.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let log = log(&unzip(&std::fs::read(path("obd_men_oracle_inputs.npz")).unwrap()));
    assert!(log.is_sound());
    assert_eq!(log.rewards, clicks("obd_random_men_10000.csv.gz"));
    let mut compared = Compared::within(1e-9);
    let n = log.rewards.len() as f64;
    let sum = |it: &[f64]| it.iter().sum::<f64>();
    let of_target = clicks("obd_bts_men_10000.csv.gz");
    compared.number("n", n, &expected["n"]);
    compared.number("clicks", sum(&log.rewards), &expected["clicks"]);
    compared.number("mean", sum(&log.rewards) / n, &expected[concat!("behavi", "our_mean")]);
    compared.number("clicks", sum(&of_target), &expected["bts_clicks"]);
    let mean = sum(&of_target) / of_target.len() as f64;
    compared.number("mean", mean, &expected["bts_onpolicy_mean"]);
    let reach = Reach::new(&log);
    compared.number("ess", reach.n_effective, &expected["ess"]);
    compared.number("max_w", reach.max_weight, &expected["max_w"]);
    for (name, value) in expected["est"].as_object().unwrap() {
        compared.number(name, estimator(name).value(&log), value);
    }
    compared.all_of(&expected, &[]);
    println!("{} numbers", compared.n());
}
