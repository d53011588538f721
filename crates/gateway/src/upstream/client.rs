//! The way to an upstream: pooled connections without redirects, cookies or decompression of their own, directly or
//! through an outbound proxy.
//!
//! Most upstreams of a gateway are asked often and answer one request at a time, so an HTTP/1.1 connection runs
//! inside the request that uses it: no task of its own, nobody to wake. HTTP/2 connections, which many requests
//! share, have a task.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{error::Error, future::poll_fn};

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::answer::{Answer, AnswerBody};
use super::connect::{Connector, causes, last_cause};
use super::pool::{Origin, Pool, Way};
use super::request::Prepared;
use super::stream::Stream;
use super::{ConnectStep, SendError};

/// Shared connections that may refuse one request.
const MOST_REFUSALS: u8 = 4;

/// What goes upstream.
pub(super) type Outgoing = Request<Full<Bytes>>;

/// Connects, and keeps connections for the next request.
pub(super) struct Client {
    connector: Connector,
    /// Whether HTTP/2 is offered.
    wants_http2: bool,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    pool: Arc<Pool>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// What became of a request on a shared connection.
enum Shot {
    Answered(Box<Answer>),
    /// The peer has not looked at it, and will not.
    NotSent {
        /// It wants to be asked in HTTP/1.1.
        wants_http1: bool,
    },
    Lost(String),
}

impl Client {
    pub(super) fn new(connector: Connector, wants_http2: bool) -> Self {
        let mut http1 = http1::Builder::new();
        http1.max_headers(128).max_buf_size(64 * 1024);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            // A whole window per stream, so that one slow reader does not starve its neighbours on the connection.
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
            .keep_alive_interval(Duration::from_secs(20));
        Self { connector, wants_http2, http1, http2, pool: Pool::new() }
    }

    pub(super) async fn send(&self, request: Prepared) -> Result<Answer, SendError> {
        let origin = Origin::of(&request.uri)?;
        let mut retried = false;
        let mut turned_away = 0_u8;
        let mut http2 = self.wants_http2 && !self.pool.avoids_http2(&origin);
        loop {
            let (way, reused) = match self.pool.take(&origin) {
                Some(way) => (way, true),
                // Boxed: it is rare, and large.
                None => (Box::pin(self.connect(&origin, http2)).await?, false),
            };
            match way {
                Way::Own(line) => match self.over_own(line, &origin, &request).await? {
                    Ok(answer) => return self.unless_refused(&origin, answer),
                    // It was closed before anything was sent, so nothing has happened.
                    Err(error) if reused && error.message().is_some() => {}
                    // A pooled connection turned out to be closed by the peer before any byte of an answer (U47):
                    // the one case in which sending again cannot double anything that the peer has not thrown away
                    // itself.
                    Err(error) if reused && !retried && error.error().is_incomplete_message() => {
                        retried = true;
                    }
                    Err(error) => return Err(SendError::NoAnswer(last_cause(error.error()))),
                },
                Way::Shared(shared) => match over_shared(&shared, &request).await? {
                    Shot::Answered(answer) => return Ok(*answer),
                    Shot::Lost(why) => return Err(SendError::NoAnswer(why)),
                    // A connection at its end is replaced; if a new one serves no better, HTTP/1.1 is left.
                    Shot::NotSent { wants_http1 } => {
                        self.pool.forget(&origin, &shared);
                        turned_away += 1;
                        if turned_away == MOST_REFUSALS {
                            return Err(SendError::Connect {
                                step: ConnectStep::Tcp,
                                message: "HTTP/2 is refused on every connection".into(),
                            });
                        }
                        if wants_http1 || !reused {
                            tracing::info!(
                                host = origin.host_text(),
                                "HTTP/2 is refused; going on in HTTP/1.1"
                            );
                            self.pool.avoid_http2(&origin);
                            http2 = false;
                        }
                    }
                },
            }
        }
    }

    async fn over_own(
        &self,
        mut line: Box<Line>,
        origin: &Origin,
        request: &Prepared,
    ) -> Result<Result<Answer, TrySendError<Outgoing>>, SendError> {
        let mut request = request.to_http()?;
        // On HTTP/1.1 the host is a header and the target is the path alone, unless a proxy reads it.
        request.headers_mut().insert(HOST, origin.host());
        if let Some(proxy) = self.connector.asks_proxy(origin) {
            if let Some(login) = proxy.authorization() {
                request.headers_mut().insert(PROXY_AUTHORIZATION, login);
            }
        } else {
            *request.uri_mut() = request.uri().path_and_query().cloned().map_or_else(Uri::default, Uri::from);
        }
        Ok(line.exchange(request).await.map(|response| {
            answer(response, |body| {
                AnswerBody::line(body, Held { line, origin: origin.clone(), pool: Arc::clone(&self.pool) })
            })
        }))
    }

    /// An upstream never answers 407: it is the proxy that reads the request, which has gone no further.
    fn unless_refused(&self, origin: &Origin, answer: Answer) -> Result<Answer, SendError> {
        match self.connector.asks_proxy(origin) {
            Some(proxy) if answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(proxy.sign_in_failed().into())
            }
            _ => Ok(answer),
        }
    }

    /// Opens a connection. Where HTTP/2 was agreed on, it is shared with the requests that follow.
    async fn connect(&self, origin: &Origin, http2: bool) -> Result<Way, SendError> {
        let (stream, agreed) = self.connector.connect(origin, http2).await?;
        let broken = |error: hyper::Error| SendError::Connect {
            step: ConnectStep::Tcp,
            message: causes(&error).last().map(ToString::to_string).unwrap_or_default(),
        };
        if agreed {
            let (sender, connection) = self.http2.handshake(stream).await.map_err(broken)?;
            TokioExecutor::new().execute(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to an upstream ended");
                }
            });
            let new = Shared { sender, sharing: Sharing::default() };
            return Ok(Way::Shared(self.pool.share(origin, new)));
        }
        let (sender, connection) = self.http1.handshake(stream).await.map_err(broken)?;
        Ok(Way::Own(Box::new(Line { sender, connection: Some(connection) })))
    }
}

async fn over_shared(shared: &Shared, request: &Prepared) -> Result<Shot, SendError> {
    let request = request.to_http()?;
    let sharing = || Arc::clone(&shared.sharing);
    Ok(match shared.sender.clone().try_send_request(request).await {
        Ok(response) => {
            Shot::Answered(Box::new(answer(response, |body| AnswerBody::shared(body, sharing()))))
        }
        Err(error) if error.message().is_some() => Shot::NotSent { wants_http1: false },
        Err(error) => match refusal(error.error()) {
            Some(wants_http1) => Shot::NotSent { wants_http1 },
            None => Shot::Lost(last_cause(error.error())),
        },
    })
}

/// Whether the peer says that it has not processed a request, and so (the value) wants HTTP/1.1.
///
/// Of a GOAWAY only the requests beyond its last stream hear (RFC 9113 §6.8); `REFUSED_STREAM` means the same of one
/// request (§8.7).
fn refusal(error: &(dyn Error + 'static)) -> Option<bool> {
    let said = causes(error).find_map(|cause| cause.downcast_ref::<h2::Error>())?;
    let reason = said.reason()?;
    let wants_http1 = reason == h2::Reason::HTTP_1_1_REQUIRED;
    let unprocessed = said.is_go_away() || reason == h2::Reason::REFUSED_STREAM || wants_http1;
    (said.is_remote() && unprocessed).then_some(wants_http1)
}

fn answer(response: Response<Incoming>, body: impl FnOnce(Incoming) -> AnswerBody) -> Answer {
    let (parts, incoming) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body(incoming) }
}

/// Lives as long as a request on a shared connection.
pub(super) type Sharing = Arc<()>;

/// An HTTP/2 connection. Clones are the same one.
#[derive(Clone)]
pub(super) struct Shared {
    sender: http2::SendRequest<Full<Bytes>>,
    sharing: Sharing,
}

impl Shared {
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Requests on it, those included that are about to be sent.
    pub(super) fn requests(&self) -> usize {
        Arc::strong_count(&self.sharing) - 1
    }

    pub(super) fn is_used(&self) -> bool {
        self.requests() > 0
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sharing, &other.sharing)
    }
}

/// An HTTP/1.1 connection. It does nothing but while somebody drives it.
pub(super) struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<http1::Connection<TokioIo<Stream>, Full<Bytes>>>,
}

impl Line {
    /// Lets the connection read and write as far as it can.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(ended) = Pin::new(connection).poll(cx)
        {
            // What a request must know of it, it learns through its own answer.
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection to an upstream ended");
            }
            self.connection = None;
        }
    }

    /// Whether the next request can be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }

    async fn exchange(&mut self, request: Outgoing) -> Result<Response<Incoming>, TrySendError<Outgoing>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            // Before the look at the answer, which would otherwise always come one round late.
            if let Some(connection) = &mut self.connection
                && Pin::new(connection).poll(cx).is_ready()
            {
                self.connection = None;
            }
            answer.as_mut().poll(cx)
        })
        .await
    }
}

/// A connection in use by an answer's body, and where it goes afterwards.
pub(super) struct Held {
    line: Box<Line>,
    origin: Origin,
    pool: Arc<Pool>,
}

impl Held {
    /// As [`Line::drive`].
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        self.line.drive(cx);
    }

    /// To be called when the answer has been read to its end.
    pub(super) fn give_back(mut self, cx: &mut Context<'_>) {
        // Only now does the connection see that its reader has everything.
        self.line.drive(cx);
        self.pool.put(&self.origin, self.line);
    }
}
