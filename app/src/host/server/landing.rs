//! Where a plain form post lands that has a result to show.

use leptos_router::location::Url;
use types::ProviderId;
use types::provider::ProviderTest;

/// The address that shows a result after a plain form post. An upstream's sentence is cut at 300 characters.
pub(crate) fn test_landing(id: ProviderId, test: &ProviderTest) -> String {
    let ProviderTest { ok, status, latency_ms, model, error } = test;
    let part = |name: &str, value: String| {
        if value.is_empty() { value } else { format!("&{name}={}", Url::escape(&value)) }
    };
    format!(
        "/providers/{id}?tested={ok}&latency={latency_ms}{}{}{}",
        part("status", status.map(|s| s.to_string()).unwrap_or_default()),
        part("model", model.clone().unwrap_or_default()),
        part("error", error.as_deref().unwrap_or_default().chars().take(300).collect()),
    )
}
