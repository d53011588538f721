//! The model surface as a table: which path means which endpoint, and what to say about a path that is not in it.

use gateway::Refusal;
use http::Method;
use types::dialect::Endpoint;

use crate::config::keys::distance;

/// Every forwarded path without a variable part.
pub(super) const FORWARDED: &[(&str, Endpoint)] = &[
    ("/v1/messages", Endpoint::Messages),
    ("/v1/messages/count_tokens", Endpoint::CountTokens),
    ("/v1/chat/completions", Endpoint::ChatCompletions),
    ("/v1/completions", Endpoint::Completions),
    ("/v1/embeddings", Endpoint::Embeddings),
    ("/v1/images/generations", Endpoint::ImageGenerations),
    ("/v1/images/edits", Endpoint::ImageEdits),
    ("/v1/images/variations", Endpoint::ImageVariations),
    ("/v1/audio/speech", Endpoint::AudioSpeech),
    ("/v1/audio/transcriptions", Endpoint::AudioTranscriptions),
    ("/v1/audio/translations", Endpoint::AudioTranslations),
    ("/v1/moderations", Endpoint::Moderations),
    ("/v1/rerank", Endpoint::Rerank),
    ("/v1/responses", Endpoint::Responses),
    ("/v1/responses/compact", Endpoint::ResponsesCompact),
    ("/responses", Endpoint::Responses),
    ("/responses/compact", Endpoint::ResponsesCompact),
];

/// The other paths of the model surface, as people write them.
const OTHERS: &[&str] = &[
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /v1/usage",
    "GET /v1/requests/{id}/explain",
    "GET /v1beta/models",
    "POST /v1beta/models/{model}:generateContent",
    "POST /v1beta/models/{model}:streamGenerateContent",
    "POST /v1beta/models/{model}:countTokens",
    "POST /v1beta/models/{model}:embedContent",
];

/// Whether the endpoint also takes `multipart/form-data`.
pub(super) fn takes_multipart(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ImageEdits
            | Endpoint::ImageVariations
            | Endpoint::AudioTranscriptions
            | Endpoint::AudioTranslations
    )
}

/// 404 with the nearest route, so that a wrong base URL explains itself (UI-02).
pub(super) fn not_found(method: &Method, path: &str) -> Refusal {
    let nearest = nearest(path);
    // What the caller sent is cut short: it is going into his terminal and our log.
    let path: String = path.chars().take(200).collect();
    Refusal::new(404, "not_found", format!("no such route: {method} {path}; did you mean {nearest}?"))
        .with("nearest_route", nearest)
}

/// 405 for a known path.
pub(super) fn wrong_method(method: &Method, path: &str, allowed: &str) -> Refusal {
    Refusal::new(405, "method_not_allowed", format!("{path} does not take {method}; use {allowed}"))
}

fn nearest(path: &str) -> String {
    // The commonest mistake is a base URL that ends in `/v1` where the client adds `/v1` itself.
    let mut folded = path.to_owned();
    while folded.contains("/v1/v1") {
        folded = folded.replace("/v1/v1", "/v1");
    }
    let forwarded = FORWARDED.iter().map(|(known, _)| format!("POST {known}"));
    forwarded
        .chain(OTHERS.iter().map(|known| (*known).to_owned()))
        .min_by_key(|route| {
            let known = route.split_once(' ').map_or(route.as_str(), |(_, known)| known);
            let fixed = known.split('{').next().unwrap_or(known);
            let same_length: String = folded.chars().take(fixed.chars().count().max(1)).collect();
            if fixed == known { distance(known, &folded) } else { distance(fixed, &same_length) + 2 }
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_02_an_unknown_path_names_the_nearest_route() {
        for (path, expected) in [
            ("/v1/message", "POST /v1/messages"),
            ("/v1/chat/completion", "POST /v1/chat/completions"),
            ("/v1/v1/messages", "POST /v1/messages"),
            ("/v1/model", "GET /v1/models"),
            ("/v1/image/generations", "POST /v1/images/generations"),
            ("/v1beta/model", "GET /v1beta/models"),
        ] {
            let refusal = not_found(&Method::POST, path);
            assert_eq!(refusal.details.get("nearest_route").unwrap(), expected, "{path}");
            assert!(refusal.message.contains("no such route") && refusal.message.contains(path));
        }
    }
}
