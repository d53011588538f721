//! The names that a provider goes by: those that it is configured with, and its upstream's own list.

use crate::core::Core;
use crate::snapshot::Provider;
use crate::upstream::list_models;

/// How long to wait for upstreams' own lists; what has not come by then is left out this time.
const PATIENCE_MS: u64 = 3_000;

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
    let fetch = Box::pin(list_models(&core.upstreams, core.clock.now(), PATIENCE_MS, provider, credential));
    let listed = core.model_lists.of((provider.id, revision), fetch).await;
    let complete = listed.is_some();
    names.extend(listed.iter().flat_map(|listed| listed.iter().cloned()));
    (provider, Listed { names, complete })
}
