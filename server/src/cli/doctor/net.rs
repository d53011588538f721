//! Can every provider be reached: name, connection, TLS, each with its time. Nothing is asked of the provider.

use std::sync::Arc;
use std::time::Duration;

use store::ConfigRows;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::Findings;
use crate::config::ServerConfig;

/// For each of the three steps.
const STEP: Duration = Duration::from_secs(10);

pub(super) async fn examine(rows: &ConfigRows, config: &ServerConfig, findings: &mut Findings) {
    if config.outbound.http.is_some() || config.outbound.https.is_some() {
        findings.odd("an outbound proxy is set; the lines below are about the way without it");
    }
    if rows.providers.is_empty() {
        findings.odd("no provider is set up yet, so there is nobody to reach");
    }
    let mut seen = Vec::new();
    for provider in rows.providers.iter().filter(|provider| provider.spec.enabled) {
        let base = provider.spec.base_url.as_str();
        if seen.contains(&base) {
            continue;
        }
        seen.push(base);
        match reach(base).await {
            Ok(line) => findings.good(&format!("{}: {line}", provider.spec.name)),
            Err(line) => findings.bad(&format!("{}: {line}", provider.spec.name)),
        }
    }
}

async fn reach(base: &str) -> Result<String, String> {
    let url = Url::parse(base).map_err(|error| format!("{base}: {error}"))?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(format!("{base}: no host"));
    };
    let unbracketed = host.trim_start_matches('[').trim_end_matches(']');
    let began = Instant::now();
    let addresses = timeout(STEP, lookup_host((unbracketed, port))).await;
    let address = match addresses {
        Err(_late) => return Err(format!("{host}: the name could not be resolved in time")),
        Ok(Err(error)) => return Err(format!("{host}: the name cannot be resolved: {error}")),
        Ok(Ok(mut found)) => found.next().ok_or_else(|| format!("{host}: the name has no address"))?,
    };
    let dns = began.elapsed().as_millis();
    let start = Instant::now();
    let stream = match timeout(STEP, TcpStream::connect(address)).await {
        Err(_late) => return Err(format!("{host} ({address}): no answer in time; a firewall?")),
        Ok(Err(error)) => return Err(format!("{host} ({address}): {error}")),
        Ok(Ok(stream)) => stream,
    };
    let connected = start.elapsed().as_millis();
    if url.scheme() != "https" {
        return Ok(format!("{host} ({address}): DNS {dns} ms, TCP {connected} ms, no TLS"));
    }
    let began = Instant::now();
    let name = ServerName::try_from(unbracketed.to_owned()).map_err(|error| format!("{host}: {error}"))?;
    match timeout(STEP, connector()?.connect(name, stream)).await {
        Err(_late) => Err(format!("{host} ({address}): TLS did not finish in time")),
        Ok(Err(error)) => Err(format!("{host} ({address}): TLS failed: {error}")),
        Ok(Ok(_stream)) => Ok(format!(
            "{host} ({address}): DNS {dns} ms, TCP {connected} ms, TLS {} ms",
            began.elapsed().as_millis()
        )),
    }
}

fn connector() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let (added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err("this machine has no root certificates; install the package ca-certificates".to_owned());
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
}
