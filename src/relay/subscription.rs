//! Events and orders off subjects of a NATS broker, told as webhooks tell them.
//!
//! A message is acknowledged once everything of it is durable, so a crash brings it again, and
//! ids keep it from counting twice. One that can never be taken is told to the stream of dead
//! letters, by its number and with the reason, and is not given out again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::{info, warn};

use crate::grpc::shared::Shared;
use crate::relay::aside::{Aside, in_short};
use crate::relay::door::{error_of, invalid};
use crate::relay::incoming::read;
use crate::relay::sender::Sender;
use crate::stream::error::Error;
use crate::stream::publisher::Publisher;
use crate::stream::subscriber::{Lookup, Received, SubscriberSettings, Subscription};
use crate::workflow::event_health::{EventKind, Fate, Refusal};
use crate::workflow::service::OrderService;

/// Pause before the broker is tried again, and between looks for requests.
const PAUSE: Duration = Duration::from_secs(1);

/// A subject that is followed.
#[derive(Debug)]
pub struct Source {
    /// Who sends, and what it may tell; it has no secret, because the broker knows who it is.
    pub sender: Sender,
    /// Where its messages are.
    pub settings: SubscriberSettings,
    /// Takes what cannot be taken.
    pub dead: Publisher,
    /// Lists it here.
    pub aside: Aside,
}

/// What becomes of a message.
#[derive(Debug)]
enum Outcome {
    Taken,
    PutOff,
    Refused(Value),
}

/// Follows a subject until `stopping`; a broker that is away is waited for.
pub async fn follow<S: OrderService>(
    source: Source,
    shared: Shared<S>,
    stopping: CancellationToken,
) {
    let source = Arc::new(source);
    let following = async {
        loop {
            if let Err(error) = source.read_on(&shared).await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                warn!(source = %source.sender.name, cause, "{error}");
            }
            sleep(PAUSE).await;
        }
    };
    let raising = async {
        loop {
            sleep(PAUSE).await;
            if let Err(error) = source.raise(&shared).await {
                let name = &source.sender.name;
                warn!(source = %name, error = &*error, "what was put aside of `{name}` waits");
            }
        }
    };
    let both = async { tokio::join!(following, raising) };
    stopping.run_until_cancelled(Box::pin(both)).await;
}

impl Source {
    /// Takes messages until the broker is away. Events enter the journal in their order, but
    /// for those that are put off.
    async fn read_on<S: OrderService>(&self, shared: &Shared<S>) -> Result<(), Error> {
        let open = Subscription::open(&self.settings).await?;
        let messages = stream::unfold(open, |mut open| async {
            let next = open.next().await;
            Some((next, open))
        });
        let taken = messages.map(|message| async { self.take(shared, message?).await });
        let mut taken = std::pin::pin!(taken.buffered(self.settings.depth.max(1)));
        while let Some(taken) = taken.next().await {
            taken?;
        }
        Ok(())
    }

    async fn take<S: OrderService>(
        &self,
        shared: &Shared<S>,
        message: Received,
    ) -> Result<(), Error> {
        match self.tell(shared, message.sequence(), message.body()).await {
            Outcome::Taken => message.acknowledge().await,
            Outcome::PutOff => message.put_off(PAUSE).await,
            Outcome::Refused(why) => {
                let (name, sequence) = (&self.sender.name, message.sequence());
                let (id, now) = ((sequence, message.subject()), (shared.clock)());
                if let Err(error) = self.aside.change(|it| it.add(id, in_short(&why), now)) {
                    warn!(source = %name, %error, "a message of `{name}` cannot be put aside");
                    return message.put_off(PAUSE).await;
                }
                // The message stays where it is: its values are repeated nowhere.
                let letter = json!({
                    "source": name, "stream": self.settings.stream, "sequence": sequence,
                    "refusal": why,
                });
                let id = format!("{name}:{}:{sequence}", self.settings.stream);
                self.dead.publish(name, &id, &letter.to_string()).await?;
                message.give_up().await
            }
        }
    }

    /// Tries again what people want tried again; what cannot be told now stays wanted.
    async fn raise<S: OrderService>(&self, shared: &Shared<S>) -> Result<(), Box<str>> {
        let Some(wanted) = self.aside.wanted().map_err(told)? else { return Ok(()) };
        let stream = Lookup::open(&self.settings).await.map_err(told)?;
        for (idx, it) in wanted.iter().enumerate() {
            let body = stream.body(it.sequence).await.map_err(told)?;
            let outcome = if let Some(body) = body {
                self.tell(shared, it.sequence, &body).await
            } else {
                let why = "the stream does not hold it any more";
                Outcome::Refused(error_of("MESSAGE_GONE", why, &[]))
            };
            let now = (shared.clock)();
            let kept = match outcome {
                Outcome::PutOff => return self.aside.leave(&wanted[idx..]).map_err(told),
                Outcome::Taken => {
                    self.aside.change(|all| all.dead.retain(|dead| dead.sequence != it.sequence))
                }
                Outcome::Refused(why) => self
                    .aside
                    .change(|all| all.add((it.sequence, &it.subject), in_short(&why), now)),
            };
            kept.map_err(told)?;
        }
        let (name, n) = (&self.sender.name, wanted.len());
        info!(source = %name, n, "tried {n} messages of `{name}` again");
        self.aside.leave(&[]).map_err(told)
    }

    async fn tell<S: OrderService>(
        &self,
        shared: &Shared<S>,
        sequence: u64,
        body: &[u8],
    ) -> Outcome {
        let id = format!("{}:{sequence}", self.settings.stream);
        let refusal = match read(&self.sender.name, &id, body) {
            Err(wrong) => invalid(&wrong),
            Ok(told) => {
                let wrong = told.violations(shared.door());
                if let Some(kind) = told.beyond(&self.sender.kinds) {
                    let why = format!("this source may not tell `{}`", kind.as_str());
                    error_of("KIND_NOT_ALLOWED", &why, &[])
                } else if wrong.is_empty() {
                    let answered = told.tell(shared, &self.sender).await;
                    return outcome_of(answered.code, answered.body);
                } else {
                    invalid(&wrong)
                }
            }
        };
        let fate = Fate::Refused(Refusal::Invalid);
        let now = (shared.clock)();
        shared.watch.events.hear(&self.sender.name, EventKind::Unreadable, fate, now);
        Outcome::Refused(refusal)
    }
}

fn told(error: impl std::fmt::Display) -> Box<str> {
    error.to_string().into()
}

/// What sending again may mend is put off, for as long as it takes.
fn outcome_of(code: Code, body: Value) -> Outcome {
    match code {
        Code::Ok => Outcome::Taken,
        Code::Unavailable
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => Outcome::PutOff,
        Code::InvalidArgument
        | Code::OutOfRange
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::PermissionDenied
        | Code::Unauthenticated => Outcome::Refused(body),
    }
}
