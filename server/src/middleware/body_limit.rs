//! Reads request bodies within their cap and their deadlines. Every body is read whole before a handler sees
//! it: the hot path needs all of it anyway (the model's name may be its last field), and a slow sender then
//! holds nothing but his own connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use gateway::Refusal;
use http_body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::EdgeLimits;

/// Bodies up to this size are not counted, and larger ones are counted in these steps; bytes.
const STEP: usize = 64 << 10;

/// Memory that request bodies may take, all of them together; cheap to clone.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / STEP).max(1))))
    }

    /// Raises what is held for a body to its size, or says that there is no room. It never waits: two half-read bodies
    /// that wait for each other would wait until their deadline.
    pub(crate) fn raise(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), BodyFault> {
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from((bytes / STEP).saturating_sub(has)).unwrap_or(u32::MAX);
        if missing > 0 {
            let more = Arc::clone(&self.0).try_acquire_many_owned(missing).or(Err(BodyFault::NoRoom))?;
            match held {
                Some(permit) => permit.merge(more),
                none => *none = Some(more),
            }
        }
        Ok(())
    }
}

/// Largest body of a call or a form, in bytes: 1 MiB.
pub const SMALL_BODY: usize = 1 << 20;
/// Largest body that carries a price list, an invoice or another gateway's file, in bytes: 16 MiB.
pub const LARGE_BODY: usize = 16 << 20;

/// Paths whose body carries a whole file.
const FILES: &[&str] = &[
    "/api/admin/credentials/import",
    "/api/admin/price-import",
    "/api/admin/price-import/preview",
    "/api/admin/ledger/invoice",
    "/rpc/app/api/price/import",
    "/rpc/app/api/price/preview",
    "/rpc/app/api/ledger/compare",
    "/rpc/app/api/transfer/preview",
];

/// Largest body of a path that is not a model path, in bytes.
pub fn cap_of(path: &str) -> usize {
    match path {
        "/preferences" => 4 << 10,
        _ if path.starts_with("/auth/") => 4 << 10,
        _ if FILES.contains(&path) => LARGE_BODY,
        _ => SMALL_BODY,
    }
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// More than so many bytes, declared or sent.
    TooLarge(usize),
    /// A deadline passed, or it came in drips.
    TooSlow,
    /// The caller broke off, or the chunks were malformed.
    Broken,
    /// Too many large bodies are in memory already.
    NoRoom,
}

impl BodyFault {
    /// The answer. After it the connection must be closed: the rest of the body may still be on its way.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::TooLarge(cap) => Refusal::new(
                413,
                "payload_too_large",
                format!("the request body is larger than {cap} bytes; send less, such as smaller images"),
            ),
            Self::TooSlow => Refusal::new(
                408,
                "request_timeout",
                "the request body came too slowly; check the network and try again",
            ),
            Self::Broken => {
                Refusal::new(400, "body_incomplete", "the request body broke off or was malformed")
            }
            Self::NoRoom => Refusal::new(
                503,
                "overloaded",
                "too many large requests are being received at once; try again in a moment",
            )
            .retry_after(1),
        }
    }
}

/// The whole body, if it keeps to `cap` and to the deadlines.
pub async fn read(
    body: Body,
    cap: usize,
    limits: &EdgeLimits,
    budget: &BodyBudget,
) -> Result<Bytes, BodyFault> {
    let declared = body.size_hint().exact();
    if declared.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > cap)) {
        return Err(BodyFault::TooLarge(cap));
    }
    if declared == Some(0) {
        return Ok(Bytes::new());
    }
    let began = Instant::now();
    let mut body = body;
    let mut buffer = Counted { bytes: Vec::new(), permit: None };
    let mut received = 0;
    loop {
        let deadline = began + allowance(received, limits);
        let Some(frame) = frame_by(deadline, &mut body).await else { return Err(BodyFault::TooSlow) };
        let data = match frame {
            None => return Ok(buffer.into_bytes()),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
            Some(Err(_)) => return Err(BodyFault::Broken),
        };
        received += data.len();
        if received > cap {
            return Err(BodyFault::TooLarge(cap));
        }
        if buffer.bytes.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        if buffer.bytes.is_empty() {
            // Untouched pages cost nothing, so a lie about the length buys no memory.
            buffer.bytes.reserve_exact(declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
        }
        buffer.take(&data, budget)?;
    }
}

/// The next frame, or `None` if it does not come in time.
///
/// A body is read off the connection only once somebody has asked for it, so the first look always finds nothing.
/// The timer, which costs more than all the rest here, is armed at the second look only; most bodies have come by
/// then.
async fn frame_by(deadline: Instant, body: &mut Body) -> Option<Option<Result<Frame<Bytes>, axum::Error>>> {
    let mut asked = false;
    let soon = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        Poll::Pending if asked => Poll::Ready(None),
        Poll::Pending => {
            asked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    if let Some(frame) = soon.await {
        return Some(frame);
    }
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
    tokio::time::timeout_at(deadline, frame).await.ok()
}

/// How long a body may have taken by now: the grace plus what its bytes have earned, and never more than all.
pub(crate) fn allowance(received: usize, limits: &EdgeLimits) -> Duration {
    let earned = u64::try_from(received).unwrap_or(u64::MAX).saturating_mul(1_000) / limits.body_rate.max(1);
    limits.body_grace.saturating_add(Duration::from_millis(earned)).min(limits.body_time)
}

/// A buffer that keeps its share of the budget until the last reference to its bytes is gone.
struct Counted {
    bytes: Vec<u8>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Counted {
    fn take(&mut self, data: &[u8], budget: &BodyBudget) -> Result<(), BodyFault> {
        self.bytes.extend_from_slice(data);
        budget.raise(&mut self.permit, self.bytes.len())
    }

    fn into_bytes(self) -> Bytes {
        if self.permit.is_some() { Bytes::from_owner(self) } else { Bytes::from(self.bytes) }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn limits() -> EdgeLimits {
        EdgeLimits {
            body_grace: Duration::from_secs(5),
            body_time: Duration::from_mins(1),
            ..EdgeLimits::for_tests()
        }
    }

    fn chunks(count: usize, size: usize) -> Body {
        Body::from_stream(stream::iter((0..count).map(move |_| Ok::<_, std::io::Error>(vec![b'x'; size]))))
    }

    #[tokio::test]
    async fn a_body_comes_back_as_it_was_sent() {
        let budget = BodyBudget::new(1 << 20);
        for (count, size) in [(0, 0), (1, 10), (3, 10), (3, 70_000)] {
            let bytes = read(chunks(count, size), 1 << 20, &limits(), &budget).await.unwrap();
            assert_eq!(bytes, vec![b'x'; count * size]);
        }
    }

    #[tokio::test]
    async fn fault_c07_an_endless_body_is_cut_at_the_cap() {
        let budget = BodyBudget::new(1 << 30);
        let read = read(chunks(usize::MAX, 10_000), 100_000, &limits(), &budget).await;
        assert_eq!(read, Err(BodyFault::TooLarge(100_000)));
    }

    #[tokio::test]
    async fn the_budget_is_given_back_with_the_last_reference() {
        let budget = BodyBudget::new(4 * STEP);
        let first = read(chunks(3, STEP), 1 << 20, &limits(), &budget).await.unwrap();
        let part = first.slice(0..10);
        drop(first);
        assert_eq!(read(chunks(3, STEP), 1 << 20, &limits(), &budget).await, Err(BodyFault::NoRoom));
        drop(part);
        assert!(read(chunks(3, STEP), 1 << 20, &limits(), &budget).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn fault_c08_body_drip_is_cut_long_before_the_whole_deadline() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let began = Instant::now();
        let fault = read(Body::from_stream(drip), 1 << 20, &limits(), &BodyBudget::new(1 << 20)).await;
        assert_eq!(fault, Err(BodyFault::TooSlow));
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn fault_c08_a_slow_but_honest_body_has_the_whole_deadline() {
        let steady = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 2_048])), ()))
        });
        let began = Instant::now();
        let fault = read(Body::from_stream(steady), 1 << 20, &limits(), &BodyBudget::new(1 << 20)).await;
        assert_eq!(fault, Err(BodyFault::TooSlow));
        assert_eq!(began.elapsed().as_secs(), 60);
    }
}
