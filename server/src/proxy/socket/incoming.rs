//! What comes in on a WebSocket, held to the same caps as the bodies of requests: the memory of all of them together,
//! and a deadline for a message that has begun.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use crate::config::EdgeLimits;
use crate::middleware::body_limit::{BodyBudget, BodyFault, allowance};

/// Control frames are no longer than this; bytes.
const CONTROL: usize = 140;

/// A socket that counts what has come since the last message.
pub(super) struct Incoming<IO> {
    io: IO,
    limits: EdgeLimits,
    budget: BodyBudget,
    held: Option<OwnedSemaphorePermit>,
    received: usize,
    began: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl<IO> Incoming<IO> {
    pub(super) fn new(io: IO, limits: EdgeLimits, budget: BodyBudget) -> Self {
        let timer = Box::pin(tokio::time::sleep(limits.body_time));
        Self { io, limits, budget, held: None, received: 0, began: None, timer }
    }

    /// A message is complete: what is held of the memory goes with it.
    pub(super) fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        (self.received, self.began) = (0, None);
        self.held.take()
    }

    /// A control frame has come, perhaps inside a message.
    pub(super) fn skip_control(&mut self) {
        if self.received <= CONTROL {
            let _nothing = self.take();
        }
    }
}

/// What a failed read says about the message.
pub(super) fn fault_of(error: &io::Error) -> Option<BodyFault> {
    match error.kind() {
        ErrorKind::TimedOut => Some(BodyFault::TooSlow),
        ErrorKind::QuotaExceeded => Some(BodyFault::NoRoom),
        _ => None,
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Incoming<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            let came = buffer.filled().len() - before;
            if came > 0 {
                this.received += came;
                this.began.get_or_insert_with(Instant::now);
                this.budget.raise(&mut this.held, this.received).map_err(|_| {
                    io::Error::new(ErrorKind::QuotaExceeded, "no room for so large a message")
                })?;
            }
            return Poll::Ready(outcome);
        }
        let Some(began) = this.began else { return Poll::Pending };
        this.timer.as_mut().reset(began + allowance(this.received, &this.limits));
        ready!(this.timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the message came too slowly")))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Incoming<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
