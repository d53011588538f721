//! Dashboard sessions, found by the hash of their cookie; the cookie itself is never stored.

use types::{Timestamp, UserId};

use crate::sql::args;
use crate::{Store, StoreError};

impl Store {
    /// Stores a session or replaces it.
    pub async fn session_save(
        &self,
        id_hash: &[u8],
        user_id: Option<UserId>,
        data: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.pool
            .execute(
                "INSERT INTO dashboard_sessions (id_hash, user_id, body, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id_hash) DO UPDATE SET user_id = excluded.user_id, body = excluded.body,
                    expires_at = excluded.expires_at",
                args![id_hash, user_id, data, expires_at],
            )
            .await?;
        Ok(())
    }

    /// Reads a session that has not expired.
    pub async fn session_load(&self, id_hash: &[u8], now: Timestamp) -> Result<Option<String>, StoreError> {
        let sql = "SELECT body FROM dashboard_sessions WHERE id_hash = $1 AND expires_at > $2";
        let row = self.pool.row_opt(sql, args![id_hash, now]).await?;
        row.map(|row| row.text("body")).transpose()
    }

    /// Ends a session; nothing happens if there is none.
    pub async fn session_delete(&self, id_hash: &[u8]) -> Result<(), StoreError> {
        self.pool.execute("DELETE FROM dashboard_sessions WHERE id_hash = $1", args![id_hash]).await?;
        Ok(())
    }

    /// Ends every session of a user; answers how many.
    pub async fn session_delete_for_user(&self, user_id: UserId) -> Result<u64, StoreError> {
        self.pool.execute("DELETE FROM dashboard_sessions WHERE user_id = $1", args![user_id]).await
    }

    /// Ends every session of the administrator; answers how many.
    pub async fn session_delete_for_admin(&self) -> Result<u64, StoreError> {
        self.pool.execute("DELETE FROM dashboard_sessions WHERE user_id IS NULL", args![]).await
    }

    /// Deletes expired sessions; answers how many.
    pub async fn session_prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.pool.execute("DELETE FROM dashboard_sessions WHERE expires_at <= $1", args![now]).await
    }
}
