//! Reads canonical events from JSON Lines files, sealed at this door.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::domain::entity::IdentityKey;
use crate::domain::event::Event;

/// An event file that cannot be read on.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("cannot read {path}")]
    #[diagnostic(help("events files are written by `orderlens import` and `orderlens simulate`"))]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not an event.
    #[error("{path}:{line}: not a canonical event: {source}")]
    #[diagnostic(help("map foreign files with `orderlens import --mapping …` first"))]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A stream of the events of one file, in file order.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    reader: BufReader<Box<dyn ReadDebug>>,
    identity: IdentityKey,
    text: String,
    line: u64,
}

trait ReadDebug: Read + std::fmt::Debug + Send {}
impl<R: Read + std::fmt::Debug + Send> ReadDebug for R {}

impl EventFile {
    /// Opens a `.jsonl` or `.jsonl.gz` file.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be opened.
    pub fn open(path: &Path, identity: &IdentityKey) -> Result<Self, Error> {
        let file =
            File::open(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
        let reader: Box<dyn ReadDebug> = if path.extension().is_some_and(|end| end == "gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        Ok(Self {
            path: path.to_path_buf(),
            reader: BufReader::with_capacity(1 << 20, reader),
            identity: identity.clone(),
            text: String::new(),
            line: 0,
        })
    }
}

impl Iterator for EventFile {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.text.clear();
            self.line += 1;
            match self.reader.read_line(&mut self.text) {
                Ok(0) => return None,
                Ok(_) if self.text.trim().is_empty() => {}
                Ok(_) => {
                    let event = serde_json::from_str::<Event>(&self.text)
                        .map(|event| event.sealed(&self.identity))
                        .map_err(|source| Error::Parse {
                            path: self.path.clone(),
                            line: self.line,
                            source,
                        });
                    return Some(event);
                }
                Err(source) => return Some(Err(Error::Read { path: self.path.clone(), source })),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_identifier_in_a_file_is_hashed_and_a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let good = r#"{"event_id":"e1","event_time":"2026-01-01T00:00:00Z","fact":{"order_placed":{"key":{"channel":"app","order_id":"1"},"entities":[{"kind":"phone","key":"13800138000"}]}}}"#;
        std::fs::write(&path, format!("{good}\n\nnot json\n")).unwrap();
        let identity = IdentityKey::from_secret(b"test");
        let events: Vec<_> = EventFile::open(&path, &identity).unwrap().collect();
        assert!(!format!("{:?}", events[0].as_ref().unwrap()).contains("138001"));
        let error = events[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("events.jsonl:3: not a canonical event"), "{error}");
    }
}
