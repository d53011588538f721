//! One HTTP/1.1 connection, as cheap as it can be made: whole answers or events, no headers but the length.
//!
//! Written by hand so that the load costs less than what it measures. Good for this bench's own answers only.

use std::net::SocketAddr;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// One connection to a target.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// One answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Where the answer's head ends and how long its body is; no length means chunked.
struct Head {
    status: u16,
    end: usize,
    length: Option<usize>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a request and reads the whole answer; the status is all that is kept.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        let head = self.send(request).await?;
        match head.length {
            Some(length) => self.fill(head.end + length).await?,
            None => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.more().await?;
                }
            }
        }
        Ok(head.status)
    }

    /// As [`Connection::exchange`], with the body of an answer that tells its length.
    pub(crate) async fn fetch(&mut self, request: &[u8]) -> Result<Answer> {
        let status = self.exchange(request).await?;
        let end = memmem::find(&self.buffer, b"\r\n\r\n").map_or(0, |at| at + 4);
        Ok(Answer { status, body: self.buffer.get(end..).unwrap_or_default().to_vec() })
    }

    /// Sends a request for a stream and returns when its first event has begun to arrive.
    pub(crate) async fn start(&mut self, request: &[u8]) -> Result {
        let head = self.send(request).await?;
        if head.status != 200 {
            return Err(format!("a stream was answered with {}", head.status).into());
        }
        while memmem::find(self.buffer.get(head.end..).unwrap_or_default(), b"data: ").is_none() {
            self.more().await?;
        }
        Ok(())
    }

    /// Number of events that began since the last call, waiting for at least one read; none at the end.
    pub(crate) async fn events(&mut self) -> Result<Option<u64>> {
        if self.buffer.ends_with(b"0\r\n\r\n") {
            return Ok(None);
        }
        // An event may be cut anywhere; what could still grow into `data: ` stays.
        let keep = self.buffer.len().min(5);
        self.buffer.drain(..self.buffer.len() - keep);
        self.more().await?;
        Ok(Some(memmem::find_iter(&self.buffer, b"data: ").fold(0, |count, _| count + 1)))
    }

    async fn send(&mut self, request: &[u8]) -> Result<Head> {
        self.buffer.clear();
        self.socket.write_all(request).await?;
        loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                return head(self.buffer.get(..end).unwrap_or_default(), end + 4);
            }
            self.more().await?;
        }
    }

    async fn fill(&mut self, size: usize) -> Result {
        while self.buffer.len() < size {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result {
        if self.socket.read_buf(&mut self.buffer).await? == 0 {
            return Err("the connection was closed in the middle of an answer".into());
        }
        Ok(())
    }
}

fn head(bytes: &[u8], end: usize) -> Result<Head> {
    let status =
        bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|d| d.parse().ok());
    let length = bytes.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        if !name.eq_ignore_ascii_case(b"content-length:") {
            return None;
        }
        std::str::from_utf8(value).ok()?.trim().parse().ok()
    });
    Ok(Head { status: status.ok_or("not an HTTP answer")?, end, length })
}
