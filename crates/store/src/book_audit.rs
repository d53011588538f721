//! The invariants of the books as far as the database shows them. What only the journal or memory shows is checked
//! there; nothing is mended here.

use ledger::price::Factors;
use types::books::{ReconcileFilter, Violation};
use types::price::{Bill, BillLine};
use types::usage::UsageTotals;
use types::{Money, Timestamp};

use crate::sql::{Row, args};
use crate::{Store, StoreError};

/// Most violations that one check tells.
const TOLD: i64 = 200;

/// Rows whose bills are added up at a time, and at most.
const PAGE: u32 = 2_000;
const BILLS_MAX: u64 = 200_000;

/// What an audit of the database found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksAudit {
    /// Things looked at, over all invariants.
    pub checked: u64,
    /// The invariants that were looked at, by name, in order.
    pub invariants: Vec<String>,
    /// What does not hold.
    pub violations: Vec<Violation>,
}

/// A check that is one statement: it selects `subject` of everything that violates the invariant. `$1` is the time
/// from which requests are looked at, `$2` bounds the lines.
struct Check {
    invariant: &'static str,
    message: &'static str,
    sql: &'static str,
}

const CHECKS: [Check; 8] = [
    Check {
        invariant: "INV-2",
        message: "The request was charged, but nobody is named to whom it was sent.",
        sql: "SELECT id AS subject FROM requests WHERE created_at >= $1 AND provider_id IS NULL
                AND (cost_nano > 0 OR provider_cost_nano > 0) LIMIT $2",
    },
    Check {
        invariant: "INV-6",
        message: "A count or an amount of the request is negative.",
        sql: "SELECT id AS subject FROM requests WHERE created_at >= $1 AND (cost_nano < 0 OR base_cost_nano < 0
                OR provider_cost_nano < 0 OR held_nano < 0 OR input_tokens < 0 OR output_tokens < 0
                OR cache_read_tokens < 0 OR cache_write_tokens < 0) LIMIT $2",
    },
    Check {
        invariant: "INV-7",
        message: "The request's costs are not those of its latest adjustment.",
        sql: "SELECT a.request_id AS subject FROM adjustment_rows a JOIN requests r ON r.id = a.request_id
              WHERE r.created_at >= $1 AND (r.cost_nano <> a.cost_after OR r.base_cost_nano <> a.base_cost_after
                    OR r.provider_cost_nano <> a.provider_cost_after)
                AND a.adjustment_id = (SELECT MAX(b.adjustment_id) FROM adjustment_rows b
                    WHERE b.request_id = a.request_id) LIMIT $2",
    },
    Check {
        invariant: "INV-9",
        message: "The same idempotency key of the same API key was answered more than once within a day.",
        sql: "SELECT MIN(id) AS subject FROM requests WHERE created_at >= $1 AND idempotency_key IS NOT NULL
                AND key_id IS NOT NULL AND outcome = 'ok'
              GROUP BY key_id, idempotency_key
              HAVING COUNT(*) > 1 AND MAX(created_at) - MIN(created_at) < 86400000 LIMIT $2",
    },
    Check {
        // What a failed attempt cost is the gateway's loss: nothing is priced then, and the provider bills all the same.
        invariant: "INV-11",
        message: "The request has costs although its state says that nothing was priced.",
        sql: "SELECT id AS subject FROM requests WHERE created_at >= $1
                AND price_state IN ('none', 'unpriced', 'free')
                AND (cost_nano > 0 OR base_cost_nano > 0 OR (provider_cost_nano > 0 AND price_state <> 'none'))
              LIMIT $2",
    },
    Check {
        invariant: "INV-12",
        message: "The request reached an upstream and used tokens, but its state says that there was nothing to price.",
        sql: "SELECT id AS subject FROM requests WHERE created_at >= $1 AND price_state = 'none'
                AND upstream_dialect IS NOT NULL AND (input_tokens > 0 OR output_tokens > 0) LIMIT $2",
    },
    Check {
        invariant: "INV-13",
        message: "The request was refused and yet charged.",
        sql: "SELECT id AS subject FROM requests WHERE created_at >= $1 AND outcome = 'refused'
                AND cost_nano > 0 LIMIT $2",
    },
    Check {
        invariant: "INV-17",
        message: "The adjustment's sums are not those of its rows.",
        sql: "SELECT CAST(a.id AS TEXT) AS subject FROM adjustments a
              LEFT JOIN (SELECT adjustment_id, COUNT(*) AS n, SUM(cost_before) AS b, SUM(cost_after) AS e
                    FROM adjustment_rows GROUP BY adjustment_id) s ON s.adjustment_id = a.id
              WHERE a.at >= $1 AND (a.changed <> COALESCE(s.n, 0) OR a.before_nano <> COALESCE(s.b, 0)
                    OR a.after_nano <> COALESCE(s.e, 0)) LIMIT $2",
    },
];

impl Store {
    /// Checks requests that arrived since the given time, and everything that is summed from them.
    pub async fn audit_books(&self, since: Timestamp) -> Result<BooksAudit, StoreError> {
        let mut audit = BooksAudit::default();
        let count = "SELECT COUNT(*) AS requests FROM requests WHERE created_at >= $1";
        let requests: u64 = self.pool.row(count, args![since]).await?.number("requests")?;
        for check in &CHECKS {
            audit.checked += requests;
            audit.invariants.push(check.invariant.to_owned());
            for row in self.pool.rows(check.sql, args![since, TOLD]).await? {
                audit.note(check.invariant, row.text("subject")?, check.message.to_owned());
            }
        }
        self.add_up_bills(since, &mut audit).await?;
        self.compare_sums(since, &mut audit).await?;
        audit.invariants.sort_by_key(|name| (name.len(), name.clone()));
        audit.invariants.dedup();
        Ok(audit)
    }

    async fn compare_sums(&self, since: Timestamp, audit: &mut BooksAudit) -> Result<(), StoreError> {
        let filter = ReconcileFilter { since: Some(since), ..ReconcileFilter::default() };
        let found = self.reconcile(&filter).await?;
        audit.checked += found.compared;
        audit.invariants.push("INV-16".to_owned());
        for difference in found.differences {
            let message = format!(
                "Rows come to {}, the sums that are kept to {}.",
                figures(&difference.rows),
                figures(&difference.kept)
            );
            audit.note("INV-16", format!("{} {}", difference.subject, difference.id), message);
        }
        Ok(())
    }

    // INV-17: the parts of a bill come to what the row says, to the last nano-USD.
    async fn add_up_bills(&self, since: Timestamp, audit: &mut BooksAudit) -> Result<(), StoreError> {
        let mut after = (since, String::new());
        let mut seen = 0;
        while seen < BILLS_MAX {
            let rows = self
                .pool
                .rows(
                    "SELECT r.id, r.created_at, r.cost_nano, r.base_cost_nano, r.provider_cost_nano, b.body
                     FROM requests r JOIN request_bill b ON b.id = r.id
                     WHERE r.created_at >= $1 AND (r.created_at > $1 OR r.id > $2)
                     ORDER BY r.created_at, r.id LIMIT $3",
                    args![after.0, after.1.as_str(), PAGE],
                )
                .await?;
            let Some(last) = rows.last() else { break };
            after = (last.time("created_at")?, last.text("id")?);
            for row in &rows {
                seen += 1;
                if let Some(message) = unsound(row)? {
                    audit.note("INV-17", row.text("id")?, message);
                }
            }
        }
        audit.checked += seen;
        Ok(())
    }
}

impl BooksAudit {
    fn note(&mut self, invariant: &str, subject: String, message: String) {
        self.violations.push(Violation { invariant: invariant.to_owned(), subject, message });
    }
}

fn unsound(row: &Row) -> Result<Option<String>, StoreError> {
    let bill: Bill = row.json("body")?;
    let lines = bill.lines.iter().fold(Money::ZERO, |sum, line| sum.plus(line.amount_usd));
    if let Some(line) = bill.lines.iter().find(|line| line.amount_usd != amount(line)) {
        return Ok(Some(format!(
            "The line {} comes to {}, not {}.",
            line.class,
            amount(line),
            line.amount_usd
        )));
    }
    let (base, billed, provider) =
        (row.money("base_cost_nano")?, row.money("cost_nano")?, row.money("provider_cost_nano")?);
    let factors = Factors { multiplier: bill.cost_multiplier, group: bill.group_rate, user: bill.user_rate };
    let (due, charged) = factors.of(lines);
    let message = if lines != base {
        format!("The bill's lines come to {lines}, the base cost is {base}.")
    } else if due != billed {
        format!("The bill comes to {due}, {billed} was charged.")
    } else if charged != provider {
        format!("The bill comes to {charged} for the provider, {provider} was booked.")
    } else {
        return Ok(None);
    };
    Ok(Some(message))
}

fn amount(line: &BillLine) -> Money {
    let whole = i128::from(line.quantity) * i128::from(line.rate_usd.nano());
    let per = if line.class.is_tokens() { 1_000_000 } else { 1 };
    Money::clamp_nano((whole + per - 1) / per)
}

fn figures(totals: &UsageTotals) -> String {
    format!(
        "{} requests, {} USD charged, {} USD at list price, {} USD for providers",
        totals.requests, totals.cost_usd, totals.base_cost_usd, totals.provider_cost_usd
    )
}

#[cfg(test)]
mod tests;
