//! The API keys that open something, where doors look without a lock.
//!
//! The sequencer puts a new table in place whenever a record changes who may call; a door takes
//! the table of the moment. A key that did not change keeps its [`Caller`], so a change of one
//! key gives nobody else a fresh allowance.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::domain::api_key::ApiKey;
use crate::domain::time::Timestamp;

/// By BLAKE3 of the secret. What is looked up is a hash that nobody can choose, so how long a
/// look takes says nothing about any secret, and no caller can fill one bucket.
type Table = IndexMap<[u8; 32], Arc<Caller>, FxBuildHasher>;

/// The keys of the moment.
#[derive(Default)]
pub struct KeyRing {
    table: ArcSwap<Table>,
}

/// A key in use.
#[derive(Debug)]
pub struct Caller {
    /// The key.
    pub key: ApiKey,
    pace: Option<DefaultDirectRateLimiter>,
    is_gone: AtomicBool,
}

/// Why a call or an item of a stream does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The key has ended, was revoked or has another secret now.
    Ended,
    /// The key's calls per second are used up until then.
    TooFast(Duration),
}

impl KeyRing {
    /// Puts the keys that are good for something in place of those before.
    pub fn publish<'k>(&self, keys: impl Iterator<Item = &'k ApiKey>) {
        let before = self.table.load();
        let mut table = Table::default();
        for key in keys {
            // Written by us, so always a hash; if it were not, it would open nothing.
            let Ok(hash) = blake3::Hash::from_hex(key.key_hash.as_bytes()) else { continue };
            let hash = *hash.as_bytes();
            let known = before.get(&hash).filter(|caller| caller.key == *key);
            table.insert(hash, known.cloned().unwrap_or_else(|| Caller::new(key)));
        }
        for (hash, caller) in before.iter() {
            if table.get(hash).is_none_or(|now| !Arc::ptr_eq(now, caller)) {
                caller.is_gone.store(true, Ordering::Relaxed);
            }
        }
        self.table.store(Arc::new(table));
    }

    /// Who has this secret, if anybody, whether or not their time is over.
    pub fn find(&self, secret: &[u8]) -> Option<Arc<Caller>> {
        self.table.load().get(blake3::hash(secret).as_bytes()).cloned()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("n_keys", &self.table.load().len()).finish()
    }
}

impl Caller {
    fn new(key: &ApiKey) -> Arc<Self> {
        let limit = key.calls_per_second.and_then(std::num::NonZeroU32::new);
        let pace = limit.map(|limit| DefaultDirectRateLimiter::direct(Quota::per_second(limit)));
        Arc::new(Self { key: key.clone(), pace, is_gone: AtomicBool::new(false) })
    }

    /// Counts a call, or an item of a stream that may have begun long ago.
    ///
    /// # Errors
    /// [`Stop`] says why it does not go on.
    pub fn admit(&self, now: Timestamp) -> Result<(), Stop> {
        if self.is_gone.load(Ordering::Relaxed) || !self.key.is_valid(now) {
            return Err(Stop::Ended);
        }
        let Some(pace) = &self.pace else { return Ok(()) };
        pace.check().map_err(|not_until| {
            Stop::TooFast(not_until.wait_time_from(DefaultClock::default().now()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::api_key::{KeySecret, Scope};

    const NOW: Timestamp = Timestamp(1_000);

    fn key(name: &str, secret: &KeySecret) -> ApiKey {
        ApiKey {
            name: name.into(),
            owner: name.into(),
            scopes: [Scope::Score].into(),
            calls_per_second: None,
            is_active: true,
            expires: None,
            key_hash: secret.hash(),
        }
    }

    fn found(ring: &KeyRing, secret: &KeySecret) -> Option<Arc<Caller>> {
        ring.find(secret.expose().as_bytes())
    }

    #[test]
    fn a_key_is_found_by_its_whole_secret_until_it_is_taken_out() {
        let (one, two) = (KeySecret::new([1; 32]), KeySecret::new([2; 32]));
        let ring = KeyRing::default();
        assert!(found(&ring, &one).is_none());
        ring.publish([key("a", &one), key("b", &two)].iter());
        let caller = found(&ring, &one).unwrap();
        assert_eq!((&*caller.key.name, caller.admit(NOW)), ("a", Ok(())));
        let part = &one.expose().as_bytes()[..66];
        assert!(ring.find(part).is_none() && ring.find(b"").is_none());
        ring.publish([key("b", &two)].iter());
        assert!(found(&ring, &one).is_none());
        assert_eq!(caller.admit(NOW), Err(Stop::Ended), "a stream that goes on ends too");
    }

    #[test]
    fn a_key_has_an_end() {
        let secret = KeySecret::new([1; 32]);
        let ring = KeyRing::default();
        ring.publish([ApiKey { expires: Some(NOW), ..key("a", &secret) }].iter());
        let caller = found(&ring, &secret).unwrap();
        assert_eq!(caller.admit(Timestamp(NOW.0 - 1)), Ok(()));
        assert_eq!(caller.admit(NOW), Err(Stop::Ended));
    }

    #[test]
    fn an_allowance_outlives_the_changes_of_other_keys() {
        let (one, two) = (KeySecret::new([1; 32]), KeySecret::new([2; 32]));
        // A call a second: the next one comes long after this test.
        let slow = ApiKey { calls_per_second: Some(1), ..key("a", &one) };
        let ring = KeyRing::default();
        ring.publish([slow.clone()].iter());
        assert_eq!(found(&ring, &one).unwrap().admit(NOW), Ok(()));
        ring.publish([slow, key("b", &two)].iter());
        let refused = found(&ring, &one).unwrap().admit(NOW);
        let Err(Stop::TooFast(wait)) = refused else { panic!("{refused:?}") };
        assert!(Duration::ZERO < wait && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(found(&ring, &two).unwrap().admit(NOW), Ok(()));
    }
}
