//! What a connection is doing now, shared between its socket (which keeps the deadlines) and its requests.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The rest of a request's head (also the very first byte).
    Head,
    /// The first byte of the next request.
    NextRequest,
    /// Nothing: a request is being served.
    Nothing,
}

/// The current phase. Each change has a number of its own, so that a deadline is never taken over from the
/// same phase of an earlier request.
#[derive(Debug, Default)]
pub(super) struct Phase {
    // The low two bits are the phase (0 head, 1 next request, 2 nothing), the rest counts changes.
    state: AtomicU64,
    linger: AtomicBool,
}

impl Phase {
    pub(super) fn now(&self) -> (u64, Waiting) {
        let state = self.state.load(Ordering::Relaxed);
        let waiting = match state & 3 {
            0 => Waiting::Head,
            1 => Waiting::NextRequest,
            _ => Waiting::Nothing,
        };
        (state, waiting)
    }

    fn set(&self, low: u64) {
        // Only the connection's own task changes it, so load and store need not be one step.
        let change = (self.state.load(Ordering::Relaxed) >> 2).wrapping_add(1);
        self.state.store((change << 2) | low, Ordering::Relaxed);
    }

    pub(super) fn head_began(&self) {
        self.set(0);
    }

    pub(super) fn idle(&self) {
        self.set(1);
    }

    pub(super) fn busy(&self) {
        self.set(2);
    }

    pub(super) fn linger(&self) {
        self.linger.store(true, Ordering::Relaxed);
    }

    pub(super) fn lingers(&self) -> bool {
        self.linger.load(Ordering::Relaxed)
    }
}

/// An answer's body that tells the connection when it is done.
pub(super) struct Tracked {
    body: Body,
    phase: Arc<Phase>,
}

impl Tracked {
    pub(super) fn new(body: Body, phase: Arc<Phase>) -> Self {
        Self { body, phase }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.phase.idle();
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
