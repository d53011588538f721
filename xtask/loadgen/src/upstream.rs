//! The vendor of the bench: answers as fast as a socket can, so that what is measured is the proxy.
//!
//! `fakeup`, the fake upstream of the tests, keeps books and tells lies; here that would only cost time. Runs as a
//! process of its own and reads no more of a request than its length and the mode in its first bytes.

use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Result;
use crate::request::{BURST, FIRST, OPEN, PACE, PACED};

const ANSWER: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench-model","choices":[{"index":0,"message":{"role":"assistant","content":"The quick brown fox jumps over the lazy dog, again and again, until the bench has measured what it came for."},"finish_reason":"stop"}],"usage":{"prompt_tokens":512,"completion_tokens":24,"total_tokens":536}}"#;

const EVENT: &str = "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" fox\"},\"finish_reason\":null}]}\n\n";

const LAST: &str = "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":512,\"completion_tokens\":100,\"total_tokens\":612}}\n\ndata: [DONE]\n\n";

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// Prints its address on standard output and serves until it is ended.
pub(crate) async fn serve() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await?;
        connections.spawn(async move {
            // The other side hanging up is how every connection ends.
            let _hung_up = connection(socket).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(mut socket: TcpStream) -> Result {
    socket.set_nodelay(true)?;
    let plain = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let Some((head, length)) = read_head(&mut socket, &mut buffer).await? else { return Ok(()) };
        while buffer.len() < head + length {
            if socket.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let body = buffer.get(head..).unwrap_or_default();
        let start = body.get(..body.len().min(256)).unwrap_or_default();
        let asked = |mode: &str| memmem::find(start, mode.as_bytes()).is_some();
        match () {
            () if asked(FIRST) => events(&mut socket, 1, None).await?,
            () if asked(BURST) => events(&mut socket, 100, None).await?,
            () if asked(PACED) => events(&mut socket, usize::MAX, Some(PACE)).await?,
            () if asked(OPEN) => events(&mut socket, usize::MAX, Some(Duration::from_secs(2))).await?,
            () => socket.write_all(plain.as_bytes()).await?,
        }
        buffer.drain(..head + length);
    }
}

/// Length of the head and of the body; none when the other side has closed.
async fn read_head(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<(usize, usize)>> {
    loop {
        if let Some(end) = memmem::find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            // Checks of credentials ask for the list of models, without a body.
            let length = length.or_else(|| head.starts_with("get ").then_some("0"));
            let length =
                length.ok_or("a request without content-length reached the upstream")?.trim().parse()?;
            return Ok(Some((end + 4, length)));
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn events(socket: &mut TcpStream, count: usize, pace: Option<Duration>) -> Result {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    socket.write_all(format!("{STREAM_HEAD}{}", chunk(EVENT)).as_bytes()).await?;
    let event = chunk(EVENT);
    let mut beat = pace.map(tokio::time::interval);
    if let Some(beat) = &mut beat {
        beat.tick().await;
    }
    for _ in 1..count {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        socket.write_all(event.as_bytes()).await?;
    }
    socket.write_all(format!("{}0\r\n\r\n", chunk(LAST)).as_bytes()).await?;
    Ok(())
}
