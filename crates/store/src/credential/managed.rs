//! Credentials that variables of the environment name: stored like others, with the name of the variable.

use types::credential::{CredentialAuth, CredentialSpec, Tier};
use types::{CredentialId, ProviderId};

use super::{Account, CredentialRow, credential_row, insert_in_txn};
use crate::error::BoxError;
use crate::revision::commit_change;
use crate::sql::args;
use crate::{Change, SealedSecret, Store, StoreError};

impl Store {
    /// Adds an API key that a variable names. `seal` seals it for the id that the row has got.
    pub async fn credential_managed_insert<F, E>(
        &self,
        provider_id: ProviderId,
        spec: &CredentialSpec,
        variable: &str,
        seal: F,
        change: Change,
    ) -> Result<CredentialRow, StoreError>
    where
        F: FnOnce(CredentialId) -> Result<SealedSecret, E> + Send,
        E: Into<BoxError>,
    {
        let mut txn = self.pool.begin_write().await?;
        let account = Account::of(CredentialAuth::ApiKey);
        let seal = |id| seal(id).map(|secret| (secret, None));
        let row = insert_in_txn(&mut txn, (provider_id, spec, &account), seal, change.at).await?;
        let sql = "UPDATE credentials SET managed_by = $2 WHERE id = $1 RETURNING *";
        let row = txn.row(sql, args![row.id, variable]).await?;
        let row = credential_row(&row)?;
        commit_change(txn, change.of_new(row.id.0)).await?;
        Ok(row)
    }

    /// Notes that a variable names a credential, which brings a deleted one back; the tier is the variable's.
    pub async fn credential_managed_put(
        &self,
        id: CredentialId,
        tier: Tier,
        variable: &str,
        change: Change,
    ) -> Result<CredentialRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let row = txn
            .row(
                "UPDATE credentials SET tier = $2, managed_by = $3, deleted_at = NULL, updated_at = $4,
                    version = version + 1
                 WHERE id = $1 RETURNING *",
                args![id, tier.as_str(), variable, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        credential_row(&row)
    }
}
