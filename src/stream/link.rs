//! A connection to the stream: sends messages, reads them back in order.

use std::future::{Future, IntoFuture as _};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream,
};
use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt as _;
use tokio::sync::watch;

use crate::stream::error::Error;
use crate::stream::settings::StreamSettings;

/// A dead connection is noticed after about two of these.
const PING_EVERY: Duration = Duration::from_secs(2);
/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Longest pause between two tries to connect again.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Within this time the broker knows a message that is sent again.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);
/// Room that a message's headers and framing may take of the broker's limit.
const OVERHEAD_BYTES: usize = 4_096;

/// What to do when the broker has no such stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    /// Make it: nobody has followed it yet.
    Make,
    /// Refuse: it was there before.
    Refuse,
}

/// What the stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its name and when it was made: another stream of the same name is another one.
    pub stream: Box<str>,
    /// The oldest message that it holds; one more than the last when it holds none.
    pub first: u64,
    /// The newest message; 0 before the first.
    pub last: u64,
}

/// A message of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number: 1, 2, 3 … over all that was ever sent.
    pub sequence: u64,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// An open connection, which is opened again by itself when it breaks.
#[derive(Debug)]
pub struct StreamLink {
    client: Client,
    context: Context,
    stream: Stream<()>,
    name: Box<str>,
    subject: String,
    n_connects: watch::Receiver<u64>,
}

/// Messages from a number on, as they come.
pub struct Reading(Ordered);

impl StreamLink {
    /// Connects, and finds or makes the stream.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Missing`] when it is not there and may not be made.
    pub async fn open(settings: &StreamSettings, missing: WhenMissing) -> Result<Self, Error> {
        let (connected, n_connects) = watch::channel(0_u64);
        let options = ConnectOptions::new()
            .name("orderlens")
            .ping_interval(PING_EVERY)
            .connection_timeout(CONNECT_WITHIN)
            .request_timeout(Some(settings.ack_within))
            .reconnect_delay_callback(|n_tries| {
                let tries = u32::try_from(n_tries).unwrap_or(u32::MAX);
                Duration::from_millis(50).saturating_mul(tries).min(RECONNECT_PAUSE_MAX)
            })
            .event_callback(move |event| {
                let connected = connected.clone();
                async move {
                    if matches!(event, Event::Connected) {
                        connected.send_modify(|n| *n += 1);
                    }
                }
            });
        let opened = options.connect(settings.servers.addresses()).await;
        let client = opened.map_err(Error::away("connecting"))?;
        let context = ContextBuilder::new().timeout(settings.ack_within).build(client.clone());
        let subject = format!("{}.proposals", settings.name);
        find_or_make(&context, settings, &subject, missing).await?;
        let found = context.get_stream_no_info(&*settings.name).await;
        let stream = found.map_err(Error::away("looking for the stream"))?;
        Ok(Self { client, context, stream, name: settings.name.clone(), subject, n_connects })
    }

    /// What the stream holds now.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn extent(&self) -> Result<Extent, Error> {
        let info = self.stream.get_info().await.map_err(Error::away("looking at the stream"))?;
        let made = info.created.unix_timestamp_nanos();
        let stream = format!("{} of {made} ns", self.name).into();
        Ok(Extent { stream, first: info.state.first_sequence, last: info.state.last_sequence })
    }

    /// The message with a number.
    ///
    /// # Errors
    /// [`Error::Away`], also when it is not there.
    pub async fn message(&self, sequence: u64) -> Result<Message, Error> {
        let found = self.stream.get_raw_message(sequence).await;
        let found = found.map_err(Error::away("reading a message again"))?;
        Ok(Message { sequence: found.sequence, payload: found.payload.to_vec() })
    }

    /// Sends a message; the broker passes over one whose id it has seen lately. What comes back
    /// resolves once the broker has it, or its fate is not known.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Away`].
    pub async fn send(
        &self,
        id: &str,
        payload: Vec<u8>,
    ) -> Result<impl Future<Output = Result<(), Error>> + Send + use<>, Error> {
        let (bytes, bytes_max) = (payload.len(), self.payload_bytes_max());
        if bytes_max < bytes {
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        let message = PublishMessage::build().message_id(id).payload(payload.into());
        let sent = self.context.send_publish(self.subject.clone(), message).await;
        let acknowledged = sent.map_err(Error::away("sending a message"))?;
        Ok(async move {
            let done = acknowledged.into_future().await;
            done.map(drop).map_err(Error::away("waiting for the broker's word"))
        })
    }

    /// Largest message that the broker takes.
    pub fn payload_bytes_max(&self) -> usize {
        self.client.max_payload().saturating_sub(OVERHEAD_BYTES)
    }

    /// Whether the connection stands, as far as is known.
    pub fn is_connected(&self) -> bool {
        match self.client.connection_state() {
            State::Connected => true,
            State::Pending | State::Disconnected => false,
        }
    }

    /// Changes whenever the connection was opened again.
    pub fn n_connects(&self) -> watch::Receiver<u64> {
        self.n_connects.clone()
    }

    /// Reads every message after a number.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn read_after(&self, sequence: u64) -> Result<Reading, Error> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: sequence + 1 },
            ..OrderedConfig::default()
        };
        let consumer = self.stream.create_consumer(config).await;
        let consumer = consumer.map_err(Error::away("asking for messages"))?;
        let messages = consumer.messages().await.map_err(Error::away("asking for messages"))?;
        Ok(Reading(messages))
    }
}

impl Reading {
    /// The next message, as soon as there is one.
    ///
    /// # Errors
    /// [`Error::Away`]; then read again from the last number on.
    pub async fn next(&mut self) -> Result<Message, Error> {
        let doing = "reading messages";
        let ended = || Error::away(doing)("the broker ended the reading");
        let message = self.0.next().await.ok_or_else(ended)?.map_err(Error::away(doing))?;
        let sequence = message.info().map_err(Error::away(doing))?.stream_sequence;
        Ok(Message { sequence, payload: message.payload.to_vec() })
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

async fn find_or_make(
    context: &Context,
    settings: &StreamSettings,
    subject: &str,
    missing: WhenMissing,
) -> Result<(), Error> {
    match context.get_stream(&*settings.name).await {
        Ok(_) => return Ok(()),
        Err(error) => {
            let is_missing = matches!(error.kind(), GetStreamErrorKind::JetStream(ref said)
                if said.error_code() == async_nats::jetstream::ErrorCode::STREAM_NOT_FOUND);
            if !is_missing {
                return Err(Error::away("looking for the stream")(error));
            }
        }
    }
    if missing == WhenMissing::Refuse {
        return Err(Error::Missing(settings.name.clone()));
    }
    let config = Config {
        name: settings.name.to_string(),
        subjects: vec![subject.to_owned()],
        // Nothing leaves it: a new replica starts with its first message.
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        storage: StorageType::File,
        num_replicas: settings.n_copies,
        duplicate_window: DUPLICATE_WINDOW,
        ..Config::default()
    };
    let _: Info = match context.create_stream(config).await {
        Ok(made) => made.cached_info().clone(),
        Err(error) => return Err(Error::away("making the stream")(error)),
    };
    Ok(())
}
