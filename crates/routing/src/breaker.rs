//! A circuit breaker: a state machine that is told of outcomes and says whether requests may pass.
//!
//! It does not decide which failures count (see [`crate::health`]), and it neither waits nor wakes: an open breaker
//! becomes half open by being looked at later.

use std::collections::VecDeque;

use types::Timestamp;
use types::breaker::{BreakerConfig, BreakerState};

use crate::window::Window;

/// Fewest outcomes within 10 s that a share of failures is taken of.
const SHARE_OF: u64 = 20;
/// Doublings of the open time: at most eight times as long.
const MOST_DOUBLINGS: u32 = 3;
/// A probe of which nothing was heard for so long is given up, in milliseconds.
const PROBE_LOST_MS: i64 = 600_000;
/// Unconfirmed failures that are told from each other; the oldest is forgotten beyond that.
const FINGERPRINTS: usize = 32;
/// How long an unconfirmed failure is remembered against being counted twice in the share, in milliseconds.
const SHARE_MS: i64 = 10_000;
/// Times from several threads may be so much out of order; an earlier one is a clock that was set back.
pub(crate) const SKEW_MS: i64 = 1_000;
/// Longest text of an error that is kept, in characters.
const ERROR_CHARS: usize = 300;

/// A change of state, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Before.
    pub from: BreakerState,
    /// After.
    pub to: BreakerState,
    /// Why, in one sentence.
    pub reason: String,
}

/// Whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It may.
    Yes,
    /// It may as the one probe; take it with [`Breaker::begin_probe`].
    Probe,
    /// It may not before then. While somebody else's probe is out, that is a guess of one second.
    No {
        /// The earliest time.
        until: Timestamp,
    },
}

/// A breaker; closed by default.
///
/// A probe lasts from [`begin_probe`](Self::begin_probe) to the next outcome, or to [`end_probe`](Self::end_probe)
/// where it has none; both is fine. It cannot be told whose outcome it is: that of a request from before the breaker
/// opened may let another probe pass early, and no more than one.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    /// Since when and for how long it is open, if it is not closed.
    open: Option<Span>,
    /// Start of the probe that is out.
    probe: Option<Timestamp>,
    failures: u32,
    successes: u32,
    openings: u32,
    /// How often the next open time is doubled.
    doublings: u32,
    /// The last open time and when it was over by a success: how long its doublings are remembered.
    last: Option<Span>,
    changed_at: Option<Timestamp>,
    last_error: Option<String>,
    /// Successes and failures of the last 10 s.
    outcomes: Window<10, 1_000>,
    seen: VecDeque<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    since: Timestamp,
    for_ms: i64,
}

/// An unconfirmed failure that was counted.
#[derive(Clone, Copy, Debug)]
struct Seen {
    fingerprint: u64,
    /// When it was counted in the share.
    at: Timestamp,
    /// Whether it was counted since the last success.
    in_run: bool,
}

impl Span {
    fn until(self) -> Timestamp {
        self.since.plus_ms(self.for_ms)
    }

    /// Also once the clock went back before its start: nobody knows then how much of it is left.
    fn is_over(self, now: Timestamp) -> bool {
        now >= self.until() || now < self.since.plus_ms(-SKEW_MS)
    }
}

impl Breaker {
    /// Its state.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match self.open {
            None => BreakerState::Closed,
            Some(span) if span.is_over(now) => BreakerState::HalfOpen,
            Some(_) => BreakerState::Open,
        }
    }

    /// Whether a request may pass.
    pub fn pass(&self, now: Timestamp) -> Pass {
        match self.open {
            None => Pass::Yes,
            Some(span) if !span.is_over(now) => Pass::No { until: span.until() },
            Some(_) if self.is_probed(now) => Pass::No { until: now.plus_ms(1_000) },
            Some(_) => Pass::Probe,
        }
    }

    /// Takes the one probe; false if it is not time for one, or one is out.
    pub fn begin_probe(&mut self, now: Timestamp) -> bool {
        let free = self.pass(now) == Pass::Probe;
        if free {
            self.probe = Some(now);
        }
        free
    }

    /// The probe is over without an outcome.
    pub fn end_probe(&mut self) {
        self.probe = None;
    }

    /// A request succeeded.
    pub fn succeeded(&mut self, now: Timestamp, config: &BreakerConfig) -> Option<Change> {
        match self.state(now) {
            BreakerState::Closed => {
                self.outcomes.add_first(now);
                self.end_run();
                None
            }
            // It began before the breaker opened, and so says nothing about now.
            BreakerState::Open => None,
            BreakerState::HalfOpen => {
                self.probe = None;
                self.successes = self.successes.saturating_add(1);
                if self.successes < config.successes() {
                    return None;
                }
                let reason = match self.successes {
                    1 => "a probe succeeded".to_owned(),
                    n => format!("{n} probes succeeded"),
                };
                self.last = self.open.map(|span| Span { since: now, for_ms: span.for_ms });
                self.close(now);
                Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Closed, reason })
            }
        }
    }

    /// A request failed in a way that counts.
    ///
    /// `fingerprint` tells requests from each other. A failure is `confirmed` if another credential could serve the
    /// same request; if not, the request itself may be at fault, and counts once only.
    pub fn failed(
        &mut self,
        now: Timestamp,
        config: &BreakerConfig,
        fingerprint: u64,
        confirmed: bool,
        what: &str,
    ) -> Option<Change> {
        let what: String = what.chars().take(ERROR_CHARS).collect();
        self.last_error = Some(what.clone());
        match self.state(now) {
            BreakerState::Closed => {
                self.count(now, fingerprint, confirmed);
                let reason = self.why_open(now, config)?;
                Some(self.trip(now, config, BreakerState::Closed, format!("{reason}, the last: {what}")))
            }
            // It began before the breaker opened; it is not a failed probe.
            BreakerState::Open => None,
            BreakerState::HalfOpen => {
                self.failures = self.failures.saturating_add(1);
                let reason = format!("a probe failed: {what}");
                Some(self.trip(now, config, BreakerState::HalfOpen, reason))
            }
        }
    }

    /// Closes it and forgets everything; `None` if it was closed.
    pub fn reset(&mut self, now: Timestamp) -> Option<Change> {
        let from = self.state(now);
        *self = Self { changed_at: self.changed_at, ..Self::default() };
        (from != BreakerState::Closed).then(|| {
            self.changed_at = Some(now);
            Change { from, to: BreakerState::Closed, reason: "it was reset".to_owned() }
        })
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Successes in a row since it is half open.
    pub fn successes(&self) -> u32 {
        self.successes
    }

    /// How often it opened without closing in between.
    pub fn openings(&self) -> u32 {
        self.openings
    }

    /// When it last changed its state.
    pub fn changed_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.open {
            Some(span) if now >= span.until() => Some(span.until()),
            _ => self.changed_at,
        }
    }

    /// When the next probe may pass; `None` if it is closed.
    pub fn probe_at(&self) -> Option<Timestamp> {
        self.open.map(Span::until)
    }

    /// What the last failure was, at most 300 characters.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    fn is_probed(&self, now: Timestamp) -> bool {
        self.probe.is_some_and(|since| !Span { since, for_ms: PROBE_LOST_MS }.is_over(now))
    }

    fn count(&mut self, now: Timestamp, fingerprint: u64, confirmed: bool) {
        let (run, share) = if confirmed { (true, true) } else { self.is_new(now, fingerprint) };
        if run {
            self.failures = self.failures.saturating_add(1);
        }
        if share {
            self.outcomes.add_second(now);
        }
    }

    /// Whether an unconfirmed failure is new in the run of failures, and in the share of them.
    fn is_new(&mut self, now: Timestamp, fingerprint: u64) -> (bool, bool) {
        if let Some(seen) = self.seen.iter_mut().find(|seen| seen.fingerprint == fingerprint) {
            let share = Span { since: seen.at, for_ms: SHARE_MS }.is_over(now);
            if share {
                seen.at = now;
            }
            let run = !seen.in_run;
            seen.in_run = true;
            return (run, share);
        }
        if self.seen.len() >= FINGERPRINTS {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen { fingerprint, at: now, in_run: true });
        (true, true)
    }

    fn why_open(&self, now: Timestamp, config: &BreakerConfig) -> Option<String> {
        if self.failures >= config.failures() {
            return Some(match self.failures {
                1 => "a request failed".to_owned(),
                n => format!("{n} requests in a row failed"),
            });
        }
        let (succeeded, failed) = self.outcomes.sums(now);
        let all = succeeded + failed;
        (all >= SHARE_OF && failed * 2 >= all)
            .then(|| format!("{failed} of {all} requests within 10 s failed"))
    }

    fn trip(&mut self, now: Timestamp, config: &BreakerConfig, from: BreakerState, reason: String) -> Change {
        // Opening again soon after closing is as good as a failed probe: an upstream that comes and goes would
        // otherwise be probed at the shortest pause for ever.
        let grows = match from {
            BreakerState::Closed => self.last.is_some_and(|span| !span.is_over(now)),
            _ => true,
        };
        self.doublings = if grows { (self.doublings + 1).min(MOST_DOUBLINGS) } else { 0 };
        let open_ms = i64::try_from(config.open_ms()).unwrap_or(i64::MAX);
        self.open = Some(Span { since: now, for_ms: open_ms.saturating_mul(1 << self.doublings) });
        self.openings = self.openings.saturating_add(1);
        self.changed_at = Some(now);
        self.successes = 0;
        self.probe = None;
        self.outcomes.clear();
        self.seen.clear();
        Change { from, to: BreakerState::Open, reason }
    }

    fn close(&mut self, now: Timestamp) {
        self.open = None;
        self.probe = None;
        self.openings = 0;
        self.successes = 0;
        self.changed_at = Some(now);
        self.outcomes.clear();
        self.seen.clear();
        self.failures = 0;
    }

    fn end_run(&mut self) {
        self.failures = 0;
        for seen in &mut self.seen {
            seen.in_run = false;
        }
    }
}

#[cfg(test)]
mod tests;
