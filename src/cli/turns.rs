//! What would have turned the first action, in lines for people.

use std::fmt::Write;

use crate::cli::paint::Tone;
use crate::cli::render::Page;
use crate::cli::words::word;
use crate::domain::counterfactual::{CounterfactualAim, CounterfactualProof, CounterfactualSearch};

/// The changes that searches found, one per line, or that there are none; each with what is
/// proven.
pub fn turns(page: Page, searches: &[CounterfactualSearch]) -> String {
    let mut text = String::new();
    for search in searches {
        text.push('\n');
        for found in &search.counterfactuals {
            let (en, zh) = if found.is_proven_minimal {
                ("proven smallest", "已证最小")
            } else {
                ("not proven smallest", "未证最小")
            };
            let note = page.ink.paint(Tone::Quiet, word(page.language, en, zh));
            let _ = writeln!(text, "  ↷ {} {note}", found.text.in_language(page.language));
        }
        if search.counterfactuals.is_empty() {
            let none = page.ink.paint(Tone::Quiet, none_found(page, search));
            let _ = writeln!(text, "  ↷ {none}");
        }
    }
    text
}

fn none_found(page: Page, search: &CounterfactualSearch) -> &'static str {
    let (en, zh) = match (search.target, search.proof) {
        (None, _) if search.aim == CounterfactualAim::GivenProbability => {
            ("No score of this risk gives that probability.", "此风险的任何分数都达不到该概率。")
        }
        (None, _) => (
            "No score of this risk alone would turn the action.",
            "仅此风险的分数变化不会改变动作。",
        ),
        (Some(_), CounterfactualProof::Complete) => (
            "No three inputs that the order controls carry the score far enough.",
            "订单可控的任意三项输入都不足以使分数越过所需的值。",
        ),
        (Some(_), CounterfactualProof::Budget | CounterfactualProof::Reweighted) => (
            "No change of up to three inputs was found; there may be one.",
            "未找到至多三项输入的改动；可能仍有。",
        ),
    };
    word(page.language, en, zh)
}
