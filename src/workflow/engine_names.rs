//! The engine's part for those who are known by another name now.

use crate::domain::entity::EntityRef;
use crate::domain::event::Event;
use crate::domain::record::ScoreRequest;
use crate::workflow::command::Command;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::state::differing_fields;

impl Engine {
    /// Entities by the names that they are known by now, in the same order.
    pub(super) async fn named(&self, entities: Vec<EntityRef>) -> Result<Vec<EntityRef>, Error> {
        self.ask(|reply| Command::Name { entities, reply }).await
    }

    /// The fields in which two requests differ, when who was told of by several names counts as
    /// one, and who was erased since not at all.
    pub(super) async fn differing(
        &self,
        first: &ScoreRequest,
        second: &ScoreRequest,
    ) -> Result<Vec<Box<str>>, Error> {
        let [mut first, mut second] = [first.clone(), second.clone()];
        for request in [&mut first, &mut second] {
            request.order.entities =
                self.named(std::mem::take(&mut request.order.entities)).await?;
            self.erased.strip_order(&mut request.order, request.event_time);
        }
        Ok(differing_fields(&first, &second))
    }

    /// The fields in which two events differ, in the same way.
    pub(super) async fn differing_events(
        &self,
        first: Event,
        second: Event,
    ) -> Result<Vec<Box<str>>, Error> {
        let [mut first, mut second] = [first, second];
        for event in [&mut first, &mut second] {
            let told: Vec<EntityRef> =
                event.persons_mut().into_iter().map(|it| it.clone()).collect();
            let named = self.named(told).await?;
            event.persons_mut().into_iter().zip(named).for_each(|(it, name)| *it = name);
            self.erased.strip(event);
        }
        let fields = [
            ("event_time", first.event_time == second.event_time),
            ("fact", first.fact == second.fact),
        ];
        let differing = fields.into_iter().filter(|(_, is_same)| !is_same);
        Ok(differing.map(|(name, _)| name.into()).collect())
    }
}
