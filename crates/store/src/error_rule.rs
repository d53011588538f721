//! Rules about upstreams' errors: rows and their changes. The built-in ones are not stored.

use types::error_rule::ErrorRuleSpec;
use types::{ErrorRuleId, Timestamp};

use crate::pool::Txn;
use crate::revision::{commit_change, missing_or_stale};
use crate::sql::{Row, Value, args};
use crate::{Change, Store, StoreError};

const ALL: &str = "SELECT * FROM error_rules ORDER BY priority, id";

/// A rule as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRuleRow {
    /// Identity.
    pub id: ErrorRuleId,
    /// Its content.
    pub spec: ErrorRuleSpec,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Lists rules in the order in which they are looked at: by priority, the older first among equals.
    pub async fn error_rule_list(&self) -> Result<Vec<ErrorRuleRow>, StoreError> {
        self.pool.rows(ALL, args![]).await?.iter().map(error_rule_row).collect()
    }

    /// Fetches a rule.
    pub async fn error_rule_fetch(&self, id: ErrorRuleId) -> Result<ErrorRuleRow, StoreError> {
        error_rule_row(&self.pool.row("SELECT * FROM error_rules WHERE id = $1", args![id]).await?)
    }

    /// Adds a rule; a conflict if its name is taken.
    pub async fn error_rule_insert(
        &self,
        spec: &ErrorRuleSpec,
        change: Change,
    ) -> Result<ErrorRuleRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "INSERT INTO error_rules (name, enabled, priority, status, kind, contains, class, cooldown_s,
                    answer_status, answer_message, updated_at, version)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) RETURNING *",
                values(spec, change.at),
            )
            .await?;
        let row = error_rule_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Changes a rule that still has the expected version.
    pub async fn error_rule_update(
        &self,
        id: ErrorRuleId,
        expected_version: i64,
        spec: &ErrorRuleSpec,
        change: Change,
    ) -> Result<ErrorRuleRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row_opt(
                "UPDATE error_rules SET name = $3, enabled = $4, priority = $5, status = $6, kind = $7,
                    contains = $8, class = $9, cooldown_s = $10, answer_status = $11, answer_message = $12,
                    updated_at = $13, version = version + 1
                 WHERE id = $1 AND version = $2 RETURNING *",
                [args![id, expected_version], values(spec, change.at)].concat(),
            )
            .await?;
        let Some(row) = row else {
            let versions = "SELECT version FROM error_rules WHERE id = $1";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        };
        commit_change(txn, change).await?;
        error_rule_row(&row)
    }

    /// Deletes a rule.
    pub async fn error_rule_delete(&self, id: ErrorRuleId, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        if txn.execute("DELETE FROM error_rules WHERE id = $1", args![id]).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit_change(txn, change).await
    }
}

/// All rules.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<ErrorRuleRow>, StoreError> {
    txn.rows(ALL, args![]).await?.iter().map(error_rule_row).collect()
}

// In the order of the statements' columns.
fn values(spec: &ErrorRuleSpec, at: Timestamp) -> Vec<Value> {
    let ErrorRuleSpec {
        name,
        enabled,
        priority,
        status,
        kind,
        contains,
        class,
        cooldown_s,
        answer_status,
        answer_message,
    } = spec;
    args![
        name.as_str(),
        *enabled,
        *priority,
        *status,
        kind.clone(),
        contains.clone(),
        class.as_str(),
        *cooldown_s,
        *answer_status,
        answer_message.clone(),
        at,
    ]
}

fn error_rule_row(row: &Row) -> Result<ErrorRuleRow, StoreError> {
    Ok(ErrorRuleRow {
        id: ErrorRuleId(row.int("id")?),
        spec: ErrorRuleSpec {
            name: row.text("name")?,
            enabled: row.flag("enabled")?,
            priority: row.number("priority")?,
            status: row.number_opt("status")?,
            kind: row.text_opt("kind")?,
            contains: row.text_opt("contains")?,
            class: row.named("class")?,
            cooldown_s: row.number_opt("cooldown_s")?,
            answer_status: row.number_opt("answer_status")?,
            answer_message: row.text_opt("answer_message")?,
        },
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
