//! How long the hands need for one decision: an estimate, no measurement.
//!
//! The keystroke-level model adds up standard times of practiced people (Card, Moran and
//! Newell, The keystroke-level model for user performance time with interactive systems, CACM
//! 23(7), 1980, table 1). Reading and judging the order are not in it.

use crate::console::words::Words;
use crate::domain::money::grouped;

/// A standard time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// A key or a button of the pointer, of somebody who types 40 words a minute.
    Key,
    /// Pointing at something.
    Point,
    /// Moving the hand between keyboard and pointer.
    Hand,
    /// Getting ready in mind for one step.
    Mind,
}

impl Operator {
    fn seconds(self) -> f64 {
        match self {
            Self::Key => 0.28,
            Self::Point => 1.1,
            Self::Hand => 0.4,
            Self::Mind => 1.35,
        }
    }

    /// Its letter in the paper.
    fn letter(self) -> &'static str {
        match self {
            Self::Key => "K",
            Self::Point => "P",
            Self::Hand => "H",
            Self::Mind => "M",
        }
    }
}

/// A way to choose: the key of its name and its steps.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    name: &'static str,
    steps: &'static [Operator],
}

/// One key on the page of the decision.
pub const BY_KEY: Way = Way { name: "reviews-by-key", steps: &[Operator::Mind, Operator::Key] };
/// The same button with the pointer.
pub const BY_POINTER: Way = Way {
    name: "reviews-by-pointer",
    steps: &[Operator::Mind, Operator::Hand, Operator::Point, Operator::Key],
};

/// An estimate as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Which way.
    pub name: String,
    /// Its parts: `M 1.35 + K 0.28`.
    pub parts: String,
    /// Their sum, seconds.
    pub seconds: String,
}

impl Estimate {
    /// The estimate of a way.
    pub fn new(words: Words, way: &Way) -> Self {
        let parts = way.steps.iter().map(|it| format!("{} {:.2}", it.letter(), it.seconds()));
        let sum: f64 = way.steps.iter().map(|it| it.seconds()).sum();
        Self {
            name: words.t(way.name),
            parts: parts.collect::<Vec<_>>().join(" + "),
            seconds: grouped(sum, 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Language;

    #[test]
    fn an_estimate_is_the_sum_of_the_parts_that_it_names() {
        let words = Words { language: Language::English };
        let key = Estimate::new(words, &BY_KEY);
        assert_eq!((key.parts.as_str(), key.seconds.as_str()), ("M 1.35 + K 0.28", "1.63"));
        let pointer = Estimate::new(words, &BY_POINTER);
        assert_eq!(pointer.parts, "M 1.35 + H 0.40 + P 1.10 + K 0.28");
        assert_eq!(pointer.seconds, "3.13");
    }
}
