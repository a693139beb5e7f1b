//! Reads who may connect, and how: sections on keys, TLS, connections.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::reader::Section;

/// Who may connect, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorSettings {
    /// Whether programs must show a key.
    pub keys_required: bool,
    /// Whether something in front of the service speaks TLS for it.
    pub tls_ends_in_front: bool,
    /// Certificate and key; `None` = the service speaks no TLS.
    pub tls: Option<TlsFiles>,
    /// Most connections at a time.
    pub connections_max: usize,
    /// Most calls at a time on one connection.
    pub streams_max: u32,
    /// Most bytes of the headers of a call.
    pub header_bytes_max: u32,
    /// Longest time from connecting to the first words.
    pub handshake: Duration,
    /// How often a connection is asked whether it lives.
    pub keepalive: Duration,
}

/// Files of TLS, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose certificates callers must show; `None` = they need to show none.
    pub client_ca: Option<PathBuf>,
}

pub(super) fn read_doors(root: &Section<'_>) -> Option<DoorSettings> {
    let keys = root.section("access").and_then(|section| {
        let found = (section.flag("keys_required"), section.flag("tls_ends_in_front"));
        section.finish();
        found.0.zip(found.1)
    });
    let tls = root.section("tls").and_then(|section| read_tls(&section));
    let connections = root.section("connections").and_then(|section| {
        let connections_max = section.integer("connections_max", 1..=1_000_000);
        let streams_max = section.integer("streams_max", 1..=1_000_000);
        let header_bytes_max = section.integer("header_bytes_max", 1_024..=1_048_576);
        let handshake = section.integer("handshake_ms", 100..=600_000);
        let keepalive = section.integer("keepalive_seconds", 1..=3_600);
        section.finish();
        Some((connections_max?, streams_max?, header_bytes_max?, handshake?, keepalive?))
    });
    let (keys_required, tls_ends_in_front) = keys?;
    let tls = match tls? {
        Tls::Off => None,
        Tls::On(files) => Some(files),
    };
    let (connections_max, streams_max, header_bytes_max, handshake, keepalive) = connections?;
    Some(DoorSettings {
        keys_required,
        tls_ends_in_front,
        tls,
        connections_max: usize::try_from(connections_max.value).ok()?,
        streams_max: u32::try_from(streams_max.value).ok()?,
        header_bytes_max: u32::try_from(header_bytes_max.value).ok()?,
        handshake: Duration::from_millis(handshake.value.unsigned_abs()),
        keepalive: Duration::from_secs(keepalive.value.unsigned_abs()),
    })
}

/// What the section about TLS says.
enum Tls {
    Off,
    On(TlsFiles),
}

fn read_tls(section: &Section<'_>) -> Option<Tls> {
    let certificate = section.any_text("certificate");
    let key = section.any_text("key");
    let client_ca = section.any_text("client_ca");
    section.finish();
    let (certificate, key, client_ca) = (certificate?, key?, client_ca?);
    let path = |text: &str| Some(PathBuf::from(text)).filter(|_| !text.is_empty());
    match (path(&certificate.value), path(&key.value), path(&client_ca.value)) {
        (Some(certificate), Some(key), client_ca) => {
            Some(Tls::On(TlsFiles { certificate, key, client_ca }))
        }
        (None, None, None) => Some(Tls::Off),
        (None, _, _) => {
            let message = format!("{} is empty, but other files of TLS are named", certificate.key);
            section.report(&certificate, message, "needs a file");
            None
        }
        (Some(_), None, _) => {
            let message = format!("{} is empty, but there is a certificate", key.key);
            section.report(&key, message, "needs a file");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::service::parse;
    use crate::config::{EMBEDDED_SERVICE, access::TlsFiles};

    fn read(certificate: &str, key: &str, client_ca: &str) -> Result<Option<TlsFiles>, String> {
        let text = EMBEDDED_SERVICE
            .replacen("certificate = \"\"", &format!("certificate = \"{certificate}\""), 1)
            .replacen("\nkey = \"\"", &format!("\nkey = \"{key}\""), 1)
            .replacen("client_ca = \"\"", &format!("client_ca = \"{client_ca}\""), 1);
        let read = parse("service.toml", &text);
        read.map(|settings| settings.doors.tls).map_err(|it| it.mistakes[0].key.clone())
    }

    #[test]
    fn tls_is_whole_or_off() {
        assert_eq!(read("", "", ""), Ok(None));
        let files = read("c", "k", "").unwrap().unwrap();
        assert_eq!((files.certificate.to_str(), files.client_ca), (Some("c"), None));
        assert!(read("c", "k", "a").unwrap().unwrap().client_ca.is_some());
        assert_eq!(read("c", "", ""), Err("tls.key".to_owned()));
        assert_eq!(read("", "k", ""), Err("tls.certificate".to_owned()));
        assert_eq!(read("", "", "a"), Err("tls.certificate".to_owned()));
    }
}
