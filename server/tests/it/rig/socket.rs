//! A caller's end of a WebSocket on `/v1/responses`.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Rig, SOON};
use crate::harness::Answer;

/// An open socket.
pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Rig {
    /// Opens a socket with the rig's key.
    pub(crate) async fn socket(&self) -> Socket {
        let key = format!("Bearer {}", self.key);
        self.socket_with(&[("authorization", &key)]).await.expect("a socket")
    }

    /// Opens a socket with these headers, or gives the status that came instead.
    pub(crate) async fn socket_with(&self, headers: &[(&str, &str)]) -> Result<Socket, u16> {
        let mut request = "ws://tollgate.test/v1/responses".into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        let opening = tokio_tungstenite::client_async(request, self.server.connect().await);
        match tokio::time::timeout(SOON, opening).await.expect("a handshake in time") {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A handshake as bytes, and the whole answer to it.
    pub(crate) async fn handshake(&self, path: &str, headers: &str) -> Answer {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        self.server.raw(head).await
    }
}

impl Socket {
    /// Sends a message as it is.
    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("sent");
    }

    /// Sends a request.
    pub(crate) async fn create(&mut self, body: Value) {
        let mut message = json!({"type": "response.create", "model": "m-1"});
        for (name, value) in body.as_object().unwrap() {
            message[name] = value.clone();
        }
        self.send(Message::text(message.to_string())).await;
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(SOON, self.0.next()).await.expect("a message in time");
            match message.expect("still open").expect("a message") {
                Message::Text(text) => return serde_json::from_str(text.as_str()).expect("JSON"),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// All events up to the last one of a response, or up to an error.
    pub(crate) async fn response(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let kind = event["type"].as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
            events.push(event);
            let last = ["response.completed", "response.incomplete", "response.failed", "error"];
            if last.contains(&kind.as_str()) {
                return events;
            }
        }
    }

    /// The end of a response.
    pub(crate) async fn last(&mut self) -> Value {
        self.response().await.pop().unwrap()
    }

    /// Reads up to the close; what was said before it, and its frame.
    pub(crate) async fn closed(&mut self) -> (Vec<Value>, Option<CloseFrame>) {
        let (mut said, mut end) = (Vec::new(), None);
        loop {
            match tokio::time::timeout(SOON, self.0.next()).await.expect("closed in time") {
                Some(Ok(Message::Text(text))) => said.push(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Close(frame))) => end = frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (said, end),
            }
        }
    }
}

/// The text that the deltas of a response add up to.
pub(crate) fn text_of(events: &[Value]) -> String {
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    deltas.map(|event| event["delta"].as_str().unwrap_or_default()).collect()
}
