//! Messages of a subject that could not be taken: a small file per source.
//!
//! They stay where they are, in the broker's stream: the file holds their numbers and why they
//! were refused, so that people see them and can have them tried again.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::time::Timestamp;
use crate::relay::kept_file::{Kept, KeptFile, Wanted};
use crate::workflow::deliveries::DeliveryBoard;

/// Most messages of a source that are listed; of more, the oldest are in the stream of dead
/// letters alone.
const DEAD_MAX: usize = 1_000;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// The broker's stream.
    pub stream: String,
    /// The subjects of it that are followed.
    pub subject: String,
    /// Given up, the oldest first.
    pub dead: Vec<RefusedMessage>,
}

/// A message that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedMessage {
    /// Its number in the stream.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// When it came first.
    pub first_seen: Timestamp,
    /// When it was refused last.
    pub last_seen: Timestamp,
    /// How often it was tried.
    pub n_tries: u32,
    /// Why it was refused last; repeats none of its values but ids of events.
    pub fault: Box<str>,
}

impl Kept for Refusals {
    const FOLDER: &'static str = "subjects";
}

impl Refusals {
    /// Notes that a message was refused, perhaps once more.
    pub fn add(&mut self, (sequence, subject): (u64, &str), fault: Box<str>, now: Timestamp) {
        if let Some(known) = self.dead.iter_mut().find(|it| it.sequence == sequence) {
            (known.last_seen, known.n_tries) = (now, known.n_tries.saturating_add(1));
            known.fault = fault;
            return;
        }
        if DEAD_MAX <= self.dead.len() {
            self.dead.remove(0);
        }
        self.dead.push(RefusedMessage {
            sequence,
            subject: subject.to_owned(),
            first_seen: now,
            last_seen: now,
            n_tries: 1,
            fault,
        });
    }
}

/// The file of a source and what it holds.
#[derive(Debug)]
pub struct Aside {
    file: KeptFile<Refusals>,
    board: Arc<DeliveryBoard>,
    kept: Mutex<Refusals>,
}

impl Aside {
    /// Reads the file; messages come from these subjects of a stream now.
    ///
    /// # Errors
    /// When the file cannot be read or made.
    pub fn open(
        file: KeptFile<Refusals>,
        (stream, subject): (&str, &str),
        board: Arc<DeliveryBoard>,
    ) -> io::Result<Self> {
        let kept = file.load()?.unwrap_or_default();
        let (stream, subject) = (stream.to_owned(), subject.to_owned());
        let kept = Refusals { stream, subject, ..kept };
        file.save(&kept)?;
        let aside = Self { file, board, kept: Mutex::new(kept) };
        aside.tell(&aside.lock());
        Ok(aside)
    }

    /// Changes what is kept; it survives a crash when this returns.
    ///
    /// # Errors
    /// Any error of the operating system; then nothing has changed.
    pub fn change(&self, change: impl FnOnce(&mut Refusals)) -> io::Result<()> {
        let mut kept = self.lock();
        let mut changed = kept.clone();
        change(&mut changed);
        // A small file, and a thread of its own would have to be waited for all the same.
        tokio::task::block_in_place(|| self.file.save(&changed))?;
        *kept = changed;
        self.tell(&kept);
        Ok(())
    }

    /// What people want tried again, if anything; the oldest first.
    ///
    /// # Errors
    /// When the request cannot be read or is damaged.
    pub fn wanted(&self) -> io::Result<Option<Vec<RefusedMessage>>> {
        let Some(wanted) = self.file.requested()? else { return Ok(None) };
        let mut found = self.lock().dead.clone();
        found.retain(|it| wanted.has(&it.sequence.to_string()));
        Ok(Some(found))
    }

    /// What is left of a request; without any it is done.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn leave(&self, rest: &[RefusedMessage]) -> io::Result<()> {
        if rest.is_empty() {
            return self.file.forget_request();
        }
        let ids = rest.iter().map(|it| it.sequence.to_string()).collect();
        self.file.request(&Wanted::Ids(ids))
    }

    fn tell(&self, kept: &Refusals) {
        self.board.put_aside(self.file.name(), kept.dead.len() as u64);
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        // What a panic left behind is on disk as well.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refusal in one line: the code, the sentence and the first field of what was wrong first.
pub fn in_short(refusal: &Value) -> Box<str> {
    let items = ["events", "decisions"].into_iter().filter_map(|it| refusal[it].as_array());
    let error = items.flatten().find_map(|it| it.get("error")).unwrap_or(&refusal["error"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = format!("{}: {}", text(&error["code"]), text(&error["message"]));
    let Some(field) = error["fields"].get(0) else { return line.into() };
    format!("{line}; {} {}", text(&field["field"]), text(&field["description"])).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_771_272_000_000_000);

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_put_aside_is_there_again_and_is_tried_by_number() {
        let data = tempfile::tempdir().unwrap();
        let open = || {
            let (file, board) = (KeptFile::new(data.path(), "house"), Arc::default());
            Aside::open(file, ("HOUSE", "house.>"), board).unwrap()
        };
        let aside = open();
        for sequence in [3, 5, 3] {
            aside.change(|it| it.add((sequence, "house.a"), "X: y".into(), NOW)).unwrap();
        }
        assert_eq!(aside.wanted().unwrap(), None);
        drop(aside);
        let aside = open();
        assert_eq!(aside.board.aside(), [("house".into(), 2)]);
        let file = KeptFile::<Refusals>::new(data.path(), "house");
        file.request(&Wanted::Ids(vec!["5".to_owned(), "7".to_owned()])).unwrap();
        let wanted = aside.wanted().unwrap().unwrap();
        assert_eq!(wanted.iter().map(|it| (it.sequence, it.n_tries)).collect::<Vec<_>>(), [(5, 1)]);
        file.request(&Wanted::All).unwrap();
        let wanted = aside.wanted().unwrap().unwrap();
        assert_eq!((wanted.len(), wanted[0].n_tries), (2, 2), "3 came twice");
        aside.leave(&wanted[1..]).unwrap();
        assert_eq!(aside.wanted().unwrap().unwrap(), wanted[1..]);
        aside.leave(&[]).unwrap();
        assert_eq!(aside.wanted().unwrap(), None);
    }

    #[test]
    fn of_too_many_the_oldest_leave_the_list() {
        let mut kept = Refusals::default();
        for sequence in 1..=DEAD_MAX as u64 + 2 {
            kept.add((sequence, "a"), "x".into(), NOW);
        }
        assert_eq!((kept.dead.len(), kept.dead[0].sequence), (DEAD_MAX, 3));
    }

    #[test]
    fn a_refusal_is_told_in_one_line() {
        let fields = json!([{ "field": "events[0].fact", "description": "is empty" }]);
        let whole = json!({ "error": { "code": "C", "message": "m", "fields": fields } });
        assert_eq!(&*in_short(&whole), "C: m; events[0].fact is empty");
        let bad = json!({ "event_id": "e", "error": { "code": "ID_REUSED", "message": "m" } });
        let items = json!({ "events": [{ "event_id": "d" }, bad], "decisions": [] });
        assert_eq!(&*in_short(&items), "ID_REUSED: m");
    }
}
