//! Many providers and credentials at once: all of them or none, and only on the configuration that was looked at.

use types::credential::CredentialSpec;
use types::provider::ProviderSpec;
use types::{CredentialId, ProviderId};

use crate::audit::audit_append_in_txn;
use crate::error::BoxError;
use crate::sql::args;
use crate::{Account, Change, SealedProxy, SealedSecret, Store, StoreError, credential, provider};

/// Seals a provider's outbound proxy for the id that its row has got.
pub type SealProvider = Box<dyn FnOnce(ProviderId) -> Result<Option<SealedProxy>, BoxError> + Send>;
/// Seals a credential's secret and proxy for the id that its row has got.
pub type SealCredential =
    Box<dyn FnOnce(CredentialId) -> Result<(SealedSecret, Option<SealedProxy>), BoxError> + Send>;

/// Where credentials go.
pub enum ImportTarget {
    /// Into a provider that is here.
    Existing(ProviderId),
    /// Into a new one.
    New(Box<NewProvider>),
}

/// A provider to add.
pub struct NewProvider {
    /// Its content.
    pub spec: ProviderSpec,
    /// Its outbound proxy.
    pub seal: SealProvider,
    /// Its audit row.
    pub change: Change,
}

/// A credential to add.
pub struct NewCredential {
    /// Its content but for the secret.
    pub spec: CredentialSpec,
    /// What its secret is, and whose.
    pub account: Account,
    /// Its secret.
    pub seal: SealCredential,
    /// Its audit row.
    pub change: Change,
}

impl std::fmt::Debug for ImportTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Existing(id) => f.debug_tuple("Existing").field(id).finish(),
            Self::New(new) => new.fmt(f),
        }
    }
}

impl std::fmt::Debug for NewProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewProvider").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCredential").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl Store {
    /// Adds everything in one transaction, with an audit row for each and one for the whole, if the configuration
    /// still has the expected revision; else nothing. Answers the providers, in the order given.
    pub async fn import(
        &self,
        expected_revision: i64,
        items: Vec<(ImportTarget, Vec<NewCredential>)>,
        whole: Change,
    ) -> Result<Vec<ProviderId>, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let mut ids = Vec::with_capacity(items.len());
        for (target, credentials) in items {
            let id = match target {
                ImportTarget::Existing(id) => id,
                ImportTarget::New(new) => {
                    let NewProvider { spec, seal, change } = *new;
                    let row = provider::insert_in_txn(&mut txn, &spec, seal, change.at).await?;
                    audit_append_in_txn(&mut txn, change.of_new(row.id.0)).await?;
                    row.id
                }
            };
            for NewCredential { spec, account, seal, change } in credentials {
                let row = credential::insert_in_txn(&mut txn, (id, &spec, &account), seal, change.at).await?;
                audit_append_in_txn(&mut txn, change.of_new(row.id.0)).await?;
            }
            ids.push(id);
        }
        audit_append_in_txn(&mut txn, whole).await?;
        let touched = txn
            .execute(
                "UPDATE config_revision SET revision = revision + 1 WHERE revision = $1",
                args![expected_revision],
            )
            .await?;
        // Dropped without a commit, the transaction takes everything back.
        if touched == 0 {
            return Err(StoreError::StaleVersion);
        }
        txn.commit().await?;
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
