//! Single values of the installation: its identity, the canary of its encryption key. Not for settings.

use crate::sql::args;
use crate::{Store, StoreError};

impl Store {
    /// Reads a value.
    pub async fn meta_get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let row = self.pool.row_opt("SELECT value FROM meta WHERE name = $1", args![key]).await?;
        row.map(|row| row.text("value")).transpose()
    }

    /// Stores a value unless there is one; answers the one that is stored then.
    pub async fn meta_put_if_absent(&self, key: &str, value: &str) -> Result<String, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        txn.execute(
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            args![key, value],
        )
        .await?;
        let stored = txn.row("SELECT value FROM meta WHERE name = $1", args![key]).await?.text("value")?;
        txn.commit().await?;
        Ok(stored)
    }

    /// Replaces a value if it is still the old one; answers whether it was.
    pub async fn meta_replace(&self, key: &str, old: &str, new: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE meta SET value = $3 WHERE name = $1 AND value = $2";
        Ok(self.pool.execute(sql, args![key, old, new]).await? == 1)
    }
}
