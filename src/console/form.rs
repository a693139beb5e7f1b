//! What forms and addresses say.

use axum::http::HeaderMap;
use axum::http::header::HOST;

use crate::console::failure::Failure;
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::OverrideReason;

/// A text for the query of an address: all but letters, digits and `-._~` as `%XX`.
///
/// Source: RFC 3986, section 2.3.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

/// A place of this console to go to: never another host.
pub fn local(back: &str) -> &str {
    let is_local =
        back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\n', '\r']);
    if is_local { back } else { "/" }
}

/// How the browser reached this console: `https` when something before it speaks TLS.
pub fn scheme(headers: &HeaderMap) -> &'static str {
    let told = headers.get("x-forwarded-proto").and_then(|it| it.to_str().ok());
    if told == Some("https") { "https" } else { "http" }
}

/// Where this console is for the browser that asks, as `http://127.0.0.1:8080`.
///
/// # Errors
/// `Fields` when the browser does not say so, or something else.
pub fn origin(headers: &HeaderMap) -> Result<String, Failure> {
    let host = headers.get(HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let is_fit = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(is_fit) {
        return Err(Failure::field("host", "is not a host"));
    }
    Ok(format!("{}://{host}", scheme(headers)))
}

/// The decision of an address.
///
/// # Errors
/// `NoPage`: what is no id names no page.
pub fn decision_id(text: &str) -> Result<DecisionId, Failure> {
    uuid::Uuid::try_parse(text).map(DecisionId).map_err(|_| Failure::NoPage)
}

/// The action of a form.
///
/// # Errors
/// `Fields`.
pub fn action(text: &str) -> Result<ActionKind, Failure> {
    ActionKind::parse(text).ok_or_else(|| Failure::field("action", "is not an action"))
}

/// The reason of a form; empty is none.
///
/// # Errors
/// `Fields`.
pub fn override_reason(text: &str) -> Result<Option<OverrideReason>, Failure> {
    let reason = match text {
        "" => return Ok(None),
        "known_customer" => OverrideReason::KnownCustomer,
        "evidence_wrong" => OverrideReason::EvidenceWrong,
        "outside_information" => OverrideReason::OutsideInformation,
        "policy_requires" => OverrideReason::PolicyRequires,
        "customer_confirmed" => OverrideReason::CustomerConfirmed,
        "other" => OverrideReason::Other,
        _ => return Err(Failure::field("override_reason", "is not a reason")),
    };
    Ok(Some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_host() {
        for evil in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb"] {
            assert_eq!(local(evil), "/", "{evil}");
        }
        assert_eq!(local("/queue?sort=risk"), "/queue?sort=risk");
    }

    #[test]
    fn a_link_leads_to_where_the_browser_is() {
        let mut headers = HeaderMap::new();
        assert!(origin(&headers).is_err());
        headers.insert(HOST, "[::1]:8080".parse().unwrap());
        assert_eq!(origin(&headers).unwrap(), "http://[::1]:8080");
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        headers.insert(HOST, "lens.example".parse().unwrap());
        assert_eq!(origin(&headers).unwrap(), "https://lens.example");
        headers.insert(HOST, "evil.example/?".parse().unwrap());
        assert!(origin(&headers).is_err());
    }

    #[test]
    fn what_is_encoded_is_one_word_of_a_query() {
        assert_eq!(encoded("/queue?a=b&c=订"), "%2Fqueue%3Fa%3Db%26c%3D%E8%AE%A2");
        assert_eq!(encoded("a-b._~9"), "a-b._~9");
    }
}
