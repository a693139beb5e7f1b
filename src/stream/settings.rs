//! Where the stream is and how it is kept.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{ConnectOptions, ServerAddr};

use crate::stream::error::Error;

/// Which stream, where.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// The brokers.
    pub servers: Servers,
    /// Name of the stream; made when it is not there.
    pub name: Box<str>,
    /// How many brokers keep it when it is made: 1, 3 or 5.
    pub n_copies: usize,
    /// How long the broker may take to acknowledge a message.
    pub ack_within: Duration,
}

/// Addresses of brokers of one cluster; they may hold passwords, so they are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Servers(Vec<ServerAddr>);

impl Servers {
    /// Reads addresses that commas separate, `nats://one:4222,nats://two:4222`.
    ///
    /// # Errors
    /// [`Error::Address`] when one of them does not read or names no host.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let address = |text: &str| {
            let address = text.trim().parse::<ServerAddr>().ok();
            address.filter(|it| !it.host().is_empty())
        };
        let addresses: Option<Vec<_>> = text.split(',').map(address).collect();
        addresses.map(Self).ok_or(Error::Address)
    }

    /// Connects; the broker may take so long to answer anything.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub(super) async fn connect(&self, answer_within: Duration) -> Result<Context, Error> {
        let options = ConnectOptions::new()
            .name("orderlens")
            .connection_timeout(answer_within)
            .request_timeout(Some(answer_within));
        let client = options.connect(self.addresses()).await.map_err(Error::away("connecting"))?;
        Ok(ContextBuilder::new().timeout(answer_within).build(client))
    }

    pub(super) fn addresses(&self) -> &[ServerAddr] {
        &self.0
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} brokers", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_never_show_a_password() {
        let servers = Servers::parse("nats://ann:s3cret@one:4222, tls://two:4222").unwrap();
        assert_eq!(format!("{servers:?}"), "2 brokers");
        let error = Servers::parse("nats://ann:s3cret@one:port").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
        assert!(!format!("{error:?}").contains("s3cret"));
        for no_host in ["", "/usr/bin", "nats://", "nats://one:4222,"] {
            assert!(Servers::parse(no_host).is_err(), "{no_host}");
        }
    }
}
