//! Errors as `google.rpc.Status`: code, stable reason, every violation at once.

use std::error::Error as _;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::pb::Status as RpcStatus;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};
use tracing::error;

use crate::wire::error::Error as WireError;
use crate::workflow::error::{Error, ErrorKind};

/// Domain of the reason codes in every `ErrorInfo`.
pub const DOMAIN: &str = "orderlens";

/// When to try again after the door itself refused.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// When to try again after a part of the service was away.
const RETRY_AFTER_AWAY: Duration = Duration::from_millis(500);

/// The status of a message that breaks the contract.
pub fn of_invalid(error: &WireError) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("FIELDS_INVALID", DOMAIN, []);
    if let WireError::Invalid(violations) = error {
        let violations: Vec<_> = violations
            .iter()
            .map(|violation| FieldViolation::new(&violation.field, &violation.description))
            .collect();
        details.set_bad_request(violations);
    }
    Status::with_error_details(Code::InvalidArgument, error.to_string(), details)
}

/// The status of one bad field that only the engine can judge.
pub fn of_field(field: &str, description: &str) -> Status {
    let mut details = ErrorDetails::with_bad_request_violation(field, description);
    details.set_error_info("FIELDS_INVALID", DOMAIN, []);
    let message = format!("1 fields are invalid; {field} {description}");
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The status of an error of the engine.
pub fn of_error(error: &Error) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(error.reason(), DOMAIN, []);
    match error {
        Error::IdReused { id, fields } => {
            let metadata = [("id", id.to_string()), ("fields", fields.join(","))];
            let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
            details.set_error_info(error.reason(), DOMAIN, metadata);
        }
        Error::InvalidStrategy(mistakes) => {
            let violations: Vec<_> = mistakes
                .iter()
                .map(|mistake| FieldViolation::new("strategy_toml", mistake.to_string()))
                .collect();
            details.set_bad_request(violations);
        }
        Error::InvalidFields(mistakes) => {
            let violations: Vec<_> = mistakes
                .iter()
                .map(|it| FieldViolation::new(&*it.field, &*it.description))
                .collect();
            details.set_bad_request(violations);
        }
        Error::Exhausted { retry_after } => {
            let micros = u64::try_from(retry_after.0).unwrap_or_default();
            details.set_retry_info(Some(Duration::from_micros(micros)));
        }
        Error::Unavailable(_) => {
            details.set_retry_info(Some(RETRY_AFTER_AWAY));
        }
        Error::UnknownDecision(_)
        | Error::UnknownOrder(_)
        | Error::UnknownStrategy(_)
        | Error::UnknownExperiment(_)
        | Error::UnknownModel(_)
        | Error::UnknownApiKey(_)
        | Error::NothingLive(_)
        | Error::Late
        | Error::Refused { .. }
        | Error::Failed { .. } => {}
    }
    let code = match error.kind() {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Conflict => Code::AlreadyExists,
        ErrorKind::Refused => Code::FailedPrecondition,
        ErrorKind::Late => Code::DeadlineExceeded,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => {
            error!(cause = error.source(), "a request failed: {error}");
            Code::Internal
        }
    };
    Status::with_error_details(code, error.to_string(), details)
}

/// The status of a call that found every place taken.
pub fn of_overload(n_max: usize) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
    details.set_error_info("OVERLOADED", DOMAIN, []);
    let message = format!("more than {n_max} calls are in flight");
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The status of an order whose place is left to one that is worth more.
pub fn of_shedding() -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
    details.set_error_info("SHED_LOW_VALUE", DOMAIN, []);
    let message = "few places are left, and they are kept for orders that are worth more";
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The status of a call that did not end in time.
pub fn of_deadline(budget: Duration) -> Status {
    let details = ErrorDetails::with_error_info("DEADLINE_EXCEEDED", DOMAIN, []);
    let message = format!("no answer within {} ms", budget.as_millis());
    Status::with_error_details(Code::DeadlineExceeded, message, details)
}

/// The status that ends a stream when the service stops.
pub fn of_stop() -> Status {
    let details = ErrorDetails::with_error_info("UNAVAILABLE", DOMAIN, []);
    Status::with_error_details(Code::Unavailable, "the service is stopping", details)
}

/// The same status as a message, for one item of a stream.
pub fn to_pb(status: &Status) -> RpcStatus {
    RpcStatus::decode(status.details()).ok().filter(|rpc| rpc.code != 0).unwrap_or_else(|| {
        RpcStatus {
            code: i32::from(status.code()),
            message: status.message().to_owned(),
            details: Vec::new(),
        }
    })
}
