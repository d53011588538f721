//! The result of a provider test, after a click and after a plain form post.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;
use types::ProviderId;
use types::provider::ProviderTest;

use crate::components::head::Answer;
use crate::format;
use crate::text::{provider as p, translator};

/// The address that shows a result after a plain form post. An upstream's sentence is cut at 300 characters.
pub(crate) fn landing(id: ProviderId, test: &ProviderTest) -> String {
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

/// The result in the address, if one is there.
pub(crate) fn landed() -> Option<ProviderTest> {
    let map = use_query_map();
    map.with_untracked(|map| {
        Some(ProviderTest {
            ok: map.get("tested")? == "true",
            status: map.get("status").and_then(|s| s.parse().ok()),
            latency_ms: map.get("latency").and_then(|s| s.parse().ok()).unwrap_or_default(),
            model: map.get("model"),
            error: map.get("error"),
        })
    })
}

/// Says whether the provider answered, how fast, and what went wrong.
#[component]
pub(crate) fn TestResult(test: ProviderTest) -> impl IntoView {
    let t = translator();
    let (mood, headline) = if test.ok { ("good", t(p::TEST_OK)) } else { ("bad", t(p::TEST_FAILED)) };
    let mut facts = vec![format::duration(test.latency_ms)];
    facts.extend(test.status.map(|status| format!("HTTP {status}")));
    facts.extend(test.model);
    view! {
        <div class="test-result" role="status">
            <Answer mood text=headline><span class="faint">{facts.join(" · ")}</span></Answer>
            {test.error.map(|error| view! { <p class="test-error">{error}</p> })}
        </div>
    }
}
