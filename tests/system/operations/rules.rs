//! Dashboard and alerts name only what a server shows.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::operations::{get, names};
use crate::server::Server;

const DASHBOARD: &str = "config/ops/grafana-dashboard.json";
const RULES: &str = "config/ops/prometheus-rules.yml";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(path)).unwrap()
}

/// Names of metrics in an expression: words with a prefix of ours that no label is called.
fn metrics_of(expression: &str) -> impl Iterator<Item = String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(move |c| !is_word(c));
    let ours = ["grpc_server_", "orderlens_", "orderlens:", "process_"];
    words.filter(move |word| ours.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned)
}

/// Every text under a key, however deep.
fn texts_of(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if name == key
                    && let Value::String(text) = inner
                {
                    found.push(text.clone());
                }
                texts_of(inner, key, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| texts_of(inner, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The expressions of a file of rules: one line each, as the file promises at its head.
fn expressions(rules: &str) -> Vec<String> {
    let lines = rules.lines().map(str::trim).map(|line| line.trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix("expr: ")).map(str::to_owned).collect()
}

fn alerts(rules: &str) -> Vec<&str> {
    let lines = rules.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix("- alert: ")).collect()
}

#[test]
fn dashboard_and_rules_ask_only_for_what_is_there() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (_, text) = get(&server, "/metrics");
    let shown: BTreeSet<String> = names(&text).into_values().flatten().collect();
    let rules = read(RULES);
    let mut asked = Vec::new();
    texts_of(&serde_json::from_str(&read(DASHBOARD)).unwrap(), "expr", &mut asked);
    assert!(20 <= asked.len(), "a dashboard of {} expressions", asked.len());
    let of_rules = expressions(&rules);
    assert!(alerts(&rules).len() <= of_rules.len(), "an alert without an expression of one line");
    asked.extend(of_rules);
    // A rule may ask for what another one records.
    let recorded: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).collect();
    for expression in &asked {
        let metrics: Vec<String> = metrics_of(expression).collect();
        assert!(!metrics.is_empty(), "names no metric: {expression}");
        for metric in metrics {
            let is_there = shown.contains(&metric) || recorded.contains(&*metric);
            assert!(is_there, "`{metric}` is not shown: {expression}");
        }
        for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
            let n = |c| expression.matches(c).count();
            assert_eq!(n(open), n(close), "{expression}");
        }
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let (rules, page) = (read(RULES), read("docs/operations.md"));
    let alerts = alerts(&rules);
    assert!(10 <= alerts.len(), "{alerts:?}");
    for alert in alerts {
        assert!(page.contains(&format!("| `{alert}` |")), "{alert} is not in docs/operations.md");
    }
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `Orderlens"));
    let documented = rows.filter_map(|row| row.split('`').next());
    for alert in documented {
        assert!(rules.contains(&format!("- alert: Orderlens{alert}\n")), "no rule {alert}");
    }
}
