//! TLS of the doors: reads the files and says what is wrong with them.

use std::path::Path;
use std::sync::Arc;

use miette::{Context as _, IntoDiagnostic as _, miette};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::config::access::TlsFiles;

/// What is spoken inside of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC: HTTP/2. Callers show certificates where an authority is configured.
    Grpc,
    /// Pages: HTTP/1.1. People sign in, so that browsers show no certificate.
    Pages,
}

/// What takes TLS connections with these files.
///
/// # Errors
/// Names the file that cannot be read, holds no certificate or key, or does not fit the others.
pub fn acceptor(files: &TlsFiles, protocol: Protocol) -> miette::Result<TlsAcceptor> {
    let chain = certificates(&files.certificate)?;
    let key = private_key(&files.key)?;
    let provider = Arc::new(default_provider());
    let versions = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .into_diagnostic()?;
    let asking = match (&files.client_ca, protocol) {
        (Some(path), Protocol::Grpc) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                let added = roots.add(certificate).into_diagnostic();
                added.wrap_err_with(|| format!("{} holds no authority", path.display()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = verifier.build().into_diagnostic();
            let verifier = verifier.wrap_err_with(|| format!("using {}", path.display()))?;
            versions.with_client_cert_verifier(verifier)
        }
        (None, _) | (Some(_), Protocol::Pages) => versions.with_no_client_auth(),
    };
    let config = asking.with_single_cert(chain, key).into_diagnostic();
    let mut config = config.wrap_err_with(|| {
        format!("{} and {} do not fit", files.certificate.display(), files.key.display())
    })?;
    config.alpn_protocols = match protocol {
        Protocol::Grpc => vec![b"h2".to_vec()],
        Protocol::Pages => vec![b"http/1.1".to_vec()],
    };
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> miette::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path).into_diagnostic();
    let certificates = certificates.wrap_err_with(|| format!("reading {}", path.display()))?;
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .into_diagnostic()
        .wrap_err_with(|| format!("{} is broken", path.display()))?;
    if certificates.is_empty() {
        let help = "it must begin with -----BEGIN CERTIFICATE-----";
        return Err(miette!(help = help, "{} holds no certificate", path.display()));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> miette::Result<PrivateKeyDer<'static>> {
    refuse_open_key(path)?;
    PrivateKeyDer::from_pem_file(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("{} holds no private key in PEM", path.display()))
}

/// A key that every user of the machine can read is nobody's secret.
fn refuse_open_key(path: &Path) -> miette::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).into_diagnostic();
    let metadata = metadata.wrap_err_with(|| format!("reading {}", path.display()))?;
    let for_others = metadata.permissions().mode() % 8;
    if for_others == 0 {
        return Ok(());
    }
    let help = format!("chmod 600 {}", path.display());
    Err(miette!(help = help, "every user of this machine may use the key {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn refused(files: &TlsFiles) -> String {
        let Err(error) = acceptor(files, Protocol::Grpc) else { panic!("it was taken") };
        error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = write(dir, "cert.pem", &own.cert.pem());
        let key = write(dir, "key.pem", &own.signing_key.serialize_pem());
        let files = TlsFiles { certificate, key, client_ca: None };
        assert!(acceptor(&files, Protocol::Grpc).is_ok());
        assert!(acceptor(&files, Protocol::Pages).is_ok());

        let with = |change: &dyn Fn(&mut TlsFiles)| {
            let mut files = files.clone();
            change(&mut files);
            refused(&files)
        };
        let said = with(&|it| it.certificate = dir.join("none.pem"));
        assert!(said.contains("none.pem"), "{said}");
        let empty = write(dir, "empty.pem", "nothing here\n");
        let said = with(&|it| it.certificate.clone_from(&empty));
        assert!(said.contains("empty.pem holds no certificate"), "{said}");
        let said = with(&|it| it.key.clone_from(&empty));
        assert!(said.contains("empty.pem holds no private key"), "{said}");
        let foreign = write(dir, "other.pem", &other.signing_key.serialize_pem());
        let said = with(&|it| it.key.clone_from(&foreign));
        assert!(said.contains("do not fit"), "{said}");
        let said = with(&|it| it.client_ca = Some(empty.clone()));
        assert!(said.contains("empty.pem holds no certificate"), "{said}");
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let said = refused(&files);
        assert!(said.contains("every user of this machine may use the key"), "{said}");
    }
}
