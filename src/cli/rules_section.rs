//! Rules on a page: which matched, and what they add to the answer.

use std::fmt::Write as _;

use crate::cli::paint::{Align, Cell, Tone, table};
use crate::cli::render::Page;
use crate::cli::words;
use crate::domain::decision::Decision;
use crate::domain::rule::{RuleObstacle, RuleOutcome};

/// The section about rules; empty when none has anything to say.
pub(super) fn rules_section(page: Page, decision: &Decision) -> String {
    if decision.rules.is_empty() {
        return String::new();
    }
    let title = page.word("Rules", "规则");
    let rows: Vec<_> = decision.rules.iter().map(|rule| row(page, rule)).collect();
    let start = Align::Start;
    let mut text = format!(
        "\n  {}\n{}",
        page.ink.paint(Tone::Strong, title),
        table(page.ink, &[start, start, start, start], &rows)
    );
    let between = page.word(", ", "，");
    let mut sums = Vec::new();
    if !decision.tags.is_empty() {
        sums.push(format!("{} {}", page.word("tags", "标签"), decision.tags.join(between)));
    }
    if !decision.notices.is_empty() {
        sums.push(format!("{} {}", page.word("notices", "通知"), decision.notices.join(between)));
    }
    if decision.priority != 0 {
        sums.push(format!("{} {:+}", page.word("priority", "优先级"), decision.priority));
    }
    if !sums.is_empty() {
        let _ = writeln!(text, "  → {}", sums.join(" · "));
    }
    text
}

fn row(page: Page, rule: &RuleOutcome) -> Vec<Cell> {
    let (mark, tone) = match rule.obstacle {
        None => ("✓", Tone::Good),
        Some(RuleObstacle::Overruled | RuleObstacle::NotEligible) => ("–", Tone::Warn),
        Some(RuleObstacle::MissingInput) => ("?", Tone::Quiet),
    };
    let effect = match (rule.obstacle, rule.force) {
        (Some(RuleObstacle::MissingInput), _) => {
            let names = rule.missing_inputs.join(page.word(", ", "，"));
            format!("{}{names}", words::obstacle(page.language, RuleObstacle::MissingInput))
        }
        (obstacle, Some(action)) => {
            let action = words::action(page.language, action);
            let forces = format!("{} {action}", page.word("forces", "强制"));
            let but = obstacle.map(|obstacle| words::obstacle(page.language, obstacle));
            but.map_or(forces.clone(), |but| format!("{forces}{}{but}", page.word(", ", "，")))
        }
        (_, None) => String::new(),
    };
    vec![
        Cell::new(tone, mark),
        Cell::new(Tone::Normal, rule.title.in_language(page.language)),
        Cell::new(Tone::Quiet, &*rule.rule),
        Cell::new(tone, effect),
    ]
}
