//! What every page holds.

use std::sync::Arc;

use crate::console::claims::Claims;
use crate::console::pending::PendingChoices;
use crate::console::session::{Sessions, Token};
use crate::domain::access::AuditDraft;
use crate::domain::api_key::KeySecret;
use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::domain::lever::Lever;
use crate::domain::strategy_version::StrategyMistake;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::access_service::AccessService as _;
use crate::workflow::deliveries::DeliveryBoard;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::event_health::EventBoard;
use crate::workflow::strategy_file::LastReload;

/// Limits of the console.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleSettings {
    /// How long a session lasts.
    pub session: Span,
    /// How long an opened order stays somebody's.
    pub claim: Span,
    /// How long a choice can be undone; it is recorded afterwards.
    pub undo: Span,
    /// How soon after it was placed an order should be looked at.
    pub review_within: Span,
}

/// The levers of a text, or what keeps it from being read.
pub type ReadLevers = fn(&str) -> Result<Vec<Lever>, Vec<StrategyMistake>>;
/// The text with some levers at other values, and nothing else changed.
pub type MoveLevers = fn(&str, &[(&str, f64)]) -> Result<String, Vec<StrategyMistake>>;

/// Reads and moves the levers of a strategy text.
#[derive(Clone, Copy, Debug)]
pub struct LeverTools {
    /// Reads them.
    pub read: ReadLevers,
    /// Moves them.
    pub moved: MoveLevers,
}

/// What is given to the console.
#[derive(Debug)]
pub struct ConsoleParts {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Our clock.
    pub clock: fn() -> Timestamp,
    /// Unguessable bytes, others at each call.
    pub random: fn() -> [u8; 32],
    /// Limits.
    pub settings: ConsoleSettings,
    /// Where the orders come from.
    pub market: Market,
    /// How the sources of events do.
    pub events: Arc<EventBoard>,
    /// How deliveries to other systems do.
    pub deliveries: Arc<DeliveryBoard>,
    /// Levers of strategies.
    pub levers: LeverTools,
    /// Hashes identifiers that are typed in.
    pub identity: IdentityKey,
}

/// Where the orders come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// From callers.
    Real,
    /// From the simulator: every page says so.
    Synthetic,
}

/// The console: its parts, and what it remembers between two pages.
#[derive(Debug)]
pub struct Console {
    /// The engine behind every page.
    pub engine: Arc<Engine>,
    /// Limits.
    pub settings: ConsoleSettings,
    /// Where the orders come from.
    pub market: Market,
    /// How the sources of events do.
    pub events: Arc<EventBoard>,
    /// How deliveries to other systems do.
    pub deliveries: Arc<DeliveryBoard>,
    /// Levers of strategies.
    pub levers: LeverTools,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who has which order open.
    pub claims: Claims,
    /// Choices that can still be undone.
    pub pending: PendingChoices,
    /// What became of the strategy file.
    pub last_reload: Arc<LastReload>,
    /// When the console was opened.
    pub opened_at: Timestamp,
    clock: fn() -> Timestamp,
    random: fn() -> [u8; 32],
    identity: IdentityKey,
}

impl Console {
    /// A console over a running engine.
    pub fn new(parts: ConsoleParts) -> Self {
        Self {
            engine: parts.engine,
            settings: parts.settings,
            market: parts.market,
            events: parts.events,
            deliveries: parts.deliveries,
            levers: parts.levers,
            sessions: Sessions::default(),
            claims: Claims::default(),
            pending: PendingChoices::default(),
            last_reload: Arc::default(),
            opened_at: (parts.clock)(),
            clock: parts.clock,
            random: parts.random,
            identity: parts.identity,
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The node for an identifier that was typed in: nobody can tell it from this.
    pub fn seal(&self, kind: EntityKind, raw: &str) -> EntityRef {
        self.identity.entity(kind, raw)
    }

    /// A token that nobody can guess.
    pub fn token(&self) -> Token {
        Token::new((self.random)())
    }

    /// The secret of an API key.
    pub fn key_secret(&self) -> KeySecret {
        KeySecret::new((self.random)())
    }

    /// Writes into the audit log; durable when it returns.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn audit(
        &self,
        actor: &str,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let draft = AuditDraft {
            actor: actor.into(),
            action: action.into(),
            subject: subject.into(),
            detail: detail.into(),
        };
        self.engine.audit(draft, self.now()).await.map(drop)
    }
}
