//! Tells others over subjects of a broker, which keeps what it was told.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Config;
use tokio::sync::OnceCell;

use crate::stream::error::Error;
use crate::stream::settings::Servers;

/// Where it is told.
#[derive(Clone, Debug)]
pub struct PublisherSettings {
    /// The brokers.
    pub servers: Servers,
    /// Stream that keeps it; made when it is not there.
    pub stream: Box<str>,
    /// What every subject begins with.
    pub prefix: Box<str>,
    /// How long the broker may take to acknowledge.
    pub ack_within: Duration,
}

/// A connection that is opened when it is first needed, and again by itself.
#[derive(Debug)]
pub struct Publisher {
    settings: PublisherSettings,
    context: OnceCell<Context>,
}

impl Publisher {
    /// To these subjects.
    pub fn new(settings: PublisherSettings) -> Self {
        Self { settings, context: OnceCell::new() }
    }

    /// Tells it under `prefix.name`; the broker has it when this returns, and passes over an id
    /// that it has seen lately.
    ///
    /// # Errors
    /// [`Error::Away`]; then the broker may have it all the same.
    pub async fn publish(&self, name: &str, id: &str, body: &str) -> Result<(), Error> {
        let context = self.context.get_or_try_init(|| self.open()).await?;
        let subject = format!("{}.{name}", self.settings.prefix);
        let message = PublishMessage::build().message_id(id).payload(body.to_owned().into());
        let sent = context.send_publish(subject, message).await;
        let acknowledged = sent.map_err(Error::away("sending a message"))?.await;
        acknowledged.map(drop).map_err(Error::away("waiting for the broker's word"))
    }

    async fn open(&self) -> Result<Context, Error> {
        let settings = &self.settings;
        let context = settings.servers.connect(settings.ack_within).await?;
        let config = Config {
            name: settings.stream.to_string(),
            subjects: vec![format!("{}.>", settings.prefix)],
            ..Config::default()
        };
        let made = context.get_or_create_stream(config).await;
        made.map_err(Error::away("making the stream"))?;
        Ok(context)
    }
}
