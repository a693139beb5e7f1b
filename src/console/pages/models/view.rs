//! What the pages about models say.

use std::sync::Arc;

use crate::console::format::{count, figure as digits, minute, percent, short};
use crate::console::words::Words;
use crate::domain::decision::Decision;
use crate::domain::drift::{LARGE_SHIFT, SMALL_SHIFT, VALUES_MIN};
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadKind;
use crate::domain::model_description::{HeadDescription, ModelDescription, ReliabilityRow};
use crate::domain::model_version::Deployment;
use crate::domain::share::Share;
use crate::plot::charts::{ReliabilityLabels, ReliabilityPoint, inline_reliability};
use crate::plot::svg::Caption;
use crate::workflow::score_drift::HeadDrift;

/// Digits of a hash that people see.
const HASH_DIGITS: usize = 12;

/// A line of the ledger.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    /// Name and version.
    pub name: String,
    /// All digits of its hash.
    pub hash: String,
    /// The first digits.
    pub short_hash: String,
    /// From when on it judged.
    pub from: String,
    /// Who wanted it; empty is the start of the service.
    pub by: String,
    /// Why.
    pub note: String,
    /// First digits of the report it rests on.
    pub report: String,
    /// Position of its record.
    pub position: u64,
}

/// A deployment as a line.
pub fn ledger_row(deployment: &Deployment) -> LedgerRow {
    LedgerRow {
        name: deployment.name.to_string(),
        hash: deployment.hash.to_string(),
        short_hash: first_digits(&deployment.hash),
        from: minute(deployment.signature.at),
        by: deployment.signature.by.to_string(),
        note: deployment.signature.note.to_string(),
        report: first_digits(&deployment.report_hash),
        position: deployment.position,
    }
}

fn first_digits(hash: &str) -> String {
    hash.get(..HASH_DIGITS).unwrap_or(hash).to_owned()
}

/// How far a score has moved.
#[derive(Clone, Debug)]
pub struct DriftRow {
    /// Which risk.
    pub head: String,
    /// Mean probability in the earlier and the later sample.
    pub before: String,
    /// See above.
    pub now: String,
    /// The stability index; `None` when there are too few decisions.
    pub index: Option<String>,
    /// Key of what it means.
    pub meaning: &'static str,
    /// Class of what it means.
    pub class: &'static str,
}

/// A risk in two samples of decisions.
pub fn drift_row(words: Words, drift: &HeadDrift) -> DriftRow {
    let (meaning, class) = match drift.index {
        None => ("models-few", "unknown"),
        Some(index) if LARGE_SHIFT <= index => ("models-shift-large", "high"),
        Some(index) if SMALL_SHIFT <= index => ("models-shift-some", "elevated"),
        Some(_) => ("models-shift-none", "low"),
    };
    let mean = |mean: Option<f64>| mean.map_or_else(|| "–".to_owned(), percent);
    DriftRow {
        head: words.head(&drift.head),
        before: mean(drift.before),
        now: mean(drift.now),
        index: drift.index.map(short),
        meaning,
        class,
    }
}

/// How much a theme moves scores.
#[derive(Clone, Debug)]
pub struct ThemeRow {
    /// Which theme.
    pub theme: String,
    /// Mean absolute shift of a risk, log-odds.
    pub mean: String,
    /// Its share of the largest, percent, for a bar.
    pub share: u32,
}

/// Themes by their mean absolute shift over decisions and risks, largest first.
pub fn themes(words: Words, decisions: &[Arc<Decision>]) -> Vec<ThemeRow> {
    let risks = || decisions.iter().flat_map(|it| &it.risks);
    let n_risks = risks().count();
    if decisions.len() < VALUES_MIN {
        return Vec::new();
    }
    let total = |group: FeatureGroup| {
        let shares = risks().flat_map(|risk| &risk.groups).filter(|share| share.of == group);
        shares.map(|share| share.weighted_log_odds.abs()).sum::<f64>() / n_risks as f64
    };
    let mut means: Vec<(FeatureGroup, f64)> =
        FeatureGroup::ALL.into_iter().map(|group| (group, total(group))).collect();
    means.retain(|(_, mean)| 0.0 < *mean);
    means.sort_by(|a, b| b.1.total_cmp(&a.1));
    let largest = means.first().map_or(1.0, |(_, mean)| *mean);
    let row = |(group, mean): (FeatureGroup, f64)| ThemeRow {
        theme: words.group(group),
        mean: format!("{mean:.3}"),
        share: crate::console::format::of_hundred(mean / largest),
    };
    means.into_iter().map(row).collect()
}

/// A head of a bundle.
#[derive(Clone, Debug)]
pub struct HeadView {
    /// Its id, for anchors.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Rows and positives.
    pub n_rows: String,
    /// See above.
    pub n_positive: String,
    /// Trees.
    pub n_trees: u32,
    /// Name, value, interval.
    pub figures: Vec<(String, String, String)>,
    /// Predicted, observed, interval, rows.
    pub rows: Vec<(String, String, String, String)>,
    /// The same as a picture; empty for values.
    pub svg: String,
}

/// What a page says about a head.
pub fn head_view(words: Words, head: &HeadDescription) -> HeadView {
    let is_probability = head.kind != HeadKind::ImpactValue;
    let figures = head.figures.iter().map(|it| {
        let interval = format!("{} – {}", digits(it.low), digits(it.high));
        (words.figure(&it.name), digits(it.value), interval)
    });
    let shares: Vec<(ReliabilityRow, Share)> = head
        .reliability
        .iter()
        .filter(|_| is_probability)
        .map(|row| (*row, Share::new(positives(row), row.n)))
        .collect();
    let rows = shares.iter().map(|(row, share)| {
        let interval = format!("{} – {}", percent(share.low), percent(share.high));
        (percent(row.predicted), percent(row.observed), interval, count(row.n))
    });
    let points: Vec<ReliabilityPoint> = shares
        .iter()
        .map(|(row, share)| ReliabilityPoint {
            predicted: row.predicted,
            observed: row.observed,
            low: share.low,
            high: share.high,
        })
        .collect();
    HeadView {
        id: head.head.0.to_string(),
        title: words.head(&head.head),
        n_rows: count(head.n_rows),
        n_positive: count(head.n_positive),
        n_trees: head.n_trees,
        figures: figures.collect(),
        rows: rows.collect(),
        svg: if points.is_empty() { String::new() } else { picture(words, head, &points) },
    }
}

fn picture(words: Words, head: &HeadDescription, points: &[ReliabilityPoint]) -> String {
    let id = format!("reliability-{}", head.head.0);
    let title = words.t1("models-reliability-of", "head", words.head(&head.head));
    let desc = words.t("models-reliability-desc");
    let (x, y) = (words.t("models-predicted"), words.t("models-observed"));
    let note = words.t("models-ideal");
    let labels = ReliabilityLabels { x: &x, y: &y, note: &note };
    inline_reliability(Caption { id: &id, title: &title, desc: &desc }, labels, points)
}

/// How many of the rows were positive: the share was made from them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the rows")]
fn positives(row: &ReliabilityRow) -> u64 {
    (row.observed.clamp(0.0, 1.0) * row.n as f64).round() as u64
}

/// What the rows that it learned from span.
pub fn window(model: &ModelDescription) -> String {
    format!("{} – {}", minute(model.from), minute(model.to))
}
