//! The gate against hand-made beginnings.

use proptest::prelude::*;

use super::*;

const STREAMED: [Endpoint; 4] =
    [Endpoint::Messages, Endpoint::ChatCompletions, Endpoint::Responses, Endpoint::GeminiStream];

/// What a dialect says before it says anything.
fn greeting(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Messages => {
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"
        }
        Endpoint::ChatCompletions => {
            ": PROCESSING\n\ndata: {\"id\":\"c\",\"choices\":[],\"prompt_filter_results\":[{\"content_filter_results\":{}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"finish_reason\":null}]}\n\n"
        }
        Endpoint::Responses => {
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\",\"error\":null,\"instructions\":\"long\"}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"reasoning\",\"summary\":[]}}\n\n"
        }
        _ => "data: {\"usageMetadata\":{\"promptTokenCount\":1},\"modelVersion\":\"m\"}\n\n",
    }
}

fn all(endpoint: Endpoint, sse: bool, text: &str) -> (Opening, Opening) {
    let mut gate = Gate::new(endpoint, sse);
    (gate.feed(text.as_bytes()), gate.finish())
}

#[test]
fn u18_greetings_and_pings_hold_however_many_come() {
    for endpoint in STREAMED {
        let mut gate = Gate::new(endpoint, true);
        gate.feed(greeting(endpoint).as_bytes());
        for _ in 0..2_000 {
            for ping in [
                ": ping\n\n",
                "event: ping\ndata: {\"type\":\"ping\"}\n\n",
                "data:\n\n",
                "data: null\n\n",
                "data: {}\n\n",
            ] {
                assert_eq!(gate.feed(ping.as_bytes()), Opening::Hold, "{endpoint}");
            }
        }
        assert_eq!(gate.finish(), Opening::Malformed("cut"), "{endpoint}");
    }
}

#[test]
fn u39_an_error_event_before_content_fails_with_the_upstreams_words() {
    for (endpoint, event, message, kind) in [
        (
            Endpoint::Messages,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            "Overloaded",
            "overloaded_error",
        ),
        // Without its name, and by a server that mixes the dialects.
        (
            Endpoint::Messages,
            "data: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"boom\"}}\n\n",
            "boom",
            "api_error",
        ),
        (Endpoint::Messages, "data: {\"error\":{\"message\":\"boom\",\"type\":\"t\"}}\n\n", "boom", "t"),
        (
            Endpoint::ChatCompletions,
            "data: {\"error\":{\"message\":\"boom\",\"code\":502}}\n\n",
            "boom",
            "502",
        ),
        (
            Endpoint::ChatCompletions,
            "data: {\"id\":\"c\",\"error\":{\"message\":\"gone\",\"code\":\"x\"},\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n",
            "gone",
            "x",
        ),
        (Endpoint::ChatCompletions, "event: error\ndata: {\"message\":\"bare\"}\n\n", "bare", ""),
        (Endpoint::ChatCompletions, "data: {\"code\":\"busy\",\"msg\":\"later\"}\n\n", "later", "busy"),
        (
            Endpoint::ChatCompletions,
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n",
            "the upstream ended its answer with an error",
            "",
        ),
        (
            Endpoint::Responses,
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Please try again in 1.5s.\"}}}\n\n",
            "Please try again in 1.5s.",
            "rate_limit_exceeded",
        ),
        (
            Endpoint::Responses,
            "event: error\ndata: {\"type\":\"error\",\"code\":\"c\",\"message\":\"flat\"}\n\n",
            "flat",
            "c",
        ),
        (
            Endpoint::Responses,
            "data: {\"type\":\"response.failed\"}\n\n",
            "the upstream's response failed",
            "",
        ),
        (
            Endpoint::GeminiStream,
            "data: {\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}\n\n",
            "later",
            "UNAVAILABLE",
        ),
        (Endpoint::GeminiStream, "data: [{\"error\":{\"message\":\"listed\"}}]\n\n", "listed", ""),
    ] {
        for before in ["", greeting(endpoint)] {
            let text =
                format!("{before}{event}data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\"}}}}]}}\n\n");
            let (opening, ending) = all(endpoint, true, &text);
            let Opening::Failed(error) = &opening else { panic!("{text}: {opening:?}") };
            assert_eq!((error.message.as_str(), error.kind.as_str()), (message, kind), "{text}");
            assert_eq!(opening, ending);
        }
    }
}

#[test]
fn a_failure_names_the_wait_it_asks_for() {
    let event = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Please try again in 1.5s.\"}}}\n\n";
    let (Opening::Failed(error), _) = all(Endpoint::Responses, true, event) else { panic!() };
    assert_eq!((error.code.as_deref(), error.retry_after_ms), (Some("rate_limit_exceeded"), Some(1_500)));
}

#[test]
fn u14_the_first_real_piece_opens() {
    for (endpoint, event) in [
        (Endpoint::Messages, r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"\n"}}"#),
        (
            Endpoint::Messages,
            r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"x"}}"#,
        ),
        (
            Endpoint::Messages,
            r#"{"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        ),
        (
            Endpoint::Messages,
            r#"{"type":"content_block_start","content_block":{"type":"redacted_thinking","data":"x"}}"#,
        ),
        (
            Endpoint::Messages,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":0}}"#,
        ),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{"content":"x"}}]}"#),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{"reasoning_content":"x"}}]}"#),
        (
            Endpoint::ChatCompletions,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}"#,
        ),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{"audio":{"data":"AA"}}}]}"#),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{"refusal":"no"}}]}"#),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#),
        (Endpoint::ChatCompletions, r#"{"choices":[{"delta":{"content":"lone \ud83d"}}]}"#),
        (Endpoint::Completions, r#"{"choices":[{"text":"x"}]}"#),
        (Endpoint::ImageGenerations, r#"{"type":"image_generation.partial_image","b64_json":"AA"}"#),
        (Endpoint::AudioSpeech, r#"{"type":"speech.audio.delta","audio":"AA"}"#),
        (Endpoint::Responses, r#"{"type":"response.output_text.delta","delta":"x"}"#),
        (Endpoint::Responses, r#"{"type":"response.reasoning_summary_text.delta","delta":"x"}"#),
        (
            Endpoint::Responses,
            r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"f"}}"#,
        ),
        (
            Endpoint::Responses,
            r#"{"type":"response.completed","response":{"output":[],"usage":{"output_tokens":0}}}"#,
        ),
        (Endpoint::Responses, r#"{"type":"response.incomplete","response":{"output":[]}}"#),
        (Endpoint::GeminiStream, r#"{"candidates":[{"content":{"parts":[{"text":"x","thought":true}]}}]}"#),
        (Endpoint::GeminiStream, r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#),
        (Endpoint::GeminiStream, r#"{"candidates":[{"content":{"parts":[{"inlineData":{"data":"AA"}}]}}]}"#),
        (Endpoint::GeminiStream, r#"{"candidates":[{"finishReason":"STOP"}]}"#),
        (Endpoint::GeminiStream, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#),
    ] {
        let mut gate = Gate::new(endpoint, true);
        if STREAMED.contains(&endpoint) {
            assert_eq!(gate.feed(greeting(endpoint).as_bytes()), Opening::Hold, "{endpoint}");
        }
        assert_eq!(gate.feed(format!("data: {event}").as_bytes()), Opening::Hold, "{event}");
        assert_eq!(gate.feed(b"\n\n"), Opening::Content, "{event}");
        // An error after content is no longer the gate's affair.
        assert_eq!(gate.feed(b"data: {\"error\":{\"message\":\"m\"}}\n\n"), Opening::Content);
    }
}

#[test]
fn u16_a_last_event_without_its_blank_line_counts() {
    let (before, after) =
        all(Endpoint::ChatCompletions, true, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}");
    assert_eq!((before, after), (Opening::Hold, Opening::Content));
}

#[test]
fn u12_u13_what_is_no_stream_is_named() {
    for (endpoint, sse, text, word) in [
        (Endpoint::Messages, true, "", "empty"),
        (Endpoint::Messages, true, " \n\n", "empty"),
        (Endpoint::Messages, true, ": ping\n\n: ping\n\n", "empty"),
        (Endpoint::Messages, true, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "empty"),
        (Endpoint::ChatCompletions, true, "data: [DONE]\n\n", "empty"),
        (
            Endpoint::Responses,
            true,
            "data: {\"type\":\"response.completed\",\"response\":{\"output\":[]}}\n\n",
            "empty",
        ),
        (Endpoint::GeminiStream, true, greeting(Endpoint::GeminiStream), "cut"),
        (Endpoint::Messages, true, "<!DOCTYPE html><html>", "html"),
        (Endpoint::ChatCompletions, false, "\u{feff}\n <html>", "html"),
        (Endpoint::ChatCompletions, true, "data: <html>\n\n", "html"),
        (Endpoint::ChatCompletions, true, "Internal Server Error", "not_events"),
        (Endpoint::ChatCompletions, false, "Internal Server Error", "not_json"),
        (Endpoint::ChatCompletions, false, "dat", "not_json"),
        (Endpoint::ChatCompletions, true, "data: nonsense\n\n", "not_json"),
        (
            Endpoint::Messages,
            true,
            "event: message_start\ndata: {\"type\":\"message_start\",\n\n",
            "not_json",
        ),
        (Endpoint::Messages, false, "{\"id\":\"m\",", "cut"),
    ] {
        let (_, ending) = all(endpoint, sse, text);
        assert_eq!(ending, Opening::Malformed(word), "{text:?}");
    }
}

#[test]
fn u20_an_endless_event_is_cut_off() {
    let mut gate = Gate::new(Endpoint::Messages, true);
    let block = vec![b'x'; 1 << 20];
    gate.feed(b"data: ");
    for _ in 0..9 {
        assert_eq!(gate.feed(&block), Opening::Hold);
    }
    assert_eq!(gate.feed(b"\n\n"), Opening::Malformed("too_big"));
}

#[test]
fn a_json_body_in_place_of_events_is_judged_too() {
    for (endpoint, text, opens) in [
        (Endpoint::Messages, r#"{"type":"message","content":[{"type":"text","text":"x"#, true),
        (Endpoint::Messages, r#"{"type":"message","content":[{"type":"tool_use","input":{}}]}"#, true),
        (Endpoint::GeminiStream, r#"[{"candidates":[{"content":{"parts":[{"text":"x"}"#, true),
        (Endpoint::GeminiStream, r#"[{"usageMetadata":{"promptTokenCount":1}}, "#, false),
        (Endpoint::ChatCompletions, r#"{"id":"c","choices":[{"message":{"content":""#, false),
    ] {
        let (opening, _) = all(endpoint, true, text);
        assert_eq!(opening, if opens { Opening::Content } else { Opening::Hold }, "{text}");
    }
    for (endpoint, text, message) in [
        (
            Endpoint::Messages,
            r#"{"type":"error","error":{"type":"api_error","message":"m","text":"t"}}"#,
            "m",
        ),
        (Endpoint::Responses, r#"{"id":"r","error":{"message":"m"},"status":"failed","output":[]}"#, "m"),
        (Endpoint::GeminiStream, r#"[{"error":{"code":503,"message":"later"}}]"#, "later"),
        (Endpoint::GeminiStream, "[]", "the upstream's answer has no content"),
        (Endpoint::ChatCompletions, r#"{"detail":"no such thing"}"#, "no such thing"),
        (
            Endpoint::Messages,
            r#"{"id":"m","content":[],"stop_reason":null}"#,
            "the upstream's answer has no content",
        ),
    ] {
        for sse in [true, false] {
            let (opening, _) = all(endpoint, sse, text);
            let Opening::Failed(error) = opening else { panic!("{text}: {opening:?}") };
            assert_eq!(error.message, message, "{text}");
        }
    }
    let image = format!("{{\"created\":1,\"data\":[{{\"b64_json\":\"{}", "A".repeat(70_000));
    assert_eq!(all(Endpoint::ImageGenerations, false, &image).0, Opening::Content);
}

#[test]
fn sound_opens_at_once() {
    for text in ["ID3", "\u{1}", "{raw", "<x"] {
        assert_eq!(all(Endpoint::AudioSpeech, false, text).0, Opening::Content, "{text}");
    }
    assert_eq!(all(Endpoint::AudioTranscriptions, false, "plain words").0, Opening::Content);
    assert_eq!(all(Endpoint::AudioTranscriptions, false, "d").1, Opening::Content);
    assert_eq!(all(Endpoint::AudioSpeech, false, "").1, Opening::Malformed("empty"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn u19_nothing_makes_the_gate_panic_and_no_cut_changes_its_end(
        at in 0..Endpoint::ALL.len(),
        sse in any::<bool>(),
        start in prop::sample::select(vec!["{", "[", "data: {", "data: {\"choices\":[{\"delta\":", ""]),
        bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ \r\n\xEFdataerror1".to_vec()), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = [start.as_bytes(), &bytes].concat();
        let hear = |pieces: &[&[u8]]| {
            let mut gate = Gate::new(Endpoint::ALL[at], sse);
            for piece in pieces {
                gate.feed(piece);
            }
            gate.finish()
        };
        let whole = hear(&[&text]);
        prop_assert_ne!(&whole, &Opening::Hold);
        let (head, tail) = text.split_at(cut.index(text.len() + 1));
        prop_assert_eq!(&whole, &hear(&[head, tail]));
        let single: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(&whole, &hear(&single));
    }
}
