//! The engine's part for facts, and what reads the journal beside it.

use std::sync::Arc;

use crate::domain::event::Event;
use crate::domain::record::Record;
use crate::domain::time::Timestamp;
use crate::store::journal::reader::JournalReader;
use crate::workflow::command::{Command, Told};
use crate::workflow::engine::Engine;
use crate::workflow::erased_board::ErasedBoard;
use crate::workflow::error::Error;
use crate::workflow::service::Ack;

impl Engine {
    /// Reads the journal beside the engine.
    pub fn journal_reader(&self) -> JournalReader {
        self.reader.clone()
    }

    /// What of the journal may not be told any more.
    pub fn erased_board(&self) -> Arc<ErasedBoard> {
        self.erased.clone()
    }

    /// Records a fact under its id.
    pub(super) async fn tell(
        &self,
        event: Event,
        id: Box<str>,
        received: Timestamp,
    ) -> Result<Ack, Error> {
        let kept = event.clone();
        let command =
            |reply| Command::Ingest { event: Box::new(event), received_time: received, reply };
        match self.ask(command).await? {
            Told::New => Ok(Ack::Accepted),
            Told::Before { position, is_same } => {
                self.durable.reached(position).await?;
                if is_same {
                    return Ok(Ack::Duplicate);
                }
                let Record::Event(before) = self.record_at(position).await? else {
                    let fields = vec!["event_time".into(), "fact".into()];
                    return Err(Error::IdReused { id, fields });
                };
                let fields = self.differing_events(before.event, kept).await?;
                if fields.is_empty() {
                    return Ok(Ack::Duplicate);
                }
                Err(Error::IdReused { id, fields })
            }
        }
    }
}
