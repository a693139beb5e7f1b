//! How good recommended actions are, as lines for people.

use std::fmt::Write as _;

use crate::cli::paint::grouped;
use crate::training::metrics::bootstrap::Measured;
use crate::workflow::judge_actions::ActionReport;

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
        ("truth known", &money.oracle),
    ];
    // Writing to a String cannot fail.
    for (name, measured) in policies {
        let [value, low, high] =
            [measured.value, measured.low, measured.high].map(|minor| grouped(minor / 100.0, 0));
        let _ = writeln!(text, "  {name:<34} {value:>10} [{low}, {high}] per 1,000 orders");
    }
    let _ = writeln!(text, "  share of the gain over the threshold {}", shown(&report.gain_share));
    let _ = writeln!(text, "  best action among the three {}", shown(&report.best_recommended));
    let _ = writeln!(text, "  p_best, debiased ECE {}", shown(&report.p_best_ece));
    let _ = writeln!(text, "  softmax of the values, debiased ECE {}", shown(&report.softmax_ece));
    for bin in &report.bins {
        let (n, predicted, observed) = (bin.n, bin.predicted, bin.observed);
        let _ = writeln!(text, "    {n:>6} orders, p_best {predicted:.4}, came true {observed:.4}");
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
