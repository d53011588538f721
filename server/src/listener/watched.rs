//! A socket with deadlines: for a request's head, for the wait between two requests, for a reader that takes
//! nothing. The deadline for a request's body is not here, because it depends on how much has come.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::phase::{Phase, Waiting};
use crate::config::EdgeLimits;

/// How long, and how many bytes, a refused caller may go on sending after his answer.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 32 << 20;

pub(super) struct Watched<IO> {
    io: IO,
    phase: Arc<Phase>,
    header_time: Duration,
    keep_alive_idle: Duration,
    write_stall: Duration,
    read_timer: Pin<Box<Sleep>>,
    /// When the wait is over; `read_timer` fires then or earlier.
    read_deadline: Instant,
    /// The change of phase that `read_timer` was set for.
    armed: Option<u64>,
    write_timer: Option<Pin<Box<Sleep>>>,
    stalled: bool,
    lingering: Option<usize>,
}

impl<IO> Watched<IO> {
    pub(super) fn new(io: IO, phase: Arc<Phase>, limits: &EdgeLimits) -> Self {
        let read_timer = Box::pin(tokio::time::sleep(limits.header_time));
        Self {
            io,
            phase,
            header_time: limits.header_time,
            keep_alive_idle: limits.keep_alive_idle,
            write_stall: limits.write_stall,
            read_deadline: read_timer.deadline(),
            read_timer,
            armed: None,
            write_timer: None,
            stalled: false,
            lingering: None,
        }
    }

    /// Sets the deadline of what is waited for, once for each wait, and is ready when it has passed.
    fn watch_wait(&mut self, cx: &mut Context<'_>, change: u64, waiting: Waiting) -> Poll<()> {
        if self.armed != Some(change) {
            self.armed = Some(change);
            let time = if waiting == Waiting::NextRequest { self.keep_alive_idle } else { self.header_time };
            self.read_deadline = Instant::now() + time;
            // Moving a timer forward costs more than all else here, and nearly every wait ends long before its
            // deadline: a timer that fires too early is set again then.
            if self.read_timer.is_elapsed() || self.read_deadline < self.read_timer.deadline() {
                self.read_timer.as_mut().reset(self.read_deadline);
            }
        }
        loop {
            ready!(self.read_timer.as_mut().poll(cx));
            if Instant::now() >= self.read_deadline {
                return Poll::Ready(());
            }
            self.read_timer.as_mut().reset(self.read_deadline);
        }
    }

    /// Passes a write's outcome on, or ends a write that has made no progress for too long.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = false;
            return outcome;
        }
        let stall = self.write_stall;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        if !self.stalled {
            self.stalled = true;
            timer.as_mut().reset(Instant::now() + stall);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the caller reads nothing")))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Watched<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.io).poll_read(cx, buffer);
        let (change, waiting) = this.phase.now();
        if outcome.is_ready() {
            if waiting == Waiting::NextRequest && buffer.filled().len() > before {
                this.phase.head_began();
            }
            return outcome;
        }
        if waiting == Waiting::Nothing {
            return Poll::Pending;
        }
        ready!(this.watch_wait(cx, change, waiting));
        match waiting {
            // Nothing was begun, so this is an ordinary end: zero bytes.
            Waiting::NextRequest => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the head did not come in time"))),
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch_write(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.watch_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        // The end of an answer is where the wait for the next request begins, and hyper reads before it writes:
        // without this, nothing would be left to wake an idle connection at its deadline.
        let (change, waiting) = self.phase.now();
        if waiting == Waiting::NextRequest && self.watch_wait(cx, change, waiting).is_ready() {
            cx.waker().wake_by_ref();
        }
        self.watch_write(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            if !this.phase.lingers() {
                return Poll::Ready(Ok(()));
            }
            this.lingering = Some(0);
            this.read_timer.as_mut().reset(Instant::now() + LINGER_TIME);
        }
        let mut scratch = [0_u8; 8 << 10];
        loop {
            if this.read_timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut this.io).poll_read(cx, &mut buffer));
            let dropped = this.lingering.unwrap_or(0) + buffer.filled().len();
            this.lingering = Some(dropped);
            if read.is_err() || buffer.filled().is_empty() || dropped > LINGER_BYTES {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
