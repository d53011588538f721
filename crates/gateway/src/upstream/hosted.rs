//! Claude at Amazon's and Google's: what has to be changed in a request before it goes there, and in an answer before
//! anybody here reads it. Behind this module both speak as Anthropic does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use protocol::eventstream::{BadFrame, Decoder};
use protocol::hosted;
use types::dialect::Endpoint;
use types::provider::ProviderKind;

use super::{Answer, AnswerBody, Call, SendError};

const VERTEX: &str = "vertex-2023-10-16";
const BEDROCK: &str = "bedrock-2023-05-31";
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
/// Most of an answer that is read whole in order to be changed.
const MOST: usize = 256 * 1024;

/// The body as the kind wants it, with headers that mean something else there.
pub(super) fn body(
    kind: ProviderKind,
    call: &Call<'_>,
    headers: &mut HeaderMap,
    body: Bytes,
) -> Result<Bytes, SendError> {
    let Call::Endpoint { endpoint, stream, .. } = call else { return Ok(body) };
    let counts = match endpoint {
        Endpoint::Messages => false,
        Endpoint::CountTokens => true,
        _ => return Ok(body),
    };
    let written = match kind {
        ProviderKind::Vertex if counts => hosted::request(&body, VERTEX, &["stream"], &[]),
        ProviderKind::Vertex => hosted::request(&body, VERTEX, &["model"], &[]),
        ProviderKind::Bedrock => {
            let betas = betas(headers);
            headers.remove(&BETA);
            headers.remove("anthropic-version");
            // The address says whether it is a stream, and what is accepted is about the frames.
            let wanted = if *stream { EVENT_STREAM } else { "application/json" };
            headers.insert(ACCEPT, HeaderValue::from_static(wanted));
            let betas: Vec<&str> = betas.iter().map(String::as_str).collect();
            let written = hosted::request(&body, BEDROCK, &["model", "stream"], &betas);
            if counts { written.map(|body| hosted::bedrock_count(&body)) } else { written }
        }
        _ => return Ok(body),
    };
    written.map(Bytes::from).map_err(|fault| SendError::Unsendable(fault.to_string()))
}

fn betas(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(&BETA).iter().filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(',')).map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The answer as Anthropic would have given it. Other kinds' answers pass.
pub(super) fn answer(kind: ProviderKind, path: &str, mut answer: Answer) -> Answer {
    if kind != ProviderKind::Bedrock || answer.headers.contains_key(CONTENT_ENCODING) {
        return answer;
    }
    let is_stream = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with(EVENT_STREAM));
    if answer.status.is_success() && is_stream {
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        answer.headers.remove(CONTENT_LENGTH);
        let events = Events { body: answer.body, decoder: Decoder::new(), ended: false, fault: None };
        answer.body = AnswerBody::stream(events);
    } else if !answer.status.is_success() || path.ends_with("/count-tokens") {
        answer.headers.remove(CONTENT_LENGTH);
        let kind = error_type(&answer.headers);
        let status = hosted::bedrock_status(answer.status.as_u16(), &kind);
        answer.status = StatusCode::from_u16(status).unwrap_or(answer.status);
        let rewrite = Rewrite {
            kind,
            status: answer.status,
            body: answer.body,
            held: BytesMut::new(),
            state: State::Reading,
        };
        answer.body = AnswerBody::stream(rewrite);
    }
    answer
}

fn error_type(headers: &HeaderMap) -> String {
    let named = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    named.unwrap_or_default().to_owned()
}

/// Frames in, server-sent events out.
struct Events {
    body: AnswerBody,
    decoder: Decoder,
    ended: bool,
    /// What the next poll tells: events that were whole before the damage go first.
    fault: Option<BadFrame>,
}

impl Stream for Events {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.ended {
            let Some(piece) = ready!(this.body.poll_piece(cx)).transpose()? else {
                this.ended = true;
                let cut =
                    io::Error::new(io::ErrorKind::UnexpectedEof, "the event stream stopped inside a frame");
                return Poll::Ready(this.decoder.is_mid_frame().then_some(Err(cut)));
            };
            let mut events = Vec::with_capacity(piece.len());
            if let Err(fault) = this.decoder.feed(&piece, &mut events) {
                this.ended = true;
                this.fault = Some(fault);
            }
            if !events.is_empty() {
                return Poll::Ready(Some(Ok(events.into())));
            }
        }
        Poll::Ready(this.fault.take().map(|fault| Err(io::Error::other(fault))))
    }
}

enum State {
    Reading,
    /// Too long to be what it should be: it passes as it is.
    Passing,
    Done,
}

/// An error, or a count, in Anthropic's words.
struct Rewrite {
    kind: String,
    status: StatusCode,
    body: AnswerBody,
    held: BytesMut,
    state: State,
}

impl Rewrite {
    fn rewritten(&mut self) -> Bytes {
        let held = self.held.split().freeze();
        let new = if self.status.is_success() {
            hosted::bedrock_counted(&held)
        } else {
            hosted::bedrock_error(self.status.as_u16(), &self.kind, &held)
        };
        new.map_or(held, Bytes::from)
    }
}

impl Stream for Rewrite {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match this.state {
                State::Done => return Poll::Ready(None),
                State::Passing => return this.body.poll_piece(cx),
                State::Reading => {}
            }
            if let Some(piece) = ready!(this.body.poll_piece(cx)).transpose()? {
                this.held.extend_from_slice(&piece);
                if this.held.len() > MOST {
                    this.state = State::Passing;
                    return Poll::Ready(Some(Ok(this.held.split().freeze())));
                }
            } else {
                this.state = State::Done;
                let body = this.rewritten();
                return Poll::Ready((!body.is_empty()).then_some(Ok(body)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
