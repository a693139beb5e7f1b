//! Where a PostgreSQL server is, and how the way to it is protected.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};

/// Longest time to reach a server.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long sent bytes may stay unacknowledged before the line counts as cut.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);
/// How long a silent line is left alone before it is asked whether it lives.
const IDLE: Duration = Duration::from_secs(10);

/// The address of a PostgreSQL database with its credentials; shown without the password.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(super) config: Box<Config>,
    pub(super) protection: Protection,
    shown: Box<str>,
    whole: Box<str>,
}

/// How the way to the server is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all: a socket file, this machine, or said so.
    Open,
    /// TLS; the certificate must be valid and name the host.
    Tls {
        /// File of the certificates to trust; the system's otherwise.
        roots: Option<PathBuf>,
    },
}

/// Why a text is no address of a PostgreSQL database; says nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Another scheme.
    #[error("it must begin with postgres:// or postgresql://")]
    Scheme,
    /// The driver cannot read it.
    #[error("it does not read as postgres://user@host:port/database")]
    Unreadable,
    /// It names no host.
    #[error("it names no host")]
    NoHost,
    /// A mode that may end without protection.
    #[error("sslmode must be disable, require or verify-full")]
    SslMode,
    /// A file of certificates without TLS, or with escapes.
    #[error("sslrootcert is a plain path and needs sslmode=require or verify-full")]
    RootCert,
}

impl PostgresUrl {
    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full`.
    ///
    /// `sslmode` is `disable`, `require` or `verify-full`; the last two mean the same, since a
    /// protected line to a stranger protects nothing. Without it, a socket file and this
    /// machine are reached openly and everything else by TLS.
    ///
    /// # Errors
    /// [`UrlFault`].
    pub fn parse(text: &str) -> Result<Self, UrlFault> {
        let is_ours = ["postgres://", "postgresql://"].iter().any(|it| text.starts_with(it));
        if !is_ours {
            return Err(UrlFault::Scheme);
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value),
                Some(_) | None => rest.push(pair),
            }
        }
        let kept = format!("{address}?{}", rest.join("&"));
        let mut config: Config = kept.parse().map_err(|_| UrlFault::Unreadable)?;
        if config.get_hosts().is_empty() {
            return Err(UrlFault::NoHost);
        }
        let is_local = config.get_hosts().iter().all(is_local);
        let protection = match (mode, roots) {
            (Some("disable"), None) => Protection::Open,
            (None, None) if is_local => Protection::Open,
            (Some("require" | "verify-full") | None, roots) => {
                if roots.is_some_and(|path| path.is_empty() || path.contains('%')) {
                    return Err(UrlFault::RootCert);
                }
                Protection::Tls { roots: roots.map(PathBuf::from) }
            }
            (Some("disable"), Some(_)) => return Err(UrlFault::RootCert),
            (Some(_), _) => return Err(UrlFault::SslMode),
        };
        config
            .ssl_mode(match &protection {
                Protection::Open => SslMode::Disable,
                Protection::Tls { .. } => SslMode::Require,
            })
            .application_name("orderlens")
            .connect_timeout(CONNECT_MAX)
            .tcp_user_timeout(UNACKNOWLEDGED_MAX)
            .keepalives_idle(IDLE);
        let shown = shown(&config).into();
        Ok(Self { config: Box::new(config), protection, shown, whole: text.into() })
    }

    /// True when it holds a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.whole == other.whole
    }
}

impl Eq for PostgresUrl {}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let password = config.get_password().map_or("", |_| ":***");
    let user = config.get_user().map(|user| format!("{user}{password}@")).unwrap_or_default();
    let ports = config.get_ports();
    let host = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    };
    let hosts: Vec<String> = config.get_hosts().iter().enumerate().map(host).collect();
    let database = config.get_dbname().unwrap_or_default();
    format!("postgres://{user}{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_nowhere_shown() {
        let url = "postgres://ann:h%40rd@db.example:6432/risk?sslmode=verify-full&options=-c%20x";
        let url = PostgresUrl::parse(url).unwrap();
        assert!(url.has_password());
        assert_eq!(url.to_string(), "postgres://ann:***@db.example:6432/risk");
        assert_eq!(format!("{url:?}"), url.to_string());
    }

    #[test]
    fn a_line_is_open_only_on_this_machine_or_when_it_is_said() {
        let check = |url: &str, expected: Result<Protection, UrlFault>| {
            assert_eq!(PostgresUrl::parse(url).map(|it| it.protection), expected, "{url}");
        };
        let tls = |roots: Option<&str>| Ok(Protection::Tls { roots: roots.map(PathBuf::from) });
        check("postgres://u@db/x", tls(None));
        check("postgresql://u@db/x?sslmode=require", tls(None));
        check("postgres://u@db/x?sslmode=verify-full&sslrootcert=/ca.pem", tls(Some("/ca.pem")));
        check("postgres://u@db/x?sslmode=disable", Ok(Protection::Open));
        check("postgres://u@127.0.0.1/x", Ok(Protection::Open));
        check("postgres://u@localhost,db/x", tls(None));
        check("postgres://u@localhost/x?sslmode=require", tls(None));
        check("postgres:///x?host=/run/postgresql", Ok(Protection::Open));
        check("postgres://u@db/x?sslmode=prefer", Err(UrlFault::SslMode));
        check("postgres://u@db/x?sslmode=disable&sslrootcert=/ca.pem", Err(UrlFault::RootCert));
        check("mysql://u@db/x", Err(UrlFault::Scheme));
        check("postgres:///x", Err(UrlFault::NoHost));
        check("postgres://u@db:port/x", Err(UrlFault::Unreadable));
        check("postgres://u@db/x?color=red", Err(UrlFault::Unreadable));
    }
}
