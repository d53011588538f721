//! The direct way: a pooled hyper client without redirects, cookies or decompression of its own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::answer::{Answer, AnswerBody};
use super::connect::{ConnectFailure, Connector, Uses, causes, last_cause};
use super::request::Prepared;
use super::{ConnectStep, SendError};

/// Idle connections are dropped before most peers drop theirs (nginx 75 s, many load balancers 60 s).
const POOL_IDLE: Duration = Duration::from_secs(50);

/// One connection pool.
pub(super) struct DirectClient(Client<Connector, Full<Bytes>>);

impl std::fmt::Debug for DirectClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectClient")
    }
}

impl DirectClient {
    pub(super) fn new(tls: &rustls::ClientConfig, connect: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(256)
            .http1_max_headers(128)
            .http1_max_buf_size(64 * 1024)
            // A whole window per stream, so that one slow reader does not starve its neighbours on the connection.
            .http2_initial_stream_window_size(256 * 1024)
            .http2_initial_connection_window_size(4 * 1024 * 1024)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .build(Connector::new(tls.clone(), connect));
        Self(client)
    }

    pub(super) async fn send(&self, request: Prepared) -> Result<Answer, SendError> {
        let mut retried = false;
        loop {
            match self.0.request(request.to_http()?).await {
                Ok(response) => {
                    if let Some(uses) = response.extensions().get::<Uses>() {
                        uses.is_reused();
                    }
                    let (parts, body) = response.into_parts();
                    return Ok(Answer {
                        status: parts.status,
                        headers: parts.headers,
                        body: AnswerBody::hyper(body),
                    });
                }
                Err(error) if !retried && was_stale(&error) => retried = true,
                Err(error) => return Err(explain(&error)),
            }
        }
    }
}

/// Whether a pooled connection turned out to be closed by the peer before any byte of an answer (U47): the one
/// case in which sending again cannot double anything that the peer has not thrown away itself.
fn was_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let reused = error.connect_info().is_some_and(|connected| {
        let mut extensions = http::Extensions::new();
        connected.get_extras(&mut extensions);
        extensions.get::<Uses>().is_some_and(Uses::is_reused)
    });
    reused
        && causes(error)
            .find_map(|e| e.downcast_ref::<hyper::Error>())
            .is_some_and(hyper::Error::is_incomplete_message)
}

fn explain(error: &hyper_util::client::legacy::Error) -> SendError {
    if let Some(ConnectFailure { step, message }) = ConnectFailure::find(error) {
        return SendError::Connect { step: *step, message: message.clone() };
    }
    let message = last_cause(error);
    if error.is_connect() {
        return SendError::Connect { step: ConnectStep::Tcp, message };
    }
    SendError::NoAnswer(message)
}
