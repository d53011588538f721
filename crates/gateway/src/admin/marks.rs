//! What keeps credentials from being chosen: stored states, rests that upstreams asked for, open breakers.

use types::cached::{CacheList, Cleared, UnavailableMark};
use types::{CredentialId, Problem};

use super::Admin;
use super::cache::Wanted;
use super::condition::{Condition, Stored};

impl Admin {
    /// Every mark: first what never ends by itself, then what ends latest.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn cache_unavailable(
        &self,
        search: Option<String>,
    ) -> Result<CacheList<UnavailableMark>, Problem> {
        let wanted = Wanted::new(search);
        let mut items = self.marks();
        items.retain(|mark| {
            let model = mark.model.as_deref().unwrap_or_default();
            wanted.any(&[&mark.credential_name, &mark.provider_name, model, &mark.mark, &mark.reason])
        });
        items.sort_by_key(|mark| (mark.until.is_some(), std::cmp::Reverse(mark.until), mark.credential_id));
        Ok(self.cache_list(items, u64::from(self.core.snapshot().settings.routing_unavailable_s)))
    }

    /// Removes the marks of one credential, or of all: rests, open breakers and stored states.
    pub async fn cache_unavailable_clear(&self, id: Option<CredentialId>) -> Result<Cleared, Problem> {
        let mut ids = self.credential_ids(id)?;
        let what = id.map_or_else(|| "all credentials".to_owned(), |id| format!("credential {id}"));
        let marks = self.marks();
        ids.retain(|id| marks.iter().any(|mark| mark.credential_id == *id));
        let count = marks.iter().filter(|mark| ids.contains(&mark.credential_id)).count();
        for id in ids {
            self.clear_marks(id).await?;
        }
        self.take_effect().await?;
        self.cleared("unavailable", &what, count).await
    }

    fn marks(&self) -> Vec<UnavailableMark> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let all = snapshot.providers.iter().flat_map(|provider| {
            provider.credentials.iter().flat_map(move |credential| {
                Condition::of(&self.core, Stored::of(credential), now).marks(provider, credential, now)
            })
        });
        all.collect()
    }

    /// Writes down that something was cleared.
    pub(super) async fn cleared(&self, list: &str, what: &str, count: usize) -> Result<Cleared, Problem> {
        let cleared = u64::try_from(count).unwrap_or(u64::MAX);
        let after = serde_json::json!({ "what": what, "cleared": cleared });
        self.note("clear", "cache", list, Some(after)).await?;
        Ok(Cleared { cleared })
    }
}
