//! Classes of usage beyond text: audio, images, searches, service tiers.

use super::*;

/// Streamed or whole, in one piece or byte by byte: always the same.
fn heard(endpoint: Endpoint, streaming: bool, text: &str) -> Metered {
    let expected = whole(endpoint, streaming, text);
    let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(hear(endpoint, streaming, &single), expected, "{text}");
    expected
}

#[test]
fn us_audio_and_images_are_counted_apart_and_never_exceed_the_whole() {
    let chat = r#"{"usage":{"prompt_tokens":100,"completion_tokens":60,
        "prompt_tokens_details":{"cached_tokens":30,"audio_tokens":40,"image_tokens":50},
        "completion_tokens_details":{"reasoning_tokens":10,"audio_tokens":45,"text_tokens":5}}}"#;
    assert_eq!(
        heard(Endpoint::ChatCompletions, false, chat).usage,
        TokenUsage { audio_input: 40, image_input: 30, audio_output: 45, ..usage(70, 60, 30, 0, 0, 10) },
    );
    let speech = r#"{"text":"hi","usage":{"type":"tokens","input_tokens":14,"output_tokens":4,
        "input_token_details":{"text_tokens":2,"audio_tokens":12}}}"#;
    assert_eq!(
        heard(Endpoint::AudioTranscriptions, false, speech).usage,
        TokenUsage { audio_input: 12, ..usage(14, 4, 0, 0, 0, 0) },
    );
    let absurd = r#"{"usage":{"input_tokens":5,"output_tokens":5,"input_tokens_details":{"audio_tokens":99,
        "image_tokens":99},"output_tokens_details":{"reasoning_tokens":3,"audio_tokens":99,"image_tokens":99}}}"#;
    assert_eq!(
        heard(Endpoint::Responses, false, absurd).usage,
        TokenUsage { audio_input: 5, audio_output: 2, ..usage(5, 5, 0, 0, 0, 3) },
    );
    let gemini = r#"{"usageMetadata":{"promptTokenCount":300,"candidatesTokenCount":1300,"thoughtsTokenCount":7,
        "cachedContentTokenCount":100,"toolUsePromptTokenCount":20,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":42},{"modality":"AUDIO","tokenCount":128},
            {"modality":"IMAGE","tokenCount":130}],
        "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":28}],
        "toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":5}],
        "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290},{"modality":"AUDIO","tokenCount":4}]}}"#;
    let expected = TokenUsage {
        audio_input: 105,
        image_input: 115,
        audio_output: 4,
        image_output: 1290,
        ..usage(220, 1307, 100, 0, 0, 7)
    };
    assert_eq!(heard(Endpoint::GeminiGenerate, false, gemini).usage, expected);
    let event = format!("data: {}\n\n", gemini.replace('\n', ""));
    assert_eq!(heard(Endpoint::GeminiStream, true, &event).usage, expected);
}

#[test]
fn us_images_are_counted_in_pieces_only_without_tokens() {
    let two =
        r#"{"created":1,"data":[{"url":"https://x/[{","b64_json":null},{"url":"y","extra":{"a":[{}]}}]}"#;
    assert_eq!(heard(Endpoint::ImageGenerations, false, two).usage.images, 2);
    let zero = r#"{"data":[{"url":"x"}],"usage":{"total_tokens":0,"input_tokens":0,"output_tokens":0}}"#;
    assert_eq!(heard(Endpoint::ImageEdits, false, zero).usage.images, 1);
    for text in [
        r#"{"data":[{"url":"x"}],"usage":{"input_tokens":3,"output_tokens":9,"output_tokens_details":{"image_tokens":8,"text_tokens":1}}}"#,
        r#"{"usage":{"input_tokens":3,"output_tokens":9,"output_tokens_details":{"image_tokens":8}},"data":[{"url":"x"}]}"#,
    ] {
        let expected = TokenUsage { image_output: 8, ..usage(3, 9, 0, 0, 0, 0) };
        assert_eq!(heard(Endpoint::ImageGenerations, false, text).usage, expected);
    }
    assert_eq!(heard(Endpoint::Embeddings, false, two).usage.images, 0);
    let stream = "data: {\"type\":\"image_generation.partial_image\"}\n\ndata: {\"type\":\"image_generation.completed\"}\n\n";
    assert_eq!(heard(Endpoint::ImageGenerations, true, stream).usage.images, 1);
}

#[test]
fn us_web_searches_are_counted_in_every_dialect() {
    let response = r#"{"output":[{"type":"web_search_call","action":{"type":"search"}},
        {"action":{"type":"open_page","url":"x"},"type":"web_search_call"},{"type":"web_search_call"},
        {"type":"message","content":[{"type":"web_search_call"}]}],"usage":{"input_tokens":1}}"#;
    assert_eq!(heard(Endpoint::Responses, false, response).usage.web_searches, 2);
    let item = |action: &str| {
        format!(
            "event: response.output_item.done\ndata: {{\"type\":\"response.output_item.done\",\"item\":{{\"type\":\"web_search_call\",\"action\":{{\"type\":\"{action}\"}}}}}}\n\n"
        )
    };
    let cut = [item("search"), item("find_in_page"), item("search")].concat();
    assert_eq!(heard(Endpoint::Responses, true, &cut).usage.web_searches, 2);
    let end = format!(
        "event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{}}}\n\n",
        response.replace('\n', "")
    );
    assert_eq!(heard(Endpoint::Responses, true, &(cut + &end)).usage.web_searches, 2);

    let claude = r#"{"usage":{"input_tokens":5,"output_tokens":6,"server_tool_use":{"web_search_requests":3,"web_fetch_requests":9}}}"#;
    assert_eq!(heard(Endpoint::Messages, false, claude).usage.web_searches, 3);
    let stream = format!(
        "event: message_delta\ndata: {{\"type\":\"message_delta\",{}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n",
        &claude[1..]
    );
    assert_eq!(
        heard(Endpoint::Messages, true, &stream).usage,
        TokenUsage { web_searches: 3, ..usage(5, 6, 0, 0, 0, 0) }
    );

    for (usage, expected) in [
        (r#""server_tool_use_details":{"web_search_requests":2}"#, 2),
        (r#""num_search_queries":4"#, 4),
        (r#""x":1"#, 1),
    ] {
        let cited = format!(
            r#"{{"choices":[{{"message":{{"annotations":[{{"type":"url_citation"}},{{"type":"url_citation"}}]}}}}],"usage":{{"prompt_tokens":1,{usage}}}}}"#
        );
        assert_eq!(heard(Endpoint::ChatCompletions, false, &cited).usage.web_searches, expected, "{usage}");
        let stream = format!("data: {}\n\n", cited.replace("message", "delta"));
        assert_eq!(heard(Endpoint::ChatCompletions, true, &stream).usage.web_searches, expected, "{usage}");
    }

    for (model, expected) in [("gemini-2.5-pro", 1), ("gemini-3-flash", 2)] {
        let answer = format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"webSearchQueries"}}]}},"groundingMetadata":{{"webSearchQueries":["","a","b"],"searchEntryPoint":{{"renderedContent":"x"}}}}}}],"modelVersion":"{model}","usageMetadata":{{"promptTokenCount":1}}}}"#
        );
        assert_eq!(heard(Endpoint::GeminiGenerate, false, &answer).usage.web_searches, expected);
        let twice = format!("data: {answer}\n\ndata: {answer}\n\n");
        assert_eq!(heard(Endpoint::GeminiStream, true, &twice).usage.web_searches, expected);
        let array = format!("[{answer},{answer}]");
        assert_eq!(heard(Endpoint::GeminiStream, true, &array).usage.web_searches, expected);
    }
}

#[test]
fn us_the_service_tier_is_what_the_answer_says() {
    for (endpoint, streaming, text, expected) in [
        (Endpoint::ChatCompletions, false, r#"{"service_tier":"default","usage":{}}"#, Some("default")),
        (Endpoint::ChatCompletions, false, r#"{"choices":[],"service_tier":"auto"}"#, None),
        (Endpoint::ChatCompletions, false, r#"{"service_tier":null}"#, None),
        (Endpoint::ChatCompletions, false, r#"{"service_tier":"a b"}"#, None),
        (
            Endpoint::ChatCompletions,
            true,
            "data: {\"service_tier\":\"default\"}\n\ndata: {\"service_tier\":\"Priority\"}\n\n",
            Some("priority"),
        ),
        (
            Endpoint::Responses,
            true,
            "event: response.created\ndata: {\"response\":{\"service_tier\":\"auto\"}}\n\nevent: response.completed\ndata: {\"response\":{\"service_tier\":\"flex\"}}\n\n",
            Some("flex"),
        ),
        (Endpoint::Responses, false, r#"{"service_tier":"flex"}"#, Some("flex")),
        (
            Endpoint::Messages,
            false,
            r#"{"usage":{"input_tokens":1,"service_tier":"standard"}}"#,
            Some("standard"),
        ),
        (
            Endpoint::Messages,
            false,
            r#"{"usage":{"speed":"fast","input_tokens":1,"service_tier":"standard"}}"#,
            Some("fast"),
        ),
        (
            Endpoint::GeminiGenerate,
            false,
            r#"{"usageMetadata":{"promptTokenCount":1,"trafficType":"ON_DEMAND_FLEX"}}"#,
            Some("flex"),
        ),
        (
            Endpoint::GeminiGenerate,
            false,
            r#"{"usageMetadata":{"trafficType":"ON_DEMAND","promptTokenCount":1,"serviceTier":"priority"}}"#,
            Some("priority"),
        ),
        (
            Endpoint::GeminiGenerate,
            false,
            r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#,
            Some("standard"),
        ),
    ] {
        assert_eq!(heard(endpoint, streaming, text).service_tier.as_deref(), expected, "{text}");
    }
}

#[test]
fn us_steps_that_anthropics_totals_leave_out_are_added() {
    let text = r#"{"usage":{"input_tokens":2390,"output_tokens":121,"iterations":[
        {"type":"message","input_tokens":1128,"output_tokens":110},
        {"type":"advisor_message","model":"m","input_tokens":2518,"output_tokens":22,"iterations":[{"input_tokens":7}],
         "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":3}},
        {"type":"compaction","input_tokens":10,"output_tokens":1},
        {"type":"message","input_tokens":1262,"output_tokens":11}]}}"#;
    assert_eq!(heard(Endpoint::Messages, false, text).usage, usage(4918, 144, 0, 0, 0, 0));
    let cached =
        text.replace("\"output_tokens\":121", "\"output_tokens\":121,\"cache_creation_input_tokens\":5");
    assert_eq!(heard(Endpoint::Messages, false, &cached).usage, usage(4918, 144, 0, 12, 0, 0));
}

#[test]
fn what_is_certain_is_known_while_the_answer_runs() {
    let text = include_str!("../../../fixtures/messages.sse");
    let cut = text.find("event: message_delta").unwrap();
    let mut meter = Meter::new(Endpoint::Messages, true);
    meter.feed(&text.as_bytes()[..cut]);
    assert_eq!(meter.running(), usage(17, 1, 40, 300, 200, 0));
    assert!(meter.output_bytes() > 0);
    meter.feed(&text.as_bytes()[cut..]);
    assert_eq!(meter.running().output, 25);
}
