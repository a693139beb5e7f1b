//! Signatures of webhooks: HMAC-SHA256 over id, time and body.
//!
//! The convention is that of [Standard Webhooks](https://www.standardwebhooks.com): the header
//! `webhook-signature` holds `v1,` and the Base64 of the code over `id.timestamp.body`, several
//! with spaces between them while a secret is replaced.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::domain::time::{Span, Timestamp};
use crate::relay::base64;

/// Header of the id that makes a delivery known when it comes again.
pub const ID: &str = "webhook-id";
/// Header of the time of a try, Unix seconds.
pub const TIME: &str = "webhook-timestamp";
/// Header of the signatures.
pub const SIGNATURE: &str = "webhook-signature";
/// Most signatures of a message that are looked at.
const SIGNATURES_MAX: usize = 8;
/// Fewest bytes of a secret.
pub const SECRET_BYTES_MIN: usize = 24;
/// What the text of a secret in Base64 begins with.
const ENCODED: &str = "whsec_";

/// What both sides know; never shown.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A text that is too short for a secret, or no Base64 behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has {SECRET_BYTES_MIN} bytes or more, or is `whsec_` and such bytes in Base64")]
pub struct WeakSecret;

/// What a message says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it was sent, Unix seconds.
    pub seconds: i64,
}

impl Secret {
    /// Reads a secret: `whsec_` and Base64, else the text itself.
    ///
    /// # Errors
    /// [`WeakSecret`].
    pub fn read(text: &str) -> Result<Self, WeakSecret> {
        let bytes = match text.strip_prefix(ENCODED) {
            Some(encoded) => base64::decode(encoded).ok_or(WeakSecret)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(WeakSecret);
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| WeakSecret)
    }

    /// The header's value for a message.
    pub fn sign(&self, claim: Claim<'_>, body: &[u8]) -> String {
        let code = self.over(claim, body).finalize().into_bytes();
        format!("v1,{}", base64::encode(&code))
    }

    fn over(&self, claim: Claim<'_>, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(format!("{}.{}.", claim.id, claim.seconds).as_bytes());
        mac.update(body);
        mac
    }
}

/// Whether one of the signatures is by one of the secrets; comparing takes the same time
/// wherever two codes differ.
pub fn is_signed(secrets: &[Secret], claim: Claim<'_>, body: &[u8], signatures: &str) -> bool {
    let given = signatures.split(' ').filter_map(|it| it.strip_prefix("v1,"));
    let given = given.take(SIGNATURES_MAX).filter_map(base64::decode);
    let given: Vec<_> = given.collect();
    let fits = |secret: &Secret| {
        let mac = secret.over(claim, body);
        given.iter().any(|code| mac.clone().verify_slice(code).is_ok())
    };
    secrets.iter().any(fits)
}

/// Whether a message was sent about now: an old one may be somebody's recording.
pub fn is_fresh(claim: Claim<'_>, now: Timestamp, tolerance: Span) -> bool {
    let sent = claim.seconds.saturating_mul(Span::SECOND.0);
    now.0.abs_diff(sent) <= tolerance.0.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim<'_> = Claim { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330 };

    #[test]
    fn the_published_example_is_signed_alike() {
        // From the specification's reference libraries.
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(secret.sign(CLAIM, body), signature);
        let secrets = [secret];
        assert!(is_signed(&secrets, CLAIM, body, signature));
        let several = format!("v2,AAAA v1,AAAA {signature}");
        assert!(is_signed(&secrets, CLAIM, body, &several));
        assert!(!is_signed(&secrets, CLAIM, b"{}", signature));
        assert!(!is_signed(&secrets, Claim { seconds: 1_614_265_331, ..CLAIM }, body, signature));
        assert!(!is_signed(&secrets, Claim { id: "other", ..CLAIM }, body, signature));
        for broken in ["", "v1,", "v1,====", "g0hM9SsE", "v1,g0hM9SsE"] {
            assert!(!is_signed(&secrets, CLAIM, body, broken), "{broken}");
        }
        assert!(!is_signed(&[], CLAIM, body, signature));
    }

    #[test]
    fn weak_secrets_are_refused_and_none_is_shown() {
        for weak in ["", "short", "whsec_", "whsec_AAAA", "whsec_not base64 but long enough, is it"]
        {
            assert_eq!(Secret::read(weak).unwrap_err(), WeakSecret);
        }
        let text = "a secret of the tests only";
        assert_eq!(format!("{:?}", Secret::read(text).unwrap()), "Secret(***)");
    }

    #[test]
    fn a_message_is_fresh_within_the_tolerance_on_both_sides() {
        let at = |seconds: i64| Timestamp((CLAIM.seconds + seconds) * 1_000_000);
        let tolerance = Span::minutes(5);
        let fresh = [-301, -300, 0, 300, 301].map(|it| is_fresh(CLAIM, at(it), tolerance));
        assert_eq!(fresh, [false, true, true, true, false]);
        let far = Claim { seconds: i64::MIN, ..CLAIM };
        assert!(!is_fresh(far, Timestamp(i64::MAX), tolerance));
    }
}
