//! Asks name servers for the addresses of a name (RFC 1035, RFC 3596): what `DNS_SERVERS` switches on.
//!
//! It asks servers that look everything up themselves, and follows no referrals. It remembers nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::select;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::resolve::LookupError;

const IPV4: u16 = 1;
const IPV6: u16 = 28;
/// How long to wait for the other family's addresses once there are some (RFC 8305 §3).
const OTHER_FAMILY: Duration = Duration::from_millis(50);

/// The servers to ask, in their order.
#[derive(Debug)]
pub(super) struct Servers {
    addresses: Vec<SocketAddr>,
    /// For one try: longer than anybody waits, so that a late answer serves the next request.
    patience: Duration,
    /// After how much silence the next one is asked.
    stagger: Duration,
}

impl Servers {
    pub(super) fn new(addresses: Vec<SocketAddr>, patience: Duration) -> Self {
        let tries = u32::try_from(addresses.len().max(2)).unwrap_or(2);
        Self { addresses, patience: patience * 4, stagger: patience / tries }
    }
}

/// The addresses of a name of both families, IPv4 first.
pub(super) async fn lookup(servers: &Servers, name: &str) -> Result<Vec<IpAddr>, LookupError> {
    let four = Box::pin(ask(servers, name, IPV4));
    let six = Box::pin(ask(servers, name, IPV6));
    let (first, rest) = select(four, six).await.factor_first();
    let second = match &first {
        Ok(found) if !found.is_empty() => timeout(OTHER_FAMILY, rest).await.unwrap_or(Ok(Vec::new())),
        _ => rest.await,
    };
    let mut found = match (first, second) {
        (Ok(mut first), Ok(second)) => {
            first.extend(second);
            first
        }
        (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.is_empty() => found,
        (Err(LookupError::Missing), Ok(_) | Err(LookupError::Missing))
        | (Ok(_), Err(LookupError::Missing)) => {
            return Err(LookupError::Missing);
        }
        (_, Err(error)) | (Err(error), _) => return Err(error),
    };
    found.sort_by_key(IpAddr::is_ipv6);
    Ok(found)
}

/// One question, to each server in turn; to a single one twice, since datagrams get lost.
async fn ask(servers: &Servers, name: &str, kind: u16) -> Result<Vec<IpAddr>, LookupError> {
    let again = if servers.addresses.len() == 1 { servers.addresses.first() } else { None };
    let mut left = servers.addresses.iter().chain(again);
    let mut open = FuturesUnordered::new();
    let mut failed = LookupError::Failed("no name server is known".into());
    loop {
        // The next one is asked when one has failed, or has been silent for a while; the silent ones may still answer.
        if let Some(server) = left.next() {
            open.push(ask_one(*server, name, kind, servers.patience));
        }
        match timeout(servers.stagger, open.next()).await {
            Err(_) => {}
            Ok(Some(Err(error @ LookupError::Failed(_)))) => failed = error,
            Ok(Some(definite)) => return definite,
            Ok(None) => return Err(failed),
        }
    }
}

async fn ask_one(
    server: SocketAddr,
    name: &str,
    kind: u16,
    patience: Duration,
) -> Result<Vec<IpAddr>, LookupError> {
    let id = rand::random();
    let question = question(id, name, kind).ok_or(LookupError::Missing)?;
    let failed = |what: &str| LookupError::Failed(format!("the name server {server} {what}"));
    match timeout(patience, exchange(server, id, &question)).await {
        Err(_) => Err(failed("does not answer")),
        Ok(Err(error)) => Err(failed(&format!("cannot be asked: {error}"))),
        Ok(Ok(answer)) => match read(&answer, kind) {
            Some((0, found)) => Ok(found),
            Some((3, _)) => Err(LookupError::Missing),
            Some((2, _)) => Err(failed("failed (SERVFAIL)")),
            Some((code, _)) => Err(failed(&format!("refused (code {code})"))),
            None => Err(failed("answers nonsense")),
        },
    }
}

async fn exchange(server: SocketAddr, id: u16, question: &[u8]) -> io::Result<Vec<u8>> {
    let here: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(here).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; 4_096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // Anything else is a late answer to somebody else, or made up.
        if answer.get(..2) == Some(&id.to_be_bytes()[..]) && length >= 12 {
            answer.truncate(length);
            break;
        }
    }
    let is_cut = answer.get(2).is_some_and(|flags| flags & 0x02 != 0);
    if is_cut { over_tcp(server, question).await } else { Ok(answer) }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_u16(u16::try_from(question.len()).map_err(io::Error::other)?).await?;
    stream.write_all(question).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// `None` if no such name can exist.
fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(name.len() + 18);
    message.extend_from_slice(&id.to_be_bytes());
    // Recursion desired, one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    (name.len() <= 253).then_some(message)
}

/// The response code and the addresses; `None` if it cannot be read.
fn read(message: &[u8], kind: u16) -> Option<(u8, Vec<IpAddr>)> {
    let is_answer = message.get(2)? & 0x80 != 0;
    let code = message.get(3)? & 0x0f;
    let (questions, answers) = (number(message, 4)?, number(message, 6)?);
    if !is_answer {
        return None;
    }
    let mut at = 12;
    for _ in 0..questions {
        at = after_name(message, at)? + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        at = after_name(message, at)?;
        let length = usize::from(number(message, at + 8)?);
        let data = message.get(at + 10..at + 10 + length)?;
        if number(message, at)? == kind {
            let four = <[u8; 4]>::try_from(data).map(IpAddr::from);
            found.push(four.or_else(|_| <[u8; 16]>::try_from(data).map(IpAddr::from)).ok()?);
        }
        at += 10 + length;
    }
    Some((code, found))
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]))
}

/// Where a name ends: at its empty label, or behind a pointer (RFC 1035 §4.1.4).
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_with_an_alias_before_the_address_is_read() {
        let mut message = question(7, "api.example.com", IPV4).unwrap();
        message[2] = 0x81;
        message[7] = 2;
        // CNAME with a pointer back, then the address.
        message.extend_from_slice(&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'b', 0xc0, 16]);
        message.extend_from_slice(&[1, b'b', 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        assert_eq!(read(&message, IPV4), Some((0, vec![IpAddr::from([192, 0, 2, 7])])));
        assert_eq!(read(&message, IPV6), Some((0, Vec::new())));
        message[3] = 3;
        assert_eq!(read(&message, IPV4).unwrap().0, 3);
    }

    #[test]
    fn names_that_cannot_exist_are_not_asked_for() {
        let long = "a".repeat(64);
        for name in ["", "a..b", &long, &"a.".repeat(140)] {
            assert!(question(1, name, IPV4).is_none(), "{name}");
        }
        assert!(question(1, "a.example.", IPV6).is_some());
    }

    proptest! {
        #[test]
        fn no_answer_whatever_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = read(&bytes, IPV4);
        }
    }
}
