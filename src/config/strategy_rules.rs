//! Reads the rules of a strategy file.

use crate::config::reader::{Found, PartMistake, Section};
use crate::config::rule_check::condition;
use crate::config::rule_names::Names;
use crate::decision::rule::{Rule, Rules};
use crate::decision::rule_expression::Expression;
use crate::domain::decision::ActionKind;
use crate::domain::near::nearest;

/// Most rules of a strategy.
const RULES_MAX: usize = 200;
/// Most steps that all conditions together may take for one order: well below a millisecond.
const ALL_STEPS_MAX: u64 = 100_000;
/// Most tags, and most notices, of one rule.
const WORDS_MAX: usize = 16;
/// Longest name of a rule, tag or notice.
const WORD_CHARS_MAX: usize = 64;
/// Largest priority; more would hide what the others add.
const PRIORITY_MAX: i64 = 1_000;
/// The word for a rule that forces no action.
const NO_ACTION: &str = "none";

/// Reads every rule; disabled ones are checked too, then left out.
pub fn rules(section: &Section<'_>, names: &mut Names<'_>, enabled: &[ActionKind]) -> Rules {
    let all = section.names();
    if let Some(first) = all.get(RULES_MAX) {
        let message = format!("{} has {} rules, {RULES_MAX} at most", section.path(), all.len());
        section.report(first, message, "too many");
    }
    let (mut rules, mut steps) = (Vec::new(), 0_u64);
    for name in all.iter().take(RULES_MAX) {
        check_word(section, name, &name.value);
        let Some(entry) = section.optional_section(&name.value) else { continue };
        let is_enabled = entry.flag("enabled");
        let rule = rule(&entry, &name.value, names, enabled);
        if let (Some(true), Some(rule)) = (is_enabled, rule) {
            let before = steps;
            steps = steps.saturating_add(rule.when.steps_max());
            if before <= ALL_STEPS_MAX && ALL_STEPS_MAX < steps {
                let message = format!(
                    "with {} the rules may take {steps} steps for one order, {ALL_STEPS_MAX} at most",
                    name.key
                );
                section.report(name, message, "would run long");
            }
            rules.push(rule);
        }
    }
    Rules { rules, features: std::mem::take(&mut names.named) }
}

fn rule(
    section: &Section<'_>,
    id: &str,
    names: &mut Names<'_>,
    enabled: &[ActionKind],
) -> Option<Rule> {
    let when = section.any_text("when").and_then(|text| when(section, &text, names));
    let priority = section.integer("priority", -PRIORITY_MAX..=PRIORITY_MAX);
    let force = section.text("force").and_then(|word| force(section, &word, enabled));
    let tags = words(section, "tags");
    let emit = words(section, "emit");
    let title = section.text_pair("title");
    section.finish();
    Some(Rule {
        id: id.into(),
        when: when?,
        priority: priority?.value,
        force: force?,
        tags: tags?,
        emit: emit?,
        title: title?,
    })
}

fn when(section: &Section<'_>, text: &Found<String>, names: &mut Names<'_>) -> Option<Expression> {
    let faults = match condition(&text.value, names) {
        Ok(expression) => return Some(expression),
        Err(faults) => faults,
    };
    for fault in faults {
        let mistake = PartMistake {
            message: fault.message,
            label: fault.label,
            suggestion: fault.suggestion,
        };
        section.report_part(text, fault.span, mistake);
    }
    None
}

/// `None` when the word is wrong, `Some(None)` when it forces nothing.
#[expect(clippy::option_option, reason = "the outer one says whether the word is right")]
fn force(
    section: &Section<'_>,
    word: &Found<String>,
    enabled: &[ActionKind],
) -> Option<Option<ActionKind>> {
    if word.value == NO_ACTION {
        return Some(None);
    }
    if let Some(kind) = ActionKind::parse(&word.value).filter(|kind| enabled.contains(kind)) {
        return Some(Some(kind));
    }
    let known = enabled.iter().map(|kind| kind.as_str()).chain([NO_ACTION]);
    let suggestion = match nearest(&word.value, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    let message = format!("{}: there is no enabled action `{}`", word.key, word.value);
    section.report_suggesting(word, message, Some(suggestion));
    None
}

fn words(section: &Section<'_>, name: &str) -> Option<Vec<Box<str>>> {
    let words = section.words(name)?;
    if let Some(first) = words.get(WORDS_MAX) {
        let message = format!("{} has {} words, {WORDS_MAX} at most", first.key, words.len());
        section.report(first, message, "too many");
        return None;
    }
    let mut checked = Vec::with_capacity(words.len());
    for word in &words {
        check_word(section, word, &word.value);
        checked.push(word.value.as_str().into());
    }
    Some(checked)
}

/// Names, tags and notices are read by machines, too.
pub fn check_word(section: &Section<'_>, at: &Found<String>, word: &str) {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !word.is_empty() && word.chars().all(is_word) && word.len() <= WORD_CHARS_MAX {
        return;
    }
    let message = format!(
        "{}: `{word}` is not of 1 to {WORD_CHARS_MAX} small letters, digits and `_`",
        at.key
    );
    section.report(at, message, "not a plain word");
}
