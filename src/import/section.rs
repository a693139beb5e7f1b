//! Reads TOML values and notes every mistake instead of stopping at the first.
//!
//! A derived `Deserialize` would end at the first unknown key or wrong type; a
//! person who writes a mapping wants all of them, each at its place.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use indexmap::IndexMap;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::de::{DeTable, DeValue};

use crate::import::mistake::{Mistake, suggest};

/// A column of the source, as a position in [`Columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column(pub(super) usize);

/// Where a mapping names a column.
#[derive(Clone, Debug)]
pub(super) struct ColumnUse {
    pub(super) key: String,
    pub(super) span: Range<usize>,
}

/// Every column a mapping names, with the places that name it.
pub(super) type Columns = IndexMap<Box<str>, Vec<ColumnUse>>;

/// What was found while reading one file.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) mistakes: RefCell<Vec<Mistake>>,
    pub(super) columns: RefCell<Columns>,
    /// Where each key that was read stands.
    places: RefCell<BTreeMap<String, Range<usize>>>,
}

/// A table of the file; every key that is asked for counts as known.
pub(super) struct Section<'a> {
    reading: &'a Reading,
    path: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// A value of the file with its key and place.
pub(super) struct Entry<'a> {
    pub(super) reading: &'a Reading,
    pub(super) path: String,
    pub(super) span: Range<usize>,
    pub(super) value: &'a DeValue<'a>,
}

impl Reading {
    pub(super) fn note(
        &self,
        key: &str,
        span: &Range<usize>,
        remark: String,
        hint: Option<String>,
    ) {
        let mistake = Mistake { key: key.to_owned(), remark, hint, span: span.clone() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Whether a section is broken, so that what depends on it cannot be judged.
    pub(super) fn has_mistake_under(&self, section: &str) -> bool {
        self.mistakes.borrow().iter().any(|mistake| mistake.key.starts_with(section))
    }

    /// Notes a mistake about a key that was read before.
    pub(super) fn note_key(&self, key: &str, remark: String) {
        let span = self.places.borrow().get(key).cloned().unwrap_or(0..0);
        self.note(key, &span, remark, None);
    }
}

impl<'a> Section<'a> {
    pub(super) fn root(reading: &'a Reading, table: &'a DeTable<'a>) -> Self {
        let asked = RefCell::default();
        Self { reading, path: String::new(), span: 0..0, table, asked }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value under `key`, if there is one.
    pub(super) fn entry(&self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.borrow_mut().insert(key);
        let (_, entry) = self.entries().find(|(name, _)| *name == key)?;
        self.reading.places.borrow_mut().insert(entry.path.clone(), entry.span.clone());
        Some(entry)
    }

    /// The value under `key`; notes a mistake when there is none.
    pub(super) fn required(&self, key: &'static str) -> Option<Entry<'a>> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.note(&self.path_of(key), "is missing".to_owned());
        }
        entry
    }

    /// Notes a mistake about the whole section.
    pub(super) fn note(&self, key: &str, remark: String) {
        self.reading.note(key, &self.span, remark, None);
    }

    /// Notes a mistake about this section under its own key.
    pub(super) fn note_self(&self, remark: String) {
        self.note(&self.path, remark);
    }

    /// The table under `key`, if there is one.
    pub(super) fn section(&self, key: &'static str) -> Option<Self> {
        self.entry(key)?.section()
    }

    /// The tables under `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Self> {
        let list = self.entry(key).and_then(|entry| entry.list());
        list.unwrap_or_default().iter().filter_map(Entry::section).collect()
    }

    /// Every key with its value, in the order of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> {
        let mut all: Vec<_> = self.table.iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        all.into_iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            // A table starts far above its keys; its own name is the better place to point at.
            let span = if value.get_ref().is_table() { key.span() } else { value.span() };
            let path = self.path_of(name);
            (name, Entry { reading: self.reading, path, span, value: value.get_ref() })
        })
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !asked.contains(name) {
                let hint = suggest(name, asked.iter().copied());
                let known: Vec<&str> = asked.iter().copied().collect();
                let remark = format!("is not a known key here ({})", known.join(", "));
                self.reading.note(&self.path_of(name), &key.span(), remark, hint);
            }
        }
    }
}

impl<'a> Entry<'a> {
    /// Notes a mistake about this value.
    pub(super) fn note(&self, remark: String, hint: Option<String>) {
        self.reading.note(&self.path, &self.span, remark, hint);
    }

    fn wrong_type(&self, expected: &str) {
        self.note(format!("is {}, not {expected}", describe(self.value)), None);
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("a text");
        }
        text
    }

    pub(super) fn is_true(&self) -> Option<bool> {
        let given = self.value.as_bool();
        if given.is_none() {
            self.wrong_type("true or false");
        }
        given
    }

    /// A share in [0, 1].
    pub(super) fn share(&self) -> Option<f64> {
        let digits = match self.value {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.wrong_type("a number");
                return None;
            }
        };
        let share = digits.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            self.note(format!("{digits} must be between 0 and 1"), None);
        }
        share
    }

    /// The table itself; notes a mistake for anything else.
    pub(super) fn section(&self) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            self.wrong_type("a table");
            return None;
        };
        let asked = RefCell::default();
        let (path, span) = (self.path.clone(), self.span.clone());
        Some(Section { reading: self.reading, path, span, table, asked })
    }

    /// The elements of an array.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let Some(array) = self.value.as_array() else {
            self.wrong_type("a list");
            return None;
        };
        let elements = array.iter().enumerate().map(|(i, value)| Self {
            reading: self.reading,
            path: format!("{}[{}]", self.path, i + 1),
            span: value.span(),
            value: value.get_ref(),
        });
        Some(elements.collect())
    }

    /// One text or a list of texts.
    pub(super) fn texts(&self) -> Option<Vec<Box<str>>> {
        if self.value.is_str() {
            return Some(vec![self.text()?.into()]);
        }
        let given: Vec<Option<&str>> = self.list()?.iter().map(Entry::text).collect();
        given.into_iter().map(|text| text.map(Into::into)).collect()
    }

    /// A column by its name.
    pub(super) fn column(&self) -> Option<Column> {
        let name = self.text()?;
        if name.is_empty() {
            self.note("names no column".to_owned(), None);
            return None;
        }
        let mut columns = self.reading.columns.borrow_mut();
        let entry = columns.entry(name.into());
        let column = Column(entry.index());
        let place = ColumnUse { key: self.path.clone(), span: self.span.clone() };
        entry.or_default().push(place);
        Some(column)
    }

    /// One column or a list of columns.
    pub(super) fn columns(&self) -> Option<Vec<Column>> {
        if self.value.is_str() {
            return Some(vec![self.column()?]);
        }
        let list = self.list()?;
        if list.is_empty() {
            self.note("names no column".to_owned(), None);
            return None;
        }
        let columns: Vec<Option<Column>> = list.iter().map(Entry::column).collect();
        columns.into_iter().collect()
    }

    /// A word out of `names`, as the type that reads it.
    pub(super) fn word<T: DeserializeOwned>(&self, what: &str, names: &[&str]) -> Option<T> {
        let given = self.text()?;
        let deserializer: StrDeserializer<'_, NameError> = given.into_deserializer();
        let word = T::deserialize(deserializer).ok();
        if word.is_none() {
            let remark = format!("`{given}` is not {what} ({})", names.join(", "));
            self.note(remark, suggest(given, names.iter().copied()));
        }
        word
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text `{text}`"),
        DeValue::Integer(integer) => format!("the number {integer}"),
        DeValue::Float(float) => format!("the number {float}"),
        DeValue::Boolean(given) => format!("{given}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
