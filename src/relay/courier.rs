//! Takes to one sink what the journal tells, in order, until it has it.
//!
//! One letter at a time: a sink hears of things in the order in which they were recorded,
//! unless one was given up and is tried again later. A sink that is slow or away keeps nobody
//! waiting but itself, since whoever judges knows nothing of it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::time::Timestamp;
use crate::relay::carrier::{Carrier, Fault};
use crate::relay::notice::{Notice, NoticeKind, notices};
use crate::relay::outbox::{DeadLetter, Letter, Outbox, OutboxFile};
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_from;
use crate::workflow::deliveries::{DeliveryBoard, SinkStatus};
use crate::workflow::erased_board::ErasedBoard;

/// How often the end of the journal, and requests, are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often the position is saved while letters are taken.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Most records that are read at once.
const RECORDS_MAX: usize = 256;
/// Most dead letters; a sink with more is not given up on, so that none is lost.
const DEAD_MAX: usize = 1_000;

/// How often and when a letter is tried again.
#[derive(Clone, Copy, Debug)]
pub struct RetryRule {
    /// Tries after which a letter is given up.
    pub tries_max: u32,
    /// Pause after the first try.
    pub first: Duration,
    /// Longest pause; each is twice the one before it.
    pub longest: Duration,
}

/// What a courier needs.
#[derive(Debug)]
pub struct Route {
    /// Its outbox.
    pub file: OutboxFile,
    /// What the sink wants to hear of.
    pub kinds: Vec<NoticeKind>,
    /// The way there.
    pub carrier: Carrier,
    /// When to try again.
    pub retry: RetryRule,
    /// Alerts to tell, filled by whoever sees one.
    pub alerts: Arc<Alerts>,
}

/// What a courier knows of its surroundings.
#[derive(Clone, Debug)]
pub struct Office {
    /// The journal.
    pub reader: JournalReader,
    /// What may not be told any more, though the journal holds it.
    pub erased: Arc<ErasedBoard>,
    /// Where it tells how it does.
    pub board: Arc<DeliveryBoard>,
    /// Our clock.
    pub clock: fn() -> Timestamp,
    /// In [0, 1), another at each call.
    pub chance: fn() -> f64,
    /// Cancelled when it must end.
    pub stopping: CancellationToken,
}

/// Alerts between whoever sees one and a courier.
#[derive(Debug, Default)]
pub struct Alerts(Mutex<Vec<Notice>>);

impl Alerts {
    /// Leaves an alert.
    pub fn leave(&self, alert: Notice) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(alert);
    }

    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A courier at work.
#[derive(Debug)]
pub struct Courier {
    route: Route,
    office: Office,
    outbox: Outbox,
    /// Letters of records that were read, with the position behind each record.
    read: VecDeque<(u64, Letter)>,
    /// The first record that was not read.
    next: u64,
    saved: Instant,
    is_changed: bool,
}

impl Courier {
    /// Reads the outbox; a new sink is told what is recorded from now on.
    ///
    /// # Errors
    /// When the outbox cannot be read or made: nothing may be told twice without end.
    pub fn open(route: Route, office: Office) -> io::Result<Self> {
        let outbox = if let Some(outbox) = route.file.load()? {
            outbox
        } else {
            let outbox = Outbox::new(office.reader.durable_position() + 1);
            route.file.save(&outbox)?;
            outbox
        };
        let (next, read, saved) = (outbox.next, VecDeque::new(), Instant::now());
        let courier = Self { route, office, outbox, read, next, saved, is_changed: false };
        courier.tell(|_| {});
        Ok(courier)
    }

    /// Delivers until told to stop; what is not delivered then is at the next start.
    pub async fn run(mut self) {
        let stopping = self.office.stopping.clone();
        loop {
            if let Err(error) = self.step(&stopping).await {
                let sink = self.route.file.name();
                warn!(sink, error = &*error, "deliveries to `{sink}` wait: {error}");
                self.tell(|status| status.fault = Some("see the log".into()));
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = sleep(self.route.retry.first) => {}
                }
            }
            if stopping.is_cancelled() {
                break;
            }
        }
        if let Err(error) = self.save() {
            let sink = self.route.file.name();
            warn!(sink, %error, "some deliveries to `{sink}` will come again");
        }
    }

    /// Takes one letter, or looks for one.
    async fn step(&mut self, stopping: &CancellationToken) -> Result<(), Box<str>> {
        self.hear()?;
        if let Some(letter) = self.outbox.waiting.front().cloned() {
            if self.deliver(&letter, stopping).await {
                self.outbox.waiting.pop_front();
                // It is off the list at once: the dead are not raised twice.
                self.is_changed = true;
                self.save().map_err(told)?;
            }
            return Ok(());
        }
        if self.read.is_empty() {
            self.look().await?;
        }
        if let Some((after, letter)) = self.read.front().cloned() {
            if self.deliver(&letter, stopping).await {
                self.read.pop_front();
                // A record of two letters is behind once both were taken.
                if self.read.front().is_none_or(|(other, _)| *other != after) {
                    self.outbox.next = after;
                }
                self.is_changed = true;
            }
        } else {
            if self.outbox.next != self.next {
                self.outbox.next = self.next;
                self.is_changed = true;
            }
            if self.office.reader.durable_position() < self.next {
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = sleep(LOOK_EVERY) => {}
                }
            }
        }
        if self.is_changed && SAVE_EVERY <= self.saved.elapsed() {
            self.save().map_err(told)?;
        }
        Ok(())
    }

    /// Takes in alerts and requests.
    fn hear(&mut self) -> Result<(), Box<str>> {
        let alerts = self.route.alerts.take();
        if !alerts.is_empty() && self.route.kinds.contains(&NoticeKind::Alert) {
            for alert in alerts {
                self.outbox.add_alert(alert);
            }
            self.is_changed = true;
            self.save().map_err(told)?;
        }
        if let Some(wanted) = self.route.file.requested().map_err(told)? {
            self.outbox.revive(&wanted);
            self.is_changed = true;
            self.save().map_err(told)?;
            self.route.file.forget_request().map_err(told)?;
            let sink = self.route.file.name();
            info!(sink, "dead letters to `{sink}` are tried again");
        }
        Ok(())
    }

    /// Reads on in the journal.
    async fn look(&mut self) -> Result<(), Box<str>> {
        let durable = self.office.reader.durable_position();
        self.tell(|_| {});
        if durable < self.next {
            return Ok(());
        }
        let (reader, erased) = (self.office.reader.clone(), self.office.erased.clone());
        let (next, kinds) = (self.next, self.route.kinds.clone());
        let found = tokio::task::spawn_blocking(move || {
            let mut found = VecDeque::new();
            let mut after = next;
            for entry in read_from(&reader, next).take(RECORDS_MAX) {
                let (position, record) = entry?;
                after = position + 1;
                let told = notices(position, &erased.shown_record(record)).into_iter();
                let wanted = told.filter(|notice| kinds.contains(&notice.kind));
                found.extend(wanted.map(|notice| (after, notice.into())));
            }
            Ok::<_, StoreError>((found, after))
        });
        let found = found.await.map_err(|error| error.to_string())?;
        (self.read, self.next) = found.map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Tries until the sink has it or it is given up; false when told to stop before.
    async fn deliver(&mut self, letter: &Letter, stopping: &CancellationToken) -> bool {
        self.tell(|status| status.waits_since = Some(letter.at));
        let mut n_tries = 0;
        loop {
            let now = (self.office.clock)();
            let sent = tokio::select! {
                () = stopping.cancelled() => return false,
                sent = self.route.carrier.send(letter, now) => sent,
            };
            n_tries += 1;
            let Err(fault) = sent else {
                self.tell(|status| {
                    status.n_delivered += 1;
                    status.waits_since = None;
                    status.fault = None;
                });
                return true;
            };
            self.tell(|status| {
                status.n_failed += 1;
                status.fault = Some(fault.why.clone());
            });
            if self.route.retry.tries_max <= n_tries && self.give_up(letter, n_tries, &fault) {
                return true;
            }
            let pause = self.route.retry.pause(n_tries, (self.office.chance)());
            let pause = fault.retry_after.map_or(pause, |asked| asked.max(pause));
            tokio::select! {
                () = stopping.cancelled() => return false,
                () = sleep(pause) => {}
            }
        }
    }

    /// Puts a letter among the dead; false when it cannot be kept there, so that it is tried on.
    fn give_up(&mut self, letter: &Letter, n_tries: u32, fault: &Fault) -> bool {
        if DEAD_MAX <= self.outbox.dead.len() {
            return false;
        }
        let given_up = (self.office.clock)();
        self.outbox.dead.push(DeadLetter {
            letter: letter.clone(),
            n_tries,
            given_up,
            fault: fault.why.clone(),
        });
        self.is_changed = true;
        let saved = self.save();
        let sink = self.route.file.name();
        if let Err(error) = saved {
            warn!(sink, %error, "a delivery to `{sink}` cannot be given up");
            self.outbox.dead.pop();
            return false;
        }
        warn!(sink, id = letter.id, why = &*fault.why, "gave up a delivery to `{sink}`");
        self.tell(|status| status.waits_since = None);
        true
    }

    fn save(&mut self) -> io::Result<()> {
        if self.is_changed {
            // A small file, and a thread of its own would have to be waited for all the same.
            tokio::task::block_in_place(|| self.route.file.save(&self.outbox))?;
            self.is_changed = false;
        }
        self.saved = Instant::now();
        Ok(())
    }

    fn tell(&self, change: impl FnOnce(&mut SinkStatus)) {
        let durable = self.office.reader.durable_position();
        self.office.board.change(self.route.file.name(), |status| {
            status.n_behind = (durable + 1).saturating_sub(self.outbox.next);
            status.n_dead = self.outbox.dead.len() as u64;
            change(status);
        });
    }
}

impl RetryRule {
    /// Pause after a try: doubled each time, up to half of it left out by chance, so that
    /// couriers that failed together do not try again together.
    fn pause(&self, n_tries: u32, chance: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(n_tries.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        whole.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    }
}

fn told(error: impl std::fmt::Display) -> Box<str> {
    error.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ_by_chance() {
        let rule = RetryRule {
            tries_max: 9,
            first: Duration::from_millis(500),
            longest: Duration::from_mins(1),
        };
        let pauses = [1, 2, 3, 8, 40].map(|n| rule.pause(n, 0.0).as_millis());
        assert_eq!(pauses, [500, 1_000, 2_000, 60_000, 60_000]);
        assert_eq!(rule.pause(1, 1.0), Duration::from_millis(250));
        assert!(rule.pause(1, 0.5) < rule.pause(1, 0.1));
    }
}
