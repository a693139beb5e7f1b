//! Secrets: read from the environment, here and nowhere else.

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

/// The identity key from the variable that the service file names.
pub fn identity_secret(variable: &str) -> IdentitySecret {
    from_value(std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned()))
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
}
