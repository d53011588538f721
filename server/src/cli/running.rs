//! The gateway that runs on this machine with this configuration, asked over its own door. One call, one connection,
//! no TLS: it listens without.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use types::Secret;

use crate::config::ServerConfig;

/// For the connection: it is on this machine.
const CONNECT: Duration = Duration::from_secs(4);
/// Longest answer that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Where it would be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    address: SocketAddr,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Running {
    /// "All addresses" is no address to connect to, so this machine stands for them.
    pub(super) fn of(config: &ServerConfig) -> Self {
        let address = config.listen_address();
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self { address: SocketAddr::new(ip, address.port()) }
    }

    pub(super) fn address(self) -> SocketAddr {
        self.address
    }

    /// One call; `patience` is for each piece of the answer.
    pub(super) fn call(
        self,
        method: &str,
        path: &str,
        bearer: Option<&Secret<String>>,
        patience: Duration,
    ) -> io::Result<Answer> {
        self.send((method, path), bearer, "", patience)
    }

    /// One call with a JSON body.
    pub(super) fn send(
        self,
        (method, path): (&str, &str),
        bearer: Option<&Secret<String>>,
        body: &str,
        patience: Duration,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(CONNECT))?;
        let bearer = bearer
            .map_or_else(String::new, |secret| format!("Authorization: Bearer {}\r\n", secret.expose()));
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{bearer}", self.address);
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let head = format!("{head}{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut text = String::new();
        stream.take(MOST_BYTES).read_to_string(&mut text)?;
        parse(&text).ok_or_else(|| io::Error::other("no HTTP answer"))
    }
}

/// Answers of the admin API are whole, so nothing is chunked.
fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_anything_else_is_none() {
        let answer = parse("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
        for odd in ["", "HTTP/1.1 200 OK", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 x\r\n\r\n"] {
            assert!(parse(odd).is_none(), "{odd}");
        }
    }
}
