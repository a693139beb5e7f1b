//! Checks what a mapping says about rows: filters, later events, labels.

use crate::domain::entity::EntityKind;
use crate::domain::event::CancelReason;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::money::Currency;
use crate::domain::time::Span;
use crate::import::amount::check_money;
use crate::import::instant::{TimeSpec, check_span, check_time};
use crate::import::mapping::{
    Condition, EventSpec, FactKind, LabelRule, LabelSpec, LaterValue, Target, Test,
};
use crate::import::mistake::suggest;
use crate::import::section::{Column, Entry, Section};

const CANCEL_SOURCES: [&str; 4] = ["customer", "merchant", "platform", "partner"];
const CANCEL_TYPES: [&str; 6] =
    ["unpaid_timeout", "changed_mind", "out_of_stock", "risk", "payment_failed", "other"];
const CANCEL_LEVELS: [&str; 3] = ["before_payment", "before_shipping", "after_shipping"];

/// Reads `{ column, <one test> }`.
pub(super) fn check_condition(section: &Section<'_>) -> Option<Condition> {
    let column = section.required("column").and_then(|entry| entry.column());
    let is = section.entry("is");
    let is_not = section.entry("is_not");
    let starts_with = section.entry("starts_with");
    let starts_not_with = section.entry("starts_not_with");
    let present = section.entry("present");
    let given = [&is, &is_not, &starts_with, &starts_not_with, &present];
    if given.iter().filter(|entry| entry.is_some()).count() != 1 {
        section.note_self(
            "needs exactly one of is, is_not, starts_with, starts_not_with, present".to_owned(),
        );
    }
    section.finish();
    let test = if let Some(entry) = is {
        Test::OneOf(entry.texts()?)
    } else if let Some(entry) = is_not {
        Test::NoneOf(entry.texts()?)
    } else if let Some(entry) = starts_with {
        Test::StartsWith(entry.texts()?)
    } else if let Some(entry) = starts_not_with {
        Test::NotStartsWith(entry.texts()?)
    } else if present?.is_true()? {
        Test::Present
    } else {
        Test::Missing
    };
    Some(Condition { column: column?, test })
}

/// Reads one `[[events]]`; times default to the orders' time column.
pub(super) fn check_event(
    section: &Section<'_>,
    order_time: Option<&TimeSpec>,
    currency: Option<Currency>,
) -> Option<EventSpec> {
    let when = section.required("when").and_then(|entry| check_condition(&entry.section()?));
    let fact_entry = section.required("fact");
    let fact = fact_entry
        .as_ref()
        .and_then(|entry| entry.word::<FactKind>("a fact about orders", &FactKind::NAMES));
    let time = match section.entry("time") {
        Some(entry) => check_time(&entry),
        None => order_time.cloned(),
    };
    let named = section.entry("order");
    let kinds = section.entry("match");
    let within = section.entry("within");
    let target = match (named, kinds) {
        (Some(named), None) => {
            if let Some(within) = &within {
                within.note("is only used with `match`".to_owned(), None);
            }
            named.columns().map(Target::Named)
        }
        (None, Some(kinds)) => check_match(&kinds, within.as_ref()),
        (Some(_), Some(_)) | (None, None) => {
            let remark = "needs either `order` (columns with the order's id) or `match`";
            section.note_self(remark.to_owned());
            None
        }
    };
    let amount = section.section("amount").map(|section| {
        let money = check_money(&section, currency);
        section.finish();
        money
    });
    let reason_entry = section.entry("reason");
    let reason = match (&reason_entry, fact) {
        (Some(entry), _) => entry.section().and_then(|section| check_reason(&section)),
        (None, Some(FactKind::OrderCancelled)) => {
            section.note_self("needs `reason = { source, type, level }`".to_owned());
            None
        }
        (None, _) => None,
    };
    section.finish();
    let amount = match amount {
        None => None,
        Some(money) => Some(money?),
    };
    Some(EventSpec { when: when?, fact: fact?, time: time?, target: target?, amount, reason })
}

fn check_match(entry: &Entry<'_>, within: Option<&Entry<'_>>) -> Option<Target> {
    let names = EntityKind::ALL.map(EntityKind::as_str);
    let list = entry.list()?;
    if list.is_empty() {
        entry.note("names no entity kind".to_owned(), None);
        return None;
    }
    let kinds: Vec<Option<EntityKind>> =
        list.iter().map(|kind| kind.word("an entity kind", &names)).collect();
    let within = match within {
        Some(entry) => Some(check_span(entry)?),
        None => None,
    };
    Some(Target::Match { kinds: kinds.into_iter().collect::<Option<_>>()?, within })
}

fn check_reason(section: &Section<'_>) -> Option<CancelReason> {
    let source = section.required("source");
    let kind = section.required("type");
    let level = section.required("level");
    section.finish();
    let source = source.and_then(|entry| entry.word("a cancel source", &CANCEL_SOURCES));
    let kind = kind.and_then(|entry| entry.word("a cancel type", &CANCEL_TYPES));
    let level = level.and_then(|entry| entry.word("a cancel level", &CANCEL_LEVELS));
    Some(CancelReason { source: source?, r#type: kind?, level: level? })
}

/// Reads one `[[labels]]`; `facts` are those that `[[events]]` maps.
pub(super) fn check_label(section: &Section<'_>, facts: Option<&[FactKind]>) -> Option<LabelSpec> {
    let head = section.required("head").and_then(|entry| check_head(&entry));
    let kind_entry = section.required("kind");
    let kind = kind_entry.as_ref().and_then(Entry::text);
    let rule = match (kind, &kind_entry) {
        (Some("column"), _) => check_words_label(section),
        (Some("number"), _) => {
            let (column, known_after) = check_known_column(section);
            column
                .zip(known_after)
                .map(|(column, known_after)| LabelRule::Number { column, known_after })
        }
        (Some("later_event"), _) => check_later_label(section, facts),
        (Some(other), Some(entry)) => {
            let names = ["column", "number", "later_event"];
            let remark = format!("`{other}` is not a kind of label ({})", names.join(", "));
            entry.note(remark, suggest(other, names));
            // Which of the other keys belong here is unknown.
            return None;
        }
        (None, _) | (Some(_), None) => return None,
    };
    section.finish();
    Some(LabelSpec { head: head?, rule: rule? })
}

fn check_known_column(section: &Section<'_>) -> (Option<Column>, Option<Span>) {
    let column = section.required("column").and_then(|entry| entry.column());
    let known_after = section.required("known_after").and_then(|entry| check_span(&entry));
    (column, known_after)
}

fn check_words_label(section: &Section<'_>) -> Option<LabelRule> {
    let (column, known_after) = check_known_column(section);
    let positive = section.required("positive").and_then(|entry| entry.texts());
    let negative = match section.entry("negative") {
        Some(entry) => Some(entry.texts()?),
        None => None,
    };
    let (column, positive, known_after) = (column?, positive?, known_after?);
    Some(LabelRule::Words { column, positive, negative, known_after })
}

fn check_later_label(section: &Section<'_>, facts: Option<&[FactKind]>) -> Option<LabelRule> {
    let fact_entry = section.required("fact");
    let within = section.required("within").and_then(|entry| check_span(&entry));
    let tells = match section.entry("value") {
        Some(entry) => entry.word("what the label says", &["occurrence", "amount"])?,
        None => LaterValue::Occurrence,
    };
    let fact_entry = fact_entry?;
    let fact = fact_entry.word::<FactKind>("a fact about orders", &FactKind::NAMES)?;
    if facts.is_some_and(|facts| !facts.contains(&fact)) {
        fact_entry.note(format!("no [[events]] maps `{}`", fact.as_str()), None);
    }
    Some(LabelRule::LaterEvent { fact, within: within?, tells })
}

fn check_head(entry: &Entry<'_>) -> Option<HeadId> {
    let name = entry.text()?;
    let starts_well = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let is_well_formed =
        starts_well && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_well_formed {
        return Some(HeadId(name.into()));
    }
    let remark = format!("`{name}` must be lower-case letters, digits and `_`");
    let risks = RiskType::ALL.map(RiskType::as_str);
    entry.note(remark, suggest(name, risks));
    None
}
