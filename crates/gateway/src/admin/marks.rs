//! What keeps credentials from being chosen: stored states, rests that upstreams asked for, open breakers.

use types::cached::{CacheList, Cleared, UnavailableMark};
use types::credential::CredentialState;
use types::{CredentialId, Problem};

use super::Admin;
use super::cache::Wanted;

impl Admin {
    /// Every mark, those that end latest first and those that never end by themselves before them.
    pub async fn cache_unavailable(
        &self,
        search: Option<String>,
    ) -> Result<CacheList<UnavailableMark>, Problem> {
        let _ = (Wanted::new(search), CredentialState::Valid);
        Ok(self.cache_list(Vec::new(), u64::from(self.core.snapshot().settings.routing_unavailable_s)))
    }

    /// Removes the marks of one credential, or of all: rests, open breakers and stored states.
    pub async fn cache_unavailable_clear(&self, id: Option<CredentialId>) -> Result<Cleared, Problem> {
        let ids = self.credential_ids(id)?;
        let what = id.map_or_else(|| "all credentials".to_owned(), |id| format!("credential {id}"));
        drop(ids);
        self.cleared("unavailable", &what, 0).await
    }

    /// Writes down that something was cleared.
    pub(super) async fn cleared(&self, list: &str, what: &str, count: usize) -> Result<Cleared, Problem> {
        let cleared = u64::try_from(count).unwrap_or(u64::MAX);
        let after = serde_json::json!({ "what": what, "cleared": cleared });
        self.note("clear", "cache", list, Some(after)).await?;
        Ok(Cleared { cleared })
    }
}
