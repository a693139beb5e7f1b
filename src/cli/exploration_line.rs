//! On the page of an answer: whether a declined order is released to learn.

use crate::cli::paint::Tone;
use crate::cli::render::{Page, percent};
use crate::cli::words;
use crate::domain::decision::Decision;
use crate::domain::exploration::Exploration;

/// A line of its own; empty for an order that nothing was drawn for.
pub(super) fn exploration_line(page: Page, decision: &Decision) -> String {
    let Some(drawn) = &decision.exploration else { return String::new() };
    let (tone, said) = told(page, drawn);
    format!("  {}\n", page.ink.paint(tone, &said))
}

fn told(page: Page, drawn: &Exploration) -> (Tone, String) {
    if let Some(limit) = drawn.withheld_by {
        let why = words::exploration_limit(page.language, limit);
        let not = page.word("Not released to learn from it", "未为学习而放行");
        return (Tone::Quiet, format!("{not}{}{why}", page.word(": ", "：")));
    }
    let chance = percent(drawn.propensity.value());
    if drawn.is_released {
        let why = page.word(
            "Released to learn how such orders end: it would be declined, and was drawn with a chance of",
            "为了解此类订单的结局而放行：本应拒绝，抽中概率",
        );
        return (Tone::Warn, format!("{why} {chance}"));
    }
    let why = page.word(
        "Not drawn among the declined orders that are released to learn; the chance was",
        "未被抽中为学习而放行；抽中概率",
    );
    (Tone::Quiet, format!("{why} {chance}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Ink;
    use crate::domain::exploration::ExplorationLimit;
    use crate::domain::risk::Probability;
    use crate::domain::text::Language;

    #[test]
    fn the_line_says_why_in_both_languages() {
        let drawn = |is_released, withheld_by| Exploration {
            propensity: Probability::clamped(0.0375),
            is_released,
            at_risk_minor: 100.0,
            withheld_by,
        };
        let limits = ExplorationLimit::ALL.map(|limit| drawn(false, Some(limit)));
        let all = [drawn(true, None), drawn(false, None)].into_iter().chain(limits);
        let lines: Vec<String> = all
            .flat_map(|drawn| {
                [Language::English, Language::Chinese]
                    .map(|language| told(Page { language, ink: Ink::Plain }, &drawn).1)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
