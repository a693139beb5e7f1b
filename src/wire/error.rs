//! What can be wrong with a message.

use std::fmt;

/// One field that does not hold what the contract asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Dotted path such as `order.items[2].quantity`.
    pub field: String,
    /// What is wrong with it: `must be at least 1`.
    pub description: String,
}

/// Why bytes or a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not such a message.
    #[error("bytes are not a protobuf message of the expected type")]
    Decode(#[from] prost::DecodeError),
    /// The message breaks the contract; every violation is listed.
    #[error("{}", Listed(.0))]
    Invalid(Vec<FieldViolation>),
}

struct Listed<'v>(&'v [FieldViolation]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fields are invalid", self.0.len())?;
        for FieldViolation { field, description } in self.0 {
            write!(f, "; {field} {description}")?;
        }
        Ok(())
    }
}
