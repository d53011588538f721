//! Past decisions with what became of them, for trying other rules on them. What other rules would have chosen is
//! worked out elsewhere.

use types::request::{Attempt, Decision};
use types::{Money, Timestamp};

use crate::sql::{Row, args};
use crate::{Store, StoreError};

/// One decision and how its request went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionSample {
    /// When the request arrived.
    pub at: Timestamp,
    /// Who could have served it, and who was first.
    pub decision: Decision,
    /// What was tried, at least one.
    pub attempts: Vec<Attempt>,
    /// What it costs at list prices.
    pub base_cost: Money,
    /// What its provider charges for it.
    pub provider_cost: Money,
    /// From the request's arrival to the first byte of its answer, in milliseconds.
    pub first_byte_ms: Option<u64>,
}

impl Store {
    /// The latest decisions among requests that arrived from `since` on and before `until`, newest first. Requests
    /// that were never tried anywhere are left out.
    ///
    /// A decision names every candidate, so each may hold some kilobytes: the caller chooses a bearable limit.
    pub async fn decision_samples(
        &self,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DecisionSample>, StoreError> {
        let rows = self
            .pool
            .rows(
                "SELECT r.created_at, r.attempts, r.base_cost_nano, r.provider_cost_nano, r.first_byte_ms,
                    d.body AS decision
                 FROM requests r JOIN request_decision d ON d.id = r.id
                 WHERE r.created_at >= $1 AND r.created_at < $2 AND r.attempts <> '[]'
                 ORDER BY r.created_at DESC, r.id DESC LIMIT $3",
                args![since, until, limit],
            )
            .await?;
        rows.iter().map(sample).collect()
    }
}

fn sample(row: &Row) -> Result<DecisionSample, StoreError> {
    Ok(DecisionSample {
        at: row.time("created_at")?,
        decision: row.json("decision")?,
        attempts: row.json("attempts")?,
        base_cost: row.money("base_cost_nano")?,
        provider_cost: row.money("provider_cost_nano")?,
        first_byte_ms: row.number_opt("first_byte_ms")?,
    })
}

#[cfg(test)]
mod tests;
