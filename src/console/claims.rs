//! Who has which order open, so that two people do not look at one.
//!
//! In memory and for a while: a claim is a courtesy, not a lock. Whoever chooses second is
//! recorded as well.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::decision::DecisionId;
use crate::domain::time::{Span, Timestamp};

/// Most claims at a time; the one that ends first makes room.
const CLAIMS_MAX: usize = 10_000;

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who has it open.
    pub person_id: Box<str>,
    /// When it is anybody's again.
    pub until: Timestamp,
}

/// All claims.
#[derive(Debug, Default)]
pub struct Claims(Mutex<BTreeMap<DecisionId, Claim>>);

impl Claims {
    /// Claims an order that nobody else has; whose it is now.
    pub fn claim(&self, id: DecisionId, person_id: &str, now: Timestamp, life: Span) -> Claim {
        let mut claims = self.lock();
        claims.retain(|_, claim| now < claim.until);
        if let Some(claim) = claims.get(&id)
            && &*claim.person_id != person_id
        {
            return claim.clone();
        }
        if CLAIMS_MAX <= claims.len() {
            let first = claims.iter().min_by_key(|(_, claim)| claim.until).map(|(id, _)| *id);
            if let Some(first) = first {
                claims.remove(&first);
            }
        }
        let claim = Claim { person_id: person_id.into(), until: now + life };
        claims.insert(id, claim.clone());
        claim
    }

    /// Lets an order go, if it is this person's.
    pub fn release(&self, id: DecisionId, person_id: &str) {
        self.lock().retain(|it, claim| *it != id || &*claim.person_id != person_id);
    }

    /// Whose an order is.
    pub fn of(&self, id: DecisionId, now: Timestamp) -> Option<Claim> {
        self.lock().get(&id).filter(|claim| now < claim.until).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DecisionId, Claim>> {
        // Every change leaves the map whole, so a panicked neighbor has left it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_order_is_one_persons_until_the_time_is_up_or_they_let_go() {
        let (claims, id, now) = (Claims::default(), DecisionId(Uuid::nil()), Timestamp(0));
        let life = Span::minutes(15);
        assert_eq!(&*claims.claim(id, "li", now, life).person_id, "li");
        assert_eq!(&*claims.claim(id, "wang", now, life).person_id, "li");
        claims.release(id, "wang");
        assert!(claims.of(id, now).is_some());
        assert_eq!(&*claims.claim(id, "wang", now + life, life).person_id, "wang");
        claims.release(id, "wang");
        assert_eq!(claims.of(id, now + life), None);
    }
}
