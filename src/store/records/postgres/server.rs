//! The way to a PostgreSQL server.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::store::records::database::DatabaseError;
use crate::store::records::postgres_url::{PostgresUrl, Protection};

/// A server and how its certificate is checked.
pub(super) struct Server {
    url: PostgresUrl,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    pub(super) fn new(url: &PostgresUrl) -> Result<Self, DatabaseError> {
        let tls = match &url.protection {
            Protection::Open => None,
            Protection::Tls { roots: None } => Some(system_roots()?),
            Protection::Tls { roots: Some(path) } => Some(roots_in(path)?),
        };
        Ok(Self { url: url.clone(), tls })
    }

    /// Its address without the password.
    pub(super) fn place(&self) -> Box<str> {
        self.url.to_string().into()
    }

    /// A connection whose names mean tables of a schema.
    pub(super) fn connect(&self, schema: &str, set_up: &str) -> Result<Client, DatabaseError> {
        let mut client = match &self.tls {
            Some(tls) => self.url.config.connect(tls.clone())?,
            None => self.url.config.connect(NoTls)?,
        };
        client.batch_execute(&format!("SET search_path TO {schema}; {set_up}"))?;
        Ok(client)
    }
}

fn system_roots() -> Result<MakeRustlsConnect, DatabaseError> {
    // Refused when the process has one already, which is as good.
    drop(ring::default_provider().install_default());
    let (tls, _) = MakeRustlsConnect::with_native_certs()
        .map_err(|_| DatabaseError::Certificates("the system has none to trust".into()))?;
    Ok(tls)
}

fn roots_in(path: &Path) -> Result<MakeRustlsConnect, DatabaseError> {
    let unreadable = |error: &dyn fmt::Display| {
        DatabaseError::Certificates(format!("{}: {error}", path.display()).into())
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"it holds no certificate"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Which schema answers questions, told by who fills it.
#[derive(Debug)]
pub(super) struct Readable(Mutex<Result<Arc<str>, Box<str>>>);

impl Readable {
    pub(super) fn not_yet() -> Self {
        Self(Mutex::new(Err("the records have not been reached yet".into())))
    }

    pub(super) fn get(&self) -> Result<Arc<str>, DatabaseError> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone().map_err(DatabaseError::Away)
    }

    pub(super) fn set(&self, state: Result<Arc<str>, Box<str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
