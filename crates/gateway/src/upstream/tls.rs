//! Which upstream certificates are believed.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The machine's trust store, and the operator's own file with the authorities of his proxy or model host.
pub(super) fn client_config(accept_any: bool, extra: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    if accept_any {
        tracing::warn!("UNSAFE_DISABLE_TLS_CHECK is on: certificates of upstreams are not checked");
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
            .with_no_client_auth());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if let Some(path) = extra {
        add_file(&mut roots, path)?;
    } else if added == 0 {
        tracing::warn!(
            "this machine has no trusted certificates (package ca-certificates?): https upstreams will fail"
        );
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Adds the authorities of a file. One that holds none is a mistake worth stopping for.
fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let read =
        CertificateDer::pem_file_iter(path).map_err(|error| format!("EXTRA_CA_FILE {shown}: {error}"))?;
    let mut count = 0_u32;
    for certificate in read {
        let certificate = certificate.map_err(|error| format!("EXTRA_CA_FILE {shown}: {error}"))?;
        roots.add(certificate).map_err(|error| format!("EXTRA_CA_FILE {shown}: {error}"))?;
        count += 1;
    }
    if count == 0 {
        return Err(format!("EXTRA_CA_FILE {shown}: there is no PEM certificate in it"));
    }
    tracing::info!(authorities = count, file = %shown, "authorities of EXTRA_CA_FILE are believed too");
    Ok(())
}

/// Checks nothing about a certificate; development only.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
