//! The audit of the books while the engine runs: what the database holds against itself, and the budgets in memory
//! against the database and against the requests that are open.
//!
//! It finds and tells; it repairs nothing.

use std::collections::HashMap;
use std::time::Instant;

use ledger::budget::Scope;
use ledger::invariant;
use store::{SpendFrom, StoreError};
use types::books::{AuditReport, Violation};
use types::{Money, Timestamp};

use crate::core::Core;

/// Violations that are told.
const TOLD: usize = 1_000;
/// How far back requests are looked at.
const SPAN_MS: i64 = 7 * Timestamp::DAY_MS;
/// What is looked at here; the store adds its own.
const HERE: [&str; 3] = ["INV-4", "INV-8", "INV-16"];

/// Runs the audit and notes its result for the metrics.
pub(crate) async fn run(core: &Core) -> Result<AuditReport, StoreError> {
    let (at, started) = (core.clock.now(), Instant::now());
    let mut report = AuditReport { at, ..AuditReport::default() };
    report.invariants = HERE.iter().map(|name| (*name).to_owned()).collect();
    let figures = core.quotas.budgets.figures();
    report.checked += count(figures.len());
    report.violations.extend(invariant::check_figures(&figures).iter().map(|found| Violation {
        invariant: found.invariant().to_owned(),
        subject: found.subject(),
        message: found.to_string(),
    }));
    if core.store.backend().starts_with("sqlite") {
        // On a database that several instances share, each knows only its own until it loads anew.
        totals(core, &mut report).await?;
    }
    let books = core.store.audit_books(at.plus_ms(-SPAN_MS)).await?;
    report.checked += books.checked;
    report.invariants.extend(books.invariants);
    report.invariants.sort_by_key(|name| (name.len(), name.clone()));
    report.invariants.dedup();
    report.violations.extend(books.violations);
    report.violations.truncate(TOLD);
    report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    core.metrics.audited(report.violations.len());
    Ok(report)
}

/// INV-8 and INV-16: the totals in memory are those of the database.
async fn totals(core: &Core, report: &mut AuditReport) -> Result<(), StoreError> {
    let _nothing_is_applied = core.books.lock().await;
    let budgets = &core.quotas.budgets;
    let before = budgets.figures();
    if budgets.unapplied() > 0 {
        // What was settled a moment ago is on its way; the next audit sees it.
        return Ok(());
    }
    let moment = core.quotas.moment(core.clock.now());
    let from = SpendFrom { minutes_since: moment.at, week: moment.week, month: moment.month };
    let rows = core.store.spend_load(from).await?;
    let booked: HashMap<_, _> =
        rows.into_iter().map(|row| (Scope { kind: row.scope, id: row.id }, row.total)).collect();
    report.checked += count(booked.len());
    report.violations.extend(before.iter().filter_map(|figures| {
        let booked = booked.get(&figures.scope).copied().unwrap_or(Money::ZERO);
        total(figures.scope, figures.total, booked)
    }));
    Ok(())
}

fn total(scope: Scope, counted: Money, booked: Money) -> Option<Violation> {
    let invariant = match counted.cmp(&booked) {
        std::cmp::Ordering::Less => "INV-8",
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Greater => "INV-16",
    };
    let message = format!("counts {counted} USD towards its limits, but {booked} USD are booked");
    Some(Violation { invariant: invariant.to_owned(), subject: subject(scope), message })
}

fn subject(scope: Scope) -> String {
    format!("{} {}", scope.kind, scope.id)
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}
