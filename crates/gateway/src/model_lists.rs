//! Upstreams' own lists of models, kept for a while.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use types::ProviderId;

/// A provider with the revision of the configuration, so that a changed one is asked anew.
type Key = (ProviderId, i64);

/// The lists.
#[derive(Clone, Debug)]
pub(crate) struct ModelLists {
    kept: Cache<Key, Arc<Vec<String>>>,
    /// Those that did not come, so that a page does not wait for them again and again.
    failed: Cache<Key, ()>,
}

impl Default for ModelLists {
    fn default() -> Self {
        Self {
            kept: Cache::builder().max_capacity(1_000).time_to_live(Duration::from_mins(10)).build(),
            failed: Cache::builder().max_capacity(1_000).time_to_live(Duration::from_secs(20)).build(),
        }
    }
}

impl ModelLists {
    /// A provider's list, fetched if it is not known; once, however many ask. `None` if it cannot be had now.
    pub(crate) async fn of<E: Display + Send + Sync + 'static>(
        &self,
        key: Key,
        fetch: impl Future<Output = Result<Vec<String>, E>>,
    ) -> Option<Arc<Vec<String>>> {
        if self.failed.contains_key(&key) {
            return None;
        }
        match self.kept.try_get_with(key, async { fetch.await.map(Arc::new) }).await {
            Ok(listed) => Some(listed),
            Err(error) => {
                tracing::debug!(provider.id = key.0.0, %error, "the provider's model list could not be fetched");
                self.failed.insert(key, ()).await;
                None
            }
        }
    }
}
