//! Which upstream certificates are believed, and what exactly is wrong with one that is not.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::connect::causes;
use super::stream::Stream;

/// Why TLS was not agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsFault {
    /// The certificate's time is over, or has not come.
    Expired,
    /// The certificate is for other names.
    WrongHost,
    /// The certificate vouches for itself.
    SelfSigned,
    /// Whoever signed the certificate is not believed here.
    UnknownAuthority,
    /// Anything else: no common version, no TLS at all, a broken connection.
    Other,
}

/// A handshake that failed.
#[derive(Debug)]
pub(super) struct TlsFailed {
    pub(super) fault: TlsFault,
    pub(super) message: String,
}

/// Makes connections confidential.
#[derive(Clone)]
pub(super) struct Tls {
    http1: TlsConnector,
    both: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Believes the machine's trust store and the operator's own file with the authorities of his proxy or model host.
    pub(super) fn new(accept_any: bool, extra: Option<&Path>) -> Result<Self, String> {
        let mut http1 = client_config(accept_any, extra)?;
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut both = http1.clone();
        both.alpn_protocols.insert(0, b"h2".to_vec());
        Ok(Self { http1: Arc::new(http1).into(), both: Arc::new(both).into() })
    }

    /// Agrees on TLS over a connection; answers whether HTTP/2 was chosen. It is offered only if wanted.
    pub(super) async fn wrap(
        &self,
        stream: Stream,
        host: &str,
        http2: bool,
    ) -> Result<(Stream, bool), TlsFailed> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFailed {
            fault: TlsFault::Other,
            message: "no certificate can be made out for such a name".into(),
        })?;
        let connector = if http2 { &self.both } else { &self.http1 };
        let stream = connector.connect(name, stream).await.map_err(|error| explain(&error, host))?;
        let agreed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Stream::Tls(Box::new(stream)), agreed))
    }
}

/// Finds what rustls says inside an I/O error, and says it for an operator.
fn explain(error: &std::io::Error, host: &str) -> TlsFailed {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let certificate = match inner {
        Some(rustls::Error::InvalidCertificate(certificate)) => certificate,
        Some(other) => return TlsFailed { fault: TlsFault::Other, message: other.to_string() },
        None => {
            let message = causes(error).last().map(ToString::to_string).unwrap_or_default();
            return TlsFailed { fault: TlsFault::Other, message };
        }
    };
    let (fault, message) = match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            TlsFault::Expired,
            "the certificate has expired; its owner must renew it (is the clock of this machine right?)".into(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            TlsFault::Expired,
            "the certificate is not valid yet (is the clock of this machine right?)".into(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (TlsFault::WrongHost, format!("the certificate is made out for other names than {host}"))
        }
        CertificateError::Other(other) if other.0.is::<SelfSigned>() => (TlsFault::SelfSigned, other.0.to_string()),
        CertificateError::UnknownIssuer => (
            TlsFault::UnknownAuthority,
            "the authority that signed the certificate is not believed here; if it is yours, put its certificate \
             into EXTRA_CA_FILE"
                .into(),
        ),
        CertificateError::BadSignature => (
            TlsFault::UnknownAuthority,
            "an authority of the name that signed the certificate is believed here, but has another key; if yours was \
             made anew, put its present certificate into EXTRA_CA_FILE"
                .into(),
        ),
        other => (TlsFault::Other, format!("the certificate is refused: {other}")),
    };
    TlsFailed { fault, message }
}

fn client_config(accept_any: bool, extra: Option<&Path>) -> Result<ClientConfig, String> {
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
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let checks = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())?;
    // It refuses what the usual one refuses, and only says more.
    let verifier = Arc::new(Exact(checks));
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// A certificate that nobody but itself vouches for.
#[derive(Debug, thiserror::Error)]
enum SelfSigned {
    #[error("the certificate vouches for itself; if it is yours, put it into EXTRA_CA_FILE")]
    Server,
    // What `openssl req -x509` makes if it is told nothing else.
    #[error(
        "the certificate vouches for itself and is made out as an authority's (CA:TRUE), which no server may show; make \
         one with CA:FALSE and put it into EXTRA_CA_FILE"
    )]
    Authority,
}

/// The usual checks, which tell a certificate that vouches for itself from one of an unknown authority.
#[derive(Debug)]
struct Exact(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Exact {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked = self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        checked.map_err(|error| {
            let rustls::Error::InvalidCertificate(fault) = &error else { return error };
            let what = match fault {
                CertificateError::UnknownIssuer => SelfSigned::Server,
                CertificateError::Other(other)
                    if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
                {
                    SelfSigned::Authority
                }
                _ => return error,
            };
            let vouches_for_itself = webpki::EndEntityCert::try_from(end_entity)
                .is_ok_and(|certificate| certificate.issuer() == certificate.subject());
            if vouches_for_itself {
                CertificateError::Other(OtherError(Arc::new(what))).into()
            } else {
                error
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
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
