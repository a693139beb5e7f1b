//! Strategies at the door: texts, signatures and versions.

use crate::domain::strategy_version::{
    NOTE_CHARS_MAX, SIGNER_CHARS_MAX, Signature, Signer, StagedStrategy, StrategyMistake,
    StrategyVersion,
};
use crate::wire::check::{Check, Door, Path, time_to_pb};
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;
use crate::wire::what_if::STRATEGY_BYTES_MAX;

/// A version that a caller names, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Its hash, or the first digits.
    pub hash: Box<str>,
    /// 1 to 100.
    pub percent: u32,
    /// Who asks.
    pub operator: Signer,
}

/// The text of a request to check one.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_validate(
    request: pb::ValidateStrategyRequest,
    door: Door<'_>,
) -> Result<String, Error> {
    let mut check = Check::at_door(door);
    let text = read_text(&mut check, request.strategy_toml);
    check.finish(text)
}

/// Text and author of a proposal.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_propose(
    request: pb::ProposeStrategyRequest,
    door: Door<'_>,
) -> Result<(String, Signer), Error> {
    let mut check = Check::at_door(door);
    let text = read_text(&mut check, request.strategy_toml);
    let author = read_signer(&mut check, "author", request.author, request.note);
    check.finish(text.zip(author))
}

/// Hash and approver of an approval.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_approve(
    request: pb::ApproveStrategyRequest,
    door: Door<'_>,
) -> Result<(Box<str>, Signer), Error> {
    let mut check = Check::at_door(door);
    let hash = check.name(&Path::Root.field("hash"), request.hash);
    let approver = read_signer(&mut check, "approver", request.approver, request.note);
    check.finish(hash.zip(approver))
}

/// What a request to activate says.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_activate(
    request: pb::ActivateStrategyRequest,
    door: Door<'_>,
) -> Result<Activation, Error> {
    let mut check = Check::at_door(door);
    let hash = check.name(&Path::Root.field("hash"), request.hash);
    let percent = if request.percent == 0 { 100 } else { request.percent };
    if 100 < percent {
        check.note(&Path::Root.field("percent"), format!("{percent} is more than 100"));
    }
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    let read = hash.zip(operator).map(|(hash, operator)| Activation { hash, percent, operator });
    check.finish(read)
}

/// Who asks to take a step back.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_revert(request: pb::RevertStrategyRequest, door: Door<'_>) -> Result<Signer, Error> {
    let mut check = Check::at_door(door);
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    check.finish(operator)
}

pub(super) fn read_text(check: &mut Check<'_>, toml: String) -> Option<String> {
    let path = Path::Root.field("strategy_toml");
    if toml.is_empty() {
        check.note(&path, "is required");
        return None;
    }
    if STRATEGY_BYTES_MAX < toml.len() {
        check.note(&path, format!("has more than {STRATEGY_BYTES_MAX} bytes"));
        return None;
    }
    Some(toml)
}

/// Who asks for a step, named in `field`.
pub(super) fn read_signer(
    check: &mut Check<'_>,
    field: &'static str,
    by: String,
    note: String,
) -> Option<Signer> {
    let by = read_bounded(check, field, by, SIGNER_CHARS_MAX);
    let note = read_bounded(check, "note", note, NOTE_CHARS_MAX);
    let by = by.filter(|by| {
        let is_named = !by.trim().is_empty();
        if !is_named {
            check.note(&Path::Root.field(field), "is required");
        }
        is_named
    });
    Some(Signer { by: by?, note: note? })
}

pub(super) fn read_bounded(
    check: &mut Check<'_>,
    field: &'static str,
    text: String,
    chars_max: usize,
) -> Option<Box<str>> {
    let n = text.chars().count();
    if chars_max < n {
        let description = format!("has {n} characters, more than {chars_max}");
        check.note(&Path::Root.field(field), description);
        return None;
    }
    Some(text.into_boxed_str())
}

/// The message for a version.
pub fn version_to_pb(version: &StrategyVersion) -> pb::StrategyVersion {
    let StrategyVersion { name, hash, toml: _, proposed, approved, activated } = version;
    pb::StrategyVersion {
        name: name.to_string(),
        hash: hash.to_string(),
        proposed: proposed.as_ref().map(signature_to_pb),
        approved: approved.as_ref().map(signature_to_pb),
        activated: activated.as_ref().map(signature_to_pb),
    }
}

/// The message for what is tried.
pub fn staged_to_pb(staged: &StagedStrategy) -> pb::StagedStrategy {
    pb::StagedStrategy { hash: staged.hash.to_string(), percent: staged.percent }
}

/// The message for a mistake.
pub fn mistake_to_pb(mistake: &StrategyMistake) -> pb::StrategyMistake {
    let StrategyMistake { message, line, start, end, suggestion } = mistake;
    pb::StrategyMistake {
        message: message.to_string(),
        line: *line,
        start_byte: *start,
        end_byte: *end,
        suggestion: suggestion.as_deref().unwrap_or_default().to_owned(),
    }
}

fn signature_to_pb(signature: &Signature) -> pb::StrategySignature {
    pb::StrategySignature {
        by: signature.by.to_string(),
        at: Some(time_to_pb(signature.at)),
        note: signature.note.to_string(),
    }
}
