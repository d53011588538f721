//! The body of a reply: whole, or relayed piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::relay::Relay;

/// The body of a reply.
#[derive(Debug)]
pub struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    Whole(Option<Bytes>),
    Relay(Box<Relay>),
}

impl ReplyBody {
    /// A body that is complete.
    pub fn whole(bytes: Bytes) -> Self {
        Self(Inner::Whole((!bytes.is_empty()).then_some(bytes)))
    }

    /// A body that comes piece by piece.
    pub(super) fn relay(relay: Relay) -> Self {
        Self(Inner::Relay(Box::new(relay)))
    }
}

/// Why a body ended before its time; the connection is closed so that the caller sees it.
#[derive(Debug, thiserror::Error)]
#[error("the upstream's answer broke off: {0}")]
pub struct BrokenOff(String);

impl BrokenOff {
    pub(super) fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.0 {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Relay(relay) => relay.poll(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_none(),
            Inner::Relay(relay) => relay.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| u64::try_from(b.len()).unwrap_or(0)))
            }
            Inner::Relay(_) => SizeHint::default(),
        }
    }
}
