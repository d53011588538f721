//! How long a stream may say nothing at all, and how long it may say nothing but that it is alive (U18).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// So many times the longest silence may pass with nothing but pings: ten minutes by default.
const SILENCES_WITHOUT_PROGRESS: u32 = 10;

/// The two waits of one stream, on one timer.
pub(super) struct Patience {
    idle: Duration,
    /// When the last piece came. The timer is set anew only when it fires, not with each piece.
    heard_at: Instant,
    /// When the last piece came that was more than a ping.
    moved_at: Instant,
    steps: u64,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    /// `idle` is the longest silence.
    pub(super) fn new(idle: Duration) -> Self {
        let now = Instant::now();
        Self { idle, heard_at: now, moved_at: now, steps: 0, timer: Box::pin(tokio::time::sleep(idle)) }
    }

    /// A piece came; `steps` is the meter's count of what was more than a ping.
    pub(super) fn heard(&mut self, steps: u64) {
        self.heard_at = Instant::now();
        if steps != self.steps {
            self.steps = steps;
            self.moved_at = self.heard_at;
        }
    }

    /// Ready once one of them is over: its name and its limit.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(&'static str, Duration)> {
        let longest = self.idle.saturating_mul(SILENCES_WITHOUT_PROGRESS);
        while self.timer.as_mut().poll(cx).is_ready() {
            let (now, silent) = (Instant::now(), self.heard_at + self.idle);
            if silent <= now {
                return Poll::Ready(("stream idle", self.idle));
            }
            let stuck = self.moved_at + longest;
            if stuck <= now {
                return Poll::Ready(("stream without progress", longest));
            }
            self.timer.as_mut().reset(silent.min(stuck));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(1);

    async fn over(patience: &mut Patience) -> (&'static str, Duration) {
        std::future::poll_fn(|cx| patience.poll(cx)).await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_it_after_its_limit() {
        let (mut patience, begun) = (Patience::new(IDLE), Instant::now());
        tokio::time::advance(Duration::from_secs(40)).await;
        patience.heard(1);
        assert_eq!(over(&mut patience).await, ("stream idle", IDLE));
        assert_eq!(begun.elapsed().as_secs(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn u18_pings_keep_it_for_ten_silences_and_progress_for_ever() {
        let mut patience = Patience::new(IDLE);
        // An hour of pieces that each say something.
        for step in 1..=120 {
            tokio::time::advance(Duration::from_secs(30)).await;
            patience.heard(step);
            assert!(futures_util::poll!(std::pin::pin!(over(&mut patience))).is_pending(), "step {step}");
        }
        let begun = Instant::now();
        let ended = loop {
            tokio::time::advance(Duration::from_secs(30)).await;
            patience.heard(120);
            if let Poll::Ready(ended) = futures_util::poll!(std::pin::pin!(over(&mut patience))) {
                break ended;
            }
        };
        assert_eq!(ended, ("stream without progress", IDLE * 10));
        assert_eq!(begun.elapsed().as_secs(), 600);
    }
}
