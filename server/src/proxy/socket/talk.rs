//! The life of a WebSocket after its handshake: messages in, messages out, one response at a time.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::HeaderMap;
use futures_util::{SinkExt, StreamExt};
use gateway::Refusal;
use gateway::socket::{Create, Socket, error_message};
use http_body_util::BodyExt;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use types::RequestId;
use types::dialect::{Dialect, Endpoint};

use super::incoming::{Incoming, fault_of};
use super::turn::Turn;
use crate::listener::Peer;
use crate::middleware::body_limit::BodyFault;
use crate::middleware::request_id::RequestIds;
use crate::proxy::context::Context;
use crate::proxy::forward;
use crate::state::AppState;

/// How long the other end has for its half of a close.
const CLOSING: Duration = Duration::from_secs(1);
/// What a message may have beside the body of its request; bytes.
const ENVELOPE: usize = 4 << 10;

type Wire = WebSocketStream<Incoming<TokioIo<Upgraded>>>;

/// Where a socket's requests come from.
pub(super) struct Line {
    pub(super) state: AppState,
    /// The headers of each request.
    pub(super) headers: HeaderMap,
    pub(super) path: String,
    pub(super) peer: Peer,
    /// Of the handshake.
    pub(super) id: RequestId,
    pub(super) client_ip: IpAddr,
}

/// Why a socket is closed: the code and words of the frame.
struct End(CloseCode, &'static str);

/// Talks until one side has enough.
pub(super) async fn run(upgrade: OnUpgrade, line: Line, socket: Socket) {
    let Ok(upgraded) = upgrade.await else { return };
    let limits = line.state.config.edge;
    let most = limits.body_bytes.saturating_add(ENVELOPE);
    let config = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(8 << 10)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let io = Incoming::new(TokioIo::new(upgraded), limits, line.state.bodies.clone());
    let wire = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let began = Instant::now();
    let mut talk = Talk { wire, socket, turn: None, heard: began, rested: began, answers: 0, line };
    let why = match talk.talk().await {
        Ok(End(code, reason)) => {
            talk.close(code, reason).await;
            reason
        }
        Err(_gone) => "the other end is gone",
    };
    let Talk { line, answers, .. } = &talk;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        target: "tollgate::access", request_id = %line.id, path = line.path, responses = answers, duration_ms, why,
        client_ip = %line.client_ip, "websocket closed"
    );
}

struct Talk {
    wire: Wire,
    socket: Socket,
    turn: Option<Turn>,
    /// When anything came last.
    heard: Instant,
    /// Since when no response runs.
    rested: Instant,
    answers: u64,
    line: Line,
}

impl Talk {
    async fn talk(&mut self) -> Result<End, Error> {
        let limits = self.line.state.config.edge;
        let draining = self.line.state.gateway.draining();
        let end_of_life = Instant::now() + limits.socket_life;
        let mut ping = tokio::time::interval(limits.socket_ping);
        ping.reset();
        loop {
            if self.turn.is_none() {
                if draining.is_cancelled() {
                    return Ok(End(CloseCode::Away, "Tollgate is shutting down"));
                }
                if end_of_life <= Instant::now() {
                    self.say(self.outlived()).await?;
                    return Ok(End(CloseCode::Normal, "the connection is too old"));
                }
            }
            let idle_until = self.rested + limits.socket_idle;
            let resting = self.turn.is_none();
            tokio::select! {
                biased;
                message = self.wire.next() => match message {
                    None => return Ok(End(CloseCode::Normal, "the other end closed")),
                    Some(message) => if let Some(end) = self.hear(message).await? { return Ok(end) },
                },
                messages = next(&mut self.turn, &mut self.socket) => self.pass(messages).await?,
                () = draining.cancelled(), if resting => {}
                () = tokio::time::sleep_until(end_of_life), if resting => {}
                () = tokio::time::sleep_until(idle_until), if resting => {
                    return Ok(End(CloseCode::Normal, "idle for too long"));
                }
                _ = ping.tick() => {
                    if self.heard.elapsed() > limits.socket_ping * 3 {
                        return Ok(End(CloseCode::Away, "pings were not answered"));
                    }
                    self.wire.send(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Takes what came: a request begins, or is refused in words.
    async fn hear(&mut self, message: Result<Message, Error>) -> Result<Option<End>, Error> {
        self.heard = Instant::now();
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Binary(_)) => {
                let _memory = self.wire.get_mut().take();
                let refusal = Refusal::bad_request("messages are JSON as text; this one was binary");
                self.refuse(&refusal, None).await?;
                return Ok(None);
            }
            // Tungstenite answers pings and closes by itself.
            Ok(_) => {
                self.wire.get_mut().skip_control();
                return Ok(None);
            }
            Err(error) => return self.unreadable(error).await,
        };
        let memory = self.wire.get_mut().take();
        let read = self.socket.read(text.as_bytes());
        drop(text);
        let create = match read {
            Ok(create) => create,
            Err(wrong) => {
                self.refuse(&wrong.refusal, wrong.stream_id.as_deref()).await?;
                return Ok(None);
            }
        };
        if self.turn.is_some() {
            let refusal = Refusal::new(
                409,
                "response_in_flight",
                "a response runs on this WebSocket; wait for its last event, or open another connection",
            );
            self.refuse(&refusal, create.stream_id.as_deref()).await?;
        } else if create.generate {
            self.turn = Some(Turn::begin(&self.line, create, memory));
        } else {
            self.warm_up(&create).await?;
        }
        Ok(None)
    }

    async fn warm_up(&mut self, create: &Create) -> Result<(), Error> {
        let stream_id = create.stream_id.as_deref();
        match self.socket.warm_up(self.ingress(), create) {
            Ok(events) => {
                for event in events {
                    let event = gateway::socket::with_stream_id(&event.to_string(), stream_id);
                    self.wire.feed(Message::text(event)).await?;
                }
                self.rested = Instant::now();
                self.wire.flush().await
            }
            Err(reply) => {
                let body =
                    reply.body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                self.say(error_message(reply.status.as_u16(), &reply.headers, &body, stream_id)).await
            }
        }
    }

    /// What a request of this socket looks like to the engine, apart from its body.
    fn ingress(&self) -> gateway::Ingress {
        let mut request = http::Request::new(());
        *request.headers_mut() = self.line.headers.clone();
        request.extensions_mut().insert(self.line.peer.clone());
        request.extensions_mut().insert(crate::middleware::client_ip::ClientIp(self.line.client_ip));
        let (parts, ()) = request.into_parts();
        let context = Context::of(&self.line.state, &parts);
        forward::ingress(Endpoint::Responses, None, None, parts, &context)
    }

    async fn pass(&mut self, messages: Vec<String>) -> Result<(), Error> {
        for message in messages {
            self.wire.feed(Message::text(message)).await?;
        }
        self.wire.flush().await?;
        if let Some(turn) = self.turn.take_if(|turn| turn.is_over()) {
            turn.finish().await;
            self.answers += 1;
            self.rested = Instant::now();
        }
        Ok(())
    }

    /// What came cannot be understood as a message, so nothing after it can be either.
    async fn unreadable(&mut self, error: Error) -> Result<Option<End>, Error> {
        let (refusal, end) = match &error {
            Error::Capacity(_) => (
                BodyFault::TooLarge(self.line.state.config.edge.body_bytes).refusal(),
                End(CloseCode::Size, "the message is too large"),
            ),
            Error::Utf8(_) => (
                Refusal::bad_request("the message is no valid UTF-8"),
                End(CloseCode::Invalid, "the message is no valid UTF-8"),
            ),
            Error::Protocol(wrong) => (
                Refusal::bad_request(format!("the WebSocket's framing is broken: {wrong}")),
                End(CloseCode::Protocol, "the framing is broken"),
            ),
            Error::Io(io) => match fault_of(io) {
                Some(fault) => {
                    (fault.refusal(), End(CloseCode::Policy, "the message came too slowly or had no room"))
                }
                None => return Err(error),
            },
            _ => return Err(error),
        };
        self.line.peer.linger();
        self.refuse(&refusal, None).await?;
        Ok(Some(end))
    }

    fn outlived(&self) -> String {
        let minutes = self.line.state.config.edge.socket_life.as_secs() / 60;
        self.worded(
            &Refusal::new(
                400,
                "websocket_connection_limit_reached",
                format!("Responses websocket connection limit reached ({minutes} minutes). Create a new websocket connection to continue."),
            ),
            None,
        )
    }

    fn worded(&self, refusal: &Refusal, stream_id: Option<&str>) -> String {
        let ids = RequestIds { own: self.line.id, client: None };
        let body = protocol::error::render(
            Dialect::OpenAiResponses,
            &protocol::error::ErrorBody {
                status: refusal.status,
                code: refusal.code,
                message: &refusal.message,
                request_id: &ids.shown(),
                details: (!refusal.details.is_empty()).then(|| (*refusal.details).clone()),
            },
        );
        error_message(refusal.status, &HeaderMap::new(), &body, stream_id)
    }

    async fn refuse(&mut self, refusal: &Refusal, stream_id: Option<&str>) -> Result<(), Error> {
        self.say(self.worded(refusal, stream_id)).await
    }

    async fn say(&mut self, message: String) -> Result<(), Error> {
        self.wire.send(Message::text(message)).await
    }

    /// Says goodbye, and waits a moment for the other end to say so too.
    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let bye = async {
            let frame = CloseFrame { code, reason: reason.into() };
            if self.wire.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.wire.next().await {}
            }
        };
        let _in_time = tokio::time::timeout(CLOSING, bye).await;
        let _best_effort = self.wire.get_mut().shutdown().await;
    }
}

/// The next messages of the response that runs; waits for ever if none does.
async fn next(turn: &mut Option<Turn>, socket: &mut Socket) -> Vec<String> {
    match turn {
        Some(turn) => turn.next(socket).await,
        None => std::future::pending().await,
    }
}
