//! Mistakes in a file that people edit: all at once, each at its place.

use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::domain::strategy_version::StrategyMistake;

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

    /// Where a part of a value stands that the file writes at `span`; all of `span` when it
    /// writes it with escapes.
    pub fn part(&self, span: &Range<usize>, value: &str, part: Range<usize>) -> Range<usize> {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        // One quote or three; a line break behind three does not belong to the value.
        let quotes = ["'''\r\n", "'''\n", "'''", "'", "\"\"\"\r\n", "\"\"\"\n", "\"\"\"", "\""];
        let opening = quotes.into_iter().find(|quotes| raw.starts_with(quotes));
        let n_opening = opening.map_or(0, str::len);
        let is_plain = raw.get(n_opening..).is_some_and(|rest| rest.starts_with(value));
        if !is_plain || value.len() < part.end {
            return span.clone();
        }
        let start = span.start + n_opening;
        start + part.start..start + part.end
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

    /// The mistake as the service tells it: without the words at its places.
    pub fn as_domain(&self) -> StrategyMistake {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let span = self.labels.first().map_or(0..0, |(span, _)| span.clone());
        StrategyMistake {
            message: self.message.as_str().into(),
            line: number(self.line),
            start: number(span.start),
            end: number(span.end),
            suggestion: self.suggestion.as_deref().map(Into::into),
        }
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

fn counted(n: usize) -> String {
    if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") }
}
