//! All credentials of one provider removed at once, after its name was typed, and brought back within a week.

use std::collections::BTreeMap;

use serde_json::json;
use types::credential::{DeletedCredentials, ProviderReset, ResetProvider};
use types::{Problem, ProviderId, Timestamp};

use super::{Admin, Subject};
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "provider";
/// How long what was deleted together can be brought back together.
const WEEK_MS: i64 = 7 * Timestamp::DAY_MS;

impl Admin {
    /// Deletes every credential of a provider that the environment does not name (AC-11). Requests that run on them
    /// end as they would have.
    pub async fn provider_reset(
        &self,
        id: ProviderId,
        input: ResetProvider,
    ) -> Result<ProviderReset, Problem> {
        let provider = self.provider_live(id).await?;
        let name = provider.spec.name.as_str();
        if input.confirm.trim() != name {
            return Err(Problem::field("confirm", "must be the provider's name"));
        }
        let present = self.credential_list(Some(id)).await?;
        let (kept, gone): (Vec<_>, Vec<_>) = present.into_iter().partition(|one| one.managed_by.is_some());
        let names = gone.into_iter().map(|credential| credential.name).collect::<Vec<_>>();
        let subject = Subject { object: OBJECT, id: id.to_string(), name };
        let change = self.change("reset", &subject, Some(json!({ "credentials": names })), None);
        let at = change.at;
        let gone = self.core.store.credentials_delete_of(id, change).await;
        let gone = gone.map_err(|error| store_problem(error, OBJECT))?;
        self.take_effect().await?;
        self.unbind(|binding| gone.iter().any(|row| row.id == binding.credential));
        let names = gone.into_iter().map(|row| row.spec.name).collect();
        let kept = kept.into_iter().map(|credential| credential.name).collect();
        Ok(ProviderReset { deleted: deleted(at, names), kept })
    }

    /// A provider's credentials that were deleted in the last seven days, by when, the latest first.
    pub async fn provider_deleted(&self, id: ProviderId) -> Result<Vec<DeletedCredentials>, Problem> {
        self.provider_live(id).await?;
        let since = self.core.clock.now().plus_ms(-WEEK_MS);
        let rows = self.core.store.credential_list(true).await.map_err(|e| store_problem(e, OBJECT))?;
        let mut together: BTreeMap<Timestamp, Vec<String>> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| row.provider_id == id && row.managed_by.is_none()) {
            if let Some(at) = row.deleted_at.filter(|at| *at > since) {
                together.entry(at).or_default().push(row.spec.name);
            }
        }
        Ok(together.into_iter().rev().map(|(at, names)| deleted(at, names)).collect())
    }

    /// Brings back the credentials of a provider that were deleted at an instant of the last seven days.
    pub async fn provider_restore_deleted(
        &self,
        id: ProviderId,
        deleted_at: Timestamp,
    ) -> Result<DeletedCredentials, Problem> {
        let provider = self.provider_live(id).await?;
        let listed = self.provider_deleted(id).await?;
        let found = listed.into_iter().find(|line| line.deleted_at == deleted_at);
        let found = found.ok_or_else(|| not_found("credential"))?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &provider.spec.name };
        let after = json!({ "credentials": found.names });
        let change = self.change("restore_credentials", &subject, None, Some(after));
        let back = self.core.store.credentials_restore_of(id, deleted_at, change).await;
        let back = back.map_err(|error| store_problem(error, "credential"))?;
        if back.is_empty() {
            return Err(not_found("credential"));
        }
        self.take_effect().await?;
        Ok(DeletedCredentials { names: back.into_iter().map(|row| row.spec.name).collect(), ..found })
    }
}

fn deleted(at: Timestamp, names: Vec<String>) -> DeletedCredentials {
    DeletedCredentials { deleted_at: at, restorable_until: at.plus_ms(WEEK_MS), names }
}
