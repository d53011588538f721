//! Budgets: examples by hand, a model over random histories, and many threads at once.

mod calendar;
mod examples;
mod hammer;
mod minutes;
mod model;
mod reference;
mod speed;
mod steps;

use types::limits::LimitName;
use types::quota::ScopeKind;
use types::{Money, RequestId, Timestamp};

use super::{Amounts, Rule, Scope, Span};

fn id(n: u64) -> RequestId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

fn nano(amount: i64) -> Money {
    Money::from_nano(amount).unwrap()
}

/// The same for hard and estimated limits.
fn sure(amount: i64) -> Amounts {
    Amounts { worst: nano(amount), estimate: nano(amount) }
}

fn scope(kind: ScopeKind, id: i64) -> Scope {
    Scope { kind, id }
}

fn rule(name: LimitName, limit: i64, hard: bool, span: Span) -> Rule {
    Rule { name, limit: nano(limit), hard, span }
}

fn total(limit: i64) -> Rule {
    rule(LimitName::Total, limit, true, Span::Always)
}

const HOUR: i64 = Timestamp::HOUR_MS;
const DAY: i64 = Timestamp::DAY_MS;
