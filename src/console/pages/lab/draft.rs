//! What the form of the lab says: a base, moved levers, an edited text.

use std::sync::Arc;

use crate::console::parts::LeverTools;
use crate::console::words::Words;
use crate::domain::lever::Lever;
use crate::domain::strategy_version::{StrategyMistake, StrategyVersion};

/// Orders that a back-test may take, the first by default.
pub const LAST: [u64; 3] = [500, 2_000, 10_000];

/// The form as it was sent: fields with their values.
pub type Fields = Vec<(String, String)>;

/// What keeps a draft from being judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// In the words of the page.
    Told(String),
    /// In the words of the program, which are English.
    Raw(String),
}

/// What somebody made of a base.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it starts from.
    pub base: StrategyVersion,
    /// The levers of the base.
    pub levers: Vec<Lever>,
    /// What the fields of moved levers say, by key.
    pub typed: Vec<(String, String)>,
    /// The text as it was edited; that of the base when it was not.
    pub text: Arc<str>,
    /// So many orders are judged again.
    pub last: u64,
    /// Why.
    pub note: String,
}

impl Draft {
    /// The base as it is.
    pub fn of(base: StrategyVersion, tools: LeverTools) -> Self {
        let levers = (tools.read)(&base.toml).unwrap_or_default();
        let text = base.toml.clone();
        Self { base, levers, typed: Vec::new(), text, last: LAST[0], note: String::new() }
    }

    /// The base with what a form says about it.
    pub fn sent(base: StrategyVersion, tools: LeverTools, fields: Fields) -> Self {
        let mut draft = Self::of(base, tools);
        for (name, value) in fields {
            match &*name {
                "base" => {}
                // Browsers send every line end as two characters.
                "text" => {
                    let text = value.replace("\r\n", "\n");
                    if text != draft.base.toml.replace("\r\n", "\n") {
                        draft.text = text.into();
                    }
                }
                "last" => {
                    let asked = value.parse().ok().filter(|last| LAST.contains(last));
                    draft.last = asked.unwrap_or(LAST[0]);
                }
                "note" => value.trim().clone_into(&mut draft.note),
                _ => draft.typed.push((name, value.trim().to_owned())),
            }
        }
        draft
    }

    /// True when the text itself was edited.
    pub fn is_edited(&self) -> bool {
        self.text != self.base.toml
    }

    /// What the field of a lever says.
    pub fn value_of(&self, lever: &Lever) -> String {
        let typed = self.typed.iter().find(|(key, _)| **key == *lever.key);
        typed.map_or_else(|| lever.value.to_string(), |(_, value)| value.clone())
    }

    /// The levers that were moved, and where to.
    ///
    /// # Errors
    /// Every field that is no lever, no number, out of its range or there twice.
    pub fn moves(&self, words: Words) -> Result<Vec<(&str, f64)>, Vec<Fault>> {
        let (mut moves, mut faults) = (Vec::new(), Vec::new());
        for (idx, (key, value)) in self.typed.iter().enumerate() {
            let Some(lever) = self.levers.iter().find(|lever| *lever.key == **key) else {
                faults.push(words.t1("lab-fault-unknown", "key", key));
                continue;
            };
            let title = words.of(&lever.title);
            if self.typed[..idx].iter().any(|(before, _)| before == key) {
                faults.push(words.t1("lab-fault-twice", "title", title));
                continue;
            }
            match value.parse::<f64>().ok().filter(|number| number.is_finite()) {
                None => faults.push(words.t2("lab-fault-number", "title", title, "value", value)),
                Some(number) if number < lever.min || lever.max < number => {
                    let range = [("min", lever.min.to_string()), ("max", lever.max.to_string())];
                    let mut told = vec![("title", title.to_owned()), ("value", value.clone())];
                    told.extend(range);
                    faults.push(words.with("lab-fault-range", &told));
                }
                Some(number) if number.to_bits() == lever.value.to_bits() => {}
                Some(number) => moves.push((&**key, number)),
            }
        }
        if faults.is_empty() {
            Ok(moves)
        } else {
            Err(faults.into_iter().map(Fault::Told).collect())
        }
    }

    /// The text of the draft.
    ///
    /// # Errors
    /// As [`Draft::moves`], else what keeps the levers of the text from being moved.
    pub fn toml(&self, words: Words, tools: LeverTools) -> Result<String, Vec<Fault>> {
        (tools.moved)(&self.text, &self.moves(words)?).map_err(|mistakes| raw(&mistakes))
    }
}

/// Mistakes of a text with their lines.
pub fn raw(mistakes: &[StrategyMistake]) -> Vec<Fault> {
    mistakes.iter().map(|it| Fault::Raw(it.to_string())).collect()
}
