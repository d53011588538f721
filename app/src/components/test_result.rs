//! The result of a provider test, after a click and after a plain form post.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use types::provider::ProviderTest;

use crate::components::head::Answer;
use crate::format;
use crate::text::{provider as p, translator};

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
