//! Who somebody is, whatever identity secret they came with.
//!
//! While the identity secret is rotated, doors hash by both secrets. Whoever is known by the
//! earlier hash and not by the new one is linked, which is a record; all that is folded after it
//! names them by the pseudonym that they were first known by. Where a link is neither needed nor
//! told, as in dry runs, the same is worked out and forgotten.

use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::pseudonym::{PseudonymLinked, Rotation, RotationStarted};
use crate::domain::record::{Record, ScoreRequest};
use crate::domain::time::Timestamp;
use crate::graph::neighborhood::Looking;
use crate::workflow::command::{Looked, Reply};
use crate::workflow::sequencer::{Sequencer, answer};
use crate::workflow::service::NeighborhoodAnswer;
use crate::workflow::state::{Digest, State, event_digest, request_digest};
use crate::workflow::told_fact::ToldFact;

/// Who came under another name than they are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// The name that they are known by.
    pub known_as: EntityRef,
    /// The other name, when it has to be recorded that it is theirs as well.
    pub linked: Option<EntityRef>,
}

impl State {
    /// Who an entity is; `None` when it is named as it is known.
    pub fn recognize(&self, entity: &EntityRef) -> Option<Recognized> {
        let of = |hash| EntityRef { kind: entity.kind, key: EntityKey::Hashed(hash) };
        let (current, previous) = match &entity.key {
            EntityKey::Plain(_) => return None,
            EntityKey::Hashed(hash) => {
                let name = self.pseudonyms.known_as(*hash);
                return (name != *hash).then(|| Recognized { known_as: of(name), linked: None });
            }
            EntityKey::Twice(twice) => (twice.current, twice.previous),
        };
        let [now, before] = [current, previous].map(|hash| of(self.pseudonyms.known_as(hash)));
        if now == before {
            return Some(Recognized { known_as: now, linked: None });
        }
        let is_erased = |entity: &EntityRef| self.erasures.get(entity).is_some();
        let is_before = match (self.graph.place_of(&now), self.graph.place_of(&before)) {
            (None, Some(_)) => true,
            (Some(_), None) => false,
            // Known under both: the one that came later was told where the other was unknown.
            (Some(now), Some(before)) => before < now,
            // What was erased must not come back under another name.
            (None, None) => is_erased(&before) && !is_erased(&now),
        };
        let is_new = !is_before && self.graph.place_of(&before).is_none();
        let (known_as, other) = if is_before { (before, now) } else { (now, before) };
        // Of somebody new, nothing leads from the earlier secret to the new one.
        Some(Recognized { known_as, linked: (!is_new).then_some(other) })
    }

    /// Names an entity as it is known, and records nothing.
    pub fn name(&self, entity: &mut EntityRef) {
        if let Some(recognized) = self.recognize(entity) {
            *entity = recognized.known_as;
        }
    }

    /// What an entity that was hashed twice is known as to those who have the earlier secret alone.
    fn name_before(&self, entity: &mut EntityRef) {
        if let EntityKey::Twice(twice) = &entity.key {
            entity.key = EntityKey::Hashed(self.pseudonyms.known_as(twice.previous));
        }
    }

    /// The record that a rotation begins, when that is news.
    pub fn rotation_record(&self, rotation: Option<&Rotation>, at: Timestamp) -> Option<Record> {
        let rotation = rotation?;
        let known = self.pseudonyms.rotation().map(|it| &it.rotation.current);
        let is_known = known == Some(&rotation.current);
        let started = RotationStarted { rotation: rotation.clone(), at };
        (!is_known).then_some(Record::RotationStarted(started))
    }
}

impl Sequencer {
    /// Tells by which names entities are known.
    pub(super) fn tell_names(&self, mut entities: Vec<EntityRef>, reply: Reply<Vec<EntityRef>>) {
        for entity in &mut entities {
            self.state.name(entity);
        }
        answer(reply, Ok(entities));
    }

    /// Shows a part of the graph around whoever is named.
    pub(super) fn look(&self, mut looking: Box<Looking>, reply: Reply<Looked>) {
        looking.seeds_mut().iter_mut().for_each(|it| self.state.name(it));
        let (seen, position) = (self.state.graph.look_on(looking), self.state.position);
        answer(reply, Ok(seen.map(|view| NeighborhoodAnswer { view, position })));
    }

    /// Names an entity as it is known, and links it first when it has to be; false when it is
    /// named so already.
    pub(super) fn recognize(&mut self, entity: &mut EntityRef, at: Timestamp) -> bool {
        let Some(Recognized { known_as, linked }) = self.state.recognize(entity) else {
            return false;
        };
        if let Some(pseudonym) = linked {
            let link = PseudonymLinked { pseudonym, known_as: known_as.clone(), at };
            self.add_quietly(&Record::PseudonymLinked(link));
        }
        *entity = known_as;
        true
    }

    /// Names everybody in a request as they are known. When it is one that was answered before,
    /// also the digest that it had when only the earlier secret was known.
    pub(super) fn recognize_request(
        &mut self,
        request: &mut ScoreRequest,
        received: Timestamp,
    ) -> Option<Digest> {
        let mut former = None;
        if request.order.entities.iter().any(is_twice)
            && self.state.answered(&request.request_id).is_some()
        {
            let mut before = request.clone();
            before.order.entities.iter_mut().for_each(|it| self.state.name_before(it));
            former = Some(request_digest(&before));
        }
        for entity in &mut request.order.entities {
            self.recognize(entity, received);
        }
        former
    }

    /// The same for a fact.
    pub(super) fn recognize_fact(&mut self, told: ToldFact) -> (ToldFact, Option<Digest>) {
        let ToldFact { mut received, bytes, digests } = told;
        let received_time = received.received_time;
        let mut former = None;
        if received.event.persons_mut().iter().any(|it| is_twice(it))
            && self.state.told_as(digests.id).is_some()
        {
            let mut before = received.event.clone();
            before.persons_mut().into_iter().for_each(|it| self.state.name_before(it));
            former = Some(event_digest(&before));
        }
        let mut is_renamed = false;
        for person in received.event.persons_mut() {
            is_renamed |= self.recognize(person, received_time);
        }
        let told = if is_renamed {
            ToldFact::of(received.event, received_time)
        } else {
            ToldFact { received, bytes, digests }
        };
        (told, former)
    }
}

fn is_twice(entity: &EntityRef) -> bool {
    matches!(entity.key, EntityKey::Twice(_))
}
