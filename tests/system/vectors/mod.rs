//! Statistics against the reference numbers of other implementations.
//!
//! The numbers are not part of the repository: `cargo test --test system -- --ignored vectors`
//! reads them from a folder `shared/vectors` beside it. Each test walks its file to the end and
//! asserts how many numbers it compared; what it leaves out is named with the reason.

mod anytime;
mod assignment;
mod bandit;
mod compared;
mod gbstats;
mod gbstats_more;
mod near;
mod obp;
mod scores;
mod stats;
mod world;

use std::path::Path;

use serde_json::Value;

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
}

fn positions(value: &Value) -> Vec<usize> {
    counts(value).into_iter().map(|it| usize::try_from(it).unwrap()).collect()
}
