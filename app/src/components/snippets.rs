//! Ready-made settings for the clients that people use, with this gateway's address and the key.
//!
//! Which variable each client reads, and which path it appends, was taken from the clients' own wire
//! traffic: Anthropic's SDKs and Claude Code append `/v1/messages`, OpenAI's append to `…/v1`, Google's to the
//! bare address.

use leptos::prelude::*;

use super::copy::Copy;
use crate::host::Facts;
use crate::text::{people as p, translator};

/// Stands where the key belongs once it is no longer shown.
const PLACEHOLDER: &str = "YOUR_KEY";

/// Set-up for every client, folded; the first is open.
#[component]
pub(crate) fn Snippets(
    /// The key, right after it was made.
    #[prop(optional_no_strip)]
    key: Option<String>,
) -> impl IntoView {
    let t = translator();
    let origin = use_context::<Facts>().unwrap_or_default().origin;
    let known = key.is_some();
    let key = key.unwrap_or_else(|| PLACEHOLDER.to_owned());
    let address = origin.clone();
    let blocks = snippets(&origin, &key)
        .into_iter()
        .enumerate()
        .map(|(place, (name, parts))| {
            let parts = parts
                .into_iter()
                .map(|(note, text)| {
                    view! {
                        {note.map(|note| view! { <p class="help">{t(note)}</p> })}
                        <Copy text/>
                    }
                })
                .collect_view();
            view! {
                <details class="fold" open=place == 0>
                    <summary>{name}</summary>
                    {parts}
                </details>
            }
        })
        .collect_view();
    view! {
        <section class="panel pad">
            <h2>{t(p::CONNECT)}</h2>
            <p class="help">{t(p::CONNECT_TEXT)} " " {(!known).then(|| t(p::CONNECT_PLACEHOLDER))}</p>
            <p class="address">{t(p::ADDRESS)} " " <code>{address}</code></p>
            {blocks}
        </section>
    }
}

type Part = (Option<crate::text::Text>, String);

fn snippets(origin: &str, key: &str) -> Vec<(&'static str, Vec<Part>)> {
    vec![
        (
            "Claude Code",
            vec![(
                Some(p::ENVIRONMENT),
                format!("export ANTHROPIC_BASE_URL={origin}\nexport ANTHROPIC_AUTH_TOKEN={key}\nclaude"),
            )],
        ),
        (
            "Codex",
            vec![
                (
                    Some(p::CODEX_FILE),
                    format!(
                        "model_provider = \"tollgate\"\n\n[model_providers.tollgate]\nname = \"Tollgate\"\nbase_url = \"{origin}/v1\"\nwire_api = \"responses\"\nenv_key = \"TOLLGATE_KEY\""
                    ),
                ),
                (Some(p::CODEX_ENV), format!("export TOLLGATE_KEY={key}\ncodex")),
            ],
        ),
        (
            "Gemini CLI",
            vec![(
                Some(p::ENVIRONMENT),
                format!("export GOOGLE_GEMINI_BASE_URL={origin}\nexport GEMINI_API_KEY={key}\ngemini"),
            )],
        ),
        (
            "Anthropic SDK (Python)",
            vec![(
                None,
                format!(
                    "from anthropic import Anthropic\n\nclient = Anthropic(base_url=\"{origin}\", api_key=\"{key}\")\nprint(client.messages.create(\n    model=\"claude-sonnet-4-5\", max_tokens=64,\n    messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n).content)"
                ),
            )],
        ),
        (
            "OpenAI SDK (Python)",
            vec![(
                None,
                format!(
                    "from openai import OpenAI\n\nclient = OpenAI(base_url=\"{origin}/v1\", api_key=\"{key}\")\nprint(client.chat.completions.create(\n    model=\"gpt-5-mini\",\n    messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n).choices[0].message.content)"
                ),
            )],
        ),
        (
            "Google Gen AI SDK (Python)",
            vec![(
                None,
                format!(
                    "from google import genai\n\nclient = genai.Client(api_key=\"{key}\", http_options={{\"base_url\": \"{origin}\"}})\nprint(client.models.generate_content(model=\"gemini-2.5-flash\", contents=\"Hello\").text)"
                ),
            )],
        ),
        (
            "curl",
            vec![(
                None,
                format!(
                    "curl {origin}/v1/messages \\\n  -H 'Authorization: Bearer {key}' \\\n  -H 'anthropic-version: 2023-06-01' \\\n  -H 'content-type: application/json' \\\n  -d '{{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
                ),
            )],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_address_and_key() {
        let all = snippets("https://gate.example", "sk-tg-abc");
        assert_eq!(all.len(), 7);
        for (name, parts) in all {
            let text: String = parts.into_iter().map(|(_, text)| text).collect();
            assert!(text.contains("https://gate.example") && text.contains("sk-tg-abc"), "{name}");
        }
    }

    #[test]
    fn codex_speaks_responses_on_v1() {
        let all = snippets("https://gate.example", "k");
        let (_, parts) = all.iter().find(|(name, _)| *name == "Codex").unwrap();
        assert!(
            parts[0].1.contains("wire_api = \"responses\"")
                && parts[0].1.contains("https://gate.example/v1\"")
        );
    }
}
