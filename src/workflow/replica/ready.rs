//! Proposals that are ready to be executed.

use crate::domain::proposal::{
    Proposal, ProposedBackground, ProposedFact, ProposedScore, Sent, Step,
};
use crate::domain::record::ReceivedEvent;
use crate::stream::batch::record_of_fact;
use crate::workflow::told_fact::ToldFact;

/// A proposal of which everything is worked out that needs no state.
#[derive(Debug)]
pub enum Ready {
    /// Judge an order.
    Score(Box<ProposedScore>),
    /// Record a fact.
    Tell(Box<ToldFact>),
    /// Compare contributions with other orders.
    Background(Box<ProposedBackground>),
    /// Anything that is rare.
    Step(Box<Step>),
}

impl Ready {
    /// Makes a proposal ready. A fact is recorded with the bytes that it was sent with, which are
    /// the same for all replicas.
    pub fn new(sent: Sent) -> Self {
        match sent.proposal {
            Proposal::Score(score) => Self::Score(score),
            Proposal::Tell(fact) => {
                let ProposedFact { event, received_time } = *fact;
                Self::Tell(Box::new(match record_of_fact(sent.bytes) {
                    Some(bytes) => {
                        ToldFact::with_bytes(ReceivedEvent { event, received_time }, bytes)
                    }
                    None => ToldFact::of(event, received_time),
                }))
            }
            Proposal::Background(background) => Self::Background(background),
            Proposal::Step(step) => Self::Step(step),
        }
    }
}
