//! Mistakes in a file that people edit: all at once, each at its place.

use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// Everything wrong with one file.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {}", counted(.mistakes.len()))]
pub struct ConfigErrors {
    /// Name of the file as it was given.
    pub file: String,
    /// The mistakes, by place in the file.
    pub mistakes: Vec<Mistake>,
}

/// One mistake: which key, what is wrong, where, and what may help.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message} (line {line})")]
pub struct Mistake {
    /// Dotted key, `risks.payment_fraud.review_above`; empty for a broken line.
    pub key: String,
    /// What is wrong, with key and value.
    pub message: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Where: bytes of the file with a word for each.
    pub labels: Vec<(Range<usize>, String)>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// True when the key is absent; a mistyped one nearby explains it.
    pub is_missing: bool,
    source_code: NamedSource<String>,
}

/// The file a reader looks at while it collects mistakes.
#[derive(Debug)]
pub struct Source {
    file: String,
    text: String,
}

impl Source {
    /// A file by name and text.
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned() }
    }

    /// A mistake at one place of this file.
    pub fn mistake(&self, key: &str, message: String, span: Range<usize>, label: &str) -> Mistake {
        let end = span.start.min(self.text.len());
        let line = 1 + self.text.bytes().take(end).filter(|byte| *byte == b'\n').count();
        Mistake {
            key: key.to_owned(),
            message,
            line,
            labels: vec![(span, label.to_owned())],
            suggestion: None,
            is_missing: false,
            source_code: NamedSource::new(&self.file, self.text.clone()),
        }
    }

    /// All mistakes of this file, sorted by place.
    pub fn errors(self, mut mistakes: Vec<Mistake>) -> ConfigErrors {
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.labels.first().map(|l| l.0.start)));
        ConfigErrors { file: self.file, mistakes }
    }
}

impl Mistake {
    /// The same mistake with a hint.
    #[must_use]
    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The same mistake with a second place that belongs to it.
    #[must_use]
    pub fn and_at(mut self, span: Range<usize>, label: &str) -> Self {
        self.labels.push((span, label.to_owned()));
        self
    }
}

impl Diagnostic for ConfigErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.mistakes.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}

impl Diagnostic for Mistake {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(
            self.labels
                .iter()
                .map(|(span, label)| LabeledSpan::new(Some(label.clone()), span.start, span.len())),
        ))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.suggestion.as_ref().map(|text| Box::new(text) as Box<dyn std::fmt::Display>)
    }
}

/// The known word that a mistyped one most likely meant, if one is near.
///
/// Near: at most a third of the letters differ (Levenshtein distance).
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replace = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

fn counted(n: usize) -> String {
    if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_slip_finds_the_word_that_was_meant_and_nonsense_finds_none() {
        let known = ["review_above", "decline_above", "loss_share"];
        assert_eq!(nearest("reveiw_above", known), Some("review_above"));
        assert_eq!(nearest("los_share", known), Some("loss_share"));
        assert_eq!(nearest("zzz", known), None);
    }
}
