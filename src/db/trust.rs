//! Whose certificates are believed: those of a file's authorities, else of the system's.

use std::path::Path;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Error, Kind};

/// What a connection to `place` is encrypted with.
pub(super) fn trust(place: &str, ca_file: Option<&Path>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let unusable = |what: String| Error::new(Kind::Unavailable, place, what);
    if let Some(path) = ca_file {
        let what = |error: &dyn std::fmt::Display| unusable(format!("ca_file {}: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| what(&error))? {
            let certificate = certificate.map_err(|error| what(&error))?;
            roots.add(certificate).map_err(|error| what(&error))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate of any authority to check the server's with".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
