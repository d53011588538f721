//! Whether something fits into an account, and if not, why.
//!
//! It looks and changes nothing but running sums.

use types::limits::LimitName;
use types::{Money, Timestamp};

use super::account::{Account, Window};
use super::minutes::{Stretch, start_of};
use super::{Amounts, Blocked, Reading, Rule, Scope, Span};

/// Looks at all rules of an account; see [`super::Budgets::hold`] for which is named.
///
/// `own` is what the request holds already: it is never what others hold.
pub(super) fn check(
    account: &mut Account,
    scope: Scope,
    rules: &[Rule],
    at: Timestamp,
    needed: Amounts,
    own: Amounts,
) -> Option<Blocked> {
    let mut waiting = None;
    for rule in rules {
        match check_rule(account, scope, rule, at, needed, own) {
            Some(blocked) if blocked.waits => waiting = waiting.or(Some(blocked)),
            Some(blocked) => return Some(blocked),
            None => {}
        }
    }
    waiting.or_else(|| check_allowance(account, scope, rules, needed.worst))
}

fn check_rule(
    account: &mut Account,
    scope: Scope,
    rule: &Rule,
    at: Timestamp,
    needed: Amounts,
    own: Amounts,
) -> Option<Blocked> {
    let (need, own, all) = if rule.hard {
        (needed.worst, own.worst, account.worst)
    } else {
        (needed.estimate, own.estimate, account.estimate)
    };
    let costs = !needed.worst.is_zero() || !needed.estimate.is_zero();
    if !costs || (rule.hard && need.is_zero()) {
        return None;
    }
    let window = account.window(rule, at);
    let used = account.used(window, rule.name);
    let limit = i128::from(rule.limit.nano());
    let nano = i128::from(need.nano());
    // An estimate of nothing still needs room for something.
    let least = if rule.hard { nano } else { nano.max(1) };
    // All that is held is at least what is held in the window, and quicker to know.
    if used + all + least <= limit {
        return None;
    }
    let held = account.held(window);
    let reserved = if rule.hard { held.0 } else { held.1 };
    if used + reserved + least <= limit {
        return None;
    }
    Some(Blocked {
        scope,
        name: rule.name,
        used: Money::clamp_nano(used),
        reserved: Money::clamp_nano(reserved),
        limit: rule.limit,
        needed: need,
        resets_at: resets_at(account, rule, window, at, used + reserved + least - limit),
        rolling: matches!(rule.span, Span::Rolling { .. }),
        waits: used + i128::from(own.nano()) + least <= limit,
        allowance: false,
    })
}

fn check_allowance(account: &Account, scope: Scope, rules: &[Rule], need: Money) -> Option<Blocked> {
    let granted = account.granted?;
    if need.is_zero() || account.consumed + account.worst + i128::from(need.nano()) <= granted {
        return None;
    }
    Some(Blocked {
        scope,
        name: rules.first().map_or(LimitName::Total, |rule| rule.name),
        used: Money::clamp_nano(account.consumed),
        reserved: Money::clamp_nano(account.worst),
        limit: Money::clamp_nano(granted),
        needed: need,
        resets_at: None,
        rolling: false,
        waits: true,
        allowance: true,
    })
}

fn resets_at(
    account: &Account,
    rule: &Rule,
    window: Window,
    at: Timestamp,
    excess: i128,
) -> Option<Timestamp> {
    match (rule.span, window) {
        (Span::Fixed { until, .. }, _) => Some(until),
        (Span::FirstUse { ms }, _) => account.first_use(ms, at).map(|window| start_of(window.to)),
        (Span::Rolling { ms }, Window::Minutes(stretch)) => {
            account.leaves(stretch, excess).map(|minute| start_of(minute).plus_ms(ms))
        }
        (Span::Rolling { .. } | Span::Always, _) => None,
    }
}

/// A rule as it stands.
pub(super) fn read(account: &mut Account, rule: &Rule, now: Timestamp) -> Reading {
    let window = account.window(rule, now);
    let used = account.used(window, rule.name);
    let held = account.held(window);
    let (since, resets_at) = match rule.span {
        Span::Fixed { since, until } => (Some(since), Some(until)),
        Span::FirstUse { ms } => account
            .first_use(ms, now)
            .map_or((None, None), |Stretch { from, to }| (Some(start_of(from)), Some(start_of(to)))),
        Span::Rolling { .. } | Span::Always => (None, None),
    };
    Reading {
        name: rule.name,
        used: Money::clamp_nano(used),
        reserved: Money::clamp_nano(if rule.hard { held.0 } else { held.1 }),
        since,
        resets_at,
    }
}
