//! Models at the door: which bundle, by whom, and from when on.

use crate::domain::model_version::Deployment;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::wire::check::{Check, Door, Path, time_to_pb};
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;
use crate::wire::strategy::read_signer;

/// Digits of a BLAKE3 hash.
const HASH_DIGITS: usize = 64;

/// A bundle that is to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Name and version.
    pub model: Box<str>,
    /// Of the report that it rests on; empty without one.
    pub report_hash: Box<str>,
    /// Who asks.
    pub operator: Signer,
}

/// Which bundle is to judge.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_promote(request: pb::PromoteModelRequest, door: Door<'_>) -> Result<Promotion, Error> {
    let mut check = Check::at_door(door);
    let model = read_model(&mut check, &Path::Root.field("model"), request.model);
    let path = Path::Root.field("report_hash");
    let report_hash = read_hash_or_none(&mut check, &path, request.report_hash);
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    let report_hash = report_hash.unwrap_or_default();
    let promotion = model.zip(operator);
    check.finish(promotion.map(|(model, operator)| Promotion { model, report_hash, operator }))
}

/// Which bundle is to be left, and who asks.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_rollback(
    request: pb::RollbackModelRequest,
    door: Door<'_>,
) -> Result<(Option<Box<str>>, Signer), Error> {
    let mut check = Check::at_door(door);
    let path = Path::Root.field("expected_hash");
    let expected = read_hash_or_none(&mut check, &path, request.expected_hash);
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    check.finish(operator.map(|operator| (expected, operator)))
}

/// The instant that is asked about.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_live_at(
    request: pb::GetModelLiveAtRequest,
    door: Door<'_>,
) -> Result<Timestamp, Error> {
    let Some(at) = request.at else { return Ok(door.now) };
    let mut check = Check::at_door(door);
    let at = check.past(&Path::Root.field("at"), at);
    check.finish(at)
}

/// A bundle by name and version.
pub(super) fn read_model(
    check: &mut Check<'_>,
    path: &Path<'_>,
    model: String,
) -> Option<Box<str>> {
    let model = check.name(path, model)?;
    let is_whole = model.split('/').count() == 2 && model.split('/').all(|part| !part.is_empty());
    if !is_whole {
        check.note(path, "must be a name and a version, as in `risk/2`");
        return None;
    }
    Some(model)
}

fn read_hash_or_none(check: &mut Check<'_>, path: &Path<'_>, hash: String) -> Option<Box<str>> {
    if hash.is_empty() {
        return None;
    }
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if hash.len() != HASH_DIGITS || !hash.bytes().all(is_digit) {
        check.note(path, format!("must have {HASH_DIGITS} hexadecimal digits, or none"));
        return None;
    }
    Some(hash.into())
}

/// The message for a bundle that judged.
pub fn deployment_to_pb(deployment: &Deployment) -> pb::ModelDeployment {
    let Deployment { name, hash, position, signature, report_hash } = deployment;
    pb::ModelDeployment {
        model: name.to_string(),
        model_hash: hash.to_string(),
        position: *position,
        by: signature.by.to_string(),
        at: Some(time_to_pb(signature.at)),
        note: signature.note.to_string(),
        report_hash: report_hash.to_string(),
    }
}
