//! Versions of the strategy: their state, what may be done, and by whom.

use crate::console::failure::Failure;
use crate::console::format::minute;
use crate::console::pages::lab::draft::Fields;
use crate::console::words::Words;
use crate::domain::access::{Permission, Person};
use crate::domain::strategy_version::{Signature, StrategyVersion};
use crate::domain::text_diff::{DiffLine, LineChange, text_diff};
use crate::workflow::strategy_ledger::StrategyLedger;

/// Digits of a hash that people see; the service takes as few.
const HASH_DIGITS: usize = 12;
/// Unchanged lines around changed ones.
const CONTEXT: usize = 2;

/// A line of a comparison.
#[derive(Debug)]
pub struct LineView {
    /// `same`, `added` or `removed`.
    pub class: &'static str,
    /// What says the same without color.
    pub sign: &'static str,
    /// Number in the text that has it, the new one if both do.
    pub number: usize,
    /// The line.
    pub text: String,
}

/// How one text differs from another.
#[derive(Debug, Default)]
pub struct Diff {
    /// Lines that only the new text has.
    pub n_added: usize,
    /// Lines that only the old text has.
    pub n_removed: usize,
    /// Runs of changed lines with some around them.
    pub hunks: Vec<Vec<LineView>>,
}

impl Diff {
    /// From the old text to the new one.
    pub fn of(old: &str, new: &str) -> Self {
        let diff = text_diff(old, new);
        let hunks = diff.hunks(CONTEXT).into_iter().map(|hunk| {
            let line = |line: &DiffLine| {
                let (class, sign) = match line.change {
                    LineChange::Same => ("same", " "),
                    LineChange::Removed => ("removed", "−"),
                    LineChange::Added => ("added", "+"),
                };
                let number = line.new_line.or(line.old_line).unwrap_or_default();
                LineView { class, sign, number, text: line.text.to_string() }
            };
            hunk.iter().map(line).collect()
        });
        Self { n_added: diff.n_added, n_removed: diff.n_removed, hunks: hunks.collect() }
    }
}

/// A step that somebody signed.
#[derive(Debug)]
pub struct Signed {
    /// Which.
    pub step: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Why; may be empty.
    pub note: String,
}

/// What a person may do with a version, and why not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// They may approve it.
    pub approve: bool,
    /// They may let it judge every account.
    pub activate: bool,
    /// They may let it judge a share of the accounts.
    pub stage: bool,
    /// Keys of what stands in the way of the others.
    pub why_not: Vec<&'static str>,
}

impl Steps {
    /// Of a person, with a version.
    pub fn of(person: &Person, ledger: &StrategyLedger, version: &StrategyVersion) -> Self {
        if !person.may(Permission::Approve) {
            return Self { why_not: vec!["lab-why-role"], ..Self::default() };
        }
        if !version.may_judge() {
            let author = version.proposed.as_ref().map(|it| &*it.by);
            let is_own = author == Some(&*person.person_id);
            let own = is_own.then_some("lab-why-author");
            let why_not = own.into_iter().chain(["lab-why-not-approved"]).collect();
            return Self { approve: !is_own, why_not, ..Self::default() };
        }
        let is_active = *version.hash == *ledger.active_hash();
        let judges_all = is_active && ledger.staged().is_none();
        let why_not = match (judges_all, is_active) {
            (true, _) => vec!["lab-why-judges-all"],
            (false, true) => vec!["lab-why-active"],
            (false, false) => Vec::new(),
        };
        Self { approve: false, activate: !judges_all, stage: !is_active, why_not }
    }
}

/// A version in the list.
#[derive(Debug)]
pub struct VersionRow {
    /// Hash.
    pub hash: String,
    /// Its first digits.
    pub short: String,
    /// Name.
    pub name: String,
    /// What it does.
    pub state: String,
    /// Class of its color.
    pub class: &'static str,
    /// Steps that were taken.
    pub signed: Vec<Signed>,
    /// What may be done.
    pub steps: Steps,
    /// How it differs from the active one.
    pub diff: Diff,
}

impl VersionRow {
    /// A version as a person sees it.
    pub fn of(
        words: Words,
        person: &Person,
        (ledger, version): (&StrategyLedger, &StrategyVersion),
    ) -> Self {
        let (state, class) = state(words, ledger, version);
        let active = ledger.active().map_or("", |active| &*active.toml);
        Self {
            hash: version.hash.to_string(),
            short: short(&version.hash).to_owned(),
            name: version.name.to_string(),
            state,
            class,
            signed: signatures(words, version),
            steps: Steps::of(person, ledger, version),
            diff: Diff::of(active, &version.toml),
        }
    }
}

/// Every version, the newest first.
pub fn rows(words: Words, person: &Person, ledger: &StrategyLedger) -> Vec<VersionRow> {
    let versions = ledger.versions().iter().rev();
    versions.map(|version| VersionRow::of(words, person, (ledger, version))).collect()
}

/// What a revert would do now.
#[derive(Debug)]
pub struct Reversal {
    /// Hash of what it takes back.
    pub takes: String,
    /// Both sides of it in a sentence.
    pub text: String,
}

impl Reversal {
    /// What would be taken back, if anything can be.
    pub fn of(words: Words, ledger: &StrategyLedger) -> Option<Self> {
        let before = ledger.before()?;
        let named = |hash: &str| {
            let name = ledger.get(hash).map_or("", |version| &*version.name);
            format!("{} ({name})", short(hash))
        };
        let back = named(&before.hash);
        let (takes, text) = if let Some(staged) = ledger.staged() {
            let told = [
                ("version", named(&staged.hash)),
                ("percent", staged.percent.to_string()),
                ("back", back),
            ];
            (staged.hash.to_string(), words.with("lab-revert-staged", &told))
        } else {
            let active = ledger.active_hash();
            let text = words.t2("lab-revert-active", "version", named(active), "back", back);
            (active.to_owned(), text)
        };
        Some(Self { takes, text })
    }
}

/// The version that a form starts from.
///
/// # Errors
/// `NotFound`.
pub fn base_of(ledger: &StrategyLedger, fields: &Fields) -> Result<StrategyVersion, Failure> {
    let hash = fields.iter().find(|(name, _)| name == "base").map(|(_, hash)| &**hash);
    Ok(ledger.find(hash.unwrap_or(ledger.active_hash()))?.clone())
}

/// Enough of a hash to tell it from others.
pub fn short(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}

fn state(
    words: Words,
    ledger: &StrategyLedger,
    version: &StrategyVersion,
) -> (String, &'static str) {
    let is_active = *version.hash == *ledger.active_hash();
    match ledger.staged() {
        Some(staged) if staged.hash == version.hash => {
            (words.t1("lab-state-staged", "percent", staged.percent), "elevated")
        }
        Some(staged) if is_active => {
            (words.t1("lab-state-rest", "percent", 100_u32.saturating_sub(staged.percent)), "low")
        }
        Some(_) | None if is_active => (words.t("lab-state-all"), "low"),
        Some(_) | None if !version.may_judge() => (words.t("lab-state-waits"), "elevated"),
        Some(_) | None if version.activated.is_some() => (words.t("lab-state-before"), ""),
        Some(_) | None => (words.t("lab-state-approved"), ""),
    }
}

fn signatures(words: Words, version: &StrategyVersion) -> Vec<Signed> {
    let signed = |(key, signature): (&str, &Option<Signature>)| {
        let signature = signature.as_ref()?;
        let is_file = signature.by.is_empty();
        Some(Signed {
            step: words.t(key),
            by: if is_file { words.t("lab-file") } else { signature.by.to_string() },
            at: minute(signature.at),
            note: signature.note.to_string(),
        })
    };
    let steps = [
        ("lab-proposed", &version.proposed),
        ("lab-approved", &version.approved),
        ("lab-activated", &version.activated),
    ];
    steps.into_iter().filter_map(signed).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::access::Role;
    use crate::domain::record::{Record, StrategyActivated, StrategyApproved, StrategyProposed};
    use crate::domain::text::Language;
    use crate::domain::time::Timestamp;

    const WORDS: Words = Words { language: Language::English };

    fn by(who: &str) -> Signature {
        Signature { by: who.into(), at: Timestamp(0), note: "why".into() }
    }

    fn hash(digit: &str) -> Box<str> {
        digit.repeat(64).into()
    }

    fn activated(digit: &str, who: &str, staged_percent: Option<u32>) -> Record {
        Record::StrategyActivated(StrategyActivated {
            name: "s".into(),
            hash: hash(digit),
            toml: format!("a = {digit}\n").into(),
            signature: by(who),
            staged_percent,
        })
    }

    fn person(id: &str, role: Role) -> Person {
        Person {
            person_id: id.into(),
            name: id.into(),
            roles: BTreeSet::from([role]),
            is_active: true,
            key_hash: Box::default(),
        }
    }

    #[test]
    fn a_version_goes_from_its_author_to_a_second_person_to_a_share_to_all() {
        let mut ledger = StrategyLedger::default();
        ledger.fold(&activated("1", "", None));
        ledger.fold(&Record::StrategyProposed(StrategyProposed {
            name: "s".into(),
            hash: hash("2"),
            toml: "a = 2\n".into(),
            signature: by("li"),
        }));
        let steps = |ledger: &StrategyLedger, who: &Person| {
            Steps::of(who, ledger, ledger.get(&hash("2")).unwrap())
        };
        let (li, wang) = (person("li", Role::Approver), person("wang", Role::Approver));
        assert!(!steps(&ledger, &li).approve && steps(&ledger, &wang).approve);
        assert!(steps(&ledger, &li).why_not.contains(&"lab-why-author"));
        let viewer = steps(&ledger, &person("zhao", Role::Viewer));
        assert_eq!(viewer, Steps { why_not: vec!["lab-why-role"], ..Steps::default() });
        assert!(Reversal::of(WORDS, &ledger).is_none());

        ledger.fold(&Record::StrategyApproved(StrategyApproved {
            hash: hash("2"),
            signature: by("wang"),
        }));
        let now = steps(&ledger, &li);
        assert!(now.activate && now.stage && now.why_not.is_empty());
        ledger.fold(&activated("2", "wang", Some(25)));
        let row = rows(WORDS, &li, &ledger).remove(0);
        assert_eq!((row.diff.n_added, row.diff.n_removed, row.signed.len()), (1, 1, 3));
        assert!(row.state.contains("25") && row.steps.activate);
        let reversal = Reversal::of(WORDS, &ledger).unwrap();
        assert!(reversal.takes == *hash("2") && reversal.text.contains("25"));

        ledger.fold(&activated("2", "wang", None));
        assert_eq!(steps(&ledger, &li).why_not, ["lab-why-judges-all"]);
        let reversal = Reversal::of(WORDS, &ledger).unwrap();
        assert!(reversal.text.contains(short(&hash("1"))), "{}", reversal.text);
    }
}
