//! Starting usage anew for one user, key, group, grant, provider or credential. Nothing booked is touched: only
//! what counts towards limits begins later.

use types::Timestamp;
use types::quota::ScopeKind;

use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::args;
use crate::{Change, Store, StoreError};

/// Where `meta` keeps since when the whole gateway's usage counts, in milliseconds.
const GLOBAL: &str = "usage_reset_at";

impl Store {
    /// Lets usage count towards limits from `at` on. A group is named by the id of its row; the whole gateway by 0.
    ///
    /// The row's version stays: somebody who is editing it is not in the way.
    pub async fn usage_reset(
        &self,
        scope: ScopeKind,
        id: i64,
        at: Timestamp,
        change: Change,
    ) -> Result<(), StoreError> {
        let sql = match scope {
            ScopeKind::Global => {
                "INSERT INTO meta (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            }
            ScopeKind::User => "UPDATE users SET usage_reset_at = $2 WHERE id = $1",
            ScopeKind::Key => "UPDATE api_keys SET usage_reset_at = $2 WHERE id = $1",
            ScopeKind::Group => "UPDATE provider_groups SET usage_reset_at = $2 WHERE id = $1",
            ScopeKind::Package => "UPDATE grants SET usage_reset_at = $2 WHERE id = $1",
            ScopeKind::Provider => "UPDATE providers SET usage_reset_at = $2 WHERE id = $1",
            ScopeKind::Credential => "UPDATE credentials SET usage_reset_at = $2 WHERE id = $1",
        };
        let values = match scope {
            ScopeKind::Global => args![GLOBAL, at.0.to_string()],
            _ => args![id, at],
        };
        let mut txn = self.pool.begin_write().await?;
        if txn.execute(sql, values).await? == 0 {
            return Err(StoreError::NotFound);
        }
        txn.execute(
            "DELETE FROM budget_anchor WHERE scope = $1 AND scope_id = $2",
            args![scope.as_str(), id],
        )
        .await?;
        commit_change(txn, change).await
    }
}

/// Since when the whole gateway's usage counts.
pub(crate) async fn global_in_txn(txn: &mut Txn) -> Result<Timestamp, StoreError> {
    let row = txn.row_opt("SELECT value FROM meta WHERE name = $1", args![GLOBAL]).await?;
    match row {
        None => Ok(Timestamp::default()),
        Some(row) => row.named::<i64>("value").map(Timestamp),
    }
}
