//! What a body's bytes do not bound.

use super::*;

fn found(endpoint: Endpoint, body: &str) -> Probe {
    probe(endpoint, None, body.as_bytes()).unwrap_or_else(|e| panic!("{e}: {body}"))
}

#[test]
fn us_things_that_the_vendor_reads_elsewhere_are_noted() {
    use Endpoint::{ChatCompletions as Chat, GeminiGenerate as Gemini, Messages, Responses};
    for (endpoint, body, remote) in [
        (
            Chat,
            r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#,
            true,
        ),
        (Chat, r#"{"messages":[{"content":[{"image_url":{"\u0075rl":"https:\/\/x"}}]}]}"#, true),
        (Chat, r#"{"messages":[{"content":[{"image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#, false),
        (Chat, r#"{"messages":[{"content":[{"type":"file","file":{"file_id":"f"}}]}]}"#, true),
        (
            Chat,
            r#"{"messages":[{"content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,A"}}]}]}"#,
            true,
        ),
        (Chat, r#"{"messages":[{"content":"{\"url\":\"https://x\",\"file_id\":\"f\"}"}]}"#, false),
        (Chat, r#"{"messages":[{"tool_calls":[{"function":{"arguments":"{\"file_id\":\"f\"}"}}]}]}"#, false),
        (
            Chat,
            r#"{"tools":[{"type":"function","function":{"parameters":{"type":"object","properties":{"url":{"type":"string"},"file_id":{"type":"string"}}}}}]}"#,
            false,
        ),
        (Chat, r#"{"web_search_options":{}}"#, false),
        (Chat, r#"{"web_search_options":{"search_context_size":"low"}}"#, true),
        (Responses, r#"{"previous_response_id":"r"}"#, true),
        (Responses, r#"{"previous_response_id":null,"conversation":null,"prompt":null}"#, false),
        (Responses, r#"{"conversation":{"id":"c"}}"#, true),
        (Responses, r#"{"prompt":{"id":"p"}}"#, true),
        (Endpoint::Completions, r#"{"prompt":"text"}"#, false),
        (Responses, r#"{"input":[{"type":"item_reference","id":"i"}]}"#, true),
        (Responses, r#"{"input":[{"content":[{"type":"input_image","image_url":"https://x"}]}]}"#, true),
        (Responses, r#"{"input":[{"content":[{"type":"input_image","file_id":"f"}]}]}"#, true),
        (Responses, r#"{"tools":[{"type":"file_search"}]}"#, true),
        (Responses, r#"{"tools":[{"type":"mcp","server_url":"https://x"}]}"#, true),
        (
            Responses,
            r#"{"tools":[{"type":"function","name":"web_search"},{"type":"custom"},{"type":"local_shell"}]}"#,
            false,
        ),
        (
            Messages,
            r#"{"messages":[{"content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]}"#,
            true,
        ),
        (Messages, r#"{"messages":[{"content":[{"source":{"x":{"source":{}},"t\u0079pe":"url"}}]}]}"#, true),
        (
            Messages,
            r#"{"messages":[{"content":[{"type":"document","source":{"file_id":"f","type":"file"}}]}]}"#,
            true,
        ),
        (
            Messages,
            r#"{"messages":[{"content":[{"source":{"type":"base64","media_type":"image/png","data":"A"}}]}]}"#,
            false,
        ),
        (
            Messages,
            r#"{"messages":[{"content":[{"source":{"type":"base64","media_type":"application\/pdf","data":"A"}}]}]}"#,
            true,
        ),
        (
            Messages,
            r#"{"messages":[{"content":[{"type":"tool_use","input":{"url":"https://x","type":"file","file_id":"f"}}]}]}"#,
            false,
        ),
        (Messages, r#"{"messages":[{"content":[{"source":{"type":"text"}},{"type":"url"}]}]}"#, false),
        (Messages, r#"{"mcp_servers":[{"type":"url","url":"https://x"}]}"#, true),
        (Messages, r#"{"mcp_servers":[]}"#, false),
        (Messages, r#"{"tools":[{"type":"code_execution_20250825","name":"x"}]}"#, true),
        (
            Messages,
            r#"{"tools":[{"type":"bash_20250124","name":"bash"},{"type":"custom","input_schema":{"type":"object"}}]}"#,
            false,
        ),
        (Gemini, r#"{"contents":[{"parts":[{"fileData":{"fileUri":"gs://x"}}]}]}"#, true),
        (Gemini, r#"{"contents":[{"parts":[{"file_data":{"file_uri":"gs://x"}}]}]}"#, true),
        (Gemini, r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"video/mp4","data":"A"}}]}]}"#, true),
        (Gemini, r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"audio/ogg","data":"A"}}]}]}"#, false),
        (Gemini, r#"{"cachedContent":"cachedContents/1"}"#, true),
        (Gemini, r#"{"tools":[{"urlContext":{}}]}"#, true),
        (
            Gemini,
            r#"{"tools":[{"functionDeclarations":[{"name":"x","parameters":{"type":"OBJECT"}}]}]}"#,
            false,
        ),
    ] {
        assert_eq!(found(endpoint, body).remote_input, remote, "{body}");
    }
}

#[test]
fn us_images_inside_the_body_are_counted() {
    for (endpoint, body, images) in [
        (
            Endpoint::ChatCompletions,
            r#"{"messages":[{"content":[{"image_url":{"url":"data:image/png;base64,A"}},{"image_url":{"url":"data:image\/jpeg;base64,A"}}]}]}"#,
            2,
        ),
        (
            Endpoint::Responses,
            r#"{"input":[{"content":[{"type":"input_image","image_url":"data:image/png;base64,A"}]}]}"#,
            1,
        ),
        (
            Endpoint::Messages,
            r#"{"messages":[{"content":[{"source":{"type":"base64","media_type":"image/png"}}]}]}"#,
            1,
        ),
        (
            Endpoint::GeminiGenerate,
            r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png"}}]}]}"#,
            1,
        ),
        (
            Endpoint::GeminiGenerate,
            r#"{"contents":[],"generationConfig":{"responseMimeType":"image/png"}}"#,
            0,
        ),
    ] {
        let found = found(endpoint, body);
        assert_eq!((found.images, found.remote_input), (images, false), "{body}");
    }
    let parts = "--b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"a\"\r\n\r\nX\r\n--b\r\nContent-Disposition: form-data; name=\"mask\"\r\n\r\nY\r\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n3\r\n--b--";
    let heard =
        probe(Endpoint::ImageEdits, Some("multipart/form-data; boundary=b"), parts.as_bytes()).unwrap();
    assert_eq!((heard.images, heard.n), (2, Some(3)));
}

#[test]
fn us_searches_and_long_caches_are_noted() {
    for (endpoint, body) in [
        (Endpoint::Messages, r#"{"tools":[{"name":"x","type":"web_search_20250305"}]}"#),
        (Endpoint::Responses, r#"{"tools":[{"type":"web\u005fsearch_preview"}]}"#),
        (Endpoint::ChatCompletions, r#"{"web_search_options":{"a":1}}"#),
        (Endpoint::ChatCompletions, r#"{"plugins":[{"id":"web"}]}"#),
        (Endpoint::GeminiGenerate, r#"{"tools":[{"google_search":{}}]}"#),
    ] {
        let found = found(endpoint, body);
        assert!(found.web_search && found.remote_input, "{body}");
    }
    let body = r#"{"messages":[{"content":"web_search"}],"tools":[{"name":"web_search"}]}"#;
    assert!(!found(Endpoint::Messages, body).web_search);
    let body = r#"{"messages":[{"content":[{"cache_control":{"type":"ephemeral","ttl":"1h"},"text":"x"}]}]}"#;
    assert!(found(Endpoint::Messages, body).caches_1h);
    assert!(found(Endpoint::Messages, r#"{"tools":[{"cache_control":{"ttl" : "1\u0068"}}]}"#).caches_1h);
    assert!(!found(Endpoint::Messages, &body.replace("1h", "5m")).caches_1h);
    assert!(!found(Endpoint::Messages, r#"{"messages":[{"content":"\"ttl\":\"1h\""}]}"#).caches_1h);
}

#[test]
fn us_outputs_and_tiers_are_read() {
    for (endpoint, body, n, tier) in [
        (Endpoint::ChatCompletions, r#"{"n":3,"service_tier":"Flex"}"#, Some(3), Some("flex")),
        (Endpoint::Completions, r#"{"best_of":5,"n":2}"#, Some(5), None),
        (Endpoint::Completions, r#"{"best_of":"x"}"#, None, None),
        (Endpoint::ChatCompletions, r#"{"n":null,"service_tier":null}"#, None, None),
        (Endpoint::Messages, r#"{"speed":"fast","service_tier":"standard_only"}"#, None, Some("fast")),
        (Endpoint::Messages, r#"{"service_tier":"auto","speed":"fast"}"#, None, Some("fast")),
        (
            Endpoint::GeminiGenerate,
            r#"{"generationConfig":{"candidateCount":4},"serviceTier":"flex"}"#,
            Some(4),
            Some("flex"),
        ),
        (Endpoint::GeminiGenerate, r#"{"generation_config":{"candidate_count":"4"}}"#, Some(4), None),
        (Endpoint::ChatCompletions, r#"{"service_tier":7}"#, None, None),
    ] {
        let found = found(endpoint, body);
        assert_eq!((found.n, found.service_tier.as_deref()), (n, tier), "{body}");
    }
    let twice = r#"{"service_tier":"flex","service_tier":"priority"}"#;
    assert_eq!(field_of(chat(twice)).as_deref(), Some("service_tier"));
    let twice = r#"{"serviceTier":"flex","service_tier":"priority"}"#;
    let error = probe(Endpoint::GeminiGenerate, None, twice.as_bytes()).unwrap_err();
    assert_eq!(error.field(), Some("serviceTier"));
}
