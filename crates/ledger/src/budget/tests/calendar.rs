//! A simple calendar: days and weeks of UTC, months of thirty days.

use types::Timestamp;
use types::limits::LimitName;

use super::super::{Moment, Rule, Span};
use super::{DAY, HOUR, rule};

fn start(at: Timestamp, length: i64) -> Timestamp {
    Timestamp(at.0 - at.0.rem_euclid(length))
}

pub(super) fn moment(at: Timestamp) -> Moment {
    Moment { at, week: start(at, 7 * DAY), month: start(at, 30 * DAY) }
}

fn fixed(at: Timestamp, length: i64) -> Span {
    let since = start(at, length);
    Span::Fixed { since, until: since.plus_ms(length) }
}

/// Which window, without an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FiveRolling,
    FiveFirstUse,
    DayRolling,
    DayFixed,
    Week,
    Month,
    Total,
}

pub(super) const KINDS: [Kind; 7] = [
    Kind::FiveRolling,
    Kind::FiveFirstUse,
    Kind::DayRolling,
    Kind::DayFixed,
    Kind::Week,
    Kind::Month,
    Kind::Total,
];

/// The rule at an instant.
pub(super) fn rule_at(kind: Kind, limit: i64, hard: bool, at: Timestamp) -> Rule {
    let (name, span) = match kind {
        Kind::FiveRolling => (LimitName::FiveHours, Span::Rolling { ms: 5 * HOUR }),
        Kind::FiveFirstUse => (LimitName::FiveHours, Span::FirstUse { ms: 5 * HOUR }),
        Kind::DayRolling => (LimitName::Day, Span::Rolling { ms: DAY }),
        Kind::DayFixed => (LimitName::Day, fixed(at, DAY)),
        Kind::Week => (LimitName::Week, fixed(at, 7 * DAY)),
        Kind::Month => (LimitName::Month, fixed(at, 30 * DAY)),
        Kind::Total => (LimitName::Total, Span::Always),
    };
    rule(name, limit, hard, span)
}
