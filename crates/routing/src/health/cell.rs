//! One model's part of a credential's health (or the part that is common to all its models).

use types::Timestamp;
use types::credential::CredentialState;
use types::routing::FailureClass;

use super::Look;
use crate::breaker::{Breaker, Pass, SKEW_MS};
use crate::cooldown::Rest;

/// A probe of which nothing was heard for so long is given up, in milliseconds.
const PROBE_LOST_MS: i64 = 600_000;
/// How long it is left alone then, and the longest, in milliseconds; doubled with each failed look.
const AGAIN_MS: (i64, i64) = (1_000, 8_000);
/// Longest reason that is kept, in characters.
const REASON_CHARS: usize = 300;

#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) breaker: Breaker,
    /// Keeps requests away; once over, one at a time may look.
    pub(super) resting: Option<Resting>,
    /// Makes it the last to be tried; once over, it is as before, or looked at by one request first if it could not be
    /// reached several times in a row.
    pub(super) demoted: Option<Resting>,
    pub(super) streaks: Streaks,
    /// Failed connections in a row, and when the last one failed.
    unreached: (u32, Timestamp),
    /// When the last failure came that its breaker counts.
    pub(super) failed_at: Timestamp,
    /// Start of the probe that looks whether a rest is really over.
    probe: Option<Timestamp>,
    pub(super) touched: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Resting {
    pub(super) since: Timestamp,
    pub(super) rest: Rest,
    pub(super) class: FailureClass,
    pub(super) reason: String,
}

/// Rests in a row without a success, by class.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streaks {
    rate_limit: u32,
    overload: u32,
    system: u32,
    not_found: u32,
}

/// [`Look`]s, ordered by what they keep away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ranked {
    Free,
    Demoted(Timestamp),
    Probe,
    Open(Timestamp),
    Resting(Timestamp, CredentialState),
}

impl Ranked {
    pub(super) fn into_look(self) -> Look {
        match self {
            Self::Free => Look::Free,
            Self::Demoted(until) => Look::Demoted { until, again: None },
            Self::Probe => Look::Probe,
            Self::Open(until) => Look::Open { until },
            Self::Resting(until, state) => Look::Resting { until, state },
        }
    }
}

impl Resting {
    /// Also once the clock went back before its start: nobody knows then how much of it is left.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.rest.until || now < self.since.plus_ms(-SKEW_MS)
    }
}

impl Cell {
    /// Failed connections in a row after which only one request at a time still looks, where nobody else is left.
    pub(super) const UNREACHED: u32 = 3;

    pub(super) fn look(&self, now: Timestamp) -> Ranked {
        let resting = match &self.resting {
            None => Ranked::Free,
            Some(resting) if !resting.is_over(now) => Ranked::Resting(resting.rest.until, resting.rest.state),
            Some(resting) if self.is_probed(now) => Ranked::Resting(now.plus_ms(1_000), resting.rest.state),
            Some(_) => Ranked::Probe,
        };
        let breaker = match self.breaker.pass(now) {
            Pass::Yes => Ranked::Free,
            Pass::Probe => Ranked::Probe,
            Pass::No { until } => Ranked::Open(until),
        };
        let demoted = match &self.demoted {
            Some(demoted) if !demoted.is_over(now) => Ranked::Demoted(demoted.rest.until),
            // Who could not be reached several times is not met by all at once again.
            Some(_) if self.unreached.0 >= Self::UNREACHED && self.is_probed(now) => {
                Ranked::Demoted(now.plus_ms(1_000))
            }
            Some(_) if self.unreached.0 >= Self::UNREACHED => Ranked::Probe,
            _ => Ranked::Free,
        };
        resting.max(breaker).max(demoted)
    }

    pub(super) fn is_quiet(&self, now: Timestamp) -> bool {
        self.look(now) == Ranked::Free
    }

    /// Whether the rest is over and nobody looks yet whether it really is.
    pub(super) fn wants_probe(&self, now: Timestamp) -> bool {
        self.resting.is_some() && self.look(now) == Ranked::Probe
    }

    /// Takes the probe, also that of the breaker if it wants one.
    pub(super) fn begin_probe(&mut self, now: Timestamp) {
        self.probe = Some(now);
        self.breaker.begin_probe(now);
    }

    pub(super) fn end_probe(&mut self) {
        self.probe = None;
        self.breaker.end_probe();
    }

    /// When one request may look, once it could not be reached several times in a row.
    pub(super) fn again(&self) -> Option<Timestamp> {
        let (count, last) = self.unreached;
        let beyond = count.checked_sub(Self::UNREACHED)?;
        Some(last.plus_ms(AGAIN_MS.0.saturating_mul(1_i64 << beyond.min(16)).min(AGAIN_MS.1)))
    }

    /// Failed connections in a row, and when the last one failed.
    pub(super) fn unreached(&self) -> (u32, Timestamp) {
        self.unreached
    }

    /// A success: ends what it disproves.
    pub(super) fn recover(&mut self, now: Timestamp) {
        self.demoted = None;
        self.unreached.0 = 0;
        self.streaks.system = 0;
        if self.resting.as_ref().is_none_or(|resting| resting.is_over(now)) {
            self.resting = None;
            self.probe = None;
            self.streaks = Streaks::default();
        }
    }

    pub(super) fn rest(&mut self, rest: Rest, class: FailureClass, now: Timestamp, reason: &str) {
        let is_demotion = class == FailureClass::System;
        if is_demotion {
            // Those that were under way together tell the same once.
            let (count, last) = self.unreached;
            let news = count < Self::UNREACHED || now >= self.again().unwrap_or(last);
            self.unreached = (if news { count.saturating_add(1) } else { count }, now);
        }
        let place = if is_demotion { &mut self.demoted } else { &mut self.resting };
        let running = place.as_ref().filter(|resting| !resting.is_over(now));
        // Requests that were under way together fail together: that is one rest, not many in a row.
        if running.is_none_or(|resting| resting.class != class) {
            self.streaks.grow(class);
        }
        let stays = running.is_some_and(|old| {
            let better_known = rest.told && !old.rest.told && old.class == class;
            !better_known && old.rest.until >= rest.until
        });
        if !stays {
            let reason = reason.chars().take(REASON_CHARS).collect();
            *place = Some(Resting { since: now, rest, class, reason });
        }
    }

    /// Ends rest and demotion; how many there were.
    pub(super) fn forget_rests(&mut self) -> u32 {
        self.probe = None;
        self.unreached.0 = 0;
        self.streaks = Streaks::default();
        u32::from(self.resting.take().is_some()) + u32::from(self.demoted.take().is_some())
    }

    /// How readily it can be forgotten, the least first; `None` if it must not be.
    pub(super) fn rank(&self, now: Timestamp) -> Option<u8> {
        if self.is_quiet(now) && self.breaker.failures() == 0 {
            return Some(0);
        }
        if self.is_quiet(now) {
            return Some(1);
        }
        let missing = self.resting.as_ref().is_some_and(|resting| resting.class == FailureClass::NotFound);
        (missing && !self.is_probed(now) && self.breaker.pass(now) == Pass::Yes).then_some(2)
    }

    /// Whether a probe is out.
    pub(super) fn is_probed(&self, now: Timestamp) -> bool {
        self.probed_since(now).is_some()
    }

    /// Since when a probe is out.
    pub(super) fn probed_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.probe.filter(|since| now < since.plus_ms(PROBE_LOST_MS) && now >= since.plus_ms(-SKEW_MS))
    }
}

impl Streaks {
    pub(super) fn get(&self, class: FailureClass) -> u32 {
        match class {
            FailureClass::RateLimit => self.rate_limit,
            FailureClass::Overload => self.overload,
            FailureClass::System => self.system,
            FailureClass::NotFound => self.not_found,
            _ => 0,
        }
    }

    fn grow(&mut self, class: FailureClass) {
        let place = match class {
            FailureClass::RateLimit => &mut self.rate_limit,
            FailureClass::Overload => &mut self.overload,
            FailureClass::System => &mut self.system,
            FailureClass::NotFound => &mut self.not_found,
            _ => return,
        };
        *place = place.saturating_add(1);
    }
}
