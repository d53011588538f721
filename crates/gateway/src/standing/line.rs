//! One limit as a line: used, held, how much that is of it, when it resets, and when it is reached at this pace.

use ledger::budget::{Rule, Scope, Span};
use types::limits::{LimitName, Limits, WindowMode};
use types::quota::QuotaLine;
use types::{Money, Timestamp};

use crate::core::Core;
use crate::quota::rate::RateRule;

/// The stretch that the pace is taken from.
const PACE_HOURS: i64 = 3;
/// A forecast beyond this is none.
const FORECAST_MS: i64 = 366 * Timestamp::DAY_MS;
const MONEY: [LimitName; 5] =
    [LimitName::FiveHours, LimitName::Day, LimitName::Week, LimitName::Month, LimitName::Total];

/// What lines are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) scope: Scope,
    pub(crate) name: &'a str,
}

impl Subject<'_> {
    fn line(&self, limit_name: LimitName, mode: Option<WindowMode>) -> QuotaLine {
        QuotaLine {
            scope: self.scope.kind,
            scope_id: self.scope.id,
            scope_name: self.name.to_owned(),
            limit_name,
            mode,
            used: String::new(),
            reserved: "0".to_owned(),
            limit: None,
            percent: None,
            since: None,
            resets_at: None,
            burn_per_hour_usd: None,
            exhausted_at: None,
        }
    }

    fn counted(&self, name: LimitName, mode: Option<WindowMode>, used: u64, limit: u64) -> QuotaLine {
        QuotaLine {
            used: used.to_string(),
            limit: Some(limit.to_string()),
            percent: percent(i128::from(used), i128::from(limit)),
            ..self.line(name, mode)
        }
    }
}

/// A line for each limit, and for each of the `shown` windows that has none.
pub(super) fn lines(
    core: &Core,
    subject: Subject<'_>,
    limits: &Limits,
    shown: &[LimitName],
) -> Vec<QuotaLine> {
    let (quotas, now) = (&core.quotas, core.clock.now());
    let mut lines = Vec::new();
    let rule = RateRule { scope: subject.scope, rpm: limits.rpm_limit, tpm: limits.tpm_limit };
    for (name, used, limit) in quotas.rates.read(now, &rule) {
        lines.push(subject.counted(name, Some(WindowMode::Rolling), used, limit));
    }
    let wanted: Vec<_> =
        MONEY.into_iter().filter(|name| limits.usd(*name).is_some() || shown.contains(name)).collect();
    if !wanted.is_empty() {
        let pace = pace(core, subject.scope, now);
        lines.extend(wanted.into_iter().filter_map(|name| money(core, subject, limits, name, pace)));
    }
    let (requests, sessions) = quotas.slots.read(now, subject.scope);
    for (name, used, limit) in [
        (LimitName::Sessions, sessions, limits.limit_concurrent_sessions),
        (LimitName::Requests, requests, limits.max_concurrent_requests),
    ] {
        if let Some(limit) = limit {
            lines.push(subject.counted(name, None, used, u64::from(limit)));
        }
    }
    lines
}

/// What was spent in the last hours.
fn pace(core: &Core, scope: Scope, now: Timestamp) -> Money {
    let span = Span::Rolling { ms: PACE_HOURS * Timestamp::HOUR_MS };
    let rule = Rule { name: LimitName::FiveHours, limit: Money::MAX, hard: true, span };
    let spent =
        core.quotas.budgets.read(scope, &[rule], now).first().map_or(Money::ZERO, |reading| reading.used);
    Money::clamp_nano(i128::from(spent.nano()) / i128::from(PACE_HOURS))
}

fn money(
    core: &Core,
    subject: Subject<'_>,
    limits: &Limits,
    name: LimitName,
    pace: Money,
) -> Option<QuotaLine> {
    let now = core.clock.now();
    let span = core.quotas.span(name, limits, now);
    let limit = limits.usd_at(name, now);
    let rule = Rule { name, limit: limit.unwrap_or(Money::MAX), hard: limits.is_hard(name), span };
    let reading = core.quotas.budgets.read(subject.scope, &[rule], now).into_iter().next()?;
    let mode = match span {
        Span::Rolling { .. } => Some(WindowMode::Rolling),
        Span::FirstUse { .. } | Span::Fixed { .. } => Some(WindowMode::Fixed),
        Span::Always => None,
    };
    let taken = i128::from(reading.used.nano()) + i128::from(reading.reserved.nano());
    let left = limit.map(|limit| i128::from(limit.nano()) - taken);
    let exhausted_at = left.and_then(|left| reached(now, left, pace)).filter(|at| match span {
        Span::Rolling { ms } => is_reached_rolling(limit, pace, ms),
        _ => reading.resets_at.is_none_or(|end| *at < end),
    });
    Some(QuotaLine {
        used: reading.used.to_string(),
        reserved: reading.reserved.to_string(),
        limit: limit.map(|limit| limit.to_string()),
        percent: limit.and_then(|limit| percent(taken, i128::from(limit.nano()))),
        since: reading.since,
        resets_at: reading.resets_at,
        burn_per_hour_usd: Some(pace.to_string()),
        exhausted_at,
        ..subject.line(name, mode)
    })
}

/// When what is left is spent at this pace; now if nothing is left.
fn reached(now: Timestamp, left: i128, pace: Money) -> Option<Timestamp> {
    if left <= 0 {
        return Some(now);
    }
    let ms = left.checked_mul(i128::from(Timestamp::HOUR_MS))?.checked_div(i128::from(pace.nano()))?;
    i64::try_from(ms).ok().filter(|ms| *ms <= FORECAST_MS).map(|ms| now.plus_ms(ms))
}

/// Out of a rolling window the oldest leaves as fast as new comes in: only a pace that fills all of it reaches it.
fn is_reached_rolling(limit: Option<Money>, pace: Money, ms: i64) -> bool {
    let fills = i128::from(pace.nano()) * i128::from(ms) / i128::from(Timestamp::HOUR_MS);
    limit.is_some_and(|limit| fills >= i128::from(limit.nano()))
}

fn percent(used: i128, limit: i128) -> Option<u32> {
    let percent = used.checked_mul(100)?.checked_div(limit)?;
    u32::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn us_a_forecast_is_exact_and_never_divides_by_nothing() {
        let (now, left) = (Timestamp(0), i128::from(usd("6").nano()));
        assert_eq!(reached(now, left, usd("2")), Some(Timestamp(3 * Timestamp::HOUR_MS)));
        assert_eq!(reached(now, left, Money::ZERO), None);
        assert_eq!(reached(now, 0, Money::ZERO), Some(now));
        assert_eq!(reached(now, i128::from(i64::MAX), Money::from_nano(1).unwrap()), None, "too far away");
    }

    #[test]
    fn us_a_rolling_window_is_reached_only_by_a_pace_that_fills_it() {
        let five = 5 * Timestamp::HOUR_MS;
        assert!(is_reached_rolling(Some(usd("10")), usd("2"), five));
        assert!(!is_reached_rolling(Some(usd("10")), usd("1.9"), five));
        assert_eq!(percent(45, 50), Some(90));
        assert_eq!(percent(1, 0), None);
    }
}
