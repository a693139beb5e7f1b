//! Secrets: read from the environment, here and nowhere else.

use std::path::PathBuf;

use crate::domain::entity::IdentityKey;

/// Used when no secret is set, so that a first try needs no set-up. It is public:
/// whoever serves real orders with it can be linked back to their identifiers.
const DEVELOPMENT_SECRET: &[u8] = b"orderlens development secret, not for production";

/// The key for pseudonyms, and where it came from.
#[derive(Clone, Debug)]
pub enum IdentitySecret {
    /// From the environment.
    Given(IdentityKey),
    /// The public development default: the caller must warn loudly.
    DevelopmentDefault(IdentityKey),
}

impl IdentitySecret {
    /// The key, wherever it came from.
    pub fn key(&self) -> &IdentityKey {
        match self {
            Self::Given(key) | Self::DevelopmentDefault(key) => key,
        }
    }
}

/// A file that should hold a secret does not read; what it holds is not told.
#[derive(Debug, thiserror::Error)]
#[error("{variable} names the file {}, which does not read", path.display())]
pub struct SecretFault {
    variable: String,
    path: PathBuf,
    source: std::io::Error,
}

/// The identity key from the variable that the service file names.
///
/// # Errors
/// [`SecretFault`]: never the development key instead of one that does not read.
pub fn identity_secret(variable: &str) -> Result<IdentitySecret, SecretFault> {
    secret_text(variable).map(from_value)
}

/// What an environment variable holds, else the file that the variable of the same name with
/// `_FILE` names: a systemd credential or a mounted secret.
///
/// # Errors
/// [`SecretFault`] when there is a name of a file that does not read.
pub fn secret_text(variable: &str) -> Result<Option<String>, SecretFault> {
    if variable.is_empty() {
        return Ok(None);
    }
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(value) = of(variable) {
        return Ok(Some(value.to_string_lossy().into_owned()));
    }
    let variable = format!("{variable}_FILE");
    of(&variable).map(|path| text_in(variable, path.into())).transpose()
}

/// The text of a file without the end of its last line.
fn text_in(variable: String, path: PathBuf) -> Result<String, SecretFault> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
        Err(source) => Err(SecretFault { variable, path, source }),
    }
}

/// The text in a variable that the service file names; `None` when it is not set or empty.
pub fn from_environment(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}

/// The API key that commands show to a server; `None` where the environment has none.
pub fn api_key() -> Option<String> {
    from_environment("ORDERLENS_API_KEY")
}

fn from_value(value: Option<String>) -> IdentitySecret {
    match value {
        Some(secret) if !secret.is_empty() => {
            IdentitySecret::Given(IdentityKey::from_secret(secret.as_bytes()))
        }
        Some(_) | None => {
            IdentitySecret::DevelopmentDefault(IdentityKey::from_secret(DEVELOPMENT_SECRET))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_or_empty_secret_is_told_from_a_given_one() {
        let is_given = |value: Option<&str>| {
            matches!(from_value(value.map(str::to_owned)), IdentitySecret::Given(_))
        };
        assert!(is_given(Some("s3cret")));
        assert!(!is_given(Some("")));
        assert!(!is_given(None));
    }

    #[test]
    fn a_secret_in_a_file_is_its_text_and_a_missing_file_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(text_in("X_FILE".to_owned(), path).unwrap(), "s3cret");
        let fault = text_in("X_FILE".to_owned(), dir.path().join("none")).unwrap_err();
        assert!(fault.to_string().starts_with("X_FILE names the file "), "{fault}");
        assert_eq!(secret_text("").unwrap(), None);
    }
}
