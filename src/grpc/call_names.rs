//! Names of calls and codes, as gRPC's users know them.

use prost_types::MethodDescriptorProto;
use tonic::Code;

/// How many messages go each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// One each.
    Unary,
    /// Many to us, one back.
    ClientStream,
    /// One to us, many back.
    ServerStream,
    /// Many each.
    BidiStream,
}

impl CallKind {
    /// The name that gRPC's users know.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::ClientStream => "client_stream",
            Self::ServerStream => "server_stream",
            Self::BidiStream => "bidi_stream",
        }
    }

    /// That of a method of the contract.
    pub fn of(method: &MethodDescriptorProto) -> Self {
        match (method.client_streaming(), method.server_streaming()) {
            (false, false) => Self::Unary,
            (true, false) => Self::ClientStream,
            (false, true) => Self::ServerStream,
            (true, true) => Self::BidiStream,
        }
    }
}

/// Streams whose items have codes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemStream {
    /// `ScoreOrders`.
    ScoreOrders,
    /// `IngestEvents`.
    IngestEvents,
}

impl ItemStream {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::ScoreOrders, Self::IngestEvents];

    /// Name of the method.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScoreOrders => "ScoreOrders",
            Self::IngestEvents => "IngestEvents",
        }
    }
}

/// The name of a code that gRPC's users know: `NotFound`.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_grpc() {
        let names: Vec<_> = (0..17).map(|code| code_name(Code::from_i32(code))).collect();
        assert_eq!(
            (names[0], names[1], names[8], names[16]),
            ("OK", "Canceled", "ResourceExhausted", "Unauthenticated")
        );
    }
}
