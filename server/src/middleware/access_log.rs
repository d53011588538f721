//! One structured line for each request, written when its answer has left (or its caller has). The query is
//! never part of it: Gemini clients send their key there.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use types::RequestId;

/// Under this name `LOG_LEVEL` can raise or silence the access log alone.
const TARGET: &str = "tollgate::access";

/// What the line says.
#[derive(Debug)]
pub struct Entry {
    /// Ours.
    pub request_id: RequestId,
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// The caller.
    pub client_ip: IpAddr,
    /// Arrival.
    pub started: Instant,
}

/// Makes the answer write its line at its end.
pub fn attach(response: Response, entry: Entry) -> Response {
    let status = response.status();
    response.map(|body| Body::new(Logged { body, status, entry, bytes: 0, ended: false }))
}

struct Logged {
    body: Body,
    status: StatusCode,
    entry: Entry,
    bytes: u64,
    ended: bool,
}

impl HttpBody for Logged {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.bytes += u64::try_from(length).unwrap_or_default();
            }
            Poll::Ready(None) => self.ended = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let Entry { request_id, method, path, client_ip, started } = &self.entry;
        let status = self.status.as_u16();
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let bytes = self.bytes;
        let cut = !(self.ended || self.body.is_end_stream());
        let probe = self.status.is_success() && is_probe(path);
        if self.status.is_server_error() {
            tracing::warn!(target: TARGET, %request_id, %method, path, status, duration_ms, bytes, cut, %client_ip, "request");
        } else if probe {
            tracing::debug!(target: TARGET, %request_id, %method, path, status, duration_ms, bytes, cut, %client_ip, "request");
        } else {
            tracing::info!(target: TARGET, %request_id, %method, path, status, duration_ms, bytes, cut, %client_ip, "request");
        }
    }
}

/// Paths that machines ask for every few seconds.
fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics") || path == "/health" || path.starts_with("/health/")
}
