//! By which identity secrets a data folder was written.
//!
//! Under another one everybody would be a stranger, silently: so the folder keeps a fingerprint
//! of each, the newest last, and takes a new one only from whoever has the one before.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::config::service::{IdentityVariables, ServiceSettings};
use crate::domain::entity::IdentityKey;
use crate::store::medium::replace_file;

/// File in the data folder: a fingerprint per line.
const FILE: &str = "identity-fingerprint";
/// Where to read on.
const RUNBOOK: &str = "\"Rotate the identity secret\" in docs/operations.md";

/// What the file is to hold, once the folder is ours.
#[derive(Debug)]
#[must_use]
pub struct Checked {
    path: PathBuf,
    /// `None` when it holds that already.
    text: Option<String>,
}

/// Looks whether a key is that of the data folder, or the next one.
///
/// # Errors
/// A report that says what to do when it is neither, or when the file does not read.
pub fn check(settings: &ServiceSettings, key: &IdentityKey) -> miette::Result<Checked> {
    let path = settings.paths.data.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            let reading = format!("reading {}", path.display());
            return Err(error).into_diagnostic().wrap_err(reading);
        }
    };
    // An empty file is what builds left that were stopped while they wrote their first.
    let known: Vec<&str> = text.split_whitespace().collect();
    let (found, rotation) = (key.fingerprint(), key.rotation());
    let previous = rotation.as_ref().map(|it| &*it.previous);
    let is_last = known.last() == Some(&&*found);
    let kept = match (previous, &known[..]) {
        (None, []) => vec![&*found],
        (Some(previous), []) => vec![previous, &found],
        (None, _) if is_last => return Ok(Checked { path, text: None }),
        (Some(previous), [.., before, _]) if is_last && *before == previous => {
            return Ok(Checked { path, text: None });
        }
        (Some(previous), [.., last]) if *last == previous => [&known[..], &[&*found]].concat(),
        (_, [.., last]) => return Err(refusal(settings, (key, last, is_last))),
    };
    Ok(Checked { path, text: Some(kept.join("\n") + "\n") })
}

fn refusal(
    settings: &ServiceSettings,
    (key, last, is_last): (&IdentityKey, &str, bool),
) -> miette::Report {
    let IdentityVariables { secret, previous } = &settings.identity;
    let (data, found) = (settings.paths.data.display(), key.fingerprint());
    let Some(rotation) = key.rotation() else {
        return miette!(
            help = format!(
                "give {secret} the secret that the folder was written with, or rotate: see \
                 {RUNBOOK}"
            ),
            "{data} was written with the identity secret {last}, and {secret} holds {found}: \
             under it, nobody would be known any more"
        );
    };
    let wrong = rotation.previous;
    let help = if is_last {
        format!(
            "give {previous} the secret before {last}; or, when no rotation goes on, take \
             previous_secret_variable out of [identity] in the service file: see {RUNBOOK}"
        )
    } else {
        format!(
            "give {previous} the secret that the folder was written with last, {last}: see \
             {RUNBOOK}"
        )
    };
    miette!(
        help = help,
        "{data} was written with the identity secret {last}, and {previous} holds {wrong}, which \
         is not the one before {found}: those who are known would not be found"
    )
}

impl Checked {
    /// Writes the file, if it holds anything else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(self) -> miette::Result<()> {
        let Some(text) = self.text else { return Ok(()) };
        replace_file(&self.path, text.as_bytes())
            .into_diagnostic()
            .wrap_err_with(|| format!("writing {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::settings::shipped;

    /// Starts on a folder with these secrets; what is refused.
    fn start(data: &Path, secret: &str, previous: Option<&str>) -> Result<(), String> {
        let mut settings = shipped().unwrap();
        settings.paths.data = data.to_owned();
        settings.identity.previous = "PREVIOUS".to_owned();
        let of = |secret: &str| IdentityKey::from_secret(secret.as_bytes());
        let key = match previous {
            None => of(secret),
            Some(previous) => of(secret).rotated_from(&of(previous)),
        };
        let checked = check(&settings, &key).map_err(|report| format!("{report:?}"))?;
        checked.keep().map_err(|report| format!("{report:?}"))
    }

    #[test]
    fn a_folder_takes_the_secret_that_it_was_written_with_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        start(dir.path(), "one", None).unwrap();
        start(dir.path(), "one", None).unwrap();
        let refused = start(dir.path(), "two", None).unwrap_err();
        let other = IdentityKey::from_secret(b"two").fingerprint();
        assert!(refused.contains("IDENTITY_SECRET") && refused.contains(&other), "{refused}");
        start(dir.path(), "one", None).unwrap();
    }

    #[test]
    fn the_next_secret_is_taken_from_whoever_has_the_last_one() {
        let dir = tempfile::tempdir().unwrap();
        start(dir.path(), "one", None).unwrap();
        let wrong = start(dir.path(), "two", Some("none")).unwrap_err();
        assert!(wrong.contains("PREVIOUS") && wrong.contains("written with last"), "{wrong}");
        assert!(!wrong.contains("two") && !wrong.contains("\"one"), "{wrong}");
        start(dir.path(), "one", Some("none")).unwrap_err();
        start(dir.path(), "two", Some("one")).unwrap();
        start(dir.path(), "two", Some("one")).unwrap();
        start(dir.path(), "two", Some("none")).unwrap_err();
        start(dir.path(), "one", None).unwrap_err();
        start(dir.path(), "two", None).unwrap();
        start(dir.path(), "three", Some("one")).unwrap_err();
        start(dir.path(), "three", Some("two")).unwrap();
        // Back to an earlier one is a rotation as well.
        start(dir.path(), "two", Some("three")).unwrap();
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        let of = |secret: &str| IdentityKey::from_secret(secret.as_bytes()).fingerprint();
        assert_eq!(text.lines().collect::<Vec<_>>(), ["one", "two", "three", "two"].map(of));
    }

    #[test]
    fn a_folder_that_begins_within_a_rotation_knows_both_secrets() {
        let dir = tempfile::tempdir().unwrap();
        start(dir.path(), "two", Some("one")).unwrap();
        start(dir.path(), "two", Some("one")).unwrap();
        start(dir.path(), "two", None).unwrap();
    }

    #[test]
    fn what_a_stop_while_writing_left_locks_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        // As an earlier build left it, and as this one may.
        fs::write(dir.path().join(FILE), "").unwrap();
        fs::write(dir.path().join(format!("{FILE}.tmp")), "0123").unwrap();
        start(dir.path(), "one", None).unwrap();
        start(dir.path(), "two", None).unwrap_err();
        // The new text takes the place of the old one or does not: no reader sees less.
        fs::remove_file(dir.path().join(format!("{FILE}.tmp"))).unwrap_err();
        // A folder where the temporary file cannot be made keeps what it has.
        fs::create_dir(dir.path().join(format!("{FILE}.tmp"))).unwrap();
        start(dir.path(), "two", Some("one")).unwrap_err();
        start(dir.path(), "one", None).unwrap();
    }
}
