//! The form of the lab over the shipped strategy and its levers.

use crate::config::EMBEDDED_STRATEGY;
use crate::config::levers::{levers, with_levers};
use crate::console::pages::lab::draft::{Draft, Fault, LAST};
use crate::console::parts::LeverTools;
use crate::console::words::Words;
use crate::domain::strategy_version::StrategyVersion;
use crate::domain::text::Language;

const TOOLS: LeverTools = LeverTools { read: levers, moved: with_levers };
const WORDS: Words = Words { language: Language::English };

fn sent(fields: &[(&str, &str)]) -> Draft {
    let base = StrategyVersion {
        name: "standard".into(),
        hash: "0".repeat(64).into(),
        toml: EMBEDDED_STRATEGY.into(),
        proposed: None,
        approved: None,
        activated: None,
    };
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Draft::sent(base, TOOLS, fields.iter().map(own).collect())
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let draft = sent(&[
        ("weights.defualt", "1"),
        ("weights.order", "NaN"),
        ("weights.device", "much"),
        ("weights.ip", "-1"),
        ("weights.account", "1.5"),
        ("weights.account", "1.6"),
        ("money.complaint_minor", ""),
    ]);
    let faults = draft.toml(WORDS, TOOLS).expect_err("six wrong fields");
    assert_eq!(faults.len(), 6, "{faults:?}");
    for (fault, part) in faults.iter().zip(["defualt", "NaN", "much", "-1", "twice", "number"]) {
        let Fault::Told(text) = fault else { panic!("{fault:?}") };
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_moved_lever_changes_its_line_and_an_edited_text_stays_edited() {
    let same = sent(&[("weights.order", "1"), ("last", "7"), ("note", " why ")]);
    assert_eq!(same.toml(WORDS, TOOLS).unwrap(), EMBEDDED_STRATEGY);
    assert_eq!((same.last, &*same.note, same.is_edited()), (LAST[0], "why", false));

    let crlf = EMBEDDED_STRATEGY.replace('\n', "\r\n");
    assert!(!sent(&[("text", &crlf)]).is_edited());
    let edited = crlf.replace("name = \"standard\"", "name = \"mine\"");
    let draft = sent(&[("text", &edited), ("weights.order", "1.3"), ("last", "2000")]);
    let toml = draft.toml(WORDS, TOOLS).unwrap();
    assert!(draft.is_edited() && draft.last == 2_000);
    assert!(toml.contains("name = \"mine\"\n") && toml.contains("\norder = 1.3 "));
    assert!(!toml.contains('\r'));
}

#[test]
fn a_text_that_does_not_read_is_refused_with_its_line() {
    let faults = sent(&[("text", "a = 1\nb =\n")]).toml(WORDS, TOOLS).expect_err("no TOML");
    assert!(faults.iter().any(|it| matches!(it, Fault::Raw(text) if text.contains("line 2"))));
}
