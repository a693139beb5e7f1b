//! What can go wrong between a replica and the stream.

use std::error::Error as StdError;

/// Why a call on the stream failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no address of a broker. It is not repeated: it may hold a password.
    #[error("the address of the broker does not read; write it like nats://host:4222")]
    Address,
    /// The broker does not answer, or refuses.
    #[error("{doing}: the broker does not answer or refuses")]
    Away {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// There is no stream of this name, and it may not be made.
    #[error("the broker has no stream `{0}`: it lost it, or it is another broker")]
    Missing(Box<str>),
    /// A batch is larger than the broker takes.
    #[error("a message of {bytes} bytes is over the broker's limit of {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
}

impl Error {
    /// The broker is away while something is being done.
    pub(super) fn away<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        move |error| Self::Away { doing, source: error.into() }
    }
}
