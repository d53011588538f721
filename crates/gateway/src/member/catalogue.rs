//! The models that a member's own keys reach.

use std::sync::Arc;

use types::Problem;
use types::catalogue::{Catalogue, CatalogueFilter};

use super::Member;
use crate::catalogue::{Callers, page};
use crate::snapshot::ApiKey;

impl Member {
    /// What at least one of his keys that are in force reaches, or the one that is named. Who serves it is not shown.
    pub async fn model_list(&self, filter: CatalogueFilter) -> Result<Catalogue, Problem> {
        let snapshot = self.core.snapshot();
        let now = self.core.clock.now();
        let in_force =
            |key: &&Arc<ApiKey>| key.spec.enabled && key.spec.expires_at.is_none_or(|end| now < end);
        let own = snapshot.keys.values().filter(|key| key.user.id == self.user_id).filter(in_force);
        let keys: Vec<Arc<ApiKey>> =
            own.filter(|key| filter.key_id.is_none_or(|id| key.id == id)).cloned().collect();
        // A filter by provider would tell who serves what.
        let filter = CatalogueFilter { provider_id: None, ..filter };
        Ok(page(&self.core, &snapshot, Callers::Keys(&keys), &filter, false).await)
    }
}
