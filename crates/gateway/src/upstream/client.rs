//! The direct way: pooled connections without redirects, cookies or decompression of their own.
//!
//! Most upstreams of a gateway are asked often and answer one request at a time, so an HTTP/1.1 connection runs
//! inside the request that uses it: no task of its own, nobody to wake. HTTP/2 connections, which many requests
//! share, have a task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::answer::{Answer, AnswerBody};
use super::connect::{Connector, Stream, causes, last_cause};
use super::pool::{Origin, Pool, Way};
use super::request::Prepared;
use super::{ConnectStep, SendError};

/// What goes upstream.
pub(super) type Outgoing = Request<Full<Bytes>>;

/// Connects, and keeps connections for the next request.
pub(super) struct DirectClient {
    connector: Connector,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    pool: Arc<Pool>,
}

impl std::fmt::Debug for DirectClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectClient")
    }
}

impl DirectClient {
    pub(super) fn new(tls: &rustls::ClientConfig, connect: Duration) -> Self {
        let mut http1 = http1::Builder::new();
        http1.max_headers(128).max_buf_size(64 * 1024);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            // A whole window per stream, so that one slow reader does not starve its neighbours on the connection.
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
            .keep_alive_interval(Duration::from_secs(20));
        Self { connector: Connector::new(tls.clone(), connect), http1, http2, pool: Pool::new() }
    }

    pub(super) async fn send(&self, request: Prepared) -> Result<Answer, SendError> {
        let origin = Origin::of(&request.uri)?;
        let mut retried = false;
        loop {
            let (way, reused) = match self.pool.take(&origin) {
                Some(way) => (way, true),
                // Boxed: it is rare, and large.
                None => (Box::pin(self.connect(&origin)).await?, false),
            };
            let outcome = match way {
                Way::Own(line) => self.over_own(line, &origin, &request).await?,
                Way::Shared(sender) => over_shared(sender, &request).await?,
            };
            match outcome {
                Ok(answer) => return Ok(answer),
                // It was closed before anything was sent, so nothing has happened.
                Err(error) if reused && error.message().is_some() => {}
                // A pooled connection turned out to be closed by the peer before any byte of an answer (U47): the
                // one case in which sending again cannot double anything that the peer has not thrown away itself.
                Err(error) if reused && !retried && error.error().is_incomplete_message() => retried = true,
                Err(error) => return Err(SendError::NoAnswer(last_cause(error.error()))),
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
        // On HTTP/1.1 the host is a header and the target is the path alone.
        request.headers_mut().insert(HOST, origin.host());
        *request.uri_mut() = request.uri().path_and_query().cloned().map_or_else(Uri::default, Uri::from);
        Ok(line.exchange(request).await.map(|response| {
            answer(response, |body| {
                AnswerBody::line(body, Held { line, origin: origin.clone(), pool: Arc::clone(&self.pool) })
            })
        }))
    }

    /// Opens a connection. Where HTTP/2 was agreed on, it is shared with the requests that follow.
    async fn connect(&self, origin: &Origin) -> Result<Way, SendError> {
        let mut connector = self.connector.clone();
        let connected = async {
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(origin.address()).await
        };
        let stream = connected
            .await
            .map_err(|failure| SendError::Connect { step: failure.step, message: failure.message })?;
        let broken = |error: hyper::Error| SendError::Connect {
            step: ConnectStep::Tcp,
            message: causes(&error).last().map(ToString::to_string).unwrap_or_default(),
        };
        if stream.connected().is_negotiated_h2() {
            let (sender, connection) = self.http2.handshake(stream).await.map_err(broken)?;
            TokioExecutor::new().execute(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to an upstream ended");
                }
            });
            return Ok(Way::Shared(self.pool.share(origin, sender)));
        }
        let (sender, connection) = self.http1.handshake(stream).await.map_err(broken)?;
        Ok(Way::Own(Box::new(Line { sender, connection: Some(connection) })))
    }
}

async fn over_shared(
    mut sender: http2::SendRequest<Full<Bytes>>,
    request: &Prepared,
) -> Result<Result<Answer, TrySendError<Outgoing>>, SendError> {
    let request = request.to_http()?;
    Ok(sender.try_send_request(request).await.map(|response| answer(response, AnswerBody::hyper)))
}

fn answer(response: Response<Incoming>, body: impl FnOnce(Incoming) -> AnswerBody) -> Answer {
    let (parts, incoming) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body(incoming) }
}

/// An HTTP/1.1 connection. It does nothing but while somebody drives it.
pub(super) struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<http1::Connection<Stream, Full<Bytes>>>,
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
