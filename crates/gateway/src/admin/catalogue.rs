//! The catalogue as the administrator sees it.

use types::Problem;
use types::catalogue::{Catalogue, CatalogueFilter};

use super::Admin;
use crate::catalogue::{Callers, page};

impl Admin {
    /// Every model that keys can reach, or what one key reaches, in the order of their names.
    ///
    /// Lists that upstreams have to be asked for are kept for ten minutes; what does not come within three seconds is
    /// left out and named.
    pub async fn model_list(&self, filter: CatalogueFilter) -> Result<Catalogue, Problem> {
        let snapshot = self.core.snapshot();
        let Some(id) = filter.key_id else {
            return Ok(page(&self.core, &snapshot, Callers::Anyone, &filter, true).await);
        };
        let key = snapshot.keys.values().find(|key| key.id == id);
        let key = key.ok_or_else(|| Problem::field("key_id", "there is no such key"))?;
        let keys = [key.clone()];
        Ok(page(&self.core, &snapshot, Callers::Keys(&keys), &filter, true).await)
    }
}
