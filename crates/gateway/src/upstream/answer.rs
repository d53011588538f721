//! What an upstream answered: the head, and a body whose pieces are read one by one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame};

use super::client::{Held, Sharing};

/// Head and body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

/// A body in pieces. Dropping it before its end cancels the request upstream.
pub(crate) struct AnswerBody {
    /// Pieces that were read ahead and put back.
    front: Option<Bytes>,
    inner: Inner,
}

enum Inner {
    /// On a connection that others use too.
    Shared(hyper::body::Incoming, #[expect(dead_code, reason = "its end is what counts")] Sharing),
    /// The connection that it comes on runs here, until the end of the body.
    Line(hyper::body::Incoming, Option<Held>),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnswerBody")
    }
}

impl AnswerBody {
    pub(super) fn shared(body: hyper::body::Incoming, sharing: Sharing) -> Self {
        Self { front: None, inner: Inner::Shared(body, sharing) }
    }

    pub(super) fn line(body: hyper::body::Incoming, held: Held) -> Self {
        Self { front: None, inner: Inner::Line(body, Some(held)) }
    }

    pub(super) fn stream(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self { front: None, inner: Inner::Stream(Box::pin(stream)) }
    }

    /// Puts a piece back in front.
    pub(crate) fn put_back(&mut self, piece: Bytes) {
        debug_assert!(self.front.is_none(), "only one piece is ever read ahead");
        self.front = Some(piece);
    }

    /// The next piece that is not empty; `None` at the end.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(piece) = self.front.take() {
            return Poll::Ready(Some(Ok(piece)));
        }
        loop {
            let piece = match &mut self.inner {
                Inner::Stream(stream) => ready!(stream.as_mut().poll_next(cx)),
                Inner::Shared(body, _) => ready!(Pin::new(body).poll_frame(cx)).map(data),
                Inner::Line(body, held) => ready!(poll_line(body, held, cx)).map(data),
            };
            match piece {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                other => return Poll::Ready(other),
            }
        }
    }

    /// As [`Self::poll_piece`], for `await`.
    pub(crate) async fn piece(&mut self) -> Option<io::Result<Bytes>> {
        std::future::poll_fn(|cx| self.poll_piece(cx)).await
    }
}

fn data(frame: hyper::Result<Frame<Bytes>>) -> io::Result<Bytes> {
    // Trailers carry nothing that a caller of a model needs.
    frame.map(|frame| frame.into_data().unwrap_or_default()).map_err(io::Error::other)
}

fn poll_line(
    body: &mut hyper::body::Incoming,
    held: &mut Option<Held>,
    cx: &mut Context<'_>,
) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
    let mut frame = Pin::new(&mut *body).poll_frame(cx);
    if let (Poll::Pending, Some(held)) = (&frame, held.as_mut()) {
        held.drive(cx);
        frame = Pin::new(&mut *body).poll_frame(cx);
    }
    // At once, not when somebody asks for more: whoever knows the length does not.
    if (body.is_end_stream() || matches!(frame, Poll::Ready(None)))
        && let Some(held) = held.take()
    {
        held.give_back(cx);
    }
    frame
}

impl Stream for AnswerBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_piece(cx)
    }
}
