//! A small file in the data folder, put in place whole, and requests about it.
//!
//! Commands read it beside a running server, and leave what they want beside it.

use std::fs;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::medium::{replace_file, sync_dir};

/// What such a file holds.
pub trait Kept: Serialize + DeserializeOwned {
    /// Folder of the files of this sort, in the data folder.
    const FOLDER: &'static str;
}

/// Where the file of a sink or a source is.
#[derive(Clone, Debug)]
pub struct KeptFile<T> {
    folder: PathBuf,
    name: Box<str>,
    holds: PhantomData<fn() -> T>,
}

/// Which dead letters are to be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Each.
    All,
    /// Those with these ids.
    Ids(Vec<String>),
}

impl Wanted {
    /// Whether a letter with this id is wanted.
    pub fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.iter().any(|it| it == id),
        }
    }
}

impl<T: Kept> KeptFile<T> {
    /// Of a sink or a source, in a data folder.
    pub fn new(data: &Path, name: &str) -> Self {
        Self { folder: data.join(T::FOLDER), name: name.into(), holds: PhantomData }
    }

    /// Everybody who has one in a data folder, by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(data: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(data.join(T::FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
            found.extend(name.map(|name| Self::new(data, name)));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Whose it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file holds; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn load(&self) -> io::Result<Option<T>> {
        read_json(&self.path("json"))
    }

    /// Puts the file in place; it survives a crash when this returns.
    ///
    /// # Errors
    /// Any error of the operating system; then the file before it is still there.
    pub fn save(&self, content: &T) -> io::Result<()> {
        self.write("json", content)
    }

    /// Asks whoever keeps this file, now or later, to try dead letters again.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn request(&self, wanted: &Wanted) -> io::Result<()> {
        self.write("retry", wanted)
    }

    /// What was asked for, if anything was.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn requested(&self) -> io::Result<Option<Wanted>> {
        read_json(&self.path("retry"))
    }

    /// Forgets what was asked for, once it is done.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn forget_request(&self) -> io::Result<()> {
        fs::remove_file(self.path("retry"))
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    fn write(&self, ending: &str, content: &impl Serialize) -> io::Result<()> {
        if !self.folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
            self.folder.parent().map_or(Ok(()), sync_dir)?;
        }
        replace_file(&self.path(ending), &serde_json::to_vec(content)?)
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
