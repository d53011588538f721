//! One response on a WebSocket: a request of `POST /v1/responses` like any other, and its events as messages.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use gateway::socket::{Create, Socket, error_message, with_stream_id};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Limited};
use protocol::sse::Decoder;
use tokio::sync::OwnedSemaphorePermit;
use types::dialect::Endpoint;

use super::talk::Line;
use crate::middleware;
use crate::proxy::direct;

/// Largest answer that is no stream.
const LONGEST_WHOLE: usize = 16 << 20;
/// How long an upstream may keep its answer open after its last event.
const TAIL: Duration = Duration::from_secs(1);

/// A response on its way.
pub(super) struct Turn {
    stage: Stage,
    create: Create,
    decoder: Decoder,
    /// Whether the event has come that ends the response.
    ended: bool,
    _memory: Option<OwnedSemaphorePermit>,
}

enum Stage {
    Asking(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Streaming(Body),
    Over,
}

enum Answer {
    Stream(Body),
    Whole(String),
}

impl Turn {
    /// Sends the request on the way that every request takes.
    pub(super) fn begin(line: &Line, create: Create, memory: Option<OwnedSemaphorePermit>) -> Self {
        let mut request = Request::new(Body::from(create.body.clone()));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = line.headers.clone();
        if let Ok(uri) = line.path.parse() {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(line.peer.clone());
        let (state, stream_id) = (line.state.clone(), create.stream_id.clone());
        let asking = async move {
            let inner = |request| direct::call(&state, Endpoint::Responses, request);
            answer(middleware::around(&state, request, inner).await, stream_id.as_deref()).await
        };
        Self {
            stage: Stage::Asking(Box::pin(asking)),
            create,
            decoder: Decoder::new(),
            ended: false,
            _memory: memory,
        }
    }

    /// Whether nothing follows any more.
    pub(super) fn is_over(&self) -> bool {
        self.ended || matches!(self.stage, Stage::Over)
    }

    /// The next messages; none if what came was only a part of one. It can be dropped at any moment.
    pub(super) async fn next(&mut self, socket: &mut Socket) -> Vec<String> {
        match &mut self.stage {
            Stage::Asking(asking) => match asking.await {
                Answer::Stream(body) => {
                    self.stage = Stage::Streaming(body);
                    Vec::new()
                }
                Answer::Whole(message) => {
                    self.stage = Stage::Over;
                    vec![message]
                }
            },
            Stage::Streaming(body) => {
                if let Some(Ok(frame)) = body.frame().await {
                    return frame.data_ref().map(|piece| self.hear(piece, socket)).unwrap_or_default();
                }
                self.stage = Stage::Over;
                vec![self.error(502, "upstream_cut_off", "the answer broke off before its last event")]
            }
            Stage::Over => Vec::new(),
        }
    }

    fn hear(&mut self, piece: &[u8], socket: &mut Socket) -> Vec<String> {
        let Self { decoder, create, ended, .. } = self;
        let (mut messages, mut too_big) = (Vec::new(), false);
        decoder.feed(piece, |event| match event {
            // The mark that some upstreams end with is no event.
            Ok((_, data)) if data == b"[DONE]" => {}
            Ok((name, data)) => {
                if ends(name, data) {
                    *ended = true;
                    socket.answered(create, data);
                }
                messages.push(with_stream_id(&String::from_utf8_lossy(data), create.stream_id.as_deref()));
            }
            Err(_) => too_big = true,
        });
        if too_big {
            self.stage = Stage::Over;
            messages.push(self.error(
                502,
                "upstream_bad_answer",
                "an event of the answer is larger than 8 MiB",
            ));
        }
        messages
    }

    fn error(&self, status: u16, code: &str, message: &str) -> String {
        let error = serde_json::json!({"error": {"type": "api_error", "code": code, "message": message, "param": null}});
        error_message(
            status,
            &HeaderMap::new(),
            error.to_string().as_bytes(),
            self.create.stream_id.as_deref(),
        )
    }

    /// Reads what an upstream still sends after its last event, so that its connection can serve again and the answer
    /// is remembered before the next request.
    pub(super) async fn finish(self) {
        if let Stage::Streaming(mut body) = self.stage {
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            // A request whose last event has come is booked as whole, whenever it is dropped.
            let _in_time = tokio::time::timeout(TAIL, rest).await;
        }
    }
}

async fn answer(response: Response, stream_id: Option<&str>) -> Answer {
    let (parts, body) = response.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if parts.status.is_success() && kind.to_ascii_lowercase().starts_with("text/event-stream") {
        return Answer::Stream(body);
    }
    let bytes = match Limited::new(body, LONGEST_WHOLE).collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(error) => error.to_string().into(),
    };
    // An upstream that answers a stream whole: its answer is that of the last event.
    let whole = serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).ok();
    if let (true, Some(whole)) = (parts.status.is_success(), whole) {
        let event =
            format!("{{\"type\":\"response.completed\",\"sequence_number\":0,\"response\":{}}}", whole.get());
        return Answer::Whole(with_stream_id(&event, stream_id));
    }
    let status = if parts.status.is_success() { 502 } else { parts.status.as_u16() };
    Answer::Whole(error_message(status, &parts.headers, &bytes, stream_id))
}

/// Whether an event is the last of its response. Not every upstream names its events beside their data.
fn ends(name: &[u8], data: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    let last = |kind: &[u8]| {
        matches!(kind, b"response.completed" | b"response.incomplete" | b"response.failed" | b"error")
    };
    if !name.is_empty() {
        return last(name);
    }
    serde_json::from_slice::<Event<'_>>(data).is_ok_and(|event| last(event.kind.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_is_told_by_its_name_or_its_type() {
        for (name, data, last) in [
            ("response.completed", "{}", true),
            ("response.output_text.delta", "{}", false),
            ("", r#"{"type":"response.incomplete"}"#, true),
            ("", r#"{"type":"response.created"}"#, false),
            ("", "no JSON", false),
        ] {
            assert_eq!(ends(name.as_bytes(), data.as_bytes()), last, "{name} {data}");
        }
    }
}
