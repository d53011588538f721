//! The names that a provider goes by: those that it is configured with, and its upstream's own list.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use types::ProviderId;

use crate::core::Core;
use crate::snapshot::Provider;
use crate::upstream::list_models;

/// How long to wait for upstreams' own lists; what has not come by then is left out this time.
const PATIENCE_MS: u64 = 3_000;

/// Upstreams' model lists, kept for a while. The revision is part of the key, so a changed provider is asked anew.
#[derive(Clone, Debug)]
pub(crate) struct ModelLists {
    kept: Cache<(ProviderId, i64), Arc<Vec<String>>>,
    /// Those that did not come, so that a page does not wait for them again and again.
    failed: Cache<(ProviderId, i64), ()>,
}

impl Default for ModelLists {
    fn default() -> Self {
        Self {
            kept: Cache::builder().max_capacity(1_000).time_to_live(Duration::from_mins(10)).build(),
            failed: Cache::builder().max_capacity(1_000).time_to_live(Duration::from_secs(20)).build(),
        }
    }
}

/// What a provider lists.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) names: Vec<String>,
    /// Whether the upstream's own list is in it, or was not needed.
    pub(super) complete: bool,
}

/// A name, not a pattern and not a regular expression.
fn is_name(text: &str) -> bool {
    !text.contains('*') && !text.starts_with("re:")
}

/// The names that a provider is configured with, plus its own list where the configuration leaves that open.
pub(super) async fn names<'a>(core: &Core, revision: i64, provider: &'a Provider) -> (&'a Provider, Listed) {
    let spec = &provider.spec;
    let fixed = spec.models.iter().chain(spec.model_redirects.keys()).filter(|name| is_name(name));
    let mut names: Vec<String> = fixed.cloned().collect();
    let open = spec.models.is_empty() || !spec.models.iter().all(|model| is_name(model));
    let credential = provider.credentials.iter().find(|c| c.spec.enabled && c.auth.is_readable());
    let Some(credential) = credential.filter(|_| open) else {
        return (provider, Listed { names, complete: true });
    };
    let lists = &core.model_lists;
    let key = (provider.id, revision);
    if lists.failed.contains_key(&key) {
        return (provider, Listed { names, complete: false });
    }
    let listed = lists.kept.try_get_with(key, async {
        list_models(&core.upstreams, core.clock.now(), PATIENCE_MS, provider, credential).await.map(Arc::new)
    });
    let complete = match listed.await {
        Ok(listed) => {
            names.extend(listed.iter().cloned());
            true
        }
        Err(error) => {
            tracing::debug!(provider.name = spec.name, %error, "the provider's model list could not be fetched");
            lists.failed.insert(key, ()).await;
            false
        }
    };
    (provider, Listed { names, complete })
}
