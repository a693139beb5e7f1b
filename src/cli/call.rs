//! How a command reaches a running server: address, TLS, and the API key.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::config::secret::api_key;

/// A connection to a server, on which every call shows the key.
pub type Line = InterceptedService<Channel, ShowKey>;

/// Whom to ask, and what to show there.
#[derive(Clone, Debug, Args)]
pub struct CallArgs {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub server: String,
    /// Authority (PEM) that the server's certificate has to come from; needed for https
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate (PEM) to show to a server that asks for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// File that holds the API key to show; `ORDERLENS_API_KEY` otherwise
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl CallArgs {
    /// A connection to the server.
    ///
    /// # Errors
    /// Names the file that cannot be used, or the address of a server that does not answer.
    pub async fn connect(&self) -> miette::Result<Line> {
        let key = self.show_key()?;
        let channel = self.endpoint()?.connect().await.into_diagnostic();
        let channel =
            channel.wrap_err_with(|| format!("cannot reach a server at {}", self.server))?;
        Ok(InterceptedService::new(channel, key))
    }

    /// Where the server is, and how to speak to it.
    ///
    /// # Errors
    /// When it is no address, or a file cannot be used.
    pub fn endpoint(&self) -> miette::Result<Endpoint> {
        let endpoint = Endpoint::from_shared(self.server.clone()).into_diagnostic();
        let endpoint = endpoint.wrap_err_with(|| format!("{} is no address", self.server))?;
        let Some(ca) = &self.ca else {
            if self.server.starts_with("https://") {
                let help = "name the file of the authority, in PEM, with --ca";
                return Err(miette!(help = help, "whom to trust for {}?", self.server));
            }
            return Ok(endpoint);
        };
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        endpoint
            .tls_config(tls)
            .into_diagnostic()
            .wrap_err_with(|| format!("using {}", ca.display()))
    }

    /// The key to show: of the file, else of the environment, else none.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn show_key(&self) -> miette::Result<ShowKey> {
        let secret = match &self.key_file {
            Some(path) => Some(read(path)?.trim().to_owned()),
            None => api_key(),
        };
        let shown = secret.map(|secret| {
            // The text is a secret, so what is wrong with it is not shown.
            let value = MetadataValue::try_from(format!("Bearer {secret}"));
            let mut value = value.map_err(|_| miette!("that is no API key"))?;
            value.set_sensitive(true);
            Ok::<_, miette::Report>(value)
        });
        Ok(ShowKey(shown.transpose()?))
    }
}

fn read(path: &Path) -> miette::Result<String> {
    fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("reading {}", path.display()))
}

/// Shows a key with every call.
#[derive(Clone, Debug)]
pub struct ShowKey(Option<MetadataValue<Ascii>>);

impl Interceptor for ShowKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(shown) = &self.0 {
            request.metadata_mut().insert("authorization", shown.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_as_nothing_and_https_wants_to_know_whom_to_trust() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        fs::write(&file, "ol_secret\n").unwrap();
        let args = CallArgs {
            server: "https://127.0.0.1:1".to_owned(),
            ca: None,
            client_certificate: None,
            client_key: None,
            key_file: Some(file.clone()),
        };
        let mut shown = args.show_key().unwrap();
        assert!(!format!("{shown:?}").contains("ol_secret"));
        let request = shown.call(Request::new(())).unwrap();
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer ol_secret");
        assert!(args.endpoint().unwrap_err().to_string().contains("whom to trust"));
        fs::write(&file, "a\nb").unwrap();
        assert_eq!(args.show_key().unwrap_err().to_string(), "that is no API key");
    }
}
