//! Every path of the product's table that needs no translation.

use serde_json::json;

use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::CHAT;

/// Path asked, path that the upstream must see, whether it is one that bills tokens.
const JSON_PATHS: &[(&str, &str, bool)] = &[
    ("/v1/messages", "/v1/messages", true),
    ("/v1/messages?beta=true", "/v1/messages?beta=true", true),
    ("/v1/messages/count_tokens", "/v1/messages/count_tokens", false),
    ("/v1/messages/count_tokens?beta=true", "/v1/messages/count_tokens?beta=true", false),
    ("/v1/chat/completions", "/v1/chat/completions", true),
    ("/v1/completions", "/v1/completions", true),
    ("/v1/embeddings", "/v1/embeddings", true),
    ("/v1/images/generations", "/v1/images/generations", false),
    ("/v1/audio/speech", "/v1/audio/speech", false),
    ("/v1/moderations", "/v1/moderations", false),
    ("/v1/rerank", "/v1/rerank", true),
    ("/v1/responses", "/v1/responses", true),
    ("/v1/responses/compact", "/v1/responses/compact", true),
    ("/responses", "/v1/responses", true),
    ("/responses/compact", "/v1/responses/compact", true),
    ("/v1beta/models/m-1:generateContent", "/v1beta/models/m-1:generateContent", true),
    (
        "/v1beta/models/m-1:streamGenerateContent?alt=sse",
        "/v1beta/models/m-1:streamGenerateContent?alt=sse",
        true,
    ),
    ("/v1beta/models/m-1:streamGenerateContent", "/v1beta/models/m-1:streamGenerateContent", true),
    ("/v1beta/models/m-1:countTokens", "/v1beta/models/m-1:countTokens", false),
    ("/v1beta/models/m-1:embedContent", "/v1beta/models/m-1:embedContent", false),
    ("/v1beta/models/m-1:batchEmbedContents", "/v1beta/models/m-1:batchEmbedContents", false),
    ("/v1/models/m-1:generateContent", "/v1/models/m-1:generateContent", true),
    ("/v1/models/m-1:streamGenerateContent?alt=sse", "/v1/models/m-1:streamGenerateContent?alt=sse", true),
    ("/v1/models/m-1:countTokens", "/v1/models/m-1:countTokens", false),
    ("/v1beta/models/tuned%2Fm-1:generateContent", "/v1beta/models/tuned%2Fm-1:generateContent", true),
];

#[tokio::test]
async fn tp_01_every_path_reaches_its_upstream_with_the_pools_credential() {
    let rig = Rig::start().await;
    for (asked, seen, bills) in JSON_PATHS {
        let body = json!({"model": "m-1", "max_tokens": 9, "input": "x", "messages": [], "contents": []})
            .to_string();
        let ask = rig.keyed(Ask::post(asked, body.clone()));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        assert_eq!((got.status, got.whole), (200, true), "{asked}: {}", got.text());
        let entries = rig.upstream.invoice();
        let entry = entries.last().unwrap();
        assert_eq!(entry.request.target, *seen, "{asked}");
        assert_eq!(entry.request.body, body);
        let gemini = seen.contains("/models/");
        let wanted = if seen.contains("/messages") {
            "up-anthropic"
        } else if gemini {
            "up-gemini"
        } else {
            "up-openai"
        };
        assert_eq!(entry.credential(), Some(wanted), "{asked}");
        let row = rig.row(&id).await;
        assert_eq!(row["outcome"], "ok", "{asked}: {row}");
        if *bills {
            assert_eq!(row["input_tokens"], 25, "{asked}: {row}");
            assert_eq!(row["estimated"], false, "{asked}: {row}");
        }
        if asked.contains("count") {
            assert_eq!(
                (&row["input_tokens"], &row["output_tokens"]),
                (&json!(0), &json!(0)),
                "{asked}: {row}"
            );
        }
    }
    assert_eq!(rig.rows(JSON_PATHS.len()).await.len(), JSON_PATHS.len(), "one row for each");
}

#[tokio::test]
async fn forms_are_forwarded_as_they_are() {
    let rig = Rig::start().await;
    let form = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm-1\r\n\
                --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\u{0}\u{1}\u{2}\r\n--B--\r\n";
    for path in
        ["/v1/images/edits", "/v1/images/variations", "/v1/audio/transcriptions", "/v1/audio/translations"]
    {
        let ask = Ask::post(path, form)
            .without("content-type")
            .header("content-type", "multipart/form-data; boundary=B");
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        let entries = rig.upstream.invoice();
        assert_eq!(
            (entries.last().unwrap().request.path(), &entries.last().unwrap().request.body[..]),
            (path, form.as_bytes())
        );
    }
}

#[tokio::test]
async fn sound_comes_back_untouched() {
    let rig = Rig::start().await;
    let got = rig
        .ask(rig.keyed(Ask::post("/v1/audio/speech", r#"{"model":"tts-1","input":"hi","voice":"alloy"}"#)))
        .await;
    assert_eq!((got.status, got.header("content-type")), (200, "audio/mpeg"));
    let sent = fakeup::answer_body(&rig.upstream.invoice()[0].request, &fakeup::Behaviour::default());
    assert_eq!(got.body, sent);
}

#[tokio::test]
async fn every_kind_of_provider_is_asked_at_its_own_address() {
    for (kind, base, header, path) in [
        ("openai", "/v1", "authorization", "/v1/chat/completions"),
        ("openai-compatible", "/api/v1/", "authorization", "/api/v1/chat/completions"),
        ("openai-compatible", "", "authorization", "/v1/chat/completions"),
        ("azure-openai", "", "api-key", "/openai/v1/chat/completions"),
    ] {
        let rig = Rig::bare().await;
        rig.provider(kind, json!({"base_url": format!("{}{base}", rig.upstream.base_url())})).await;
        let got = rig.ask(rig.keyed(CHAT.ask("m-1", false))).await;
        assert_eq!(got.status, 200, "{kind}{base}: {}", got.text());
        let entries = rig.upstream.invoice();
        assert_eq!(entries[0].request.path(), path);
        assert!(
            entries[0].request.header(header).is_some_and(|value| value.contains("up-")),
            "{:?}",
            entries[0]
        );
    }
}
