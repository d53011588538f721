//! Settings that differ from their default, as text. Names and ranges are not checked here.

use types::Timestamp;

use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// A setting as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// When it was set.
    pub updated_at: Timestamp,
    /// Who set it.
    pub updated_by: String,
}

impl Store {
    /// Lists what is stored, by name.
    pub async fn setting_list(&self) -> Result<Vec<SettingRow>, StoreError> {
        let rows = self.pool.rows("SELECT * FROM settings ORDER BY name", args![]).await?;
        rows.iter().map(setting_row).collect()
    }

    /// Stores a value.
    pub async fn setting_put(
        &self,
        name: &str,
        value: &str,
        change: Change,
    ) -> Result<SettingRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at,
                    updated_by = excluded.updated_by
                 RETURNING *",
                args![name, value, change.at, change.actor.as_str()],
            )
            .await?;
        commit_change(txn, change).await?;
        setting_row(&row)
    }

    /// Forgets a value, so that the default applies; not found if none was stored.
    pub async fn setting_reset(&self, name: &str, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        if txn.execute("DELETE FROM settings WHERE name = $1", args![name]).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit_change(txn, change).await
    }
}

/// All settings.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<SettingRow>, StoreError> {
    let rows = txn.rows("SELECT * FROM settings ORDER BY name", args![]).await?;
    rows.iter().map(setting_row).collect()
}

fn setting_row(row: &Row) -> Result<SettingRow, StoreError> {
    Ok(SettingRow {
        name: row.text("name")?,
        value: row.text("value")?,
        updated_at: row.time("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

#[cfg(test)]
mod tests;
