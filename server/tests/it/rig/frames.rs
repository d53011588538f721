//! A vendor that speaks HTTP/2 frame by frame (RFC 9113), so that it can do what no well-behaved library does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

use super::certificates::Identity;

const ANSWER: &str = r#"{"id":"x","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

const NO_ERROR: u32 = 0;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const HTTP_1_1_REQUIRED: u32 = 13;

/// What the vendor does with a request that it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Answer,
    /// Never answers.
    Hold,
    /// GOAWAY that leaves this request out.
    GoAway,
    /// GOAWAY that names this request as the last one, and the end of the connection.
    GoAwayAfter,
    Reset(u32),
    /// Head and a beginning, and then a reset.
    ResetLate(u32),
}

#[derive(Default)]
struct State {
    /// What happens to the next requests, in their order; then they are answered.
    script: Vec<Act>,
    /// `h2` or `http/1.1`, and how many requests, of each connection.
    connections: Vec<(String, usize)>,
}

/// A running vendor.
pub(crate) struct Frames {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Frames {
    /// Offers these protocols; what comes in HTTP/1.1 is passed on to `plain`.
    pub(crate) async fn start(identity: &Identity, protocols: &[&str], plain: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, tasks) = (identity.acceptor(protocols), TaskTracker::new());
        let state = Arc::<Mutex<State>>::default();
        let (inner, shared) = (tasks.clone(), Arc::clone(&state));
        let task = tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                inner.spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let number = {
                        let connections = &mut state.lock().unwrap().connections;
                        connections.push((if h2 { "h2" } else { "http/1.1" }.to_owned(), 0));
                        connections.len() - 1
                    };
                    if h2 {
                        // A caller who leaves is part of the tests.
                        let _ended = serve(&mut stream, &state, number).await;
                    } else {
                        let mut inner = TcpStream::connect(plain).await.unwrap();
                        drop(copy_bidirectional(&mut stream, &mut inner).await);
                    }
                });
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What happens to the next requests.
    pub(crate) fn script(&self, acts: &[Act]) {
        self.state.lock().unwrap().script = acts.to_vec();
    }

    /// Protocol and number of HTTP/2 requests of each connection.
    pub(crate) fn connections(&self) -> Vec<(String, usize)> {
        self.state.lock().unwrap().connections.clone()
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Wire = TlsStream<TcpStream>;

async fn serve(wire: &mut Wire, state: &Mutex<State>, number: usize) -> std::io::Result<()> {
    let mut preface = [0; 24];
    wire.read_exact(&mut preface).await?;
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    frame(wire, 4, 0, 0, &[]).await?;
    loop {
        let mut head = [0; 9];
        wire.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut body = vec![0; usize::try_from(length).unwrap()];
        wire.read_exact(&mut body).await?;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match kind {
            4 if flags & 1 == 0 => frame(wire, 4, 1, 0, &[]).await?,
            6 if flags & 1 == 0 => frame(wire, 6, 1, 0, &body).await?,
            0 | 1 if flags & 1 == 1 => {
                let act = {
                    let mut state = state.lock().unwrap();
                    state.connections[number].1 += 1;
                    if state.script.is_empty() { Act::Answer } else { state.script.remove(0) }
                };
                match act {
                    Act::Answer => answer(wire, stream, true).await?,
                    Act::Hold => {}
                    Act::GoAway => go_away(wire, stream - 1).await?,
                    Act::GoAwayAfter => {
                        go_away(wire, stream).await?;
                        return wire.shutdown().await;
                    }
                    Act::Reset(code) => frame(wire, 3, 0, stream, &code.to_be_bytes()).await?,
                    Act::ResetLate(code) => {
                        answer(wire, stream, false).await?;
                        frame(wire, 3, 0, stream, &code.to_be_bytes()).await?;
                    }
                }
            }
            _ => {}
        }
    }
}

/// `:status: 200` and `content-type` in HPACK (RFC 7541), and the body or its beginning.
async fn answer(wire: &mut Wire, stream: u32, whole: bool) -> std::io::Result<()> {
    let mut headers = vec![0x88, 0x0f, 0x10, 16];
    headers.extend_from_slice(b"application/json");
    frame(wire, 1, 4, stream, &headers).await?;
    let body = if whole { ANSWER } else { &ANSWER[..40] };
    frame(wire, 0, u8::from(whole), stream, body.as_bytes()).await
}

async fn go_away(wire: &mut Wire, last: u32) -> std::io::Result<()> {
    let body = [last.to_be_bytes(), NO_ERROR.to_be_bytes()].concat();
    frame(wire, 7, 0, 0, &body).await
}

async fn frame(wire: &mut Wire, kind: u8, flags: u8, stream: u32, body: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(body);
    wire.write_all(&bytes).await?;
    wire.flush().await
}
