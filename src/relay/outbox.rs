//! What a sink was told, what waits, what was given up: a small file per sink.
//!
//! The journal holds what there is to tell, so the file holds a position, the alerts that no
//! record holds, and the dead letters. It is put in place whole, so a crash leaves the one
//! before it: then some deliveries come again, under the ids that they had.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::relay::kept_file::{Kept, KeptFile, Wanted};
use crate::relay::notice::{Notice, NoticeKind};

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

impl Kept for Outbox {
    const FOLDER: &'static str = "deliveries";
}

/// Where the outbox of a sink is.
pub type OutboxFile = KeptFile<Outbox>;

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
        assert_eq!(all.iter().map(OutboxFile::name).collect::<Vec<_>>(), ["shop"]);
        std::fs::write(data.path().join("deliveries/shop.json"), "{").unwrap();
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
