//! The way through an outbound proxy: `http` and `https` by CONNECT (RFC 9110 §9.3.6), `socks5` by RFC 1928 with
//! user name and password (RFC 1929).
//!
//! Whatever fails here happened before anything reached the upstream. Names are looked up by the proxy, but with
//! `socks5`, as curl does it.

use std::net::IpAddr;

use base64::Engine as _;
use http::header::HeaderValue;
use http::{StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use types::Secret;
use url::Url;

use super::connect::{ConnectFailure, ConnectStep};
use super::pool::Origin;
use super::resolve::Resolver;
use super::stream::Stream;
use super::tls::Tls;

/// Longest answer to CONNECT that is read.
const LONGEST_HEAD: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    /// Names are looked up here.
    Socks,
    /// Names are looked up by the proxy.
    SocksWithNames,
}

/// Where the proxy is and how to sign in to it.
pub(super) struct ProxyAddress {
    kind: Kind,
    host: String,
    port: u16,
    login: Option<(Secret<String>, Secret<String>)>,
}

impl std::fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyAddress")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl ProxyAddress {
    pub(super) fn parse(address: &Secret<String>) -> Result<Self, ConnectFailure> {
        // The text may hold a password, so it is not quoted.
        let unusable = || fault("the address of the outbound proxy cannot be read; enter it again");
        let url = Url::parse(address.expose()).map_err(|_| unusable())?;
        let (kind, port) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" => (Kind::Socks, 1080),
            "socks5h" => (Kind::SocksWithNames, 1080),
            _ => return Err(unusable()),
        };
        let decoded = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy().into_owned());
        let login = (!url.username().is_empty() || url.password().is_some())
            .then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())));
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(unusable)?.to_owned();
        Ok(Self { kind, host, port: url.port().unwrap_or(port), login })
    }

    pub(super) fn is_socks(&self) -> bool {
        matches!(self.kind, Kind::Socks | Kind::SocksWithNames)
    }

    /// What a request that the proxy itself reads must carry.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.login.as_ref()?;
        let login = format!("{}:{}", user.expose(), password.expose());
        let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(login));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The failure that an answer 407 of the proxy means.
    pub(super) fn sign_in_failed(&self) -> ConnectFailure {
        fault(if self.login.is_some() {
            "the outbound proxy refuses its user name and password (407)"
        } else {
            "the outbound proxy wants a user name and a password (407); enter it as http://user:password@host:port"
        })
    }

    /// Opens a connection to the proxy, and through it to the origin unless the proxy is to read the request itself.
    pub(super) async fn open<F, T>(
        &self,
        origin: &Origin,
        tls: &Tls,
        resolver: &Resolver,
        tcp: F,
    ) -> Result<Stream, ConnectFailure>
    where
        F: FnOnce(Uri) -> T,
        T: Future<Output = Result<Stream, ConnectFailure>>,
    {
        let at = format!("{}:{}", self.host, self.port);
        let uri = Uri::try_from(format!("http://{at}/")).map_err(|_| fault("its address is no address"))?;
        let mut stream = tcp(uri).await.map_err(|failure| {
            fault(match failure.step {
                ConnectStep::Dns | ConnectStep::DnsUnknown => {
                    format!("DNS: the outbound proxy {at}: {}", failure.message)
                }
                _ => format!("the outbound proxy {at} cannot be reached: {}", failure.message),
            })
        })?;
        if self.kind == Kind::Https {
            let host = self.host.trim_start_matches('[').trim_end_matches(']');
            (stream, _) = tls
                .wrap(stream, host, false)
                .await
                .map_err(|failed| fault(format!("TLS to the outbound proxy {at}: {}", failed.message)))?;
        }
        match self.kind {
            Kind::Socks | Kind::SocksWithNames => self.socks(&mut stream, origin, resolver).await?,
            Kind::Http | Kind::Https if origin.is_https() => self.connect(&mut stream, origin).await?,
            Kind::Http | Kind::Https => {}
        }
        Ok(stream)
    }

    async fn connect(&self, stream: &mut Stream, origin: &Origin) -> Result<(), ConnectFailure> {
        let target = format!("{}:{}", origin.host_text(), origin.port());
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(value) = self.authorization() {
            head.extend_from_slice(b"Proxy-Authorization: ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        stream.write_all(&head).await.map_err(|error| broke_off(&error))?;
        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") {
            // Nothing of the tunnel may be swallowed, and the head is short: byte by byte.
            answer.push(stream.read_u8().await.map_err(|error| broke_off(&error))?);
            if answer.len() > LONGEST_HEAD {
                return Err(fault("the outbound proxy answers CONNECT without end"));
            }
        }
        match status(&answer) {
            Some(status) if status.is_success() => Ok(()),
            Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED) => Err(self.sign_in_failed()),
            Some(status) => {
                Err(fault(format!("the outbound proxy refuses the way to {target}: HTTP {status}")))
            }
            None => Err(fault("what answers at the outbound proxy's address is no HTTP proxy")),
        }
    }

    async fn socks(
        &self,
        stream: &mut Stream,
        origin: &Origin,
        resolver: &Resolver,
    ) -> Result<(), ConnectFailure> {
        let target = self.socks_target(origin, resolver).await?;
        let hello: &[u8] = if self.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
        stream.write_all(hello).await.map_err(|error| broke_off(&error))?;
        match read::<2>(stream).await? {
            [5, 0] => {}
            [5, 2] => self.socks_login(stream).await?,
            [5, 0xff] if self.login.is_none() => {
                return Err(fault("the outbound proxy wants a user name and a password"));
            }
            [5, 0xff] => return Err(fault("the outbound proxy offers no way to sign in with a password")),
            _ => return Err(fault("what answers at the outbound proxy's address is no SOCKS 5 proxy")),
        }
        stream.write_all(&target).await.map_err(|error| broke_off(&error))?;
        let [_, reply, _, kind] = read::<4>(stream).await?;
        if reply != 0 {
            return Err(fault(format!(
                "the outbound proxy refuses the way to {}: {}",
                origin.host_text(),
                socks_reply(reply)
            )));
        }
        let bound = match kind {
            1 => 4,
            3 => usize::from(read::<1>(stream).await?[0]),
            4 => 16,
            _ => return Err(fault("the outbound proxy's answer cannot be read")),
        };
        let mut rest = vec![0; bound + 2];
        stream.read_exact(&mut rest).await.map_err(|error| broke_off(&error))?;
        Ok(())
    }

    async fn socks_target(&self, origin: &Origin, resolver: &Resolver) -> Result<Vec<u8>, ConnectFailure> {
        let host = origin.bare_host();
        let address = match host.parse::<IpAddr>() {
            Ok(address) => Some(address),
            Err(_) if self.kind == Kind::Socks => {
                resolver.lookup(host).await?.first().map(std::net::SocketAddr::ip)
            }
            Err(_) => None,
        };
        let mut target = vec![5, 1, 0];
        match address {
            Some(IpAddr::V4(v4)) => {
                target.push(1);
                target.extend_from_slice(&v4.octets());
            }
            Some(IpAddr::V6(v6)) => {
                target.push(4);
                target.extend_from_slice(&v6.octets());
            }
            None => {
                let length = u8::try_from(host.len()).map_err(|_| fault("the host's name is too long"))?;
                target.extend_from_slice(&[3, length]);
                target.extend_from_slice(host.as_bytes());
            }
        }
        target.extend_from_slice(&origin.port().to_be_bytes());
        Ok(target)
    }

    async fn socks_login(&self, stream: &mut Stream) -> Result<(), ConnectFailure> {
        let (user, password) = self.login.as_ref().ok_or_else(|| fault("no user name is known"))?;
        let mut message = vec![1];
        for text in [user.expose(), password.expose()] {
            let length = u8::try_from(text.len())
                .map_err(|_| fault("user name and password may have 255 bytes at most"))?;
            message.push(length);
            message.extend_from_slice(text.as_bytes());
        }
        stream.write_all(&message).await.map_err(|error| broke_off(&error))?;
        match read::<2>(stream).await? {
            [_, 0] => Ok(()),
            _ => Err(fault("the outbound proxy refuses its user name and password")),
        }
    }
}

fn fault(message: impl Into<String>) -> ConnectFailure {
    ConnectFailure::new(ConnectStep::Proxy, message)
}

fn broke_off(error: &std::io::Error) -> ConnectFailure {
    fault(format!("the outbound proxy broke the connection off: {error}"))
}

async fn read<const N: usize>(stream: &mut Stream) -> Result<[u8; N], ConnectFailure> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| broke_off(&error))?;
    Ok(bytes)
}

fn status(head: &[u8]) -> Option<StatusCode> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    StatusCode::from_bytes(words.next()?.as_bytes()).ok()
}

/// RFC 1928 §6.
fn socks_reply(reply: u8) -> String {
    match reply {
        1 => "general failure".into(),
        2 => "not allowed by its rules".into(),
        3 => "network unreachable".into(),
        4 => "host unreachable".into(),
        5 => "connection refused".into(),
        6 => "TTL expired".into(),
        other => format!("error {other}"),
    }
}
