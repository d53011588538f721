//! The address of each call at each kind of upstream.

use types::dialect::{Dialect, Endpoint};
use types::provider::ProviderKind;

use super::Call;

/// The whole address of a call.
pub(super) fn address(kind: ProviderKind, base_url: &str, call: &Call<'_>) -> String {
    match (kind, call) {
        (_, Call::Models { after }) => {
            let first = models(kind, base_url);
            after.map_or_else(|| first.clone(), |mark| format!("{first}{}", page_after(kind, &first, mark)))
        }
        (_, Call::Endpoint { endpoint, model, gemini_version, query, stream }) => {
            let query = query.map(without_key).filter(|query| !query.is_empty());
            let (mut address, query) = match kind {
                ProviderKind::Vertex => vertex(base_url, *endpoint, model, *stream, query),
                // Nothing of the caller's query is known there.
                ProviderKind::Bedrock => (bedrock(base_url, *endpoint, model, *stream), None),
                _ if endpoint.dialect() == Dialect::Gemini => {
                    let path = protocol::gemini::call_path(gemini_version, model, *endpoint);
                    (join(kind, base_url, &path), query)
                }
                _ => (join(kind, base_url, openai_or_anthropic_path(*endpoint)), query),
            };
            if let Some(query) = query {
                address.push('?');
                address.push_str(&query);
            }
            address
        }
    }
}

/// The first page of the list of models.
fn models(kind: ProviderKind, base_url: &str) -> String {
    match kind {
        ProviderKind::Vertex => vertex_models(base_url),
        ProviderKind::Bedrock => bedrock_models(base_url),
        ProviderKind::Gemini => join(kind, base_url, "/v1beta/models"),
        _ => join(kind, base_url, "/v1/models"),
    }
}

/// How the page after a mark is asked for: Google takes `pageToken`, Anthropic `after_id`. Sources: Google's reference
/// of `models.list`, Anthropic's of `GET /v1/models`.
fn page_after(kind: ProviderKind, first: &str, mark: &str) -> String {
    let name = match kind {
        ProviderKind::Gemini | ProviderKind::Vertex => "pageToken",
        _ => "after_id",
    };
    let joint = if first.contains('?') { '&' } else { '?' };
    format!("{joint}{name}={}", escaped(mark))
}

fn openai_or_anthropic_path(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Messages => "/v1/messages",
        Endpoint::CountTokens => "/v1/messages/count_tokens",
        Endpoint::ChatCompletions => "/v1/chat/completions",
        Endpoint::Completions => "/v1/completions",
        Endpoint::Responses => "/v1/responses",
        Endpoint::ResponsesCompact => "/v1/responses/compact",
        Endpoint::Embeddings => "/v1/embeddings",
        Endpoint::ImageGenerations => "/v1/images/generations",
        Endpoint::ImageEdits => "/v1/images/edits",
        Endpoint::ImageVariations => "/v1/images/variations",
        Endpoint::AudioSpeech => "/v1/audio/speech",
        Endpoint::AudioTranscriptions => "/v1/audio/transcriptions",
        Endpoint::AudioTranslations => "/v1/audio/translations",
        Endpoint::Moderations => "/v1/moderations",
        Endpoint::Rerank => "/v1/rerank",
        // Gemini's verbs have their model in the path and are made by `protocol::gemini::call_path`.
        Endpoint::GeminiGenerate
        | Endpoint::GeminiStream
        | Endpoint::GeminiCountTokens
        | Endpoint::GeminiEmbed
        | Endpoint::GeminiBatchEmbed => "/v1beta/models",
    }
}

/// Vendors' documentation gives base addresses with and without the version, so `…/v1` + `/v1/x` becomes `…/v1/x`.
fn join(kind: ProviderKind, base_url: &str, path: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let azure = kind == ProviderKind::AzureOpenAi && !base.ends_with("/openai/v1");
    if azure {
        let root = base.trim_end_matches("/openai");
        return format!("{root}/openai{path}");
    }
    for version in ["/v1beta", "/v1"] {
        let rest = path.strip_prefix("/v1beta").or_else(|| path.strip_prefix("/v1"));
        if let Some(rest) = rest.filter(|_| base.ends_with(version)) {
            return format!("{base}{rest}");
        }
    }
    format!("{base}{path}")
}

/// The caller's query without his key.
fn without_key(query: &str) -> String {
    query.split('&').filter(|pair| *pair != "key" && !pair.starts_with("key=")).collect::<Vec<_>>().join("&")
}

/// A project's address (`…/v1/projects/p/locations/l`), or the one of express mode, which has no project.
fn vertex(
    base_url: &str,
    endpoint: Endpoint,
    model: &str,
    stream: bool,
    query: Option<String>,
) -> (String, Option<String>) {
    let base = base_url.trim_end_matches('/');
    let version = if base.contains("/v1") { "" } else { "/v1" };
    let (publisher, name, verb) = match endpoint {
        Endpoint::Messages => ("anthropic", model, if stream { "streamRawPredict" } else { "rawPredict" }),
        // The model that is counted for stands in the body.
        Endpoint::CountTokens => ("anthropic", "count-tokens", "rawPredict"),
        Endpoint::GeminiStream => ("google", model, "streamGenerateContent"),
        Endpoint::GeminiCountTokens => ("google", model, "countTokens"),
        _ => ("google", model, "generateContent"),
    };
    let query = query.filter(|_| endpoint.dialect() == Dialect::Gemini);
    (format!("{base}{version}/publishers/{publisher}/models/{}:{verb}", escaped(name)), query)
}

/// Google's models are listed in no project, and by the beta API alone: `GET v1beta1/{parent=publishers/*}/models`
/// with `pageSize`, answered as `publisherModels`. Source: Google's reference of `publishers.models.list`
/// (cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models) and the discovery document of
/// `aiplatform` `v1beta1`.
fn vertex_models(base_url: &str) -> String {
    let root = base_url.find("/v1").and_then(|at| base_url.get(..at)).unwrap_or(base_url);
    format!("{}/v1beta1/publishers/google/models?pageSize=300", root.trim_end_matches('/'))
}

fn bedrock(base_url: &str, endpoint: Endpoint, model: &str, stream: bool) -> String {
    let verb = match endpoint {
        Endpoint::CountTokens => "count-tokens",
        _ if stream => "invoke-with-response-stream",
        _ => "invoke",
    };
    format!("{}/model/{}/{verb}", base_url.trim_end_matches('/'), escaped(model))
}

/// Models are listed by another service than the one that runs them.
fn bedrock_models(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/').replacen("://bedrock-runtime.", "://bedrock.", 1);
    format!("{base}/foundation-models?byProvider=anthropic")
}

/// A name as one segment of a path; `:` of versions and `/` of ARNs too.
fn escaped(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');
    utf8_percent_encode(name, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(endpoint: Endpoint, query: Option<&'static str>) -> Call<'static> {
        Call::Endpoint { endpoint, model: "m-1", gemini_version: "v1beta", query, stream: false }
    }

    fn of(endpoint: Endpoint, model: &'static str, stream: bool) -> Call<'static> {
        Call::Endpoint { endpoint, model, gemini_version: "v1", query: Some("alt=sse&key=x"), stream }
    }

    #[test]
    fn addresses_of_each_kind() {
        use Endpoint as E;
        use ProviderKind as K;
        for (kind, base, call, expected) in [
            (
                K::Anthropic,
                "https://a.example",
                call(E::Messages, Some("beta=true")),
                "https://a.example/v1/messages?beta=true",
            ),
            (
                K::OpenAi,
                "https://a.example/v1",
                call(E::ChatCompletions, None),
                "https://a.example/v1/chat/completions",
            ),
            (
                K::OpenAiCompatible,
                "https://a.example/api/v1/",
                call(E::Rerank, None),
                "https://a.example/api/v1/rerank",
            ),
            (
                K::AzureOpenAi,
                "https://a.example",
                call(E::Responses, None),
                "https://a.example/openai/v1/responses",
            ),
            (
                K::AzureOpenAi,
                "https://a.example/openai/v1",
                call(E::Responses, None),
                "https://a.example/openai/v1/responses",
            ),
            (
                K::Gemini,
                "https://a.example",
                call(E::GeminiStream, Some("alt=sse&key=sk-tg-x")),
                "https://a.example/v1beta/models/m-1:streamGenerateContent?alt=sse",
            ),
            (
                K::Gemini,
                "https://a.example/v1beta",
                Call::Models { after: None },
                "https://a.example/v1beta/models",
            ),
        ] {
            assert_eq!(address(kind, base, &call), expected);
        }
    }

    #[test]
    fn addresses_of_vertex_say_publisher_model_and_verb() {
        use Endpoint as E;
        let base = "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l";
        for (call, tail) in [
            (of(E::GeminiGenerate, "gemini-x", false), "google/models/gemini-x:generateContent?alt=sse"),
            (of(E::GeminiStream, "gemini-x", true), "google/models/gemini-x:streamGenerateContent?alt=sse"),
            (of(E::GeminiCountTokens, "gemini-x", false), "google/models/gemini-x:countTokens?alt=sse"),
            (of(E::Messages, "claude-x@2025", false), "anthropic/models/claude-x@2025:rawPredict"),
            (of(E::Messages, "claude-x@2025", true), "anthropic/models/claude-x@2025:streamRawPredict"),
            (of(E::CountTokens, "claude-x", false), "anthropic/models/count-tokens:rawPredict"),
        ] {
            assert_eq!(address(ProviderKind::Vertex, base, &call), format!("{base}/publishers/{tail}"));
        }
        let express = address(
            ProviderKind::Vertex,
            "https://aiplatform.googleapis.com",
            &of(E::GeminiGenerate, "../../x", false),
        );
        assert_eq!(
            express,
            "https://aiplatform.googleapis.com/v1/publishers/google/models/..%2F..%2Fx:generateContent?alt=sse"
        );
        assert_eq!(
            address(ProviderKind::Vertex, base, &Call::Models { after: None }),
            "https://l-aiplatform.googleapis.com/v1beta1/publishers/google/models?pageSize=300"
        );
    }

    #[test]
    fn a_further_page_of_a_list_is_asked_for_by_its_mark_and_the_mark_stays_one_value() {
        use ProviderKind as K;
        let base = "https://a.example";
        for (kind, expected) in [
            (K::Gemini, "https://a.example/v1beta/models?pageToken=a%26key%3Db%2F%3D"),
            (
                K::Vertex,
                "https://a.example/v1beta1/publishers/google/models?pageSize=300&pageToken=a%26key%3Db%2F%3D",
            ),
            (K::Anthropic, "https://a.example/v1/models?after_id=a%26key%3Db%2F%3D"),
        ] {
            assert_eq!(address(kind, base, &Call::Models { after: Some("a&key=b/=") }), expected);
        }
    }

    #[test]
    fn addresses_of_bedrock_hold_names_and_arns_as_one_segment() {
        let base = "https://bedrock-runtime.us-east-1.amazonaws.com";
        let at = |call: &Call<'_>| address(ProviderKind::Bedrock, base, call);
        assert_eq!(
            at(&of(Endpoint::Messages, "us.anthropic.claude-x-v1:0", true)),
            format!("{base}/model/us.anthropic.claude-x-v1%3A0/invoke-with-response-stream")
        );
        assert_eq!(
            at(&of(Endpoint::Messages, "arn:aws:bedrock:us-east-1:1:inference-profile/x", false)),
            format!("{base}/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke")
        );
        assert_eq!(at(&of(Endpoint::CountTokens, "m", false)), format!("{base}/model/m/count-tokens"));
        assert_eq!(
            at(&Call::Models { after: None }),
            "https://bedrock.us-east-1.amazonaws.com/foundation-models?byProvider=anthropic"
        );
    }
}
