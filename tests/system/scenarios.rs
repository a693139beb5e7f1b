//! Three light questions: a mapping declares heads, the commands do the rest.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::server::orderlens;

/// Days of the history; what was placed from the second date on is judged.
const DAYS: &str = "300";
const TEST_FROM: &str = "2026-08-01";

/// What the commands made of one history.
struct Studied {
    folder: tempfile::TempDir,
    report: Value,
}

fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> Vec<u8> {
    let mut command = orderlens();
    command.args(arguments);
    for (flag, path) in paths {
        command.arg(flag).arg(path);
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// Simulates, imports, trains on what was known on the day, and judges the days after it.
fn study(scenario: &str, orders_per_day: &str) -> Studied {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (history, events, model) =
        (path("history.csv"), path("events.jsonl"), path("models").join(scenario).join("1"));
    let size = ["--seed", "5", "--days", DAYS, "--orders-per-day", orders_per_day];
    let simulate = [&["simulate", "--scenario", scenario], &size[..]].concat();
    run(&simulate, &[("--output", &history)]);
    let mapping =
        Path::new("config/mappings").join(scenario.replace('-', "_")).with_extension("toml");
    run(&["import"], &[("--mapping", &mapping), ("--input", &history), ("--output", &events)]);
    let window = ["--train-from", "2026-01-01", "--train-to", TEST_FROM];
    let train = [&["train", "--max-trees", "100"], &window[..]].concat();
    run(&train, &[("--events", &events), ("--output", &model)]);
    let card = fs::read_to_string(model.join("card.md")).unwrap();
    assert!(card.to_lowercase().contains("synthetic"), "{card}");
    let pages = path("report");
    let evaluate = ["evaluate", "--json", "--no-baselines", "--test-from", TEST_FROM];
    let report =
        run(&evaluate, &[("--events", &events), ("--model", &model), ("--report", &pages)]);
    assert!(pages.join("report.md").is_file());
    Studied { report: serde_json::from_slice(&report).unwrap(), folder }
}

impl Studied {
    fn head(&self, name: &str) -> &Value {
        let heads = self.report["model"].as_array().unwrap();
        heads.iter().find(|head| head["head"] == name).unwrap()
    }

    fn metric(&self, head: &str, name: &str) -> f64 {
        let metrics = self.head(head)["metrics"].as_array().unwrap();
        let metric = metrics.iter().find(|metric| metric["name"] == name);
        metric.unwrap()["value"].as_f64().unwrap()
    }

    /// Two columns of the judged orders that have both: what came, and what was to be expected.
    fn came_and_expected(&self, column: &str) -> Vec<(f64, f64)> {
        let path: PathBuf = self.folder.path().join("history.csv");
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let heading = lines.next().unwrap();
        let at = |name: &str| heading.iter().position(|it| *it == name).unwrap();
        let (came, expected, placed) = (at(column), at("expected"), at("placed_at"));
        let judged = lines.filter(|cells| TEST_FROM <= cells[placed]);
        judged.filter_map(|it| Some((it[came].parse().ok()?, it[expected].parse().ok()?))).collect()
    }
}

fn auc(pairs: &[(f64, f64)]) -> f64 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let n_positive: f64 = sorted.iter().map(|it| it.0).sum();
    let ranks = sorted.iter().zip(1..).map(|(it, rank)| it.0 * f64::from(rank)).sum::<f64>();
    let n_negative = sorted.len() as f64 - n_positive;
    (ranks - n_positive * (n_positive + 1.0) / 2.0) / (n_positive * n_negative)
}

#[test]
fn whether_the_balance_of_a_presale_is_paid_is_nearly_as_sure_as_it_can_be() {
    let studied = study("presale-balance", "60");
    let of_unpaid: Vec<(f64, f64)> = studied
        .came_and_expected("balance_paid")
        .into_iter()
        .map(|(paid, expected)| (1.0 - paid, expected))
        .collect();
    let (ours, best) = (studied.metric("balance_unpaid", "auc"), auc(&of_unpaid));
    // Who knows every cause gets `best`; how a member is shows only in what they did before.
    assert!(0.65 * (best - 0.5) < ours - 0.5, "{ours} of {best}");
    let error = studied.metric("balance_unpaid", "debiased_ece");
    assert!(error < 0.03, "calibration is off by {error}");
}

#[test]
fn orders_across_a_border_that_cost_more_than_they_earn_are_told_by_the_sign() {
    let studied = study("cross-border-return", "60");
    let where_negative = studied.metric("net_benefit", "mean_where_predicted_negative");
    assert!(where_negative < 0.0, "orders said to lose money earn {where_negative}");
    let cost = studied.metric("return_cost", "r2");
    assert!(0.0 < cost && 0.6 < studied.metric("return", "auc"), "{cost}");
}

#[test]
fn members_orders_are_ranked_by_what_their_delay_costs() {
    let studied = study("vip-expedite", "60");
    let mut came = studied.came_and_expected("delay_cost_yuan");
    came.sort_by(|a, b| b.1.total_cmp(&a.1));
    let whole: f64 = came.iter().map(|it| it.0).sum();
    let best = came[..came.len() / 10].iter().map(|it| it.0).sum::<f64>() / whole;
    let ours = studied.metric("delay_cost", "top_tenth_share");
    assert!(0.85 * best < ours, "the first tenth holds {ours} of the cost; at best {best}");
    assert!(0.6 < studied.metric("delay_cost", "normalized_gini"));
}
