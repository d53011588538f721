//! Leases for work that one instance must do alone. A lease ends by itself; there is no unlocking.

use types::Timestamp;

use crate::sql::args;
use crate::{Store, StoreError};

impl Store {
    /// Takes or prolongs a lease; answers whether `holder` has it now.
    pub async fn lease_take(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let touched = self
            .pool
            .execute(
                "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
                 WHERE leases.holder = excluded.holder OR leases.expires_at <= $4",
                args![name, holder, until, now],
            )
            .await?;
        Ok(touched == 1)
    }
}
