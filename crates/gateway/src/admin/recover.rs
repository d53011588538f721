//! Taking credentials for good again: their stored state, rests, breakers and counters; and what became of a state.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use types::cached::Cleared;
use types::credential::{CredentialEvent, CredentialState, CredentialView};
use types::{CredentialId, Page, Problem};

use super::condition::{Condition, Stored};
use super::{Admin, Subject};
use crate::events;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "credential";
/// Events on a page.
const PAGE: u32 = 100;
/// Credentials at once; a lost account waits for its vendor.
const AT_ONCE: usize = 8;

impl Admin {
    /// What happened to a credential's state, the latest first.
    pub async fn credential_events(
        &self,
        id: CredentialId,
        cursor: Option<String>,
    ) -> Result<Page<CredentialEvent>, Problem> {
        let store = &self.core.store;
        store.credential_fetch(id).await.map_err(|error| store_problem(error, OBJECT))?;
        let page = store.credential_event_list(Some(id), PAGE, cursor).await;
        page.map_err(|error| store_problem(error, OBJECT))
    }

    /// Takes a credential for good again.
    pub async fn credential_recover(&self, id: CredentialId) -> Result<CredentialView, Problem> {
        let row = self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() {
            return Err(not_found(OBJECT));
        }
        self.switch_on_again(id).await?;
        self.clear_marks(id).await?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("recover", &subject, None, None);
        self.core.store.audit_append(change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.credential_fetch(id).await
    }

    /// Takes every credential for good again; answers how many were not.
    pub async fn credential_recover_all(&self) -> Result<Cleared, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let mut unwell = Vec::new();
        for provider in &snapshot.providers {
            for credential in &provider.credentials {
                let condition = Condition::of(&self.core, Stored::of(credential), now);
                let marked = !condition.marks(provider, credential, now).is_empty();
                let off = self.switch_on_again(credential.id).await?;
                if marked || off || self.core.gauges.credential(credential.id).consecutive_errors > 0 {
                    unwell.push(credential.id);
                }
            }
        }
        let cleared = u64::try_from(unwell.len()).unwrap_or(u64::MAX);
        let clearing = stream::iter(unwell).map(|id| self.clear_marks(id));
        clearing.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        // Of those that look well, a state may still be on its way to the database.
        self.core.store.credential_marks_settle().await.map_err(|e| store_problem(e, OBJECT))?;
        self.note("recover", OBJECT, "all", Some(json!({ "recovered": cleared }))).await?;
        self.take_effect().await?;
        Ok(Cleared { cleared })
    }

    /// Forgets everything that is held against a credential, in memory and in the database. The caller puts it in
    /// force and writes it down. Of a lost account the vendor is asked instead: it alone can say that it takes it
    /// again, and a state that is only forgotten would show what is not so (RF-01).
    pub(super) async fn clear_marks(&self, id: CredentialId) -> Result<(), Problem> {
        self.forget_failures(id);
        let row = self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.mark.state == CredentialState::NeedsReauth && row.token.is_lost() {
            self.ask_for_a_token(id).await;
            return Ok(());
        }
        let cleared = self.core.store.credential_mark_clear(id, self.core.clock.now()).await;
        cleared.map_err(|error| store_problem(error, OBJECT))
    }

    /// Forgets what this process holds against a credential.
    pub(super) fn forget_failures(&self, id: CredentialId) {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let changes = self.core.gauges.gauge(id).reset(now);
        for provider in &snapshot.providers {
            if let Some(credential) = provider.credentials.iter().find(|credential| credential.id == id) {
                events::breakers(&self.core, provider.id, credential, changes, now);
                return;
            }
        }
    }
}
