//! Reads a CSV or JSON Lines file, plain or gzip, as rows of texts.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use serde_json::Value;

use crate::import::error::Error;
use crate::import::mapping::{Format, Mapping};
use crate::import::reject::Reason;
use crate::import::section::Column;

/// Longest line of JSON in bytes; longer ones are rejected unread.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Lines of JSON that are searched for the mapped paths before the import starts.
const PROBE_LINES: usize = 1_000;
const BUFFER_BYTES: usize = 256 * 1024;

/// The mapped cells of one row; a missing one is empty.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Line of the file, from 1.
    pub(super) line: u64,
    /// Trimmed texts by [`Column`].
    pub(super) cells: Vec<String>,
}

/// What the source gave.
pub(super) enum Step {
    Row,
    Bad { line: u64, reason: Reason },
    End,
}

/// The rows of one file.
pub(super) struct Rows {
    reader: Reader,
    null_values: Vec<Box<str>>,
    bytes_read: Rc<Cell<u64>>,
}

enum Reader {
    Csv(CsvRows),
    Json(JsonRows),
}

struct CsvRows {
    reader: csv::Reader<Box<dyn BufRead>>,
    record: csv::ByteRecord,
    positions: Vec<usize>,
    width: usize,
}

struct JsonRows {
    reader: Box<dyn BufRead>,
    paths: Vec<Box<str>>,
    list: Option<Box<str>>,
    line: u64,
    buffer: Vec<u8>,
    object: Value,
    /// Elements of the list in `object` that are still to be told.
    pending: std::ops::Range<usize>,
}

struct CountingFile {
    file: File,
    bytes_read: Rc<Cell<u64>>,
}

impl Row {
    pub(super) fn get(&self, column: Column) -> Option<&str> {
        self.cells.get(column.0).map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl Read for CountingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.bytes_read.set(self.bytes_read.get() + n as u64);
        Ok(n)
    }
}

impl Rows {
    /// Opens the file and finds the mapped columns in it.
    pub(super) fn open(mapping: &Mapping, path: &Path) -> Result<Self, Error> {
        let bytes_read = Rc::new(Cell::new(0));
        let failed = |source| Error::Input { path: path.to_owned(), source };
        let reader = match mapping.rules.source.format {
            Format::Csv { delimiter } => {
                let mut reader = csv::ReaderBuilder::new()
                    .delimiter(delimiter)
                    .flexible(true)
                    .from_reader(open_text(path, &bytes_read).map_err(failed)?);
                let header = reader.byte_headers().map_err(|error| failed(error.into()))?;
                if header.is_empty() {
                    return Err(Error::Empty { path: path.to_owned() });
                }
                let names: Vec<String> = header
                    .iter()
                    .map(|name| String::from_utf8_lossy(name).trim().to_owned())
                    .collect();
                mapping.check_columns(&names)?;
                let position = |name: &str| names.iter().position(|other| other == name);
                let positions = mapping.columns().filter_map(position).collect();
                let record = csv::ByteRecord::new();
                Reader::Csv(CsvRows { reader, record, positions, width: names.len() })
            }
            Format::JsonLines => {
                let list = mapping.rules.items.as_ref().and_then(|items| items.list.clone());
                let text = open_text(path, &bytes_read).map_err(failed)?;
                probe(mapping, JsonRows::new(mapping, list.clone(), text), path)?;
                bytes_read.set(0);
                let text = open_text(path, &bytes_read).map_err(failed)?;
                Reader::Json(JsonRows::new(mapping, list, text))
            }
        };
        let null_values = mapping.rules.source.null_values.clone();
        Ok(Self { reader, null_values, bytes_read })
    }

    /// Bytes of the file read so far; of a gzip file the packed ones.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// Reads the next row into `row`.
    pub(super) fn next(&mut self, row: &mut Row) -> io::Result<Step> {
        let step = match &mut self.reader {
            Reader::Csv(rows) => rows.next(row)?,
            Reader::Json(rows) => rows.next(row)?,
        };
        for cell in &mut row.cells {
            if self.null_values.iter().any(|null| **null == **cell) {
                cell.clear();
            }
        }
        Ok(step)
    }
}

impl CsvRows {
    fn next(&mut self, row: &mut Row) -> io::Result<Step> {
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(Step::End);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        row.line = line;
        if self.record.len() != self.width {
            return Ok(Step::Bad { line, reason: Reason::FieldCount });
        }
        row.cells.resize_with(self.positions.len(), String::new);
        for (cell, &position) in row.cells.iter_mut().zip(&self.positions) {
            cell.clear();
            let Ok(text) = std::str::from_utf8(self.record.get(position).unwrap_or_default())
            else {
                return Ok(Step::Bad { line, reason: Reason::NotUtf8 });
            };
            cell.push_str(text.trim());
        }
        Ok(Step::Row)
    }
}

impl JsonRows {
    fn new(mapping: &Mapping, list: Option<Box<str>>, reader: Box<dyn BufRead>) -> Self {
        let paths = mapping.columns().map(Into::into).collect();
        let (line, buffer, object, pending) = (0, Vec::new(), Value::Null, 0..0);
        Self { reader, paths, list, line, buffer, object, pending }
    }

    fn next(&mut self, row: &mut Row) -> io::Result<Step> {
        while self.pending.is_empty() {
            match self.next_object()? {
                Step::Row => {}
                other @ (Step::Bad { .. } | Step::End) => return Ok(other),
            }
        }
        let element = self.pending.next().unwrap_or_default();
        row.line = self.line;
        row.cells.resize_with(self.paths.len(), String::new);
        for (cell, path) in row.cells.iter_mut().zip(&self.paths) {
            cell.clear();
            match find(&self.object, path, self.list.as_deref(), element) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => cell.push_str(text.trim()),
                Some(Value::Number(number)) => cell.push_str(&number.to_string()),
                Some(Value::Bool(given)) => cell.push_str(if *given { "true" } else { "false" }),
                Some(Value::Array(_) | Value::Object(_)) => {
                    return Ok(Step::Bad { line: self.line, reason: Reason::NotAValue });
                }
            }
        }
        Ok(Step::Row)
    }

    /// Reads one line; blank ones are passed over.
    fn next_object(&mut self) -> io::Result<Step> {
        self.buffer.clear();
        self.line += 1;
        let line = self.line;
        let limit = LINE_BYTES_MAX as u64 + 1;
        if (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(Step::End);
        }
        if LINE_BYTES_MAX < self.buffer.len() {
            self.reader.skip_until(b'\n')?;
            return Ok(Step::Bad { line, reason: Reason::LineTooLong });
        }
        if self.buffer.trim_ascii().is_empty() {
            return Ok(Step::Row);
        }
        match serde_json::from_slice::<Value>(&self.buffer) {
            Ok(object @ Value::Object(_)) => {
                let list = self.list.as_deref().and_then(|path| find(&object, path, None, 0));
                // An order without items is one row without items.
                let n_elements = list.and_then(Value::as_array).map_or(1, |all| all.len().max(1));
                self.pending = 0..n_elements;
                self.object = object;
                Ok(Step::Row)
            }
            Ok(_) | Err(_) => Ok(Step::Bad { line, reason: Reason::NotJson }),
        }
    }
}

/// Opens a file; gzip is known by its first two bytes, not by its name.
fn open_text(path: &Path, bytes_read: &Rc<Cell<u64>>) -> io::Result<Box<dyn BufRead>> {
    let file = CountingFile { file: File::open(path)?, bytes_read: Rc::clone(bytes_read) };
    let mut packed = BufReader::with_capacity(BUFFER_BYTES, file);
    if packed.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(packed);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked)));
    }
    Ok(Box::new(packed))
}

/// The value at a dotted path; below `list` the path goes on in one element.
fn find<'a>(
    object: &'a Value,
    path: &str,
    list: Option<&str>,
    element: usize,
) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let inner = list.and_then(|list| path.strip_prefix(list)?.strip_prefix('.'));
    let (start, rest) = match (list, inner) {
        (Some(list), Some(inner)) => (find(object, list, None, 0)?.get(element)?, inner),
        (_, None) | (None, _) => (object, path),
    };
    rest.split('.').try_fold(start, |value, key| match value {
        Value::Object(fields) => fields.get(key),
        Value::Array(all) => all.get(key.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// Checks that each mapped path occurs in the first lines.
fn probe(mapping: &Mapping, mut rows: JsonRows, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Input { path: path.to_owned(), source };
    let mut available = BTreeSet::new();
    let mut n_objects = 0;
    for _ in 0..PROBE_LINES {
        match rows.next_object().map_err(failed)? {
            Step::End => break,
            Step::Bad { .. } => continue,
            Step::Row => n_objects += rows.pending.len().min(1),
        }
        collect_paths(&rows.object, "", rows.list.as_deref(), &mut available);
        let is_found = |path: &str| {
            let mut elements = 0..rows.pending.end;
            elements.any(|i| find(&rows.object, path, rows.list.as_deref(), i).is_some())
        };
        let found = rows.paths.iter().filter(|path| is_found(path));
        available.extend(found.map(ToString::to_string));
    }
    if n_objects == 0 {
        return Err(Error::Empty { path: path.to_owned() });
    }
    let available: Vec<String> = available.into_iter().collect();
    Ok(mapping.check_columns(&available)?)
}

/// Adds the dotted path of each plain value.
fn collect_paths(value: &Value, path: &str, list: Option<&str>, available: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect_paths(value, &below, list, available);
            }
        }
        Value::Array(all) if list == Some(path) => {
            for value in all {
                collect_paths(value, path, list, available);
            }
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            available.insert(path.to_owned());
        }
    }
}
