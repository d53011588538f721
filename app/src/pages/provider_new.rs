//! A new provider, from a preset or from nothing. Presets are links, so that they work without scripts.

use leptos::prelude::*;

use super::provider_form::ProviderFields;
use crate::api;
use crate::components::field::FormState;
use crate::components::flash::Failed;
use crate::components::head::Head;
use crate::components::{failure, query};
use crate::form::provider::ProviderForm;
use crate::text::{common as c, provider as p, translator};

/// Slug, name, kind, address. Addresses are those of the vendors' public documentation, or of a local default.
const PRESETS: &[(&str, &str, &str, &str)] = &[
    ("anthropic", "Anthropic", "anthropic", "https://api.anthropic.com"),
    ("openai", "OpenAI", "openai", "https://api.openai.com/v1"),
    ("gemini", "Gemini", "gemini", "https://generativelanguage.googleapis.com"),
    ("azure", "Azure OpenAI", "azure-openai", "https://YOUR-RESOURCE.openai.azure.com"),
    (
        "vertex",
        "Vertex AI",
        "vertex",
        "https://us-central1-aiplatform.googleapis.com/v1/projects/YOUR-PROJECT/locations/us-central1",
    ),
    ("bedrock", "Amazon Bedrock", "bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com"),
    ("openrouter", "OpenRouter", "openai-compatible", "https://openrouter.ai/api/v1"),
    ("deepseek", "DeepSeek", "openai-compatible", "https://api.deepseek.com/v1"),
    ("ollama", "Ollama", "openai-compatible", "http://localhost:11434/v1"),
    ("vllm", "vLLM", "openai-compatible", "http://localhost:8000/v1"),
    ("generic", "", "openai-compatible", ""),
];

/// The page.
#[component]
pub(crate) fn ProviderNew() -> impl IntoView {
    let t = translator();
    let preset = query("preset");
    let create = ServerAction::<api::provider::Create>::new();
    let error = failure(create);
    let form = FormState { scope: "provider", error };
    // Choosing a preset rebuilds the form; nothing else does.
    let fields = move || {
        let chosen = preset.get();
        let shown = present(chosen.as_deref());
        view! { <ProviderFields form present=shown known=false/> }
    };
    view! {
        <Head title=t(p::NEW) parent=("/providers", t(p::TITLE))/>
        <div class="page narrow-page">
            <nav class="presets panel pad" aria-label=t(p::PRESETS)>
                <p class="presets-title">{t(p::PRESETS)}</p>
                <div class="chips">
                    {PRESETS
                        .iter()
                        .map(|(slug, name, _, _)| view! {
                            <a class="chip" href=format!("/providers/new?preset={slug}")
                                aria-current=move || preset.with(|p| p.as_deref() == Some(slug)).then_some("true")>
                                {if name.is_empty() { t(p::PRESET_GENERIC) } else { name }}
                            </a>
                        })
                        .collect_view()}
                </div>
                <p class="help">{t(p::PRESETS_HELP)}</p>
            </nav>
            <Failed error/>
            <ActionForm action=create attr:class="form panel pad">
                {fields}
                <div class="save-bar">
                    <button class="button primary" disabled=move || create.pending().get()>{t(c::CREATE)}</button>
                    <a class="button quiet" href="/providers">{t(c::CANCEL)}</a>
                </div>
            </ActionForm>
        </div>
    }
}

fn present(slug: Option<&str>) -> ProviderForm {
    let (_, name, kind, base_url) =
        PRESETS.iter().find(|(known, ..)| slug == Some(*known)).copied().unwrap_or(("", "", "anthropic", ""));
    ProviderForm {
        name: name.to_owned(),
        kind: kind.to_owned(),
        base_url: base_url.to_owned(),
        enabled: "on".to_owned(),
        sticky: "on".to_owned(),
        translate: "on".to_owned(),
        ..ProviderForm::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_provider_that_would_be_accepted() {
        for (slug, name, _, base_url) in PRESETS.iter().filter(|(slug, ..)| *slug != "generic") {
            let form = present(Some(slug));
            assert!(!name.is_empty() && !base_url.is_empty());
            assert!(form.create().unwrap().parse().is_ok(), "{slug}");
        }
    }
}
