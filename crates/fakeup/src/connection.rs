//! One connection: requests are read whole, one after the other, and each is answered as planned.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::behaviour::Tokens;
use crate::control;
use crate::invoice::End;
use crate::play::play;
use crate::request::Received;
use crate::server::Shared;

/// Largest head that is read.
const MAX_HEAD: usize = 256 * 1024;

/// Serves a connection until either side ends it.
pub(crate) async fn serve(shared: &Arc<Shared>, mut stream: TcpStream, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut ahead = BytesMut::with_capacity(16 * 1024);
    loop {
        let request = match read_request(&mut stream, &mut ahead).await {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) => {
                shared.broken_request();
                return Err(error);
            }
        };
        if let Some(answer) = control::answer(shared, &request) {
            stream.write_all(&answer).await?;
            continue;
        }
        let leaves = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let request = Arc::new(request);
        let mut released = shared.released();
        let plan = shared.plan(&request);
        let line = shared.invoice.open(number, request, plan.billed, plan.status);
        let end = play(&mut stream, &mut ahead, &plan, &line, &mut released).await;
        shared.invoice.close(&line, end);
        if end != End::Finished || plan.close || leaves {
            return Ok(());
        }
    }
}

impl Tokens {
    /// All tokens, each once.
    pub fn total(&self) -> u64 {
        self.input + self.output + self.cache_read + self.cache_write
    }
}

/// The next request; `None` if the peer closed between two.
async fn read_request(stream: &mut TcpStream, ahead: &mut BytesMut) -> io::Result<Option<Received>> {
    let end = loop {
        if let Some(at) = memchr::memmem::find(ahead, b"\r\n\r\n") {
            break at;
        }
        if ahead.len() > MAX_HEAD {
            return Err(broken("the head is too long"));
        }
        if stream.read_buf(ahead).await? == 0 {
            return if ahead.is_empty() { Ok(None) } else { Err(broken("the head broke off")) };
        }
    };
    let head = ahead.split_to(end).freeze();
    ahead.advance(4);
    let (method, target, headers) = read_head(&head).ok_or_else(|| broken("the head makes no sense"))?;
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| v);
    let body = if header("transfer-encoding").is_some() {
        read_chunks(stream, ahead).await?
    } else {
        let length = match header("content-length") {
            Some(text) => text.parse().map_err(|_| broken("the length is no number"))?,
            None => 0,
        };
        read_exactly(stream, ahead, length).await?
    };
    Ok(Some(Received::new(method, target, headers, body)))
}

type Head = (String, String, Vec<(String, String)>);

fn read_head(head: &[u8]) -> Option<Head> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Some((method, target, headers))
}

async fn read_exactly(stream: &mut TcpStream, ahead: &mut BytesMut, length: usize) -> io::Result<Bytes> {
    ahead.reserve(length.saturating_sub(ahead.len()));
    while ahead.len() < length {
        if stream.read_buf(ahead).await? == 0 {
            return Err(broken("the body broke off"));
        }
    }
    Ok(ahead.split_to(length).freeze())
}

async fn read_chunks(stream: &mut TcpStream, ahead: &mut BytesMut) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let line = loop {
            if let Some(at) = memchr::memmem::find(ahead, b"\r\n") {
                break at;
            }
            if stream.read_buf(ahead).await? == 0 {
                return Err(broken("the chunks broke off"));
            }
        };
        let size = ahead.split_to(line);
        ahead.advance(2);
        let size = std::str::from_utf8(&size).ok().and_then(|text| text.split(';').next());
        let size = size.and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let size = size.ok_or_else(|| broken("a chunk's size is no number"))?;
        let piece = read_exactly(stream, ahead, size + 2).await?;
        body.extend_from_slice(piece.get(..size).unwrap_or_default());
        if size == 0 {
            return Ok(body.freeze());
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
