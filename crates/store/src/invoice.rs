//! What providers charged by day and model, to lay a vendor's invoice beside it. Reading the vendor's file is
//! somebody else's business.

use std::collections::BTreeMap;

use types::{Money, ProviderId, Timestamp};

use crate::sql::args;
use crate::{Store, StoreError};

/// What providers charged on one day for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDay {
    /// Start of the UTC day on which the requests arrived.
    pub day: Timestamp,
    /// The model that was sent upstream; what was asked for where that is unknown.
    pub model: String,
    /// Requests that were sent and had it as their last model.
    pub requests: u64,
    /// What was charged, failed attempts included.
    pub cost_usd: Money,
}

impl Store {
    /// Sums over rows from `since` to before `until`, of one provider or of all, by day and model.
    pub async fn provider_cost_by_day_model(
        &self,
        provider_id: Option<ProviderId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ProviderDay>, StoreError> {
        let mut txn = self.pool.begin_read().await?;
        let mut days: BTreeMap<(Timestamp, String), (u64, Money)> = BTreeMap::new();
        // A failed attempt's own model is not kept; it counts as that of the attempt after it.
        for sql in [
            "SELECT r.created_at - r.created_at % 86400000 AS day, COALESCE(r.upstream_model, r.model, '') AS model,
                COUNT(*) AS requests, CAST(SUM(r.provider_cost_nano) AS BIGINT) AS cost_nano
             FROM requests r WHERE r.created_at >= $1 AND r.created_at < $2
                AND r.provider_id IS NOT NULL AND ($3 IS NULL OR r.provider_id = $3)
             GROUP BY 1, 2",
            "SELECT r.created_at - r.created_at % 86400000 AS day, COALESCE(r.upstream_model, r.model, '') AS model,
                CAST(0 AS BIGINT) AS requests, CAST(SUM(l.provider_cost_nano) AS BIGINT) AS cost_nano
             FROM request_loss l JOIN requests r ON r.id = l.request_id
             WHERE r.created_at >= $1 AND r.created_at < $2 AND ($3 IS NULL OR l.provider_id = $3)
             GROUP BY 1, 2",
        ] {
            for row in txn.rows(sql, args![since, until, provider_id]).await? {
                let (requests, cost) = days.entry((row.time("day")?, row.text("model")?)).or_default();
                *requests += row.number::<u64>("requests")?;
                *cost = cost.plus(row.money("cost_nano")?);
            }
        }
        txn.commit().await?;
        let line = |((day, model), (requests, cost_usd))| ProviderDay { day, model, requests, cost_usd };
        Ok(days.into_iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests;
