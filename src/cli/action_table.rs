//! How good recommended actions are, as lines for people.

use std::fmt::Write as _;

use crate::domain::money::grouped;
use crate::training::metrics::bootstrap::Measured;
use crate::workflow::action_report::{ActionReport, ArchetypeMoney, Reliability, ReliabilityBin};

/// The report as text.
pub fn action_table(report: &ActionReport) -> String {
    let mut text = format!(
        "\nrecommended actions, {} orders whose truth is known; intervals are 90 %, by ring\n",
        report.n_orders
    );
    let money = &report.money;
    let threshold = format!("{} from p = {:.3} on", money.threshold_action, money.threshold_at);
    let policies = [
        ("first action", &money.first),
        ("release all", &money.release_all),
        (&*threshold, &money.threshold),
        ("kind of buyer known", &money.buyer_known),
        ("truth known", &money.oracle),
    ];
    // Writing to a String cannot fail.
    for (name, measured) in policies {
        let [value, low, high] =
            [measured.value, measured.low, measured.high].map(|minor| grouped(minor / 100.0, 0));
        let _ = writeln!(text, "  {name:<34} {value:>10} [{low}, {high}] per 1,000 orders");
    }
    let _ = writeln!(text, "  share of the gain over the threshold {}", shown(&report.gain_share));
    let by_kind = shown(&report.buyer_known_share);
    let _ = writeln!(text, "  the same when the kind of buyer is known {by_kind}");
    let _ = writeln!(text, "  best action among the three {}", shown(&report.best_recommended));
    let parts = [("all decisions", &report.all), ("not low", &report.contested)];
    for (name, Reliability { n, p_best_ece, softmax_ece, bins }) in parts {
        let (p_best, softmax) = (shown(p_best_ece), shown(softmax_ece));
        let _ = writeln!(text, "  {name}, {n}: debiased ECE of p_best {p_best}, softmax {softmax}");
        for bin in bins {
            let ReliabilityBin { n, predicted, observed } = bin;
            let _ = writeln!(text, "    {n:>6} p_best {predicted:.4}, came true {observed:.4}");
        }
    }
    for (archetype, of_kind) in &report.archetypes {
        let ArchetypeMoney { n, first, threshold, buyer_known, oracle, actions } = of_kind;
        let [first, threshold, kind, oracle] =
            [first, threshold, buyer_known, oracle].map(|minor| grouped(minor / 100.0, 1));
        let _ = writeln!(
            text,
            "    {archetype:<18} {n:>7} first {first:>8} threshold {threshold:>8} kind {kind:>8} \
             known {oracle:>8} {actions:?}"
        );
    }
    for (action, counts) in &report.actions {
        let (first, best) = (counts.first, counts.best);
        let _ = writeln!(text, "    {action:<18} first {first:>7}, best {best:>7}");
    }
    text
}

fn shown(measured: &Measured) -> String {
    let Measured { value, low, high } = measured;
    format!("{value:.4} [{low:.4}, {high:.4}]")
}
