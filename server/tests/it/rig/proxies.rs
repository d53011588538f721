//! Outbound proxies that lead everything to one vendor, and remember what they were asked for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// What a proxy does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// HTTP: CONNECT, and whole addresses.
    Http,
    /// HTTP that refuses every CONNECT.
    HttpWithoutTunnels,
    Socks,
}

/// A running proxy. It wants `user` and `p@ss` if it wants anything.
pub(crate) struct FakeProxy {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl FakeProxy {
    pub(crate) async fn start(manner: Manner, target: SocketAddr, wants_login: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tasks, seen) = (TaskTracker::new(), Arc::<Mutex<Vec<String>>>::default());
        let (inner, noted) = (tasks.clone(), Arc::clone(&seen));
        let task = tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                inner.spawn(async move {
                    // Whoever breaks off is part of the tests.
                    let _ended = match manner {
                        Manner::Socks => socks(stream, target, wants_login, &noted).await,
                        _ => http(stream, manner, target, wants_login, &noted).await,
                    };
                });
            }
        });
        Self { address, seen, task }
    }

    /// What it was asked for, in order: request lines, or `host:port`.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Its address with the right login.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://user:p%40ss@{}", self.address)
    }

    /// Its address without a login.
    pub(crate) fn bare_url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn http(
    mut stream: TcpStream,
    manner: Manner,
    target: SocketAddr,
    wants_login: bool,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    seen.lock().unwrap().push(line.to_owned());
    let login = format!("basic {}", base64::engine::general_purpose::STANDARD.encode("user:p@ss"));
    let given =
        headers.lines().any(|line| line.eq_ignore_ascii_case(&format!("proxy-authorization: {login}")));
    if wants_login && !given {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\
                       content-length: 0\r\nconnection: close\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).await;
    }
    let words: Vec<_> = line.split(' ').collect();
    if words[0] == "CONNECT" {
        if matches!(manner, Manner::HttpWithoutTunnels) {
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        }
        let mut inner = TcpStream::connect(target).await?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        return copy_bidirectional(&mut stream, &mut inner).await.map(drop);
    }
    let mut inner = TcpStream::connect(target).await?;
    let path = words[1].splitn(4, '/').nth(3).unwrap();
    // One request for each connection, so that every one is seen; its login goes no further.
    let rest: String = headers
        .split_inclusive("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
        .collect();
    inner
        .write_all(format!("{} /{path} HTTP/1.1\r\nconnection: close\r\n{rest}", words[0]).as_bytes())
        .await?;
    copy_bidirectional(&mut stream, &mut inner).await.map(drop)
}

async fn socks(
    mut stream: TcpStream,
    target: SocketAddr,
    wants_login: bool,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let method = u8::from(wants_login) * 2;
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, method]).await?;
    if wants_login {
        assert_eq!(stream.read_u8().await?, 1);
        let login = [text(&mut stream).await?, text(&mut stream).await?];
        let right = login == ["user", "p@ss"];
        stream.write_all(&[1, u8::from(!right)]).await?;
        if !right {
            return Ok(());
        }
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = if head[3] == 3 {
        text(&mut stream).await?
    } else {
        let mut address = [0; 4];
        stream.read_exact(&mut address).await?;
        std::net::Ipv4Addr::from(address).to_string()
    };
    let port = stream.read_u16().await?;
    seen.lock().unwrap().push(format!("{host}:{port}"));
    let mut inner = TcpStream::connect(target).await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut stream, &mut inner).await.map(drop)
}

async fn text(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(String::from_utf8(bytes).unwrap())
}
