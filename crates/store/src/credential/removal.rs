//! Deleting all credentials of one provider, and bringing back what was deleted together.

use types::{ProviderId, Timestamp};

use super::{CredentialRow, credential_row};
use crate::revision::commit_change;
use crate::sql::args;
use crate::{Change, Store, StoreError};

impl Store {
    /// Deletes a provider's credentials so that they can be restored, but for those that the environment names.
    /// All of them have the change's time as the time of their deletion. Answers them as they are now.
    pub async fn credentials_delete_of(
        &self,
        provider_id: ProviderId,
        change: Change,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let rows = txn
            .rows(
                "UPDATE credentials SET deleted_at = $2, updated_at = $2, version = version + 1
                 WHERE provider_id = $1 AND deleted_at IS NULL AND managed_by IS NULL RETURNING *",
                args![provider_id, change.at],
            )
            .await?;
        commit_change(txn, change).await?;
        rows.iter().map(credential_row).collect()
    }

    /// Brings back those that were deleted at an instant, all or none of them: a conflict on `name` if one's name is
    /// taken by now. Answers none if there are none.
    pub async fn credentials_restore_of(
        &self,
        provider_id: ProviderId,
        deleted_at: Timestamp,
        change: Change,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let rows = txn
            .rows(
                "UPDATE credentials SET deleted_at = NULL, updated_at = $3, version = version + 1
                 WHERE provider_id = $1 AND deleted_at = $2 AND managed_by IS NULL RETURNING *",
                args![provider_id, deleted_at, change.at],
            )
            .await?;
        if !rows.is_empty() {
            commit_change(txn, change).await?;
        }
        rows.iter().map(credential_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, change, credential, provider};
    use crate::testing::each_backend;

    #[tokio::test]
    async fn ac_11_one_providers_credentials_go_and_come_back_together() {
        each_backend(|store| async move {
            let (one, two) = (provider(&store, "one").await, provider(&store, "two").await);
            for owner in [one.id, two.id] {
                credential(&store, owner, "key 1").await.unwrap();
                credential(&store, owner, "key 2").await.unwrap();
            }
            let gone = store.credentials_delete_of(one.id, change("provider.reset")).await.unwrap();
            assert!(gone.iter().all(|row| row.provider_id == one.id && row.deleted_at == Some(NOW)));
            assert_eq!(gone.len(), 2);
            let left = store.credential_list(false).await.unwrap();
            assert!(left.len() == 2 && left.iter().all(|row| row.provider_id == two.id));

            let none = store.credentials_restore_of(one.id, NOW.plus_ms(1), change("r")).await.unwrap();
            assert_eq!(none, []);
            let taken = credential(&store, one.id, "key 2").await.unwrap();
            let back = store.credentials_restore_of(one.id, NOW, change("r")).await;
            assert!(matches!(back, Err(StoreError::Conflict { field }) if field == "name"));
            assert_eq!(store.credential_list(false).await.unwrap().len(), 3, "none of them came back");
            store.credential_delete(taken.id, Change { at: NOW.plus_ms(5), ..change("d") }).await.unwrap();
            let back = store.credentials_restore_of(one.id, NOW, change("r")).await.unwrap();
            assert_eq!(back.len(), 2);
            assert_eq!(store.credential_list(false).await.unwrap().len(), 4);
        })
        .await;
    }
}
