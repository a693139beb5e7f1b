//! By which identity secret a data folder was written.
//!
//! Under another one everybody would be a stranger, silently: so the folder keeps a fingerprint
//! of the first and refuses others.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::domain::entity::IdentityKey;

/// File in the data folder.
const FILE: &str = "identity-fingerprint";

/// Looks whether a key is the one of a data folder; the first key is kept as that.
///
/// # Errors
/// A report that says what to do when it is another one, or when the file does not read.
pub fn check(data: &Path, key: &IdentityKey, variable: &str) -> miette::Result<()> {
    let path = data.join(FILE);
    let found = key.fingerprint();
    match fs::read_to_string(&path) {
        Ok(known) if known.trim() == found => Ok(()),
        Ok(known) => Err(miette!(
            help = format!(
                "give {variable} the secret that the folder was written with, or begin a new \
                 folder: see \"Rotate the identity secret\" in docs/operations.md"
            ),
            "{} was written with the identity secret {}, and {variable} holds {found}: under \
             it, nobody would be known any more",
            data.display(),
            known.trim()
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(data).into_diagnostic()?;
            fs::write(&path, found).into_diagnostic()
        }
        Err(error) => Err(error).into_diagnostic(),
    }
    .wrap_err_with(|| format!("looking at {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_the_secret_that_it_was_written_with_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other] =
            [b"one", b"two"].map(|secret: &[u8; 3]| IdentityKey::from_secret(secret));
        let data = dir.path().join("data");
        check(&data, &one, "SECRET").unwrap();
        check(&data, &one, "SECRET").unwrap();
        let refused = format!("{:?}", check(&data, &other, "SECRET").unwrap_err());
        assert!(refused.contains("SECRET") && refused.contains(&other.fingerprint()), "{refused}");
        check(&data, &one, "SECRET").unwrap();
    }
}
