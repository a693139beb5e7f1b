//! Reads a TOML table key by key and collects what is wrong.
//!
//! A derived deserializer stops at the first mistake; this walks the spanned
//! tree instead. Every read marks its key as known, so that `finish` can name
//! the unknown ones with a suggestion. A read that fails has already reported
//! why and gives `None`.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::mistake::{ConfigErrors, Mistake, Source};
use crate::domain::near::nearest;
use crate::domain::text::Text;

/// The mistakes found so far in one file.
#[derive(Debug)]
pub struct Findings {
    source: Source,
    mistakes: RefCell<Vec<Mistake>>,
}

/// One table of the file.
#[derive(Debug)]
pub struct Section<'a> {
    findings: &'a Findings,
    path: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    known: RefCell<Vec<String>>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// Dotted key.
    pub key: String,
}

/// What is wrong with a part of a text.
#[derive(Clone, Debug)]
pub struct PartMistake {
    /// What is wrong, without the key.
    pub message: String,
    /// Words for the place.
    pub label: &'static str,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// Reads a whole file with `read`, then reports all mistakes or gives its result.
///
/// # Errors
/// [`ConfigErrors`] with every mistake: broken lines, unknown and missing keys,
/// wrong types, values out of range, and what `read` reported itself.
pub fn read_document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Result<T, ConfigErrors> {
    let findings = Findings { source: Source::new(file, text), mistakes: RefCell::new(Vec::new()) };
    let (root, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let span = error.span().unwrap_or(0..0);
        findings.report("", error.message().to_owned(), span, "not TOML");
    }
    // What a broken line hides would be reported as missing: only the lines are told.
    let value = if broken.is_empty() {
        let section = findings.section(String::new(), root.get_ref(), 0..0);
        let value = read(&section);
        section.finish();
        value
    } else {
        None
    };
    let mistakes = findings.mistakes.into_inner();
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        Some(_) | None => Err(findings.source.errors(mistakes)),
    }
}

impl Findings {
    fn report(&self, key: &str, message: String, span: Range<usize>, label: &str) {
        self.push(self.source.mistake(key, message, span, label));
    }

    fn push(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    fn forget_missing(&self, key: &str) {
        self.mistakes.borrow_mut().retain(|mistake| !(mistake.is_missing && mistake.key == key));
    }

    fn section<'a>(
        &'a self,
        path: String,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Section<'a> {
        Section { findings: self, path, table, span, known: RefCell::new(Vec::new()) }
    }
}

impl<'a> Section<'a> {
    /// Dotted key of an entry of this table.
    pub fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Dotted key of this table.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the table starts.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Reports a mistake at a value.
    pub fn report<T>(&self, at: &Found<T>, message: String, label: &str) {
        self.findings.report(&at.key, message, at.span.clone(), label);
    }

    /// Reports that two values contradict each other; both places are shown.
    pub fn report_pair<T>(
        &self,
        message: String,
        first: (&Found<T>, &str),
        second: (&Found<T>, &str),
    ) {
        let mistake = self
            .findings
            .source
            .mistake(&first.0.key, message, first.0.span.clone(), first.1)
            .and_at(second.0.span.clone(), second.1);
        self.findings.push(mistake);
    }

    /// Reports a mistake with a suggestion.
    pub fn report_suggesting<T>(&self, at: &Found<T>, message: String, suggestion: Option<String>) {
        let mistake = self
            .findings
            .source
            .mistake(&at.key, message, at.span.clone(), "here")
            .suggest(suggestion);
        self.findings.push(mistake);
    }

    /// Reports a mistake in a part of a text, `part` being bytes of its value. The place is the
    /// whole text when the file writes it in another way: with escapes.
    pub fn report_part(&self, at: &Found<String>, part: Range<usize>, mistake: PartMistake) {
        let span = self.findings.source.part(&at.span, &at.value, part);
        let PartMistake { message, label, suggestion } = mistake;
        let source = &self.findings.source;
        let message = format!("{}: {message}", at.key);
        self.findings.push(source.mistake(&at.key, message, span, label).suggest(suggestion));
    }

    /// True when the table has this key; marks it as known.
    pub fn has(&self, name: &str) -> bool {
        self.look(name).is_some()
    }

    /// Names of all entries, in the file's order.
    pub fn names(&self) -> Vec<Found<String>> {
        let mut names: Vec<Found<String>> = self
            .table
            .keys()
            .map(|key| Found {
                value: key.get_ref().to_string(),
                span: key.span(),
                key: self.key(key.get_ref()),
            })
            .collect();
        names.sort_by_key(|name| name.span.start);
        names
    }

    /// A table that must be there.
    pub fn section(&self, name: &str) -> Option<Section<'a>> {
        let value = self.require(name, "a table")?;
        self.as_section(name, value)
    }

    /// A table that may be absent.
    pub fn optional_section(&self, name: &str) -> Option<Section<'a>> {
        let value = self.look(name)?;
        self.as_section(name, value)
    }

    /// A text that must be there and not be empty.
    pub fn text(&self, name: &str) -> Option<Found<String>> {
        let found = self.any_text(name)?;
        if found.value.trim().is_empty() {
            self.report(&found, format!("{} is empty", found.key), "needs a text");
            return None;
        }
        Some(found)
    }

    /// A pair `{ en = "…", zh = "…" }` that must be there; neither may be empty.
    pub fn text_pair(&self, name: &str) -> Option<Text> {
        let pair = self.section(name)?;
        let (en, zh) = (pair.text("en"), pair.text("zh"));
        pair.finish();
        Some(Text { en: en?.value, zh: zh?.value })
    }

    /// A yes or no that must be there.
    pub fn flag(&self, name: &str) -> Option<bool> {
        let value = self.require(name, "true or false")?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            return self.wrong_type(name, value, "true or false");
        };
        Some(*flag)
    }

    /// A number within a range that must be there; whole numbers are fine too.
    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Option<Found<f64>> {
        let value = self.require(name, "a number")?;
        let Some(number) = number_of(value.get_ref()) else {
            return self.wrong_type(name, value, "a number");
        };
        let found = Found { value: number, span: value.span(), key: self.key(name) };
        self.within(found, &range)
    }

    /// A whole number within a range that must be there.
    pub fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Option<Found<i64>> {
        let value = self.require(name, "a whole number")?;
        let Some(number) = whole(value.get_ref()) else {
            return self.wrong_type(name, value, "a whole number");
        };
        let found = Found { value: number, span: value.span(), key: self.key(name) };
        self.within(found, &range)
    }

    /// A list of words that must be there; may be empty.
    pub fn words(&self, name: &str) -> Option<Vec<Found<String>>> {
        let value = self.require(name, "a list of words")?;
        let DeValue::Array(array) = value.get_ref() else {
            return self.wrong_type(name, value, "a list of words");
        };
        let mut words = Vec::new();
        for entry in array {
            let Some(word) = entry.get_ref().as_str() else {
                return self.wrong_type(name, entry, "a word in quotes");
            };
            words.push(Found { value: word.to_owned(), span: entry.span(), key: self.key(name) });
        }
        Some(words)
    }

    /// Reads a word as one of a closed set, or reports it with the nearest one.
    pub fn one_of<T>(
        &self,
        word: &Found<String>,
        all: &[T],
        name_of: impl Fn(&T) -> &'static str,
    ) -> Option<T>
    where
        T: Copy,
    {
        if let Some(hit) = all.iter().find(|candidate| name_of(candidate) == word.value) {
            return Some(*hit);
        }
        let names: Vec<&str> = all.iter().map(name_of).collect();
        let message = format!("{}: `{}` is not known here", word.key, word.value);
        self.report_suggesting(word, message, Some(did_you_mean(&word.value, &names)));
        None
    }

    /// Reports every entry that no read asked for.
    pub fn finish(&self) {
        let known = self.known.borrow();
        for name in self.names() {
            if known.contains(&name.value) {
                continue;
            }
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            // A mistyped key is one mistake, not also a missing one.
            if let Some(near) = nearest(&name.value, names.iter().copied()) {
                self.findings.forget_missing(&self.key(near));
            }
            let message = format!("{} is not a setting", name.key);
            self.report_suggesting(&name, message, Some(did_you_mean(&name.value, &names)));
        }
    }

    /// A text that must be there, perhaps empty.
    pub fn any_text(&self, name: &str) -> Option<Found<String>> {
        let value = self.require(name, "a text in quotes")?;
        let Some(text) = value.get_ref().as_str() else {
            return self.wrong_type(name, value, "a text in quotes");
        };
        Some(Found { value: text.to_owned(), span: value.span(), key: self.key(name) })
    }

    fn look(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let mut known = self.known.borrow_mut();
        if !known.iter().any(|seen| seen == name) {
            known.push(name.to_owned());
        }
        self.table.get(name)
    }

    fn require(&self, name: &str, wanted: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.look(name);
        if value.is_none() {
            let key = self.key(name);
            let message = format!("{key} is missing: {wanted} is needed");
            let source = &self.findings.source;
            let mut mistake = source.mistake(&key, message, self.span(), "in this table");
            mistake.is_missing = true;
            self.findings.push(mistake);
        }
        value
    }

    fn as_section(&self, name: &str, value: &'a Spanned<DeValue<'a>>) -> Option<Section<'a>> {
        let DeValue::Table(table) = value.get_ref() else {
            return self.wrong_type(name, value, "a table");
        };
        Some(self.findings.section(self.key(name), table, value.span()))
    }

    fn wrong_type<T>(&self, name: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Option<T> {
        let key = self.key(name);
        let message = format!("{key} must be {wanted}, not {}", words_for(value.get_ref()));
        self.findings.report(&key, message, value.span(), "wrong type");
        None
    }

    fn within<T>(&self, found: Found<T>, range: &RangeInclusive<T>) -> Option<Found<T>>
    where
        T: PartialOrd + std::fmt::Display,
    {
        let label = if range.contains(&found.value) {
            return Some(found);
        } else if found.value < *range.start() {
            format!("must be at least {}", range.start())
        } else {
            format!("must be at most {}", range.end())
        };
        let message = format!("{} = {} {label}", found.key, found.value);
        self.report(&found, message, &label);
        None
    }
}

/// The number that a value is, whole or not.
pub fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        DeValue::Integer(_) => whole(value).map(|n| n as f64),
        DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn words_for(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn did_you_mean(word: &str, names: &[&str]) -> String {
    match nearest(word, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", names.join(", ")),
    }
}
