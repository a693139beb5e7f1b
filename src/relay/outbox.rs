//! What a sink was told, what waits, what was given up: a small file per sink.
//!
//! The journal holds what there is to tell, so the file holds a position, the alerts that no
//! record holds, and the dead letters. It is put in place whole, so a crash leaves the one
//! before it: then some deliveries come again, under the ids that they had.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::relay::notice::{Notice, NoticeKind};
use crate::store::medium::{replace_file, sync_dir};

/// Folder of these files, in the data folder.
const FOLDER: &str = "deliveries";
/// Most alerts that wait; the oldest beyond them are dropped, as each is told anew while it lasts.
const ALERTS_MAX: usize = 100;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// The first journal record that was not looked through.
    pub next: u64,
    /// Notices that no record holds, and dead letters that are tried again.
    pub waiting: VecDeque<Letter>,
    /// Given up.
    pub dead: Vec<DeadLetter>,
}

/// A notice by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// When what it tells happened.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// What was to be told.
    pub letter: Letter,
    /// How often it was tried.
    pub n_tries: u32,
    /// When it was given up.
    pub given_up: Timestamp,
    /// Why the last try failed.
    pub fault: Box<str>,
}

/// Where the outbox of a sink is.
#[derive(Clone, Debug)]
pub struct OutboxFile {
    folder: PathBuf,
    sink: Box<str>,
}

impl From<Notice> for Letter {
    fn from(notice: Notice) -> Self {
        let Notice { id, kind, at, body } = notice;
        Self { id, kind, at, body }
    }
}

impl Outbox {
    /// Of a new sink: it is told what is recorded from here on.
    pub fn new(next: u64) -> Self {
        Self { next, waiting: VecDeque::new(), dead: Vec::new() }
    }

    /// Takes an alert, unless it waits already.
    pub fn add_alert(&mut self, alert: Notice) {
        let is_known = |known: &str| known == alert.id;
        if self.waiting.iter().any(|it| is_known(&it.id)) {
            return;
        }
        if ALERTS_MAX <= self.waiting.len()
            && let Some(oldest) = self.waiting.iter().position(|it| it.kind == NoticeKind::Alert)
        {
            self.waiting.remove(oldest);
        }
        self.waiting.push_back(alert.into());
    }

    /// Moves dead letters back to what waits: these, or all of them.
    pub fn revive(&mut self, wanted: &Wanted) {
        let (again, dead): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.dead).into_iter().partition(|it| wanted.has(&it.letter.id));
        self.dead = dead;
        self.waiting.extend(again.into_iter().map(|it| it.letter));
    }
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
    fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.iter().any(|it| it == id),
        }
    }
}

impl OutboxFile {
    /// Of a sink, in a data folder.
    pub fn new(data: &Path, sink: &str) -> Self {
        Self { folder: data.join(FOLDER), sink: sink.into() }
    }

    /// Every sink that has one in a data folder, by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(data: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(data.join(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let sink = name.to_str().and_then(|name| name.strip_suffix(".json"));
            found.extend(sink.map(|sink| Self::new(data, sink)));
        }
        found.sort_by(|a, b| a.sink.cmp(&b.sink));
        Ok(found)
    }

    /// The sink's name.
    pub fn sink(&self) -> &str {
        &self.sink
    }

    /// What the file holds; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn load(&self) -> io::Result<Option<Outbox>> {
        read_json(&self.path("json"))
    }

    /// Puts the file in place; it survives a crash when this returns.
    ///
    /// # Errors
    /// Any error of the operating system; then the file before it is still there.
    pub fn save(&self, outbox: &Outbox) -> io::Result<()> {
        self.write("json", outbox)
    }

    /// Asks whoever delivers to this sink, now or later, to try dead letters again.
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
        self.folder.join(format!("{}.{ending}", self.sink))
    }

    fn write(&self, ending: &str, content: &impl Serialize) -> io::Result<()> {
        if !self.folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
            self.folder.parent().map_or(Ok(()), sync_dir)?;
        }
        replace_file(&self.path(ending), &serde_json::to_vec(content)?)
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(n: usize) -> Notice {
        let id = format!("alert-{n}");
        Notice::new(id, NoticeKind::Alert, "events.late", Timestamp(0), &json!({}))
    }

    #[test]
    fn what_is_saved_is_there_again_and_sinks_are_listed() {
        let data = tempfile::tempdir().unwrap();
        assert!(OutboxFile::all(data.path()).unwrap().is_empty());
        let file = OutboxFile::new(data.path(), "shop");
        assert_eq!(file.load().unwrap(), None);
        let mut outbox = Outbox::new(7);
        outbox.add_alert(alert(1));
        file.save(&outbox).unwrap();
        assert_eq!(file.load().unwrap(), Some(outbox));
        file.request(&Wanted::All).unwrap();
        assert_eq!(file.requested().unwrap(), Some(Wanted::All));
        file.forget_request().unwrap();
        assert_eq!(file.requested().unwrap(), None);
        let all = OutboxFile::all(data.path()).unwrap();
        assert_eq!(all.iter().map(OutboxFile::sink).collect::<Vec<_>>(), ["shop"]);
        fs::write(data.path().join("deliveries/shop.json"), "{").unwrap();
        assert!(file.load().is_err(), "a damaged file is not taken for a new sink's");
    }

    #[test]
    fn alerts_are_bounded_and_the_dead_rise_once() {
        let mut outbox = Outbox::new(1);
        for n in [0, 0].into_iter().chain(0..ALERTS_MAX + 5) {
            outbox.add_alert(alert(n));
        }
        assert_eq!(outbox.waiting.len(), ALERTS_MAX);
        assert_eq!(outbox.waiting[0].id, "alert-5");
        let dead = |n| DeadLetter {
            letter: alert(n).into(),
            n_tries: 3,
            given_up: Timestamp(1),
            fault: "answered 500".into(),
        };
        let mut outbox = Outbox { dead: vec![dead(1), dead(2)], ..Outbox::new(1) };
        outbox.revive(&Wanted::Ids(vec!["alert-2".to_owned()]));
        assert_eq!((outbox.dead.len(), &*outbox.waiting[0].id), (1, "alert-2"));
        outbox.revive(&Wanted::All);
        assert_eq!((outbox.dead.len(), outbox.waiting.len()), (0, 2));
    }
}
