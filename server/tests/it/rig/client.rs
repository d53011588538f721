//! A caller: one connection for each request, a strict HTTP parser, and nothing that happens behind one's back.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{Rig, SOON};

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// What it will be known by in the log.
    pub(crate) id: String,
}

impl Ask {
    pub(crate) fn post(target: &str, body: impl Into<Bytes>) -> Self {
        let id = format!("t-{:016x}", rand::random::<u64>());
        let headers =
            vec![("content-type".into(), "application/json".into()), ("x-request-id".into(), id.clone())];
        Self { method: Method::POST, target: target.to_owned(), headers, body: body.into(), id }
    }

    pub(crate) fn get(target: &str) -> Self {
        let mut ask = Self::post(target, Bytes::new());
        ask.method = Method::GET;
        ask.headers.remove(0);
        ask
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }
}

/// An answer that has begun.
pub(crate) struct Open {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    connection: Caller,
}

/// The connection; it is closed when this is dropped.
struct Caller(JoinHandle<()>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the framing came to its end.
    pub(crate) whole: bool,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The stable code of an error in whichever dialect, and whether the request's id is in it.
    pub(crate) fn code(&self) -> String {
        let value = self.json();
        let code = value["error"]["code"]
            .as_str()
            .or(value.pointer("/error/details/0/reason").and_then(Value::as_str));
        code.unwrap_or_else(|| panic!("no code: {value}")).to_owned()
    }
}

impl Open {
    /// The next piece; `None` at the end, an error if the framing breaks.
    pub(crate) async fn piece(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.expect("a piece in time")?;
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(piece)) => return Some(Ok(piece)),
                Ok(Err(_trailers)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Reads until this text has come, and answers everything so far.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut so_far = String::new();
        while !so_far.contains(text) {
            let piece = self.piece().await.unwrap_or_else(|| panic!("ended before '{text}': {so_far}"));
            so_far.push_str(&String::from_utf8_lossy(&piece.unwrap()));
        }
        so_far
    }

    /// Reads to the end.
    pub(crate) async fn rest(mut self) -> Got {
        let (mut body, mut whole) = (Vec::new(), true);
        while let Some(piece) = self.piece().await {
            let Ok(piece) = piece else {
                whole = false;
                break;
            };
            body.extend_from_slice(&piece);
        }
        drop(self.connection);
        Got { status: self.status.as_u16(), headers: self.headers, body: body.into(), whole }
    }
}

impl Rig {
    /// Sends and waits for the head of the answer.
    pub(crate) async fn open(&self, ask: Ask) -> Open {
        let (response, connection) = self.send(ask).await;
        let response =
            tokio::time::timeout(SOON, response).await.expect("an answer in time").expect("an answer");
        let (head, body) = response.into_parts();
        Open { status: head.status, headers: head.headers, body, connection: Caller(connection) }
    }

    /// Sends and reads the whole answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Got {
        self.open(ask).await.rest().await
    }

    /// Sends, waits until the vendor has the request, and leaves.
    pub(crate) async fn ask_and_leave(&self, ask: Ask) {
        let seen = self.upstream.invoice().len();
        let (response, connection) = self.send(ask).await;
        let caller = Caller(connection);
        let waiting = async { drop(response.await) };
        tokio::select! {
            () = waiting => panic!("it was answered"),
            entries = self.upstream.until(SOON, |entries| entries.len() > seen) => assert!(entries.len() > seen),
        }
        drop(caller);
    }

    async fn send(
        &self,
        ask: Ask,
    ) -> (impl Future<Output = hyper::Result<http::Response<Incoming>>>, JoinHandle<()>) {
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.unwrap();
        let task = TaskTracker::new().spawn(async {
            // A server that ends a broken stream by closing is what many tests are about.
            drop(connection.await);
        });
        let mut request =
            Request::builder().method(ask.method).uri(ask.target).header("host", "tollgate.test");
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::<Bytes>::new(ask.body)).unwrap();
        (async move { sender.send_request(request).await }, task)
    }
}
