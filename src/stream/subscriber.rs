//! Takes messages off a stream of a broker, each until it is acknowledged.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream as BrokerStream};
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt as _;

use crate::stream::error::Error;
use crate::stream::settings::Servers;

/// How long a message may be worked on before the broker gives it out again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// What is taken off, and by whom.
#[derive(Clone, Debug)]
pub struct SubscriberSettings {
    /// The brokers.
    pub servers: Servers,
    /// The stream; whoever sends has made it.
    pub stream: Box<str>,
    /// Which of its subjects.
    pub subject: Box<str>,
    /// By this name the broker remembers what was acknowledged.
    pub durable: Box<str>,
    /// Most messages that are worked on at a time.
    pub depth: usize,
    /// How long the broker may take to answer.
    pub answer_within: Duration,
}

/// An open subscription.
pub struct Subscription(Stream);

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// Reads messages of the stream once more, whoever acknowledged them.
#[derive(Debug)]
pub struct Lookup(BrokerStream);

/// A message that was not acknowledged yet.
#[derive(Debug)]
pub struct Received {
    message: Message,
    sequence: u64,
}

impl Subscription {
    /// Connects; goes on behind the last message that was acknowledged.
    ///
    /// # Errors
    /// [`Error::Away`], and [`Error::Missing`] when nobody has made the stream.
    pub async fn open(settings: &SubscriberSettings) -> Result<Self, Error> {
        let context = settings.servers.connect(settings.answer_within).await?;
        let stream = context.get_stream(&*settings.stream).await;
        let stream = stream.map_err(|_| Error::Missing(settings.stream.clone()))?;
        let consumer = stream.create_consumer(Config {
            durable_name: Some(settings.durable.to_string()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: settings.subject.to_string(),
            max_ack_pending: i64::try_from(settings.depth).unwrap_or(i64::MAX),
            ..Config::default()
        });
        let consumer = consumer.await.map_err(Error::away("subscribing"))?;
        let messages = consumer.stream().max_messages_per_batch(settings.depth).messages().await;
        messages.map(Self).map_err(Error::away("asking for messages"))
    }

    /// The next message, once there is one.
    ///
    /// # Errors
    /// [`Error::Away`]; then the subscription has ended.
    pub async fn next(&mut self) -> Result<Received, Error> {
        let ended = || Error::away("waiting for a message")("the subscription ended");
        let message = self.0.next().await.ok_or_else(ended)?;
        let message = message.map_err(Error::away("waiting for a message"))?;
        let sequence = message.info().map_err(Error::away("reading a message"))?.stream_sequence;
        Ok(Received { message, sequence })
    }
}

impl Lookup {
    /// Connects.
    ///
    /// # Errors
    /// As [`Subscription::open`].
    pub async fn open(settings: &SubscriberSettings) -> Result<Self, Error> {
        let context = settings.servers.connect(settings.answer_within).await?;
        let stream = context.get_stream(&*settings.stream).await;
        stream.map(Self).map_err(|_| Error::Missing(settings.stream.clone()))
    }

    /// What the message with a number says; `None` when the stream does not hold it any more.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn body(&self, sequence: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.0.get_raw_message(sequence).await {
            Ok(found) => Ok(Some(found.payload.to_vec())),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::away("reading a message again")(error)),
        }
    }
}

impl Received {
    /// What it says.
    pub fn body(&self) -> &[u8] {
        &self.message.payload
    }

    /// Its number in the stream.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its subject.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// Lets the broker forget it; it has, when this returns.
    ///
    /// # Errors
    /// [`Error::Away`]; then it may come again.
    pub async fn acknowledge(self) -> Result<(), Error> {
        self.message.double_ack().await.map_err(Error::away("acknowledging a message"))
    }

    /// Asks for it again after a pause.
    ///
    /// # Errors
    /// [`Error::Away`]; then it comes again when the broker has waited long enough.
    pub async fn put_off(self, pause: Duration) -> Result<(), Error> {
        let asked = self.message.ack_with(AckKind::Nak(Some(pause)));
        asked.await.map_err(Error::away("putting a message off"))
    }

    /// Lets the broker give it to nobody any more.
    ///
    /// # Errors
    /// [`Error::Away`]; then it may come again.
    pub async fn give_up(self) -> Result<(), Error> {
        let told = self.message.double_ack_with(AckKind::Term);
        told.await.map_err(Error::away("giving a message up"))
    }
}
